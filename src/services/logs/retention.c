/*
 * retention: PutRetentionPolicy, DeleteRetentionPolicy, and the timer that deletes what is older.
 * Reads do not show expired events in any case; the timer gives their room back.
 */
#include "services/logs/chunk.h"

#include "base/clock.h"
#include "kv/key.h"
#include "kv/timers.h"

#define HOUR_MS    INT64_C(3600000)
#define STEP_ROWS  1000
#define STEP_BYTES (4 << 20)
#define LOOK_ROWS  1000

static const int days_allowed[] = { 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731,
	1096, 1827, 2192, 2557, 2922, 3288, 3653 };

static struct str timer_id(struct arena *a, const struct logs_group *g)
{
	return kv_key(a, "ssus", g->account, g->region, (uint64_t)g->r.id.v, g->name);
}

void logs_retention_set(struct kv_txn *txn, const struct logs_group *g, int64_t due_ms)
{
	struct str id = timer_id(kv_arena(txn), g);

	if (g->r.retention_in_days.set)
		kv_timer_set(txn, S("logs-retention"), id, due_ms);
	else
		kv_timer_clear(txn, S("logs-retention"), id);
}

static int set_policy(struct kv_txn *txn, void *arg)
{
	struct logs_group *g = arg;
	struct opt_int days = g->r.retention_in_days;

	TRY(logs_group_load(txn, g));
	g->r.retention_in_days = days;
	logs_group_store(txn, g);
	logs_retention_set(txn, g, clock_now_ms());
	return 0;
}

static int change(struct task *t, struct str name, struct opt_int days)
{
	struct logs_group g;

	TRY(logs_group_ref(t, name, (struct str){ 0 }, &g));
	g.r.retention_in_days = days;
	int bad = kv_update(t, set_policy, &g);
	return bad == LOGS_RESOURCE_NOT_FOUND_EXCEPTION ? logs_group_missing(t) : bad;
}

static bool is_allowed(int64_t days)
{
	for (size_t i = 0; i < ARRAY_LEN(days_allowed); i++)
		if (days_allowed[i] == days)
			return true;
	return false;
}

static struct str allowed_text(struct arena *a)
{
	struct buf b = buf_init(a);

	for (size_t i = 0; i < ARRAY_LEN(days_allowed); i++)
		buf_printf(&b, "%s%d", i ? ", " : "", days_allowed[i]);
	return buf_str(&b);
}

int logs_put_retention_policy(struct task *t, const struct logs_put_retention_policy_in *in,
        struct logs_put_retention_policy_out *out)
{
	if (!is_allowed(in->retention_in_days.v))
		return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION,
		        "1 validation error detected: Value '%lld' at 'retentionInDays' failed to "
		        "satisfy constraint: Member must satisfy enum value set: [%.*s]",
		        (long long)in->retention_in_days.v, STR(allowed_text(task_arena(t))));
	return change(t, in->log_group_name, in->retention_in_days);
}

int logs_delete_retention_policy(struct task *t, const struct logs_delete_retention_policy_in *in,
        struct logs_delete_retention_policy_out *out)
{
	return change(t, in->log_group_name, (struct opt_int){ 0 });
}

/* ---- the sweep ---- */

struct sweep {
	struct logs_group g;
	int64_t now_ms, cutoff;
	struct str after;      /* the last stream looked at */
	struct logs_stream *v; /* streams whose oldest chunks go */
	size_t n, n_looked;
	size_t from, at; /* of those, where a step begins and where it is */
	/* of one step */
	struct kv_txn *txn;
	size_t rows, bytes;
};

static bool is_full(const struct sweep *w)
{
	return w->rows >= STEP_ROWS || w->bytes >= STEP_BYTES;
}

/* Removes the stream's expired chunks from the oldest on; one that lasts beyond the cutoff stays
 * until its last event expires. */
static int sweep_stream(struct sweep *w, struct logs_stream *s)
{
	struct arena *a = kv_arena(w->txn);
	struct str from = logs_chunk_key(a, &w->g, s->id, 0, 0), key, row;
	struct str to = logs_chunk_key(a, &w->g, s->id, w->cutoff, 0);
	struct buf keys = buf_init(a);
	struct logs_chunk c;
	int64_t oldest = w->cutoff, freed = 0;
	int bad = 0;

	struct kv_scan *scan = kv_scan(w->txn, from, to, false);
	while (!bad && !is_full(w) && kv_next(scan, &key, &row)) {
		bad = logs_chunk_peek(row, &c);
		w->bytes += row.n;
		if (!bad && c.last_ms < w->cutoff) {
			w->rows++;
			freed += c.bytes;
			kv_key_add(&keys, "s", key);
		} else {
			oldest = MIN(oldest, c.first_ms);
		}
	}
	kv_scan_close(&scan);
	TRY(bad);
	for (struct str rest = buf_str(&keys); rest.n;) {
		if (!kv_key_read(a, rest, "s", &key))
			return -EPROTO;
		kv_del(w->txn, key);
		rest = str_sub(rest, kv_key(a, "s", key).n, rest.n);
	}
	if (!is_full(w))
		s->oldest_ms = oldest;
	s->bytes -= freed;
	logs_bytes_add(w->txn, &w->g, -freed);
	logs_stream_store(w->txn, &w->g, s);
	return 0;
}

static int note_stream(void *arg, const struct logs_stream *s)
{
	struct sweep *w = arg;

	w->after = s->name;
	if (s->sequence > 0 && s->oldest_ms < w->cutoff)
		w->v[w->n++] = *s;
	return ++w->n_looked == LOOK_ROWS;
}

/* The next streams, by name, that have something to lose. KV_NOT_FOUND: the group is gone, or has
 * no policy any more. */
static int find(struct kv_txn *txn, void *arg)
{
	struct sweep *w = arg;
	struct logs_group *g = &w->g;
	struct logs_stream_range range = { .after = w->after };
	int64_t id = g->r.id.v;

	w->n = w->n_looked = 0;
	int got = logs_group_load(txn, g);
	bool same = got == 0 && g->r.id.v == id && g->r.retention_in_days.set;
	if (got && got != LOGS_RESOURCE_NOT_FOUND_EXCEPTION)
		return got;
	if (!same) {
		g->r = (struct logs_group_record){ .id = opt_int(id) };
		return KV_NOT_FOUND;
	}
	w->cutoff = logs_group_cutoff(g, w->now_ms);
	return MIN(logs_streams_each(txn, g, &range, note_stream, w), 0);
}

/* The rows may have changed since they were looked at. */
static int sweep(struct kv_txn *txn, void *arg)
{
	struct sweep *w = arg;

	w->txn = txn;
	w->rows = w->bytes = 0;
	for (w->at = w->from; w->at < w->n && !is_full(w); w->at++) {
		struct logs_stream *s = &w->v[w->at];
		int got = logs_stream_load(txn, &w->g, s);
		if (got == 0)
			got = sweep_stream(w, s);
		if (got && got != LOGS_RESOURCE_NOT_FOUND_EXCEPTION)
			return got;
	}
	return 0;
}

static int set_timer(struct kv_txn *txn, void *arg)
{
	struct sweep *w = arg;

	logs_retention_set(txn, &w->g, w->now_ms + HOUR_MS);
	return 0;
}

/* All streams, some at a time; a full step stops within a stream, which is then taken up again. */
static int sweep_all(struct task *t, struct sweep *w)
{
	do {
		TRY(kv_view(t, find, w));
		for (w->from = 0; w->from < w->n;) {
			TRY(kv_update(t, sweep, w));
			w->from = is_full(w) ? w->at - 1 : w->at;
		}
		TRY(task_yield(t));
	} while (w->n_looked == LOOK_ROWS);
	return 0;
}

int logs_retention_step(struct task *t, struct str id, int64_t due_ms)
{
	struct sweep w = { .now_ms = clock_now_ms() };
	uint64_t group_id;

	if (!kv_key_read(
	            task_arena(t), id, "ssus", &w.g.account, &w.g.region, &group_id, &w.g.name))
		return -EPROTO;
	w.g.r.id = opt_int((int64_t)group_id);
	w.v = arena_new_n(task_arena(t), struct logs_stream, LOOK_ROWS);
	int bad = sweep_all(t, &w);
	if (bad && bad != KV_NOT_FOUND)
		return bad;
	/* Without a policy this clears it. */
	return kv_update(t, set_timer, &w);
}
