/* invoke: one invocation from its caller's view. */
#include "runtime/debug.h"
#include "runtime/develop.h"

#include "base/clock.h"
#include "base/rand.h"

struct runtime *runtime_of(const struct task *t)
{
	return loop_get(task_loop(t), LOOP_RUNTIME);
}

static int admit(const struct runtime *rt, const struct pool *p)
{
	int32_t reserved = p->f.reserved_concurrency;

	if (reserved >= 0 && p->function->n_running >= (uint32_t)reserved)
		return RUNTIME_THROTTLED_RESERVED;
	return rt->n_running >= rt->options.account_concurrency ? RUNTIME_THROTTLED_ACCOUNT : 0;
}

/* ---- waiting for an environment ---- */

static int leave_queue(struct pool *p, struct waiter *w, int bad)
{
	if (list_is_linked(&w->node)) {
		list_remove(&w->node);
		p->n_waiting--;
		pool_free_if_unused(p);
		return bad;
	}
	/* Its turn had come just now. */
	if (w->env) {
		struct env *e = w->env;
		env_detach(e);
		env_stop(e);
	}
	return bad;
}

static bool is_served(const struct waiter *w)
{
	return w->done || (w->env && !w->coming);
}

static int wait_for_env(struct task *t, struct pool *p, struct waiter *w)
{
	list_push_back(&p->waiting, &w->node);
	p->n_waiting++;
	bool room = pool_grow(p);
	uint64_t end = clock_mono_ns() + HOST_WAIT_MS * 1000000ull;

	while (!is_served(w)) {
		uint64_t now = clock_mono_ns();
		if (!room && now >= end && list_is_linked(&w->node))
			return leave_queue(p, w, RUNTIME_THROTTLED_HOST);
		int bad = task_park(
		        t, room ? TASK_FOREVER : (end > now ? (end - now) / 1000000 + 1 : 1000));
		if (bad == -ETIMEDOUT && !room)
			continue;
		if (bad && !is_served(w))
			return leave_queue(p, w, bad);
	}
	return 0;
}

/* ---- the invocation ---- */

static int run_in(struct task *t, struct waiter *w)
{
	struct env *e = env_ref(w->env);
	w->delivering = true;
	int bad = w->done ? 0 : runtime_api_deliver(t, e, w);
	w->delivering = false;

	/* Half an event cannot be taken back. What ends the environment ends the invocation. */
	if (bad)
		env_stop_broken(e);
	while (!w->done && bad != -ECANCELED) {
		bad = task_park(t, TASK_FOREVER);
		if (bad == -ETIMEDOUT)
			break;
	}
	if (!w->done)
		env_detach(e);
	env_unref(e);
	return w->done ? 0 : bad;
}

static int invalid_entrypoint(struct waiter *w)
{
	struct runtime_result *r = w->result;

	r->payload = report_error(
	        w->arena, S("Runtime.InvalidEntrypoint"), w->in->request_id, r->payload);
	r->function_error = S("Unhandled");
	r->init_ms = -1;
	return 0;
}

static int run(struct task *t, struct pool *p, struct waiter *w)
{
	struct env *e = pool_take_idle(p);

	if (e)
		env_bind(e, w);
	else
		TRY(wait_for_env(t, p, w));
	if (w->env && !w->error)
		TRY(run_in(t, w));
	return w->error == RUNTIME_INVALID_ENTRYPOINT ? invalid_entrypoint(w) : w->error;
}

static int invoke_here(struct task *t, struct arena *a, const struct runtime_function *f,
        const struct runtime_invocation *in, struct runtime_result *result)
{
	struct runtime *rt = runtime_of(t);
	struct waiter w = { .task = t, .arena = a, .in = in, .result = result };
	struct runtime_function now = *f;
	struct pool *p;

	*result = (struct runtime_result){ .init_ms = -1 };
	if (rt->stopping)
		return -ECANCELED;
	debug_key(rt, a, &now);
	TRY(develop_key(rt, a, &now, &result->payload));
	TRY(pool_get(rt, &now, a, &result->payload, &p));
	int bad = admit(rt, p);
	if (bad) {
		pool_free_if_unused(p);
		return bad;
	}
	w.function = p->function;
	function_running(rt, w.function, 1);
	bad = run(t, p, &w);
	if (w.function)
		function_running(rt, w.function, -1);
	return bad;
}

/* ---- from other loops ---- */

struct away {
	struct arena *arena;
	const struct runtime_function *f;
	const struct runtime_invocation *in;
	struct runtime_result *result;
};

static int invoke_away(struct task *t, void *arg)
{
	struct away *x = arg;

	return invoke_here(t, x->arena, x->f, x->in, x->result);
}

static void copy_result(struct arena *a, struct runtime_result *r)
{
	struct str *const strings[] = { &r->payload, &r->function_error, &r->error_type,
		&r->log_tail, &r->env_id, &r->log_stream };

	for (size_t i = 0; i < ARRAY_LEN(strings); i++)
		if (strings[i]->p)
			*strings[i] = str_dup(a, *strings[i]);
}

/* As AWS does for a caller that sends none. */
static struct str new_trace_id(struct arena *a, bool sampled)
{
	return str_printf(a, "Root=1-%08llx-%016llx%08llx;Parent=%016llx;Sampled=%d",
	        (unsigned long long)(clock_now_ms() / 1000), (unsigned long long)rand_u64(),
	        (unsigned long long)(rand_u64() & 0xffffffff), (unsigned long long)rand_u64(),
	        sampled);
}

int runtime_invoke(struct task *t, const struct runtime_function *f,
        const struct runtime_invocation *in, struct runtime_result *result)
{
	struct runtime *rt = runtime_of(t);
	struct runtime_invocation with_trace = *in;

	*result = (struct runtime_result){ .init_ms = -1 };
	if (!rt)
		return -ECANCELED;
	if (!in->trace_id.n)
		with_trace.trace_id = new_trace_id(task_arena(t), f->tracing_active);
	if (rt->loop == task_loop(t))
		return invoke_here(t, task_arena(t), f, &with_trace, result);
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct away x = { .arena = a, .f = f, .in = &with_trace, .result = result };
	int bad = loop_call(t, rt->loop, invoke_away, &x);
	copy_result(task_arena(t), result);
	return bad;
}
