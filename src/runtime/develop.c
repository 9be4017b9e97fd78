/* develop: watched directories, and what their changes do. */
#include "runtime/develop.h"

#include "base/clock.h"
#include "base/log.h"
#include "loop/tree.h"

#include <sys/stat.h>

/* A save is more than one event; an environment is started ahead when no more have come for so
 * long. What is asked for meanwhile starts its own. */
#define QUIET_MS 15

struct develop {
	struct runtime *rt;
	struct arena *arena;
	struct str directory;
	uint64_t generation;
	struct tree *tree;
	struct task *task;
	struct list ahead; /* functions to start an environment of */
	char what[256];    /* changed last, to be told */
	size_t what_n;
};

struct ahead {
	struct list_node node;
	struct arena *arena;
	struct runtime_function f;
};

struct str develop_layer(struct str layer)
{
	return str_starts(layer, S("/")) ? layer : (struct str){ 0 };
}

static bool uses(const struct runtime_function *f, struct str directory)
{
	bool found = str_eq(f->code_dir, directory);

	for (size_t i = 0; i < f->n_layers && !found; i++)
		found = str_eq(f->layer_blobs[i], directory);
	return found;
}

/* ---- a change ---- */

static void remember(struct develop *d, const struct pool *p)
{
	struct ahead *x = mem_new(struct ahead);

	x->arena = arena_create();
	function_copy(x->arena, &p->f, &x->f);
	/* The key without the directories' state, which develop_key() adds. */
	x->f.key = str_sub(x->f.key, 0, (size_t)MAX(str_rfind_char(x->f.key, '@'), (ptrdiff_t)0));
	list_push_back(&d->ahead, &x->node);
}

static void changed(struct develop *d, struct str what)
{
	struct map_slot *slot;
	size_t at = 0;

	d->generation = ++d->rt->develop_generation;
	d->what_n = MIN(what.n, sizeof d->what);
	memcpy(d->what, what.p, d->what_n);
	while ((slot = map_next(&d->rt->pools, &at))) {
		struct pool *p = slot->value;
		if (p->retired || !uses(&p->f, d->directory))
			continue;
		remember(d, p);
		pool_retire(p);
	}
}

static void start_ahead(struct develop *d)
{
	struct list_node *n;

	while ((n = list_pop_front(&d->ahead))) {
		struct ahead *x = CONTAINER_OF(n, struct ahead, node);
		struct str why;
		struct pool *p;
		tails_changed(d->rt, &x->f, (struct str){ d->what, d->what_n });
		if (!d->rt->stopping && develop_key(d->rt, x->arena, &x->f, &why) == 0 &&
		        pool_get(d->rt, &x->f, x->arena, &why, &p) == 0)
			pool_start_ahead(p);
		arena_destroy(x->arena);
		mem_free(x);
	}
}

static int watch(struct task *t, struct develop *d)
{
	struct str what;

	for (;;) {
		uint64_t limit = list_is_empty(&d->ahead) ? TASK_FOREVER : QUIET_MS;
		int bad = tree_wait(t, d->tree, limit, &what);
		if (bad == -ETIMEDOUT) {
			start_ahead(d);
			continue;
		}
		if (bad == -ECANCELED)
			return bad;
		if (bad || what.n)
			changed(d, what.n ? what : S("."));
		TRY(bad);
		arena_reset(task_arena(t));
	}
}

static void develop_end(struct develop *d)
{
	struct list_node *n;

	while ((n = list_pop_front(&d->ahead))) {
		struct ahead *x = CONTAINER_OF(n, struct ahead, node);
		arena_destroy(x->arena);
		mem_free(x);
	}
	map_remove(&d->rt->develops, d->directory);
	tree_close(d->tree);
	arena_destroy(d->arena);
	mem_free(d);
}

/* Ends with the directory; one that comes back is watched anew by whoever uses it. */
static int watch_task(struct task *t, void *arg)
{
	(void)!watch(t, arg);
	develop_end(arg);
	return 0;
}

/* ---- use ---- */

static int develop_get(struct runtime *rt, struct str directory, struct develop **found)
{
	struct develop *d = map_get(&rt->develops, directory);
	struct tree *tree;

	*found = d;
	if (d)
		return 0;
	TRY(tree_open(rt->loop, directory, (struct str){ 0 }, &tree));
	d = mem_new(struct develop);
	d->rt = rt;
	d->arena = arena_create();
	d->directory = str_dup(d->arena, directory);
	d->generation = ++rt->develop_generation;
	d->tree = tree;
	list_init(&d->ahead);
	map_put(&rt->develops, directory, d);
	d->task = task_start(rt->loop, "develop", watch_task, d);
	*found = d;
	return 0;
}

static int add_directory(struct runtime *rt, struct arena *a, struct str directory,
        struct runtime_function *f, struct str *why)
{
	struct develop *d;
	int bad = develop_get(rt, directory, &d);

	if (bad) {
		*why = str_printf(a,
		        "The directory %.*s, which this function is served from, "
		        "cannot be watched: %s",
		        STR(directory), strerror(-bad));
		return RUNTIME_UNAVAILABLE;
	}
	f->key = str_printf(a, "%.*s.%llu", STR(f->key), (unsigned long long)d->generation);
	return 0;
}

int develop_key(struct runtime *rt, struct arena *a, struct runtime_function *f, struct str *why)
{
	struct str code = f->code_dir;
	bool begun = false;

	for (size_t i = 0; i <= f->n_layers; i++) {
		struct str directory = i < f->n_layers ? develop_layer(f->layer_blobs[i]) : code;
		if (!directory.n)
			continue;
		if (!begun)
			f->key = str_concat(a, 2, f->key, S("@"));
		begun = true;
		TRY(add_directory(rt, a, directory, f, why));
	}
	return 0;
}

int develop_stop(struct task *t, struct runtime *rt)
{
	struct map_slot *slot;
	size_t at = 0;

	while ((slot = map_next(&rt->develops, &at))) {
		struct task *watcher = ((struct develop *)slot->value)->task;
		task_cancel(watcher);
		TRY(task_join(t, watcher, TASK_FOREVER));
		at = 0;
	}
	map_deinit(&rt->develops);
	return 0;
}
