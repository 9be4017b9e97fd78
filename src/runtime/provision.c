/*
 * provision: environments that are initialised before anybody calls and kept until they are no
 * longer wanted. What dies is replaced; what fails to start is tried again, less and less often.
 */
#include "runtime/runtime_internal.h"

#define AT_ONCE     8
#define RETRY_MS    500
#define RETRIES_MAX 7
#define FAILED_AT   3

static void on_retry(struct timer *timer)
{
	provision_fill(CONTAINER_OF(timer, struct pool, provisioning));
}

static void retry_later(struct pool *p, unsigned tries)
{
	timer_set(&p->provisioning, p->rt->loop, RETRY_MS << MIN(tries, RETRIES_MAX), on_retry);
}

/* More than are wanted now: those that are idle. */
static void end_surplus(struct pool *p)
{
	list_for_each_safe (n, &p->idle) {
		struct env *e = CONTAINER_OF(n, struct env, idle);
		if (p->n_provisioned <= p->n_wanted)
			return;
		if (e->provisioned)
			env_stop(e);
	}
}

void provision_fill(struct pool *p)
{
	struct runtime *rt = p->rt;

	if (p->provisioning.node.at != 0)
		return; /* it waits */
	while (p->n_provisioned < p->n_wanted && p->n_starting < AT_ONCE && !rt->stopping) {
		if (rt->n_envs >= rt->max_envs && !pool_evict(rt)) {
			retry_later(p, 0);
			return;
		}
		pool_start_one(p, true);
	}
	if (p->n_provisioned > p->n_wanted)
		end_surplus(p);
}

void provision_lost(struct pool *p, const struct env *e)
{
	p->n_provisioned--;
	if (p->rt->stopping || p->n_provisioned >= p->n_wanted)
		return;
	if (e->initialised)
		provision_fill(p);
	else
		retry_later(p, p->provision_failures++);
}

static void want(struct pool *p, uint32_t n)
{
	p->n_wanted = n;
	p->provision_failures = 0;
	timer_cancel(&p->provisioning);
	provision_fill(p);
	pool_free_if_unused(p);
}

void provision_stop(struct runtime *rt)
{
	struct map_slot *slot;
	size_t at = 0;

	while ((slot = map_next(&rt->pools, &at))) {
		struct pool *p = slot->value;
		p->n_wanted = 0;
		timer_cancel(&p->provisioning);
	}
}

/* ---- for services ---- */

struct step {
	struct str arn;
	struct runtime_provision *v;
	size_t n;
};

static uint32_t wanted_of(const struct step *x, struct str key)
{
	for (size_t i = 0; i < x->n; i++)
		if (str_eq(x->v[i].f->key, key))
			return x->v[i].wanted;
	return 0;
}

static int set_step(struct task *t, void *arg)
{
	struct step *x = arg;
	struct runtime *rt = runtime_of(t);
	struct arena *a = task_arena(t);
	struct pool **others = arena_new_n(a, struct pool *, rt->pools.n + 1);
	struct map_slot *slot;
	size_t at = 0, n = 0;

	while ((slot = map_next(&rt->pools, &at))) {
		struct pool *p = slot->value;
		if (p->n_wanted && str_eq(p->f.arn, x->arn) && !wanted_of(x, p->f.key))
			others[n++] = p;
	}
	for (size_t i = 0; i < n; i++)
		want(others[i], 0);
	for (size_t i = 0; i < x->n; i++) {
		struct pool *p;
		struct str why;
		if (pool_get(rt, x->v[i].f, a, &why, &p) == 0)
			want(p, x->v[i].wanted);
	}
	return 0;
}

/* The initialised ones: idle or at work. */
static uint32_t available(const struct pool *p)
{
	struct map_slot *slot;
	size_t at = 0;
	uint32_t n = 0;

	while ((slot = map_next(&p->rt->envs, &at))) {
		const struct env *e = slot->value;
		n += e->pool == p && e->provisioned &&
		     (e->state == ENV_IDLE || e->state == ENV_BUSY);
	}
	return n;
}

static int get_step(struct task *t, void *arg)
{
	struct step *x = arg;

	for (size_t i = 0; i < x->n; i++) {
		const struct pool *p = map_get(&runtime_of(t)->pools, x->v[i].f->key);
		x->v[i].available = p ? available(p) : 0;
		x->v[i].allocated = p ? (uint32_t)p->n_provisioned : 0;
		x->v[i].failed = !p || p->provision_failures >= FAILED_AT;
	}
	return 0;
}

static int on_home(struct task *t, task_fn *fn, struct step *x)
{
	struct runtime *rt = runtime_of(t);

	if (!rt)
		return 0;
	return rt->loop == task_loop(t) ? fn(t, x) : loop_call(t, rt->loop, fn, x);
}

int runtime_provision(struct task *t, struct str arn, struct runtime_provision *v, size_t n)
{
	return on_home(t, set_step, &(struct step){ arn, v, n });
}

int runtime_provisioned(struct task *t, struct runtime_provision *v, size_t n)
{
	return on_home(t, get_step, &(struct step){ .v = v, .n = n });
}
