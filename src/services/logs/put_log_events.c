/*
 * PutLogEvents: one update with the stream's row, the chunks, and the group's bytes. Chunks are
 * packed before, by what does not depend on the store.
 */
#include "services/logs/put.h"

#include "services/logs/chunk.h"

#define BATCH_MAX_BYTES (1 << 20)
#define DAY_MS          INT64_C(86400000)
#define TOO_OLD_MS      (14 * DAY_MS)
#define TOO_NEW_MS      INT64_C(7200000)

struct packed {
	struct logs_chunk c;
	struct str row;
};

struct put {
	struct logs_group g;
	struct logs_stream s;
	const struct logs_input_log_event *v;
	size_t n;           /* all events */
	size_t first, last; /* those taken: [first, last) */
	size_t n_expired;
	int64_t now_ms;
	struct packed *packed;
	size_t n_packed;
};

static int check_order_and_size(struct task *t, const struct logs_put_log_events_in *in)
{
	const struct logs_input_log_events *e = &in->log_events;
	size_t bytes = 0;

	for (size_t i = 0; i < e->n; i++) {
		size_t n = e->v[i].message.n + LOGS_EVENT_OVERHEAD;
		if (n > BATCH_MAX_BYTES)
			return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION,
			        "Log event too large: %zu bytes exceeds limit of %d", n,
			        BATCH_MAX_BYTES);
		bytes += n;
		if (i > 0 && e->v[i].timestamp.v < e->v[i - 1].timestamp.v)
			return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION,
			        "Log events in a single PutLogEvents request must be in "
			        "chronological order.");
	}
	if (bytes > BATCH_MAX_BYTES)
		return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION,
		        "Upload too large: %zu bytes exceeds limit of %d", bytes, BATCH_MAX_BYTES);
	return 0;
}

/* The events that are neither too old nor too new. */
static int choose(struct task *t, struct put *p)
{
	while (p->first < p->n && p->v[p->first].timestamp.v < p->now_ms - TOO_OLD_MS)
		p->first++;
	for (p->last = p->n;
	        p->last > p->first && p->v[p->last - 1].timestamp.v > p->now_ms + TOO_NEW_MS;)
		p->last--;
	if (p->last > p->first &&
	        p->v[p->last - 1].timestamp.v - p->v[p->first].timestamp.v > DAY_MS)
		return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION,
		        "The batch of log events in a single PutLogEvents request cannot span "
		        "more than 24 hours.");
	return 0;
}

/* Cuts events [from, last) into chunks of bounded size. */
static void pack(struct arena *a, struct put *p, size_t from)
{
	size_t n = p->last - from, bytes = 0;
	struct logs_chunk_event *e = arena_new_n(a, struct logs_chunk_event, n + 1);

	p->packed = arena_new_n(a, struct packed, n + 1);
	p->n_packed = 0;
	for (size_t i = 0; i < n; i++) {
		const struct logs_input_log_event *in = &p->v[from + i];
		e[i] = (struct logs_chunk_event){ in->timestamp.v, in->message };
		struct packed *at = &p->packed[p->n_packed];
		if (at->c.n == 0)
			at->c = (struct logs_chunk){ .ingested_ms = p->now_ms, .v = &e[i] };
		at->c.n++;
		bytes += in->message.n + LOGS_EVENT_OVERHEAD;
		if (bytes < LOGS_CHUNK_BYTES && i + 1 < n)
			continue;
		at->row = logs_chunk_pack(a, &at->c);
		p->n_packed++;
		bytes = 0;
	}
}

static void drop_expired(struct arena *a, struct put *p)
{
	int64_t cutoff = logs_group_cutoff(&p->g, p->now_ms);
	size_t from = p->first;

	while (from < p->last && p->v[from].timestamp.v < cutoff)
		from++;
	for (p->n_expired = 0; p->n_expired < p->n && p->v[p->n_expired].timestamp.v < cutoff;)
		p->n_expired++;
	if (from != p->first)
		pack(a, p, from);
}

static void note_chunk(struct logs_stream *s, const struct logs_chunk *c)
{
	bool is_first = s->sequence++ == 0;

	s->first_ms = is_first ? c->first_ms : MIN(s->first_ms, c->first_ms);
	s->oldest_ms = is_first ? c->first_ms : MIN(s->oldest_ms, c->first_ms);
	s->last_ms = is_first ? c->last_ms : MAX(s->last_ms, c->last_ms);
	s->span_ms = MAX(s->span_ms, c->last_ms - c->first_ms);
	s->ingested_ms = c->ingested_ms;
	s->bytes += c->bytes;
}

static int put(struct kv_txn *txn, void *arg)
{
	struct put *p = arg;
	struct arena *a = kv_arena(txn);
	int64_t bytes = 0;

	TRY(logs_group_load(txn, &p->g));
	int got = logs_stream_load(txn, &p->g, &p->s);
	if (got == LOGS_RESOURCE_NOT_FOUND_EXCEPTION)
		return KV_NOT_FOUND;
	TRY(got);
	if (p->g.r.retention_in_days.set)
		drop_expired(a, p);
	for (size_t i = 0; i < p->n_packed; i++) {
		const struct packed *k = &p->packed[i];
		note_chunk(&p->s, &k->c);
		bytes += k->c.bytes;
		kv_put(txn, logs_chunk_key(a, &p->g, p->s.id, k->c.first_ms, p->s.sequence),
		        k->row);
		logs_deliver_add(txn, &p->g, &p->s, k->c.first_ms);
	}
	if (p->n_packed == 0)
		return 0;
	logs_stream_store(txn, &p->g, &p->s);
	logs_bytes_add(txn, &p->g, bytes);
	return 0;
}

static struct logs_rejected_log_events_info *rejected(struct arena *a, const struct put *p)
{
	struct logs_rejected_log_events_info *r =
	        arena_new(a, struct logs_rejected_log_events_info);

	if (p->first)
		r->too_old_log_event_end_index = opt_int((int64_t)p->first);
	if (p->last < p->n)
		r->too_new_log_event_start_index = opt_int((int64_t)p->last);
	if (p->n_expired)
		r->expired_log_event_end_index = opt_int((int64_t)p->n_expired);
	return p->first || p->last < p->n || p->n_expired ? r : NULL;
}

int logs_put_log_events(struct task *t, const struct logs_put_log_events_in *in,
        struct logs_put_log_events_out *out)
{
	struct arena *a = task_arena(t);
	struct put p = { .v = in->log_events.v,
		.n = in->log_events.n,
		.now_ms = call_of(t)->now_ms,
		.s.name = in->log_stream_name };

	TRY(logs_group_ref(t, in->log_group_name, (struct str){ 0 }, &p.g));
	TRY(check_order_and_size(t, in));
	TRY(choose(t, &p));
	pack(a, &p, p.first);
	int bad = kv_update(t, put, &p);
	if (bad == LOGS_RESOURCE_NOT_FOUND_EXCEPTION)
		return logs_group_missing(t);
	if (bad == KV_NOT_FOUND)
		return logs_stream_missing(t);
	TRY(bad);
	/* Nobody needs it any more, but clients of old still pass it on. */
	struct logs_position next = { p.now_ms, p.s.id, p.s.sequence, 0 };
	out->next_sequence_token = logs_position_id(a, &next);
	out->rejected_log_events_info = rejected(a, &p);
	return 0;
}
