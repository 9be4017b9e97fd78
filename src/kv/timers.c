/* timers: rows (due, kind, id), and (kind, id) -> due so that a timer can be moved. */
#include "kv/timers.h"

#include "kv/due.h"
#include "kv/key.h"
#include "kv/kv_internal.h"

#define VERSION 1

struct handler {
	struct handler *next;
	struct str kind;
	kv_timer_fn *fn;
};

static struct str by_time(struct arena *a, int64_t due_ms, struct str kind, struct str id)
{
	return kv_key(a, "siss", S("~timer"), due_ms, kind, id);
}

static struct str by_name(struct arena *a, struct str kind, struct str id)
{
	return kv_key(a, "sss", S("~timer-of"), kind, id);
}

void kv_timer_clear(struct kv_txn *txn, struct str kind, struct str id)
{
	struct arena *a = kv_arena(txn);
	struct str name = by_name(a, kind, id), value;
	int64_t due_ms;

	if (kv_get(txn, name, &value) != 0)
		return;
	if (kv_key_read(a, str_sub(value, 1, value.n), "i", &due_ms))
		kv_del(txn, by_time(a, due_ms, kind, id));
	kv_del(txn, name);
}

void kv_timer_set(struct kv_txn *txn, struct str kind, struct str id, int64_t due_ms)
{
	struct buf b = buf_init(kv_arena(txn));

	kv_timer_clear(txn, kind, id);
	buf_add_char(&b, VERSION);
	kv_put(txn, by_time(b.arena, due_ms, kind, id), buf_str(&b));
	kv_key_add(&b, "i", due_ms);
	kv_put(txn, by_name(b.arena, kind, id), buf_str(&b));
}

static int run(struct task *t, struct due *d, struct str key, struct str value)
{
	struct str kind, id;
	int64_t due_ms;

	if (value.n < 1 || value.p[0] != VERSION)
		return -EPROTO;
	if (!kv_key_read(
	            task_arena(t), str_sub(key, d->prefix.n, key.n), "iss", &due_ms, &kind, &id))
		return -EPROTO;
	for (const struct handler *h = d->arg; h; h = h->next)
		if (str_eq(h->kind, kind))
			return h->fn(t, id, due_ms);
	return -ENOSYS;
}

static struct due *timers_of(struct kv *kv)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct str prefix = kv_key(a, "s", S("~timer"));

	list_for_each (n, &kv->dues) {
		struct due *d = CONTAINER_OF(n, struct due, node);
		if (d->run == run)
			return d;
	}
	struct due *d = due_new(kv, prefix, 64);
	d->run = run;
	return d;
}

void kv_timer_handler(struct kv *kv, struct str kind, kv_timer_fn *fn)
{
	struct due *d = timers_of(kv);
	struct handler *h = arena_new(d->arena, struct handler);

	*h = (struct handler){ d->arg, kind, fn };
	d->arg = h;
}

void kv_timers_start(struct kv *kv, struct loop *loop)
{
	due_start(timers_of(kv), loop);
}

int kv_timers_settle(struct task *t, struct kv *kv)
{
	/* Jobs too: a timer may have written one. */
	list_for_each (n, &kv->dues) {
		struct due *d = CONTAINER_OF(n, struct due, node);
		if (d->loop)
			TRY(due_settle(t, d));
	}
	return 0;
}
