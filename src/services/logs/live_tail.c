/*
 * StartLiveTail: what is put from now on, every second, as an event stream.
 *
 * New chunks are found by the streams' running numbers: a stream whose number has risen since the
 * last look has as many new chunks, the newest ones first in a scan from its end. Each look is a
 * task of its own, as a session lasts three hours and all that a task has read stays until it ends.
 */
#include "services/logs/filter_pattern.h"
#include "services/logs/merge.h"

#include "base/clock.h"
#include "base/rand.h"
#include "kv/watch.h"

#define TICK_MS    1000
#define SESSION_MS (3 * 3600 * 1000)
#define SHOWN_MAX  500
#define LOOKED_MAX 10000

struct seen {
	uint64_t stream_id, sequence;
};

struct tail {
	const struct logs_start_live_tail_in *in;
	struct filter_pattern *pattern;
	struct logs_group *groups;
	struct kv_watch *watches;
	size_t n_groups, n_watches;
	/* all streams, in the order of groups and names */
	struct arena *seen_arena;
	struct seen *seen;
	size_t n_seen;
};

/* One look at the store. */
struct look {
	struct tail *tail;
	struct task *parent;
	struct kv_txn *txn;
	const struct logs_group *g;
	bool is_first;
	struct arena *a; /* of what is shown */
	struct arena *seen_arena;
	struct seen *seen;
	size_t n_seen, seen_capacity, seen_at;
	struct logs_live_tail_session_log_event *v;
	size_t n;
	bool sampled;
	int result;
};

static bool is_tailed(const struct tail *tail, const struct logs_stream *s)
{
	const struct logs_input_log_stream_names *names = &tail->in->log_stream_names;
	const struct logs_input_log_stream_names *prefixes = &tail->in->log_stream_name_prefixes;

	for (size_t i = 0; i < names->n; i++)
		if (str_eq(names->v[i], s->name))
			return true;
	for (size_t i = 0; i < prefixes->n; i++)
		if (str_starts(s->name, prefixes->v[i]))
			return true;
	return names->n == 0 && prefixes->n == 0;
}

static void note_seen(struct look *l, const struct logs_stream *s)
{
	if (l->n_seen == l->seen_capacity) {
		size_t capacity = MAX(l->seen_capacity * 2, (size_t)64);
		struct seen *v = arena_new_n(l->seen_arena, struct seen, capacity);
		if (l->n_seen)
			memcpy(v, l->seen, l->n_seen * sizeof *v);
		l->seen = v;
		l->seen_capacity = capacity;
	}
	l->seen[l->n_seen++] = (struct seen){ s->id, s->sequence };
}

/* What was seen of the stream; most often the next of the list, else it is searched for. */
static uint64_t seen_before(struct look *l, uint64_t stream_id)
{
	const struct tail *tail = l->tail;

	for (size_t i = 0; i < tail->n_seen; i++) {
		size_t at = (l->seen_at + i) % tail->n_seen;
		if (tail->seen[at].stream_id != stream_id)
			continue;
		l->seen_at = at + 1;
		return tail->seen[at].sequence;
	}
	return 0;
}

static int show_chunk(struct look *l, const struct logs_stream *s, struct str row)
{
	struct logs_chunk c;

	TRY(logs_chunk_unpack(kv_arena(l->txn), row, &c));
	for (size_t i = 0; i < c.n; i++) {
		if (!filter_pattern_match(l->tail->pattern, kv_arena(l->txn), c.v[i].message, NULL))
			continue;
		l->sampled = l->n == SHOWN_MAX;
		if (l->sampled)
			return 0;
		l->v[l->n++] = (struct logs_live_tail_session_log_event){
			.log_stream_name = str_dup(l->a, s->name),
			.log_group_identifier =
			        str_printf(l->a, "%.*s:%.*s", STR(l->g->account), STR(l->g->name)),
			.message = str_dup(l->a, c.v[i].message),
			.timestamp = opt_int(c.v[i].timestamp),
			.ingestion_time = opt_int(c.ingested_ms),
		};
	}
	return 0;
}

/* The rows of the stream's chunks with numbers above `after`, the oldest first. */
static int new_chunks(struct look *l, const struct logs_stream *s, uint64_t after)
{
	struct arena *a = kv_arena(l->txn);
	struct str prefix = logs_chunks_prefix(a, l->g, s->id), key, row;
	size_t wanted = (size_t)MIN(s->sequence - after, (uint64_t)SHOWN_MAX), n = 0;
	struct str *rows = arena_new_n(a, struct str, wanted);
	uint64_t sequence;
	int64_t first_ms;

	CLEANUP(kv_scan_close) struct kv_scan *scan = kv_scan_prefix(l->txn, prefix, true);
	for (size_t i = 0; n < wanted && i < LOOKED_MAX && kv_next(scan, &key, &row); i++)
		if (logs_chunk_key_read(a, prefix, key, &first_ms, &sequence) && sequence > after)
			rows[n++] = str_dup(a, row);
	l->sampled |= s->sequence - after > wanted;
	for (size_t i = n; i > 0 && l->n < SHOWN_MAX; i--)
		TRY(show_chunk(l, s, rows[i - 1]));
	return 0;
}

static int look_at_stream(void *arg, const struct logs_stream *s)
{
	struct look *l = arg;
	uint64_t before;

	if (!is_tailed(l->tail, s))
		return 0;
	note_seen(l, s);
	if (l->is_first)
		return 0;
	before = seen_before(l, s->id);
	return s->sequence > before ? new_chunks(l, s, before) : 0;
}

static int look(struct kv_txn *txn, void *arg)
{
	struct look *l = arg;
	struct logs_stream_range all = { 0 };

	l->txn = txn;
	for (size_t i = 0; i < l->tail->n_groups; i++) {
		l->g = &l->tail->groups[i];
		TRY(logs_streams_each(txn, l->g, &all, look_at_stream, l));
	}
	return 0;
}

static int look_task(struct task *t, void *arg)
{
	struct look *l = arg;

	l->result = kv_view(t, look, l);
	task_wake(l->parent, 0);
	return 0;
}

static int take_look(struct task *t, struct tail *tail, struct look *l)
{
	l->tail = tail;
	l->parent = t;
	l->v = arena_new_n(l->a, struct logs_live_tail_session_log_event, SHOWN_MAX);
	l->seen_arena = arena_create();
	task_start(task_loop(t), "logs live tail", look_task, l);
	int bad = task_park_uninterruptible(t);
	if (bad == 0)
		bad = l->result;
	arena_destroyp(&tail->seen_arena);
	tail->seen_arena = l->seen_arena;
	tail->seen = l->seen;
	tail->n_seen = l->n_seen;
	return bad;
}

/* ---- the session ---- */

static int check(struct task *t, const struct logs_start_live_tail_in *in)
{
	bool by_stream = in->log_stream_names.n || in->log_stream_name_prefixes.n;

	if (in->log_stream_names.n && in->log_stream_name_prefixes.n)
		return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION,
		        "LogStreamNames and LogStreamNamePrefixes are mutually exclusive "
		        "parameters.");
	if (by_stream && in->log_group_identifiers.n != 1)
		return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION,
		        "LogStreamNames and LogStreamNamePrefixes can be used with one log group "
		        "only.");
	return 0;
}

static int find_groups(struct task *t, struct tail *tail)
{
	const struct logs_start_live_tail_log_group_identifiers *ids =
	        &tail->in->log_group_identifiers;

	tail->groups = arena_new_n(task_arena(t), struct logs_group, ids->n);
	for (size_t i = 0; i < ids->n; i++) {
		struct logs_group *g = &tail->groups[tail->n_groups++];
		TRY(logs_group_find(t, (struct str){ 0 }, ids->v[i], g));
		if (!str_eq(g->r.log_group_class, S("STANDARD")))
			return fail(t, LOGS_INVALID_OPERATION_EXCEPTION,
			        "Live Tail is not supported for this log group class.");
	}
	return 0;
}

static int parse(struct task *t, struct tail *tail)
{
	struct str why;

	if (!tail->in->log_event_filter_pattern.n)
		return 0;
	if (filter_pattern_parse(
	            task_arena(t), tail->in->log_event_filter_pattern, &tail->pattern, &why) != 0)
		return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION, "%.*s", STR(why));
	return 0;
}

static int send_start(struct task *t, const struct tail *tail)
{
	struct logs_live_tail_session_start start = {
		.request_id = call_of(t)->request_id,
		.session_id = rand_uuid(task_arena(t)),
		.log_group_identifiers = tail->in->log_group_identifiers,
		.log_stream_names = tail->in->log_stream_names,
		.log_stream_name_prefixes = tail->in->log_stream_name_prefixes,
		.log_event_filter_pattern = tail->in->log_event_filter_pattern,
	};

	return api_event_send(t, "sessionStart", &start);
}

static bool has_changed(struct task *t, struct tail *tail)
{
	bool changed = false;

	for (size_t i = 0; i < tail->n_watches; i++)
		changed |= kv_watch_wait(t, &tail->watches[i], 0) == 0;
	return changed;
}

static int send_update(struct task *t, struct tail *tail)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct look l = { .a = a };
	struct logs_live_tail_session_metadata metadata = { 0 };
	struct logs_live_tail_session_update update = { .session_metadata = &metadata };

	l.v = arena_new(a, struct logs_live_tail_session_log_event);
	if (has_changed(t, tail))
		TRY(take_look(t, tail, &l));
	metadata.sampled = opt_bool(l.sampled);
	update.session_results = (struct logs_live_tail_session_results){ l.v, l.n };
	return api_event_send(t, "sessionUpdate", &update);
}

static int run(struct task *t, struct tail *tail)
{
	uint64_t end_ns = clock_mono_ns() + SESSION_MS * UINT64_C(1000000);
	struct logs_session_timeout_exception timeout = {
		.message = S("The session has reached its time limit of three hours.")
	};

	{
		CLEANUP(arena_destroyp) struct arena *a = arena_create();
		struct look first = { .a = a, .is_first = true };
		TRY(take_look(t, tail, &first));
	}
	TRY(send_start(t, tail));
	while (clock_mono_ns() < end_ns) {
		TRY(task_sleep(t, TICK_MS));
		TRY(send_update(t, tail));
	}
	return api_event_send(t, "SessionTimeoutException", &timeout);
}

int logs_start_live_tail(struct task *t, const struct logs_start_live_tail_in *in,
        struct logs_start_live_tail_out *out)
{
	struct tail tail = { .in = in };

	TRY(check(t, in));
	TRY(find_groups(t, &tail));
	TRY(parse(t, &tail));
	tail.watches = arena_new_n(task_arena(t), struct kv_watch, tail.n_groups);
	for (; tail.n_watches < tail.n_groups; tail.n_watches++)
		kv_watch_init(&tail.watches[tail.n_watches], t,
		        logs_prefix(task_arena(t), &tail.groups[tail.n_watches], S("stream")));
	uint64_t deadline = task_deadline_set(t, TASK_FOREVER);
	int result = run(t, &tail);
	for (size_t i = 0; i < tail.n_watches; i++)
		kv_watch_deinit(&tail.watches[i]);
	arena_destroyp(&tail.seen_arena);
	task_deadline_set(t, deadline);
	return result;
}
