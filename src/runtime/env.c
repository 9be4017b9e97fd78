/* env: one sandbox, from its making to its end. What happens in between is in env_run.c. */
#include "runtime/diagnose.h"
#include "runtime/extensions.h"
#include "runtime/logs.h"
#include "runtime/runtime_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"

#include <stdlib.h>
#include <unistd.h>

#define DRAIN_MAX      (4 << 20)
#define MEMORY_EACH_NS 100000000
#define SETTLE_MS      1

struct env *env_new(struct runtime *rt, const struct interpreter *interpreter)
{
	struct env *e = mem_new(struct env);

	e->rt = rt;
	e->interpreter = interpreter;
	e->refs = 1;
	e->arena = arena_create();
	e->memory_fd = -1;
	e->runtime_fd.fd = e->endpoint_fd.fd = e->log_fd.fd = -1;
	e->run.init_ms = -1;
	cond_init(&e->restored);
	list_init(&e->conns);
	list_init(&e->endpoint_conns);
	rand_hex32(e->id);
	map_put(&rt->envs, str_of(e->id), e);
	rt->n_envs++;
	return e;
}

struct env *env_ref(struct env *e)
{
	e->refs++;
	return e;
}

void env_unref(struct env *e)
{
	if (--e->refs > 0)
		return;
	extensions_free(e);
	env_log_unref(e->log);
	arena_destroy(e->arena);
	mem_free(e);
}

static bool is_coming(const struct env *e, enum env_state s)
{
	return e->pool && !e->dedicated && (s == ENV_STARTING || s == ENV_INIT);
}

void env_set_state(struct env *e, enum env_state to)
{
	ensure(env_state_may(e->state, to));
	if (is_coming(e, e->state) && !is_coming(e, to))
		e->pool->n_starting--;
	if (e->state == ENV_BUSY && e->run.answered) {
		e->pool->n_finishing--;
		e->run.answered = false;
	}
	if (to == ENV_STOPPING || (to == ENV_GONE && e->state != ENV_STOPPING))
		e->rt->n_envs--;
	e->state = to;
}

/* ---- its log ---- */

static void take_log(struct env *e, struct str bytes)
{
	if (e->run.timed_out)
		diagnose_feed(e, bytes);
	else if (e->log)
		env_log_write(e->log, bytes);
}

/* All that it has written so far, before the platform's own lines that follow. */
static void drain_log(struct env *e)
{
	char piece[4096];
	size_t total = 0;

	while (e->log_fd.fd >= 0 && total < DRAIN_MAX) {
		ssize_t n = read(e->log_fd.fd, piece, sizeof piece);
		if (n <= 0)
			return;
		take_log(e, (struct str){ piece, (size_t)n });
		total += (size_t)n;
	}
}

void env_drain_log(struct env *e)
{
	drain_log(e);
	if (e->log)
		env_log_end_line(e->log);
}

static int log_task(struct task *t, void *arg)
{
	enum { PIECE = 16 * 1024 };
	struct env *e = arg;
	char *piece = arena_bytes(task_arena(t), PIECE);

	for (;;) {
		ssize_t n = loop_fd_read(t, &e->log_fd, piece, PIECE, TASK_FOREVER);
		if (n <= 0)
			break;
		take_log(e, (struct str){ piece, (size_t)n });
		/* Others have their turn, too, while one floods its log. */
		if (n == PIECE && task_yield(t) != 0)
			break;
	}
	env_unref(e);
	return 0;
}

/* ---- adoption ---- */

static int adopt_fd(struct env *e, struct loop_fd *f, int *fd)
{
	return *fd < 0 ? 0 : loop_fd_init(f, e->rt->loop, fd_take(fd));
}

static void close_rest(struct sandbox_message *reply)
{
	for (int i = 0; i < SANDBOX_FD_N; i++)
		fd_closep(&reply->fds[i]);
}

int env_adopt(struct env *e, struct sandbox_message *reply)
{
	struct loop *loop = e->rt->loop;

	e->pid = reply->pid;
	e->memory_fd = fd_take(&reply->fds[SANDBOX_FD_MEMORY]);
	int bad = adopt_fd(e, &e->runtime_fd, &reply->fds[SANDBOX_FD_RUNTIME]);
	if (!bad)
		bad = adopt_fd(e, &e->endpoint_fd, &reply->fds[SANDBOX_FD_ENDPOINT]);
	if (!bad)
		bad = adopt_fd(e, &e->log_fd, &reply->fds[SANDBOX_FD_LOG]);
	close_rest(reply);
	if (bad)
		return bad;
	if (e->runtime_fd.fd >= 0)
		task_start(loop, "runtime-api", runtime_api_accept_task, env_ref(e));
	if (e->endpoint_fd.fd >= 0)
		task_start(loop, "endpoint", endpoint_accept_task, env_ref(e));
	if (e->log_fd.fd >= 0)
		task_start(loop, "env-log", log_task, env_ref(e));
	return 0;
}

uint32_t env_memory_mib(struct env *e, bool fresh)
{
	char text[32];
	uint64_t now = clock_mono_ns();

	if (e->memory_fd < 0 ||
	        (!fresh && e->memory_read_ns && now - e->memory_read_ns < MEMORY_EACH_NS))
		return e->max_memory_mib;
	ssize_t n = pread(e->memory_fd, text, sizeof text - 1, 0);
	if (n > 0) {
		text[n] = 0;
		uint64_t bytes = strtoull(text, NULL, 10);
		uint32_t mib = (uint32_t)((bytes + (1 << 20) - 1) >> 20);
		e->max_memory_mib = MAX(e->max_memory_mib, mib);
	}
	e->memory_read_ns = now;
	return e->max_memory_mib;
}

/* ---- the end ---- */

void env_stop(struct env *e)
{
	if (e->state == ENV_STOPPING || e->state == ENV_GONE)
		return;
	spares_forget(e);
	list_remove(&e->idle);
	timer_cancel(&e->timer);
	env_set_state(e, ENV_STOPPING);
	if (e->pid && !e->killed && extensions_shutdown(e)) {
		e->killed = true;
		return;
	}
	/* Without a pid the sandbox is still being made: its start task sees the state. */
	if (e->pid && !e->killed) {
		e->killed = true;
		sandbox_client_post(&e->rt->sandbox, SANDBOX_KILL, str_of(e->id), 0);
	}
}

#define BROKEN_MS 100

static void on_broken(struct timer *timer)
{
	env_stop(CONTAINER_OF(timer, struct env, timer));
}

/* Most likely its process has just ended: the notice of that says how. */
void env_stop_broken(struct env *e)
{
	if (e->state == ENV_BUSY && !e->run.answered)
		timer_set(&e->timer, e->rt->loop, BROKEN_MS, on_broken);
}

static void gone(struct env *e)
{
	struct pool *p = e->pool;

	spares_forget(e);
	list_remove(&e->idle);
	timer_cancel(&e->timer);
	if (e->run.counted)
		function_running(e->rt, e->run.counted, -1);
	e->run.counted = NULL;
	if (e->state != ENV_STOPPING)
		env_set_state(e, ENV_STOPPING);
	env_set_state(e, ENV_GONE);
	map_remove(&e->rt->envs, str_of(e->id));
	if (e->extensions)
		cond_broadcast(&e->extensions->changed);
	if (e->log && e->log->tap == e)
		e->log->tap = NULL;
	runtime_api_close(e);
	env_drain_log(e);
	loop_fd_deinit(&e->log_fd);
	fd_closep(&e->memory_fd);
	if (p)
		pool_remove_env(p, e);
	env_unref(e);
}

void env_never_was(struct env *e)
{
	gone(e);
}

void env_exited(struct env *e, const struct sandbox_message *m)
{
	env_drain_log(e);
	switch (e->state) {
	case ENV_INIT:
		env_init_failed_by_exit(e, m);
		break;
	case ENV_BUSY:
		env_run_failed_by_exit(e, m);
		break;
	case ENV_STARTING:
		if (e->spares && !e->pool)
			spares_lost(e->spares, e);
		else if (e->pool && e->spares && !e->dedicated)
			e->pool->no_spares = true;
		else if (e->pool && !e->dedicated)
			pool_start_failed(
			        e->pool, -ECHILD, S("the sandbox ended while it was made"));
		break;
	case ENV_STOPPING:
		if (e->invoker)
			env_run_failed_by_exit(e, m);
		break;
	default:
		break;
	}
	gone(e);
}

struct ended {
	struct env *env;
	struct sandbox_message m;
};

/* What it sent just before it ended is read first. */
static int exit_task(struct task *t, void *arg)
{
	struct ended *x = arg;

	(void)!task_sleep(t, SETTLE_MS);
	if (x->env->state != ENV_GONE)
		env_exited(x->env, &x->m);
	env_unref(x->env);
	mem_free(x);
	return 0;
}

/* Its extensions are still there. */
static int main_exit_task(struct task *t, void *arg)
{
	struct ended *x = arg;

	(void)!task_sleep(t, SETTLE_MS);
	extensions_on_child(x->env, &x->m);
	env_unref(x->env);
	mem_free(x);
	return 0;
}

void env_on_child(struct runtime *rt, const struct sandbox_message *m)
{
	struct env *e = map_get(&rt->envs, m->id);

	if (!e)
		return;
	struct ended *x = mem_new(struct ended);
	x->env = env_ref(e);
	x->m = *m;
	x->m.id = x->m.why = (struct str){ 0 };
	task_start(rt->loop, "env-child", main_exit_task, x);
}

void env_on_exit(struct runtime *rt, const struct sandbox_message *m)
{
	struct env *e = map_get(&rt->envs, m->id);

	if (!e)
		return;
	if (e->state == ENV_STOPPING) {
		env_exited(e, m);
		return;
	}
	struct ended *x = mem_new(struct ended);
	x->env = env_ref(e);
	x->m = *m;
	x->m.id = x->m.why = (struct str){ 0 };
	task_start(rt->loop, "env-exit", exit_task, x);
}
