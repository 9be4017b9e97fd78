/* sandbox_client: numbered requests, replies in any order, notices. */
#include "runtime/sandbox_client.h"

#include "base/log.h"

#include <unistd.h>

struct request {
	struct list_node node;
	uint32_t number;
	struct task *task;
	struct sandbox_message *reply;
	int result;
	bool done;
};

struct post {
	struct list_node node;
	enum sandbox_message_type type;
	int signal, pid;
	char id[48];
};

static void close_fds(const struct sandbox_message *m)
{
	for (int i = 0; i < SANDBOX_FD_N; i++)
		if (m->fds[i] >= 0)
			close(m->fds[i]);
}

static void finish(struct request *r, int result)
{
	list_remove(&r->node);
	r->result = result;
	r->done = true;
	task_wake(r->task, 0);
}

static void on_reply(struct sandbox_client *c, const struct sandbox_message *m)
{
	list_for_each (n, &c->waiting) {
		struct request *r = CONTAINER_OF(n, struct request, node);
		if (r->number != m->number)
			continue;
		*r->reply = *m;
		r->reply->why = str_dup(task_arena(r->task), m->why);
		finish(r, m->error);
		return;
	}
	close_fds(m);
}

static void on_death(struct sandbox_client *c)
{
	struct sandbox_message none = { .type = SANDBOX_EXIT };
	struct list_node *n;

	if (c->dead)
		return;
	c->dead = true;
	while ((n = list_first(&c->waiting)))
		finish(CONTAINER_OF(n, struct request, node), -EPIPE);
	c->notice(c->arg, &none);
}

static void say_lines(struct str text)
{
	while (text.p) {
		struct str line = str_cut(&text, '\n');
		if (line.n)
			log_warn("sandbox: %.*s", STR(line));
	}
}

static void on_message(struct sandbox_client *c, const struct sandbox_message *m)
{
	if (m->type == SANDBOX_REPLY)
		on_reply(c, m);
	else if (m->type == SANDBOX_REPORT)
		say_lines(m->why);
	else
		c->notice(c->arg, m);
}

static int receive(struct task *t, struct sandbox_client *c)
{
	for (;;) {
		struct sandbox_message m = { 0 };
		arena_reset(c->arena);
		int bad = sandbox_receive(c->fd.fd, c->arena, &m);
		if (bad == -EAGAIN) {
			c->fd.readable = false;
			bad = loop_fd_wait_readable(t, &c->fd, TASK_FOREVER);
			if (bad)
				return bad;
			continue;
		}
		if (bad) {
			on_death(c);
			return bad;
		}
		on_message(c, &m);
	}
}

static int receive_task(struct task *t, void *arg)
{
	struct sandbox_client *c = arg;

	(void)!receive(t, c);
	c->receiver = NULL;
	return 0;
}

static bool send_post(struct sandbox_client *c, const struct post *p)
{
	struct sandbox_message m = { .type = p->type,
		.id = str_of(p->id),
		.signal = p->signal,
		.pid = p->pid,
		.number = UINT32_MAX };

	return sandbox_send(c->fd.fd, &m) != -EAGAIN;
}

static int send_task(struct task *t, void *arg)
{
	struct sandbox_client *c = arg;
	struct list_node *n;

	while ((n = list_first(&c->unsent))) {
		struct post *p = CONTAINER_OF(n, struct post, node);
		if (send_post(c, p)) {
			list_remove(n);
			mem_free(p);
			continue;
		}
		/* Requests of tasks may wait for the same: a pause serves both. */
		if (task_sleep(t, 1) != 0)
			break;
	}
	c->sender = NULL;
	return 0;
}

static void post(struct sandbox_client *c, struct post p, struct str id)
{
	ensure(id.n < sizeof p.id);
	if (c->dead)
		return;
	memcpy(p.id, id.p, id.n);
	if (list_is_empty(&c->unsent) && send_post(c, &p))
		return;
	struct post *later = mem_new(struct post);
	*later = p;
	list_push_back(&c->unsent, &later->node);
	if (!c->sender)
		c->sender = task_start(c->fd.loop, "sandbox-send", send_task, c);
}

void sandbox_client_post(
        struct sandbox_client *c, enum sandbox_message_type type, struct str id, int signal)
{
	post(c, (struct post){ .type = type, .signal = signal }, id);
}

void sandbox_client_post_to(struct sandbox_client *c, struct str id, int pid, int signal)
{
	post(c, (struct post){ .type = SANDBOX_SIGNAL, .signal = signal, .pid = pid }, id);
}

int sandbox_client_call(struct task *t, struct sandbox_client *c, struct sandbox_message *m,
        struct sandbox_message *reply)
{
	struct request *r = arena_new(task_arena(t), struct request);

	r->task = t;
	r->reply = reply;
	*reply = (struct sandbox_message){ 0 };
	for (int i = 0; i < SANDBOX_FD_N; i++)
		reply->fds[i] = -1;
	if (c->dead)
		return -EPIPE;
	m->number = r->number = ++c->number ? c->number : ++c->number;
	int bad;
	while ((bad = sandbox_send(c->fd.fd, m)) == -EAGAIN)
		TRY(task_sleep(t, 1));
	TRY(bad);
	list_push_back(&c->waiting, &r->node);
	while (!r->done)
		(void)!task_park_uninterruptible(t);
	return r->result;
}

int sandbox_client_start(struct sandbox_client *c, struct loop *loop, int fd,
        void (*notice)(void *arg, const struct sandbox_message *m), void *arg)
{
	TRY(loop_fd_init(&c->fd, loop, fd));
	c->arena = arena_create();
	c->notice = notice;
	c->arg = arg;
	list_init(&c->waiting);
	list_init(&c->unsent);
	c->receiver = task_start(loop, "sandbox-receive", receive_task, c);
	return 0;
}

void sandbox_client_deinit(struct sandbox_client *c)
{
	arena_destroy(c->arena);
}

void sandbox_client_stop(struct sandbox_client *c)
{
	struct list_node *n;

	loop_fd_deinit(&c->fd);
	c->dead = true;
	while ((n = list_first(&c->waiting)))
		finish(CONTAINER_OF(n, struct request, node), -EPIPE);
	while ((n = list_pop_front(&c->unsent)))
		mem_free(CONTAINER_OF(n, struct post, node));
}
