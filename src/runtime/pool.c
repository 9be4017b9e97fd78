/* pool: the environments of one function version, and the invocations that wait for one. */
#include "runtime/runtime_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "runtime/usage.h"

#define PATIENCE_MIN_MS 5
#define PATIENCE_MAX_MS 500

/* ---- functions: counts over all versions ---- */

static struct function *function_get(struct runtime *rt, struct str arn)
{
	struct function *f = map_get(&rt->functions, arn);

	if (f)
		return f;
	f = mem_new(struct function);
	f->rt = rt;
	char *text = mem_alloc(arn.n + 1);
	memcpy(text, arn.p, arn.n);
	f->arn = (struct str){ text, arn.n };
	map_put(&rt->functions, arn, f);
	return f;
}

void function_release(struct function *f)
{
	if (--f->refs > 0)
		return;
	map_remove(&f->rt->functions, f->arn);
	mem_free((void *)(uintptr_t)f->arn.p);
	mem_free(f);
}

void function_running(struct runtime *rt, struct function *f, int change)
{
	rt->n_running += (uint32_t)change;
	f->n_running += (uint32_t)change;
	if (change > 0)
		f->refs++;
	else
		function_release(f);
}

/* ---- making ---- */

static void on_impatience(struct timer *timer);

static int find_interpreter(
        struct arena *a, struct str runtime, struct str *why, const struct interpreter **in)
{
	struct str nearest;

	TRY(runtime_check(a, runtime, &nearest, why));
	*in = interpreter_find(runtime_kind_find(runtime));
	if (nearest.p)
		log_warn("%.*s is run by %.*s", STR(runtime), STR(nearest));
	return 0;
}

int pool_get(struct runtime *rt, const struct runtime_function *f, struct arena *a, struct str *why,
        struct pool **pool)
{
	const struct interpreter *in;
	struct pool *p = map_get(&rt->pools, f->key);

	*pool = p;
	if (p) {
		p->retired = false;
		p->f.reserved_concurrency = f->reserved_concurrency;
		return 0;
	}
	TRY(find_interpreter(a, f->runtime, why, &in));
	p = mem_new(struct pool);
	p->rt = rt;
	p->arena = arena_create();
	function_copy(p->arena, f, &p->f);
	p->interpreter = in;
	p->function = function_get(rt, p->f.arn);
	p->function->refs++;
	list_init(&p->idle);
	list_init(&p->waiting);
	list_init(&p->snapshots);
	p->impatience.fn = on_impatience;
	map_put(&rt->pools, p->f.key, p);
	*pool = p;
	return 0;
}

void pool_free_if_unused(struct pool *p)
{
	if (p->n_envs || p->n_waiting || p->n_wanted || p->n_watchers)
		return;
	timer_cancel(&p->impatience);
	timer_cancel(&p->provisioning);
	usage_keep(p);
	map_remove(&p->rt->pools, p->f.key);
	function_release(p->function);
	arena_destroy(p->arena);
	mem_free(p);
}

/* ---- growing ---- */

/* Makes room on a full host: the one that has been idle longest, of whatever function, ends. */
bool pool_evict(struct runtime *rt)
{
	struct env *oldest = NULL;
	struct map_slot *slot;
	size_t at = 0;

	while ((slot = map_next(&rt->envs, &at))) {
		struct env *e = slot->value;
		if (e->state == ENV_IDLE && !e->provisioned &&
		        (!oldest || e->idle_since_ns < oldest->idle_since_ns))
			oldest = e;
	}
	if (!oldest)
		return false;
	env_stop(oldest);
	return true;
}

/* What an interpreter reads when it starts cannot be given to one that has started. */
static bool needs_own_start(const struct runtime_function *f)
{
	static const struct str names[] = { S_INIT("NODE_"), S_INIT("PYTHON"), S_INIT("LD_"),
		S_INIT("AWS_LAMBDA_EXEC_WRAPPER=") };

	if (f->debug_port)
		return true;
	for (size_t i = 0; i < f->n_env; i++)
		for (size_t k = 0; k < ARRAY_LEN(names); k++)
			if (str_starts(f->env[i], names[k]))
				return true;
	return false;
}

static struct env *start_new(struct pool *p)
{
	struct runtime *rt = p->rt;
	struct env *e = NULL;
	bool managed = p->interpreter->kind->language != LANGUAGE_PROVIDED;
	bool own_start = needs_own_start(&p->f);

	if (managed) {
		struct spares *s = spares_get(rt, p->interpreter);
		e = own_start || p->no_spares ? NULL : spares_take(s);
		if (!e) {
			e = env_new(rt, p->interpreter);
			e->spares = own_start ? NULL : s;
		}
	} else {
		e = env_new(rt, p->interpreter);
	}
	e->pool = p;
	p->n_envs++;
	task_start(rt->loop, "env-start", env_start_task, env_ref(e));
	return e;
}

void pool_start_one(struct pool *p, bool provisioned)
{
	if (!provisioned && snapshot_take(p))
		return;
	struct env *e = start_new(p);
	e->provisioned = provisioned;
	p->n_provisioned += provisioned;
	p->n_starting++;
}

/* For nobody yet: it stops behind its init. */
void pool_start_snapshot(struct pool *p)
{
	struct env *e = start_new(p);

	e->snapshot = e->dedicated = true;
	p->n_snapshots++;
}

static bool grow(struct pool *p, size_t coming)
{
	/* Who is at a breakpoint has one of it before him. */
	if (p->f.debug_port && p->n_envs)
		return true;
	while (p->n_waiting > coming) {
		if (p->rt->n_envs >= p->rt->max_envs && !pool_evict(p->rt))
			return false;
		pool_start_one(p, false);
		coming++;
	}
	return true;
}

static void on_impatience(struct timer *timer)
{
	struct pool *p = CONTAINER_OF(timer, struct pool, impatience);

	(void)grow(p, p->n_starting);
}

/* Waiting for one that is about to come back for as long as a new one would take costs at most
 * twice what the better choice would. */
static uint64_t patience_ms(const struct pool *p)
{
	return (uint64_t)MIN(MAX(p->init_ms, PATIENCE_MIN_MS), PATIENCE_MAX_MS);
}

void pool_start_ahead(struct pool *p)
{
	if (p->n_envs || p->rt->n_envs >= p->rt->max_envs)
		pool_free_if_unused(p);
	else
		pool_start_one(p, false);
}

bool pool_grow(struct pool *p)
{
	if (p->n_finishing && p->n_waiting > p->n_starting && p->impatience.node.at == 0)
		timer_set(&p->impatience, p->rt->loop, patience_ms(p), on_impatience);
	return grow(p, p->n_starting + p->n_finishing);
}

void pool_retire(struct pool *p)
{
	p->retired = true;
	p->n_wanted = 0;
	timer_cancel(&p->provisioning);
	list_for_each_safe (n, &p->idle)
		env_stop(CONTAINER_OF(n, struct env, idle));
	list_for_each_safe (n, &p->snapshots)
		env_stop(CONTAINER_OF(n, struct env, idle));
}

/* ---- giving and taking ---- */

struct env *pool_take_idle(struct pool *p)
{
	list_for_each_safe (n, &p->idle) {
		struct env *e = CONTAINER_OF(n, struct env, idle);
		if (e->expires_ms && clock_now_ms() >= e->expires_ms - CREDENTIALS_EARLY_MS / 2)
			env_stop(e);
		else if (e->next_conn)
			return e;
	}
	return NULL;
}

void pool_give(struct pool *p, struct env *e)
{
	struct list_node *n = list_pop_front(&p->waiting);

	if (n) {
		p->n_waiting--;
		env_bind(e, CONTAINER_OF(n, struct waiter, node));
		return;
	}
	if (p->retired || p->rt->stopping) {
		env_stop(e);
		return;
	}
	e->idle_since_ns = clock_mono_ns();
	/* What is paid for anyway is used first. */
	if (p->n_wanted && !e->provisioned)
		list_push_back(&p->idle, &e->idle);
	else
		list_push_front(&p->idle, &e->idle);
	if (p->n_provisioned != p->n_wanted)
		provision_fill(p);
	if (p->f.snap_start)
		snapshot_fill(p);
}

void pool_fail_waiter(struct pool *p, struct waiter *w, int error, struct str why)
{
	if (list_is_linked(&w->node)) {
		list_remove(&w->node);
		p->n_waiting--;
	}
	w->error = error;
	w->result->payload = str_dup(w->arena, why);
	w->done = true;
	task_wake(w->task, 0);
}

void pool_start_failed(struct pool *p, int error, struct str why)
{
	struct list_node *n = list_first(&p->waiting);

	if (n)
		pool_fail_waiter(p, CONTAINER_OF(n, struct waiter, node), error, why);
}

void pool_remove_env(struct pool *p, struct env *e)
{
	if (e->snapshot)
		snapshot_lost(p, e);
	if (e->provisioned)
		provision_lost(p, e);
	e->pool = NULL;
	p->n_envs--;
	if (p->n_waiting && !p->rt->stopping)
		(void)pool_grow(p);
	pool_free_if_unused(p);
}
