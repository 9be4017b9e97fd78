/* txn: reads through the overlays to the engine, writes into the overlay. */
#include "kv/key.h"
#include "kv/kv_internal.h"

struct arena *kv_arena(struct kv_txn *txn)
{
	return txn->arena;
}

/* Updates read the latest, as nobody else writes; views read one snapshot, taken at first use. */
static void *snapshot_of(struct kv_txn *txn)
{
	if (!txn->writable && !txn->open) {
		txn->snapshot = txn->kv->engine->snapshot(txn->kv->e);
		txn->open = true;
	}
	return txn->snapshot;
}

static const struct overlay_node *find_written(const struct kv_txn *txn, struct str key)
{
	if (!txn->writable)
		return NULL;
	const struct overlay_node *n = overlay_find(&txn->own, key);
	return n ? n : overlay_find(txn->batch, key);
}

int kv_get(struct kv_txn *txn, struct str key, struct str *value)
{
	const struct overlay_node *n = find_written(txn, key);

	if (n) {
		*value = n->del ? (struct str){ 0 } : str_dup(txn->arena, n->value);
		return n->del ? KV_NOT_FOUND : 0;
	}
	int got = txn->kv->engine->get(txn->kv->e, snapshot_of(txn), key, txn->arena, value);
	if (got < 0)
		txn->error = got;
	return got;
}

bool kv_has(struct kv_txn *txn, struct str key)
{
	struct str value;

	return kv_get(txn, key, &value) == 0;
}

void kv_put(struct kv_txn *txn, struct str key, struct str value)
{
	ensure(txn->writable);
	overlay_set(&txn->own, key, value.p ? value : S(""), false);
}

void kv_del(struct kv_txn *txn, struct str key)
{
	ensure(txn->writable);
	overlay_set(&txn->own, key, S(""), true);
}

void kv_del_prefix(struct kv_txn *txn, struct str prefix)
{
	struct str key, value;
	struct buf keys = buf_init(txn->arena);
	struct kv_scan *s = kv_scan_prefix(txn, prefix, false);

	while (kv_next(s, &key, &value)) {
		buf_add(&keys, (struct str){ (const char *)&key.n, sizeof key.n });
		buf_add(&keys, key);
	}
	kv_scan_close(&s);
	struct str rest = buf_str(&keys);
	while (rest.n) {
		size_t n;
		memcpy(&n, rest.p, sizeof n);
		kv_del(txn, str_sub(rest, sizeof n, n));
		rest = str_sub(rest, sizeof n + n, rest.n);
	}
}

struct str kv_prefix_end(struct arena *a, struct str prefix)
{
	struct str end = str_dup(a, prefix.p ? prefix : S(""));

	while (end.n > 0 && (unsigned char)end.p[end.n - 1] == 0xff)
		end.n--;
	if (end.n > 0)
		((char *)(uintptr_t)end.p)[end.n - 1]++;
	else
		end = S("\xff\xff\xff\xff\xff\xff\xff\xff\xff");
	return end;
}

/* ---- scans: three ordered sources merged; the newest wins where two have a key ---- */

enum { FROM_OWN, FROM_BATCH, FROM_ENGINE, SOURCES };

struct source {
	struct str key, value;
	bool del, valid;
};

struct kv_scan {
	struct kv_txn *txn;
	struct str from, to;
	bool reverse;
	void *it;
	struct source sources[SOURCES];
};

static const struct overlay *overlay_of(const struct kv_scan *s, int i)
{
	if (!s->txn->writable)
		return NULL;
	return i == FROM_OWN ? &s->txn->own : s->txn->batch;
}

static void load(struct kv_scan *s, int i, const struct overlay_node *n)
{
	struct source *source = &s->sources[i];

	source->valid = n && str_cmp(n->key, s->from) >= 0 && str_cmp(n->key, s->to) < 0;
	if (source->valid) {
		source->key = n->key;
		source->value = n->value;
		source->del = n->del;
	}
}

static void advance(struct kv_scan *s, int i)
{
	struct source *source = &s->sources[i];

	if (i == FROM_ENGINE) {
		source->valid =
		        s->it && s->txn->kv->engine->next(s->it, &source->key, &source->value);
		return;
	}
	const struct overlay *o = overlay_of(s, i);
	if (s->reverse) {
		load(s, i, overlay_before(o, source->key));
		return;
	}
	struct overlay_node *n = overlay_from(o, source->key);
	load(s, i, n && str_eq(n->key, source->key) ? n->next[0] : n);
}

struct kv_scan *kv_scan(struct kv_txn *txn, struct str from, struct str to, bool reverse)
{
	struct kv_scan *s = arena_new(txn->arena, struct kv_scan);

	s->txn = txn;
	s->from = str_dup(txn->arena, from.p ? from : S(""));
	s->to = str_dup(txn->arena, to);
	s->reverse = reverse;
	for (int i = FROM_OWN; i <= FROM_BATCH; i++) {
		const struct overlay *o = overlay_of(s, i);
		if (o && o->n)
			load(s, i, reverse ? overlay_before(o, s->to) : overlay_from(o, s->from));
	}
	if (str_cmp(s->from, s->to) < 0)
		s->it = txn->kv->engine->iterate(
		        txn->kv->e, snapshot_of(txn), s->from, s->to, reverse);
	advance(s, FROM_ENGINE);
	return s;
}

struct kv_scan *kv_scan_prefix(struct kv_txn *txn, struct str prefix, bool reverse)
{
	return kv_scan(txn, prefix, kv_prefix_end(txn->arena, prefix), reverse);
}

static int first_source(const struct kv_scan *s)
{
	int best = -1;

	for (int i = 0; i < SOURCES; i++) {
		if (!s->sources[i].valid)
			continue;
		int c = best < 0 ? -1 : str_cmp(s->sources[i].key, s->sources[best].key);
		if (best < 0 || (s->reverse ? c > 0 : c < 0))
			best = i;
	}
	return best;
}

bool kv_next(struct kv_scan *s, struct str *key, struct str *value)
{
	for (;;) {
		int best = first_source(s);
		if (best < 0)
			return false;
		bool del = best != FROM_ENGINE && s->sources[best].del;
		/* The engine's slices end with its next step. */
		*key = best == FROM_ENGINE ? str_dup(s->txn->arena, s->sources[best].key)
		                           : s->sources[best].key;
		*value = best == FROM_ENGINE ? str_dup(s->txn->arena, s->sources[best].value)
		                             : s->sources[best].value;
		for (int i = SOURCES - 1; i >= 0; i--)
			if (s->sources[i].valid && str_eq(s->sources[i].key, *key))
				advance(s, i);
		if (!del)
			return true;
	}
}

void kv_scan_close(struct kv_scan **s)
{
	if (!*s || !(*s)->it)
		return;
	int bad = (*s)->txn->kv->engine->iterate_end((*s)->it);
	if (bad)
		(*s)->txn->error = bad;
	(*s)->it = NULL;
	*s = NULL;
}

uint64_t kv_sequence_next(struct kv_txn *txn, struct str name)
{
	struct str key = kv_key(txn->arena, "ss", S("~sequence"), name), value;
	uint64_t v = 0;

	if (kv_get(txn, key, &value) == 0 && value.n == sizeof v)
		memcpy(&v, value.p, sizeof v);
	v++;
	kv_put(txn, key, (struct str){ (const char *)&v, sizeof v });
	return v;
}
