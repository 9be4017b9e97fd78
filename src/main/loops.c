/* loops: threads that each turn a loop. */
#include "main/loops.h"

#include "loop/channel.h"
#include "net/client.h"

#include <fcntl.h>
#include <pthread.h>

struct side {
	struct loops *loops;
	struct loop *loop;
	struct http_server *http;
	pthread_t thread;
	int listen_fd;
};

struct loops {
	struct http_server_options options;
	uint64_t grace_ms;
	struct cond stopped; /* one of the loops has */
	size_t n, n_stopping;
	struct side sides[];
};

static int serve(struct task *t, void *arg)
{
	struct side *s = arg;

	return http_server_start(s->loop, fd_take(&s->listen_fd), &s->loops->options, &s->http);
}

static void *turn(void *arg)
{
	struct side *s = arg;

	loop_run(s->loop);
	return NULL;
}

static int start_one(struct task *t, struct side *s, int listen_fd)
{
	s->listen_fd = fcntl(listen_fd, F_DUPFD_CLOEXEC, 0);
	if (s->listen_fd < 0)
		return -errno;
	s->loop = loop_new();
	for (int slot = 0; slot < LOOP_SLOT_N; slot++)
		if (slot != LOOP_NET)
			loop_set(s->loop, (enum loop_slot)slot,
			        loop_get(task_loop(t), (enum loop_slot)slot));
	task_start(s->loop, "serve", serve, s);
	int bad = pthread_create(&s->thread, NULL, turn, s);
	if (bad)
		loop_free(s->loop);
	return -bad;
}

int loops_start(struct task *t, int n, int listen_fd, const struct http_server_options *options,
        struct loops **loops)
{
	struct loops *l = mem_alloc(sizeof *l + sizeof l->sides[0] * (size_t)n);

	*loops = l;
	l->options = *options;
	cond_init(&l->stopped);
	for (; l->n < (size_t)n; l->n++) {
		l->sides[l->n].loops = l;
		TRY(start_one(t, &l->sides[l->n], listen_fd));
	}
	return 0;
}

static int end(struct task *t, void *arg)
{
	struct side *s = arg;
	int bad = s->http ? http_server_stop(t, s->http, s->loops->grace_ms) : 0;

	http_client_close(s->loop);
	return bad;
}

static int stop(struct task *t, void *arg)
{
	struct side *s = arg;
	int bad = loop_call(t, s->loop, end, s);

	loop_stop(s->loop);
	s->loops->n_stopping--;
	cond_broadcast(&s->loops->stopped);
	return bad;
}

void loops_stop_begin(struct task *t, struct loops *loops, uint64_t grace_ms)
{
	if (!loops)
		return;
	loops->grace_ms = grace_ms;
	loops->n_stopping = loops->n;
	for (size_t i = 0; i < loops->n; i++)
		task_start(task_loop(t), "loop-stop", stop, &loops->sides[i]);
}

void loops_stop_end(struct task *t, struct loops *loops)
{
	if (!loops)
		return;
	while (loops->n_stopping > 0 && cond_wait(t, &loops->stopped, TASK_FOREVER) == 0)
		;
	for (size_t i = 0; i < loops->n; i++) {
		pthread_join(loops->sides[i].thread, NULL);
		loop_free(loops->sides[i].loop);
	}
	mem_free(loops);
}
