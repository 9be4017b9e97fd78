/* runtime: beginning and end of it all, and the keeper that tidies up in between. */
#include "runtime/runtime.h"

#include "base/clock.h"
#include "base/log.h"
#include "codec/codec.h"
#include "runtime/credentials.h"
#include "runtime/debug.h"
#include "runtime/develop.h"
#include "runtime/logs.h"
#include "runtime/packages.h"
#include "runtime/telemetry.h"
#include "runtime/usage.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define KEEPER_MS      500
#define SWEEP_FIRST_NS 60000000000ull
#define SWEEP_EACH_NS  3600000000000ull
#define STOP_MS        2000
#define FLUSH_MS       3000
#define MIB_PER_ENV    16
#define ENVS_MIN       64
#define ENVS_MAX       4096

static void each_env(struct runtime *rt, void (*fn)(struct env *e))
{
	struct map_slot *slot;
	size_t at = 0;

	while ((slot = map_next(&rt->envs, &at)))
		fn(slot->value);
}

/* ---- notices of the helper ---- */

static void stop_one(struct env *e)
{
	env_stop(e);
}

static void on_notice(void *arg, const struct sandbox_message *m)
{
	struct runtime *rt = arg;

	if (m->type == SANDBOX_CHILD) {
		env_on_child(rt, m);
		return;
	}
	if (m->id.n) {
		env_on_exit(rt, m);
		return;
	}
	if (!rt->stopping)
		log_error(
		        "the sandbox helper has ended: no function can run until wolke is started "
		        "again");
	struct map_slot *slot;
	size_t at = 0;
	struct sandbox_message killed = { .exit_code = -1, .exit_signal = SIGKILL };
	while ((slot = map_next(&rt->envs, &at))) {
		killed.id = slot->key;
		env_on_exit(rt, &killed);
	}
}

/* ---- keeping ---- */

static uint64_t keep_warm_ns(const struct runtime *rt)
{
	return rt->options.keep_warm_s * 1000000000ull;
}

static void keep_idle(struct env *e, uint64_t now)
{
	uint64_t idle = now - e->idle_since_ns;
	bool expires = e->expires_ms && e->expires_ms - clock_now_ms() < CREDENTIALS_EARLY_MS;

	if (e->pool->f.debug_port)
		return;
	if ((idle > keep_warm_ns(e->rt) && !e->provisioned && !e->snapshot) || expires) {
		env_stop(e);
	} else if (!e->frozen && idle > FREEZE_AFTER_MS * 1000000ull && !telemetry_is_pending(e)) {
		e->frozen = true;
		sandbox_client_post(&e->rt->sandbox, SANDBOX_FREEZE, str_of(e->id), 0);
	}
}

static void keep(struct runtime *rt)
{
	struct map_slot *slot;
	size_t at = 0;
	uint64_t now = clock_mono_ns();

	while ((slot = map_next(&rt->envs, &at))) {
		struct env *e = slot->value;
		if (e->state == ENV_IDLE)
			keep_idle(e, now);
	}
	at = 0;
	while ((slot = map_next(&rt->spares, &at)))
		spares_shrink(slot->value, keep_warm_ns(rt));
}

/* An empty server wakes up for nothing but the hourly sweep. */
static bool has_work(const struct runtime *rt)
{
	return rt->envs.n > 0;
}

static int keep_on(struct task *t, struct runtime *rt)
{
	uint64_t sweep_at = clock_mono_ns() + SWEEP_FIRST_NS;

	for (;;) {
		TRY(task_sleep(t, has_work(rt) ? KEEPER_MS : 10 * KEEPER_MS));
		/* At the end the spares are being stopped, uncounted. */
		if (!rt->stopping)
			keep(rt);
		if (clock_mono_ns() < sweep_at)
			continue;
		TRY(packages_sweep(t, rt));
		arena_reset(task_arena(t));
		sweep_at = clock_mono_ns() + SWEEP_EACH_NS;
	}
}

static int keeper_task(struct task *t, void *arg)
{
	struct runtime *rt = arg;

	(void)!keep_on(t, rt);
	rt->keeper = NULL;
	return 0;
}

/* ---- start ---- */

static size_t envs_by_memory(void)
{
	uint64_t pages = (uint64_t)sysconf(_SC_PHYS_PAGES), size = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t n = pages * size / (MIB_PER_ENV << 20);

	return (size_t)MIN(MAX(n, (uint64_t)ENVS_MIN), (uint64_t)ENVS_MAX);
}

static void set_options(struct runtime *rt, const struct runtime_options *o)
{
	struct runtime_options *own = &rt->options;
	struct uri uri;

	*own = *o;
	own->data_dir = str_dup(rt->arena, o->data_dir);
	own->runtimes_dir = str_dup(rt->arena, o->runtimes_dir);
	own->endpoint = str_dup(rt->arena, o->endpoint);
	own->keep_warm_s = o->keep_warm_s ? o->keep_warm_s : 600;
	own->account_concurrency = o->account_concurrency ? o->account_concurrency : 1000;
	rt->max_envs = o->max_environments ? o->max_environments : envs_by_memory();
	rt->endpoint_port = uri_parse(own->endpoint, &uri) == 0 ? (uint16_t)uri.port : 0;
	interpreters_allow_nearest(o->nearest);
}

int runtime_start(struct loop *loop, const struct runtime_options *o)
{
	struct runtime *rt = mem_new(struct runtime);

	rt->loop = loop;
	rt->arena = arena_create();
	rt->scratch = arena_create();
	set_options(rt, o);
	list_init(&rt->logs);
	list_init(&rt->tails);
	list_init(&rt->usages);
	rt->endpoint = (struct http_server_options){ .handler = api_serve };
	loop_set(loop, LOOP_RUNTIME, rt);
	TRY(sandbox_client_start(&rt->sandbox, loop, o->sandbox_fd, on_notice, rt));
	rt->keeper = task_start(loop, "runtime-keeper", keeper_task, rt);
	return 0;
}

/* ---- changes ---- */

void runtime_retire(struct loop *loop, struct str arn, struct str keep_key)
{
	struct runtime *rt = loop_get(loop, LOOP_RUNTIME);
	struct map_slot *slot;
	size_t at = 0;

	if (!rt)
		return;
	while ((slot = map_next(&rt->pools, &at))) {
		struct pool *p = slot->value;
		/* Published versions do not change; they go only with the function itself. */
		bool changes = !keep_key.n || str_eq(p->f.version, S("$LATEST"));
		if (changes && str_eq(p->f.arn, arn) && !str_eq(p->f.key, keep_key))
			pool_retire(p);
	}
}

/* ---- stop ---- */

static void terminate(struct env *e)
{
	struct runtime *rt = e->rt;

	if (!e->pid || e->state == ENV_STOPPING)
		return;
	if (e->extensions) {
		env_stop(e);
		return;
	}
	if (e->frozen)
		sandbox_client_post(&rt->sandbox, SANDBOX_THAW, str_of(e->id), 0);
	e->frozen = false;
	sandbox_client_post(&rt->sandbox, SANDBOX_SIGNAL, str_of(e->id), SIGTERM);
}

static int wait_for_end(struct task *t, struct runtime *rt, uint64_t limit_ms)
{
	uint64_t end = clock_mono_ns() + limit_ms * 1000000;

	while (rt->envs.n > 0 && clock_mono_ns() < end && !rt->sandbox.dead)
		TRY(task_sleep(t, 2));
	return 0;
}

/* Prestarted interpreters have nothing to finish. */
static void stop_spare(struct env *e)
{
	if (!e->pool)
		env_stop(e);
}

static void fail_waiters(struct runtime *rt)
{
	struct map_slot *slot;
	size_t at = 0;

	while ((slot = map_next(&rt->pools, &at))) {
		struct pool *p = slot->value;
		struct list_node *n;
		while ((n = list_first(&p->waiting)))
			pool_fail_waiter(
			        p, CONTAINER_OF(n, struct waiter, node), -ECANCELED, S(""));
	}
}

static int join(struct task *t, struct task *other)
{
	if (!other)
		return 0;
	task_cancel(other);
	return task_join(t, other, STOP_MS);
}

/* What still has an environment, because its helper has gone, ends with the process. */
static void runtime_free(struct runtime *rt)
{
	if (rt->envs.n || rt->pools.n || rt->n_flushes || rt->n_running)
		return;
	spares_free(rt);
	packages_free(rt);
	credentials_free(rt);
	sandbox_client_deinit(&rt->sandbox);
	map_deinit(&rt->envs);
	map_deinit(&rt->pools);
	map_deinit(&rt->functions);
	arena_destroy(rt->scratch);
	arena_destroy(rt->arena);
	mem_free(rt);
}

int runtime_stop(struct task *t)
{
	struct runtime *rt = runtime_of(t);

	rt->stopping = true;
	provision_stop(rt);
	fail_waiters(rt);
	each_env(rt, stop_spare);
	each_env(rt, terminate);
	TRY(wait_for_end(t, rt, STOP_MS));
	each_env(rt, stop_one);
	TRY(wait_for_end(t, rt, STOP_MS));
	TRY(debug_stop(t, rt));
	TRY(develop_stop(t, rt));
	TRY(usage_stop(t, rt));
	TRY(logs_settle(t, rt, FLUSH_MS));
	sandbox_client_stop(&rt->sandbox);
	TRY(join(t, rt->keeper));
	TRY(join(t, rt->log_flusher));
	TRY(join(t, rt->sandbox.receiver));
	TRY(join(t, rt->sandbox.sender));
	loop_set(rt->loop, LOOP_RUNTIME, NULL);
	runtime_free(rt);
	return 0;
}

/* ---- what is there ---- */

static int64_t idle_ms(const struct env *e)
{
	return e->state == ENV_IDLE ? (int64_t)((clock_mono_ns() - e->idle_since_ns) / 1000000) : 0;
}

void runtime_list(struct arena *a, struct loop *loop, struct runtime_env_info **v, size_t *n)
{
	struct runtime *rt = loop_get(loop, LOOP_RUNTIME);
	struct map_slot *slot;
	size_t at = 0;

	*n = 0;
	*v = NULL;
	if (!rt)
		return;
	*v = arena_new_n(a, struct runtime_env_info, rt->envs.n + 1);
	while ((slot = map_next(&rt->envs, &at))) {
		const struct env *e = slot->value;
		(*v)[(*n)++] = (struct runtime_env_info){
			.id = str_dup(a, str_of(e->id)),
			.function_arn = e->pool ? str_dup(a, e->pool->f.arn) : S(""),
			.version = e->pool ? str_dup(a, e->pool->f.version) : S(""),
			.state = e->pool ? env_state_name(e->state) : S("prestarted"),
			.pid = e->pid,
			.invocations = e->n_invocations,
			.idle_ms = idle_ms(e),
		};
	}
}
