/* due: the scanner and the tasks it starts. */
#include "kv/due.h"

#include "base/clock.h"
#include "kv/key.h"
#include "kv/kv_internal.h"
#include "kv/watch.h"

#define PAUSE_FIRST_MS 1000
#define PAUSE_MAX_MS   60000

struct due_pause {
	uint64_t until_ns, ms;
};

struct due_run {
	struct due *due;
	struct str key, value; /* heap */
};

struct due *due_new(struct kv *kv, struct str prefix, size_t parallel)
{
	struct due *d = mem_new(struct due);

	d->kv = kv;
	d->arena = arena_create();
	d->prefix = str_dup(d->arena, prefix);
	d->parallel = parallel;
	cond_init(&d->changed);
	list_push_back(&kv->dues, &d->node);
	return d;
}

static void free_values(struct map *m)
{
	struct map_slot *slot;
	size_t at = 0;

	while ((slot = map_next(m, &at)))
		mem_free(slot->value);
	map_deinit(m);
}

void due_close(struct kv *kv)
{
	struct list_node *n;

	while ((n = list_pop_front(&kv->dues))) {
		struct due *d = CONTAINER_OF(n, struct due, node);
		free_values(&d->pausing);
		map_deinit(&d->running);
		arena_destroy(d->arena);
		mem_free(d);
	}
}

struct found {
	struct due *due;
	struct due_run **runs;
	size_t n, max;
	int64_t next_ms;      /* wall time of the first row that is not due; 0: none */
	uint64_t next_try_ns; /* of the first pausing row */
};

static bool is_paused(struct found *f, struct str key)
{
	struct due_pause *p = map_get(&f->due->pausing, key);

	if (!p || p->until_ns <= clock_mono_ns())
		return false;
	if (!f->next_try_ns || p->until_ns < f->next_try_ns)
		f->next_try_ns = p->until_ns;
	return true;
}

static struct str heap_copy(struct str s)
{
	char *p = mem_alloc(s.n + 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	return (struct str){ p, s.n };
}

static int64_t due_of(struct arena *a, const struct due *d, struct str key)
{
	int64_t due_ms = INT64_MAX;

	if (!kv_key_read(a, str_sub(key, d->prefix.n, key.n), "i", &due_ms))
		return INT64_MAX;
	return due_ms;
}

static int find(struct kv_txn *txn, void *arg)
{
	struct found *f = arg;
	CLEANUP(kv_scan_close) struct kv_scan *s = kv_scan_prefix(txn, f->due->prefix, false);
	int64_t now = clock_now_ms();
	struct str key, value;

	while (kv_next(s, &key, &value)) {
		int64_t due_ms = due_of(kv_arena(txn), f->due, key);
		if (due_ms > now) {
			f->next_ms = due_ms;
			break;
		}
		if (map_get(&f->due->running, key) || is_paused(f, key))
			continue;
		if (f->n == f->max)
			break;
		struct due_run *run = mem_new(struct due_run);
		*run = (struct due_run){ f->due, heap_copy(key), heap_copy(value) };
		f->runs[f->n++] = run;
	}
	return 0;
}

static int is_there(struct kv_txn *txn, void *arg)
{
	return kv_has(txn, *(struct str *)arg) ? 0 : KV_NOT_FOUND;
}

/* The row is still there: not before a while. */
static void pause(struct due *d, struct str key)
{
	struct due_pause *p = map_get(&d->pausing, key);

	if (!p) {
		p = mem_new(struct due_pause);
		map_put(&d->pausing, key, p);
	}
	p->ms = p->ms ? MIN(p->ms * 2, (uint64_t)PAUSE_MAX_MS) : PAUSE_FIRST_MS;
	p->until_ns = clock_mono_ns() + p->ms * 1000000;
}

static int run_task(struct task *t, void *arg)
{
	struct due_run *run = arg;
	struct due *d = run->due;

	(void)d->run(t, d, run->key, run->value);
	if (!task_is_cancelled(t) && kv_view(t, is_there, &run->key) == 0)
		pause(d, run->key);
	else
		mem_free(map_remove(&d->pausing, run->key));
	map_remove(&d->running, run->key);
	d->n_running--;
	mem_free((void *)(uintptr_t)run->key.p);
	mem_free((void *)(uintptr_t)run->value.p);
	mem_free(run);
	cond_broadcast(&d->changed);
	return 0;
}

static int look(struct task *t, struct due *d, struct found *f)
{
	*f = (struct found){ .due = d, .max = d->parallel - d->n_running };
	f->runs = arena_new_n(task_arena(t), struct due_run *, f->max + 1);
	TRY(kv_view(t, find, f));
	for (size_t i = 0; i < f->n; i++) {
		map_put(&d->running, f->runs[i]->key, f->runs[i]);
		d->n_running++;
		task_start(d->loop, "due", run_task, f->runs[i]);
	}
	return 0;
}

static uint64_t pause_ms(const struct found *f)
{
	uint64_t ms = TASK_FOREVER, now = clock_mono_ns();

	if (f->next_ms && !clock_is_manual())
		ms = (uint64_t)MAX(f->next_ms - clock_now_ms(), (int64_t)1);
	if (f->next_try_ns)
		ms = MIN(ms, f->next_try_ns > now ? (f->next_try_ns - now) / 1000000 + 1 : 1);
	/* The system's clock may be set: look at it now and then. */
	return MIN(ms, (uint64_t)60000);
}

struct waker {
	struct due *due;
	struct kv_watch watch;
};

/* Commits below the prefix change what is due. */
static int watch_task(struct task *t, void *arg)
{
	struct due *d = arg;
	struct kv_watch w;
	int bad;

	kv_watch_init(&w, t, d->prefix);
	do {
		bad = kv_watch_wait(t, &w, TASK_FOREVER);
		cond_broadcast(&d->changed);
	} while (bad == 0);
	kv_watch_deinit(&w);
	return bad;
}

static int scan_task(struct task *t, void *arg)
{
	struct due *d = arg;
	struct found f;

	for (;;) {
		TRY(look(t, d, &f));
		arena_reset(task_arena(t));
		/* Full of work: a finished task tells. */
		int bad = f.n == f.max && f.n > 0 && d->n_running < d->parallel
		                  ? 0
		                  : cond_wait(t, &d->changed, pause_ms(&f));
		if (bad && bad != -ETIMEDOUT)
			return bad;
	}
}

void due_start(struct due *d, struct loop *loop)
{
	d->loop = loop;
	task_start(loop, "due-watch", watch_task, d);
	task_start(loop, "due-scan", scan_task, d);
}

static int left_over(struct kv_txn *txn, void *arg)
{
	struct found *f = arg;
	CLEANUP(kv_scan_close) struct kv_scan *s = kv_scan_prefix(txn, f->due->prefix, false);
	int64_t now = clock_now_ms();
	struct str key, value;

	while (kv_next(s, &key, &value) && due_of(kv_arena(txn), f->due, key) <= now)
		if (!is_paused(f, key))
			return 1;
	return 0;
}

int due_settle(struct task *t, struct due *d)
{
	struct found f = { .due = d };

	for (;;) {
		cond_broadcast(&d->changed);
		TRY(task_sleep(t, 1));
		int left = kv_view(t, left_over, &f);
		if (left < 0 || (left == 0 && d->n_running == 0))
			return left;
	}
}
