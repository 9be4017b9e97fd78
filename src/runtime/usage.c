/* usage: counting, and adding to the store in batches. */
#include "runtime/usage.h"

#include "api/record.h"
#include "base/clock.h"
#include "base/log.h"
#include "kv/key.h"
#include "lambda_gen.h"

#include <math.h>

#define HOUR_MS     3600000
#define STORAGE_MIB 512 /* of /tmp cost nothing */

/* Numbers on their way to a row. */
struct entry {
	struct list_node node; /* of runtime->usages */
	struct arena *arena;
	struct str account, region, name;
	bool arm64;
	struct usage usage;
};

static int flusher_task(struct task *t, void *arg);

void usage_keep(struct pool *p)
{
	struct entry *e;

	if (!p->usage.requests)
		return;
	e = mem_new(struct entry);
	e->arena = arena_create();
	e->account = str_dup(e->arena, p->f.account);
	e->region = str_dup(e->arena, p->f.region);
	e->name = str_dup(e->arena, p->f.name);
	e->arm64 = p->f.arm64;
	e->usage = p->usage;
	p->usage = (struct usage){ 0 };
	list_push_back(&p->rt->usages, &e->node);
}

void usage_add(struct pool *p, const struct report *r)
{
	struct usage *u = &p->usage;
	int64_t hour_ms = clock_now_ms() / HOUR_MS * HOUR_MS;
	int64_t billed_ms = (int64_t)report_billed_ms(r->duration_ms, r->init_ms);
	bool timed_out = str_eq(r->status, S("timeout"));

	if (p->f.replay)
		return;
	if (u->hour_ms != hour_ms)
		usage_keep(p);
	u->hour_ms = hour_ms;
	u->requests++;
	u->timeouts += timed_out;
	u->errors += !timed_out && (r->status.p || r->error_type.p);
	u->duration_us += (int64_t)(r->duration_ms * 1000);
	u->billed_ms += billed_ms;
	u->billed_mib_ms += billed_ms * p->f.memory_mib;
	u->init_ms += r->init_ms > 0 ? (int64_t)ceil(r->init_ms) : 0;
	if (p->f.tmp_mib > STORAGE_MIB)
		u->storage_mib_ms += billed_ms * (p->f.tmp_mib - STORAGE_MIB);
	if (!p->rt->usage_flusher && !p->rt->stopping)
		p->rt->usage_flusher =
		        task_start(p->rt->loop, "usage-flusher", flusher_task, p->rt);
}

/* ---- into the store ---- */

static void add_to_row(struct lambda_usage_record *row, const struct usage *u)
{
	row->requests = opt_int(row->requests.v + u->requests);
	row->errors = opt_int(row->errors.v + u->errors);
	row->timeouts = opt_int(row->timeouts.v + u->timeouts);
	row->duration_us = opt_int(row->duration_us.v + u->duration_us);
	row->billed_ms = opt_int(row->billed_ms.v + u->billed_ms);
	row->billed_mib_ms = opt_int(row->billed_mib_ms.v + u->billed_mib_ms);
	row->init_ms = opt_int(row->init_ms.v + u->init_ms);
	row->storage_mib_ms = opt_int(row->storage_mib_ms.v + u->storage_mib_ms);
}

static int flush(struct kv_txn *txn, void *arg)
{
	const struct list *batch = arg;

	list_for_each (n, batch) {
		const struct entry *e = CONTAINER_OF(n, struct entry, node);
		struct lambda_usage_record row = { 0 };
		struct str key = kv_key(kv_arena(txn), "ssssuss", S("lambda"), e->account,
		        e->region, S("usage"), (uint64_t)e->usage.hour_ms, e->name,
		        e->arm64 ? S("arm64") : S("x86_64"));
		int got = record_get(txn, key, &lambda_shape_usage_record, &row);
		if (got && got != KV_NOT_FOUND)
			return got;
		add_to_row(&row, &e->usage);
		record_put(txn, key, &lambda_shape_usage_record, &row);
	}
	return 0;
}

static void move_all(struct list *from, struct list *to)
{
	struct list_node *n;

	while ((n = list_pop_front(from)))
		list_push_back(to, n);
}

static void drop_all(struct list *batch)
{
	struct list_node *n;

	while ((n = list_pop_front(batch))) {
		struct entry *e = CONTAINER_OF(n, struct entry, node);
		arena_destroy(e->arena);
		mem_free(e);
	}
}

int usage_flush(struct task *t, struct runtime *rt)
{
	struct map_slot *slot;
	size_t at = 0;
	struct list batch;

	while ((slot = map_next(&rt->pools, &at)))
		usage_keep(slot->value);
	if (list_is_empty(&rt->usages))
		return 0;
	list_init(&batch);
	move_all(&rt->usages, &batch);
	int bad = kv_update(t, flush, &batch);
	if (bad)
		move_all(&batch, &rt->usages); /* for the next time */
	else
		drop_all(&batch);
	return bad;
}

/* Goes on as long as there was something to count. */
static int flusher_task(struct task *t, void *arg)
{
	struct runtime *rt = arg;
	bool more = true;

	while (more && task_sleep(t, USAGE_FLUSH_MS) == 0) {
		int bad = usage_flush(t, rt);
		if (bad && bad != -ECANCELED)
			log_warn("usage is not stored, and tried again: %s", strerror(-bad));
		more = bad != 0;
		arena_reset(task_arena(t));
	}
	rt->usage_flusher = NULL;
	return 0;
}

static int flush_here(struct task *t, void *arg)
{
	return usage_flush(t, arg);
}

int runtime_usage_flush(struct task *t)
{
	struct runtime *rt = runtime_of(t);

	if (!rt)
		return -ECANCELED;
	return rt->loop == task_loop(t) ? usage_flush(t, rt)
	                                : loop_call(t, rt->loop, flush_here, rt);
}

int usage_stop(struct task *t, struct runtime *rt)
{
	if (rt->usage_flusher) {
		task_cancel(rt->usage_flusher);
		TRY(task_join(t, rt->usage_flusher, TASK_FOREVER));
	}
	int bad = usage_flush(t, rt);
	if (bad)
		log_warn("the last usage is not stored: %s", strerror(-bad));
	drop_all(&rt->usages);
	return 0;
}
