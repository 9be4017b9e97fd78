/*
 * snapshot: SnapStart. Environments of a published version that have gone through their init and
 * the hooks before the snapshot stand frozen, at the call of restore/next. A cold start takes one
 * of them: it goes on from there, with the hooks after the restore, and another one is made in its
 * place. Each has an init of its own, so that nothing unique is there twice.
 *
 * Lambda Developer Guide, "Improving startup performance with Lambda SnapStart".
 */
#include "runtime/logs.h"
#include "runtime/runtime_api.h"

#include "base/clock.h"

#define STOCK      2
#define RESTORE_MS 10000
#define POLL_MS    5

void snapshot_fill(struct pool *p)
{
	struct runtime *rt = p->rt;

	while (p->f.snap_start && !p->retired && p->n_snapshots < STOCK && !rt->stopping &&
	        rt->n_envs < rt->max_envs)
		pool_start_snapshot(p);
}

static void begin_restore(struct env *e)
{
	e->restoring = true;
	e->restore_started_ns = clock_mono_ns();
	env_log_restore_start(e);
	timer_set(&e->timer, e->rt->loop, RESTORE_MS, env_init_timeout);
	cond_broadcast(&e->restored);
}

static void leave_stock(struct pool *p, struct env *e)
{
	if (e->snapshot)
		p->n_snapshots--;
	e->snapshot = false;
}

bool snapshot_take(struct pool *p)
{
	struct list_node *n = list_pop_front(&p->snapshots);

	if (!n)
		return false;
	struct env *e = CONTAINER_OF(n, struct env, idle);
	leave_stock(p, e);
	if (e->frozen)
		sandbox_client_post(&e->rt->sandbox, SANDBOX_THAW, str_of(e->id), 0);
	e->frozen = false;
	/* From now on it is on its way for whoever waits. */
	e->dedicated = false;
	p->n_starting++;
	env_set_state(e, ENV_INIT);
	begin_restore(e);
	return true;
}

void snapshot_lost(struct pool *p, struct env *e)
{
	leave_stock(p, e);
	if (!e->initialised)
		p->snapshot_failed = true;
}

static void park(struct env *e)
{
	struct pool *p = e->pool;

	e->idle_since_ns = clock_mono_ns();
	env_set_state(e, ENV_IDLE);
	p->snapshot_failed = false;
	if (p->retired || p->rt->stopping)
		env_stop(e);
	else
		list_push_back(&p->snapshots, &e->idle);
}

int snapshot_next(struct task *t, struct runtime_conn *c, struct api_request *r)
{
	struct env *e = c->env;

	if (e->state != ENV_INIT || !e->pool->f.snap_start || e->init_ended || e->next_conn)
		return runtime_api_bad_transition(t, c);
	TRY(runtime_api_flush(t, c));
	e->init_ended = true;
	if (e->second_init || e->pool->n_waiting) {
		leave_stock(e->pool, e);
		begin_restore(e);
	} else {
		e->initialised = true;
		e->init_ms = e->pool->init_ms =
		        (double)(clock_mono_ns() - e->init_started_ns) / 1e6;
		timer_cancel(&e->timer);
		park(e);
	}
	while (!e->restoring)
		TRY(cond_wait(t, &e->restored, TASK_FOREVER));
	return runtime_api_answer(t, c, 200, S(""));
}

int snapshot_restore_error(struct task *t, struct runtime_conn *c, struct api_request *r)
{
	struct env *e = c->env;

	if (e->state != ENV_INIT || !e->restoring)
		return runtime_api_bad_transition(t, c);
	TRY(runtime_api_accepted(t, c));
	TRY(runtime_api_flush(t, c));
	if (e->state == ENV_INIT)
		env_restore_failed(e, runtime_api_document(t, r), runtime_api_error_type(r));
	return 0;
}

/* ---- for services ---- */

struct taking {
	const struct runtime_function *f;
};

/* The pool does not go away while its environments are there; when it does, none could start. */
static int take_step(struct task *t, void *arg)
{
	const struct taking *x = arg;
	struct runtime *rt = runtime_of(t);
	struct pool *p;
	struct str why;

	TRY(pool_get(rt, x->f, task_arena(t), &why, &p));
	p->snapshot_failed = false;
	p->n_watchers++;
	snapshot_fill(p);
	int bad = 0;
	while (!bad && list_is_empty(&p->snapshots) && !p->snapshot_failed && !p->retired)
		bad = task_sleep(t, POLL_MS);
	bool taken = !list_is_empty(&p->snapshots);
	p->n_watchers--;
	pool_free_if_unused(p);
	return bad ? bad : taken ? 0 : RUNTIME_SNAPSHOT_FAILED;
}

int runtime_snapshot(struct task *t, const struct runtime_function *f)
{
	struct runtime *rt = runtime_of(t);
	struct taking x = { f };

	if (!rt)
		return -ECANCELED;
	return rt->loop == task_loop(t) ? take_step(t, &x) : loop_call(t, rt->loop, take_step, &x);
}
