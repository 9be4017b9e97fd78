/*
 * spares: interpreters started ahead of need, for runtimes that somebody uses. Python is forked
 * from a zygote; Node.js and the rest are started by exec. How many are kept follows how many were
 * asked for lately; after keep_warm_s without use, none.
 */
#include "runtime/runtime_internal.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>

#define REFILL_MS 30
/* At a time: forks cost little, interpreters that start by themselves would be in the way of what
 * is asked for now. */
#define AT_ONCE_FORKED 4
#define AT_ONCE        1
/* While the zygote starts, so many interpreters start by themselves. A burst waits for it: a
 * hundred forks are done before ten such starts. */
#define ALONE          2
#define ZYGOTE_WAIT_MS 3000

static const struct {
	enum runtime_language language;
	struct str folder, bootstrap, zygote;
} languages[] = {
	{ LANGUAGE_PYTHON, S_INIT("python"), S_INIT("/var/runtime/bootstrap.py"),
	        S_INIT("zygote.py") },
	{ LANGUAGE_NODEJS, S_INIT("nodejs"), S_INIT("/var/runtime/bootstrap.cjs"), S_INIT("") },
};

static size_t language_index(const struct interpreter *in)
{
	for (size_t i = 0; i < ARRAY_LEN(languages); i++)
		if (languages[i].language == in->kind->language)
			return i;
	ensure(false);
	return 0;
}

void spares_argv(struct arena *a, const struct interpreter *in, struct str **argv, size_t *n)
{
	*argv = arena_new_n(a, struct str, 3);
	(*argv)[0] = str_of(in->path);
	(*argv)[1] = languages[language_index(in)].bootstrap;
	*n = 2;
}

void spares_mounts(struct runtime *rt, struct arena *a, const struct interpreter *in,
        struct sandbox_spec *spec)
{
	spec->runtime_dir = str_printf(a, "%.*s/%.*s", STR(rt->options.runtimes_dir),
	        STR(languages[language_index(in)].folder));
	if (!in->prefix)
		return;
	spec->extra = arena_new(a, struct str);
	spec->extra[0] = str_printf(a, "%s:%s", in->prefix, in->prefix);
	spec->n_extra = 1;
}

void spares_zygote_failed(struct spares *s)
{
	if (!s->zygote)
		return;
	s->zygote = false;
	log_warn(
	        "the zygote of %s is gone: interpreters start by themselves", s->interpreter->path);
}

struct str spares_zygote(const struct spares *s)
{
	return s->zygote && s->state == SPARES_READY ? str_of(s->zygote_id) : (struct str){ 0 };
}

int spares_wait_zygote(struct task *t, struct spares *s)
{
	if (s->state != SPARES_STARTING || s->n_alone++ < ALONE)
		return 0;
	int bad = 0;
	while (s->state == SPARES_STARTING && bad == 0)
		bad = cond_wait(t, &s->zygote_started, ZYGOTE_WAIT_MS);
	return bad == -ETIMEDOUT ? 0 : bad;
}

/* ---- filling ---- */

static void refill(struct timer *timer)
{
	struct spares *s = CONTAINER_OF(timer, struct spares, refill);

	size_t at_once = s->zygote ? AT_ONCE_FORKED : AT_ONCE;

	while (s->state == SPARES_READY && s->n_ready + s->n_starting < s->target &&
	        s->n_starting + s->n_warming < at_once && !s->rt->stopping &&
	        s->rt->n_envs < s->rt->max_envs) {
		struct env *e = env_new(s->rt, s->interpreter);
		e->spares = s;
		s->n_starting++;
		task_start(s->rt->loop, "env-spare", env_spawn_spare_task, env_ref(e));
	}
}

/* Later: what asks for one now goes first. */
static void refill_soon(struct spares *s)
{
	timer_set(&s->refill, s->rt->loop, REFILL_MS, refill);
}

void spares_started(struct spares *s, struct env *e, bool good)
{
	s->n_starting--;
	if (!good) {
		/* Not again and again: the next use tries once more. */
		s->target = 0;
		return;
	}
	s->n_ready++;
	s->n_warming++;
	e->warming = true;
	list_push_back(&s->ready, &e->idle);
	if (e->assign_conn)
		spares_warm(s, e);
}

static void end_warming(struct spares *s, struct env *e)
{
	if (!e->warming)
		return;
	e->warming = false;
	s->n_warming--;
}

void spares_warm(struct spares *s, struct env *e)
{
	if (!e->warming)
		return;
	end_warming(s, e);
	list_remove(&e->idle);
	list_push_front(&s->ready, &e->idle);
	if (s->n_ready + s->n_starting < s->target)
		refill_soon(s);
}

void spares_forget(struct env *e)
{
	if (!e->spares || e->pool || !list_is_linked(&e->idle))
		return;
	list_remove(&e->idle);
	end_warming(e->spares, e);
	e->spares->n_ready--;
}

void spares_lost(struct spares *s, struct env *e)
{
	if (!list_is_linked(&e->idle))
		return;
	spares_forget(e);
	log_warn("a prestarted interpreter of %.*s has ended by itself",
	        STR(s->interpreter->kind->name));
}

struct env *spares_take(struct spares *s)
{
	struct list_node *n = list_pop_front(&s->ready);
	uint64_t now = clock_mono_ns();
	bool busy = s->used_ns && now - s->used_ns < 1000000000;

	s->used_ns = now;
	s->target =
	        busy ? MIN(s->target + 1, (size_t)SPARES_MAX) : MAX(s->target, (size_t)SPARES_MIN);
	refill_soon(s);
	if (!n)
		return NULL;
	s->n_ready--;
	end_warming(s, CONTAINER_OF(n, struct env, idle));
	return CONTAINER_OF(n, struct env, idle);
}

void spares_shrink(struct spares *s, uint64_t idle_ns)
{
	uint64_t unused = clock_mono_ns() - s->used_ns;

	if (unused > 60000000000ull && s->target > SPARES_MIN)
		s->target = SPARES_MIN;
	if (unused > idle_ns)
		s->target = 0;
	while (s->n_ready > s->target) {
		struct env *e = CONTAINER_OF(list_pop_front(&s->ready), struct env, idle);
		s->n_ready--;
		end_warming(s, e);
		env_stop(e);
	}
}

/* ---- the zygote ---- */

static int zygote_task(struct task *t, void *arg)
{
	struct spares *s = arg;
	struct runtime *rt = s->rt;
	struct arena *a = task_arena(t);
	struct str argv[2] = { str_of(s->interpreter->path),
		str_printf(a, "%.*s/python/zygote.py", STR(rt->options.runtimes_dir)) };
	struct str env[3] = { S("LANG=en_US.UTF-8"), S("TZ=:UTC"),
		S("PATH=/usr/local/bin:/usr/bin/:/bin:/opt/bin") };
	struct sandbox_message m = { .type = SANDBOX_ZYGOTE, .id = str_of(s->zygote_id) }, reply;

	m.spec = (struct sandbox_spec){
		.id = m.id, .argv = argv, .n_argv = 2, .env = env, .n_env = ARRAY_LEN(env)
	};
	int bad = sandbox_client_call(t, &rt->sandbox, &m, &reply);
	if (bad && bad != -ECANCELED && !rt->stopping)
		log_warn("no zygote for %s (each environment starts one of its own): %.*s: %s",
		        s->interpreter->path, STR(reply.why.p ? reply.why : S("")), strerror(-bad));
	s->zygote = bad == 0;
	s->state = SPARES_READY;
	cond_broadcast(&s->zygote_started);
	refill_soon(s);
	return 0;
}

static void start(struct spares *s)
{
	bool wants = languages[language_index(s->interpreter)].zygote.n > 0;

	s->used_ns = clock_mono_ns();
	s->target = SPARES_MIN;
	if (!wants) {
		s->state = SPARES_READY;
		refill_soon(s);
		return;
	}
	s->state = SPARES_STARTING;
	task_start(s->rt->loop, "zygote", zygote_task, s);
}

/* One for each runtime: two names run by the same interpreter differ in their variables. */
struct spares *spares_get(struct runtime *rt, const struct interpreter *in)
{
	struct spares *s = map_get(&rt->spares, in->kind->name);

	if (s)
		return s;
	s = mem_new(struct spares);
	s->rt = rt;
	s->interpreter = in;
	list_init(&s->ready);
	cond_init(&s->zygote_started);
	snprintf(
	        s->zygote_id, sizeof s->zygote_id, "python%dx%d", in->kind->major, in->kind->minor);
	map_put(&rt->spares, in->kind->name, s);
	start(s);
	return s;
}

void spares_free(struct runtime *rt)
{
	struct map_slot *slot;
	size_t at = 0;

	while ((slot = map_next(&rt->spares, &at))) {
		struct spares *s = slot->value;
		timer_cancel(&s->refill);
		mem_free(s);
	}
	map_deinit(&rt->spares);
}
