/*
 * FilterLogEvents: events of many streams in order of time, those that match. A call reads a
 * bounded amount; the token says after which event the next one goes on.
 */
#include "services/logs/filter_pattern.h"
#include "services/logs/merge.h"

#define PAGE_BYTES (1 << 20)
#define READ_BYTES (16 << 20)
#define PAGE_MAX   10000
#define FROM_2024  INT64_C(1704067200000)

struct search {
	struct logs_group g;
	const struct logs_filter_log_events_in *in;
	struct filter_pattern *pattern;
	const struct logs_position *bound;
	int64_t now_ms;
	size_t limit;
	struct logs_merge m;
	struct logs_filtered_log_event *v;
	size_t n;
	bool more;
	struct logs_position last;
};

static int check(struct task *t, const struct logs_filter_log_events_in *in)
{
	if (in->log_stream_names.n && in->log_stream_name_prefix.p)
		return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION,
		        "logStreamNamePrefix and logStreamNames are mutually exclusive "
		        "parameters.");
	if (in->start_time.set && in->end_time.set && in->start_time.v > in->end_time.v)
		return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION,
		        "End time should not be less than start time.");
	if (in->start_from_head.set && !in->start_from_head.v && in->start_time.v < FROM_2024)
		return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION,
		        "startFromHead false is supported only with a startTime on or after Jan 1, "
		        "2024 00:00:00 UTC.");
	return 0;
}

static int parse(struct task *t, struct search *s)
{
	struct str why;

	if (!s->in->filter_pattern.n)
		return 0;
	if (filter_pattern_parse(task_arena(t), s->in->filter_pattern, &s->pattern, &why) != 0)
		return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION, "%.*s", STR(why));
	return 0;
}

static int open_token(struct task *t, struct search *s, struct logs_position *bound)
{
	struct str id;

	if (!s->in->next_token.p)
		return 0;
	if (!api_token_open(t, s->in->next_token, &id) || !logs_position_parse(id, bound))
		return fail(
		        t, LOGS_INVALID_PARAMETER_EXCEPTION, "The specified nextToken is invalid.");
	s->bound = bound;
	return 0;
}

static int add_stream(void *arg, const struct logs_stream *stream)
{
	logs_merge_add(arg, stream);
	return 0;
}

static int add_streams(struct kv_txn *txn, struct search *s)
{
	const struct logs_input_log_stream_names *names = &s->in->log_stream_names;
	struct logs_stream_range range = { .prefix = s->in->log_stream_name_prefix };

	if (!names->n)
		return logs_streams_each(txn, &s->g, &range, add_stream, &s->m);
	for (size_t i = 0; i < names->n; i++) {
		struct logs_stream stream = { .name = names->v[i] };
		int got = logs_stream_load(txn, &s->g, &stream);
		if (got == LOGS_RESOURCE_NOT_FOUND_EXCEPTION)
			return KV_NOT_FOUND;
		TRY(got);
		logs_merge_add(&s->m, &stream);
	}
	return 0;
}

static struct logs_filtered_log_event shown(struct arena *a, const struct logs_event *e)
{
	return (struct logs_filtered_log_event){
		.log_stream_name = e->stream->name,
		.timestamp = opt_int(e->position.timestamp),
		.message = e->message,
		.ingestion_time = opt_int(e->ingested_ms),
		.event_id = logs_position_id(a, &e->position),
	};
}

/* Matches have an arena of their own: most of what is read is not shown. */
static int read_events(struct kv_txn *txn, struct search *s)
{
	CLEANUP(arena_destroyp) struct arena *scratch = arena_create();
	struct logs_event e;
	size_t bytes = 0;
	int got = 0;

	while ((got = logs_merge_next(&s->m, &e)) == 0) {
		arena_reset(scratch);
		if (filter_pattern_match(s->pattern, scratch, e.message, NULL)) {
			bytes += e.message.n + LOGS_EVENT_OVERHEAD;
			s->more = s->n == s->limit || (bytes > PAGE_BYTES && s->n);
			if (s->more)
				return 0;
			s->v[s->n++] = shown(kv_arena(txn), &e);
		}
		s->last = e.position;
		s->more = s->m.bytes_read > READ_BYTES;
		if (s->more)
			return 0;
	}
	return got == KV_NOT_FOUND ? 0 : got;
}

static int view(struct kv_txn *txn, void *arg)
{
	struct search *s = arg;
	const struct logs_filter_log_events_in *in = s->in;

	TRY(logs_group_load(txn, &s->g));
	s->m = (struct logs_merge){ .txn = txn,
		.group = &s->g,
		.backwards = in->start_from_head.set && !in->start_from_head.v,
		.bound = s->bound,
		.from_ms = MAX(in->start_time.v, logs_group_cutoff(&s->g, s->now_ms)),
		.to_ms = in->end_time.set ? in->end_time.v + 1 : INT64_MAX };
	s->v = arena_new_n(kv_arena(txn), struct logs_filtered_log_event, s->limit);
	if (s->bound && s->m.backwards)
		s->m.to_ms = MIN(s->m.to_ms, s->bound->timestamp + 1);
	if (s->bound && !s->m.backwards)
		s->m.from_ms = MAX(s->m.from_ms, s->bound->timestamp);
	TRY(add_streams(txn, s));
	return read_events(txn, s);
}

int logs_filter_log_events(struct task *t, const struct logs_filter_log_events_in *in,
        struct logs_filter_log_events_out *out)
{
	struct search s = { .in = in,
		.now_ms = call_of(t)->now_ms,
		.limit = in->limit.set ? (size_t)in->limit.v : PAGE_MAX };
	struct logs_position bound;

	TRY(logs_group_ref(t, in->log_group_name, in->log_group_identifier, &s.g));
	TRY(check(t, in));
	TRY(parse(t, &s));
	TRY(open_token(t, &s, &bound));
	int bad = kv_view(t, view, &s);
	if (bad == LOGS_RESOURCE_NOT_FOUND_EXCEPTION)
		return logs_group_missing(t);
	if (bad == KV_NOT_FOUND)
		return logs_stream_missing(t);
	TRY(bad);
	out->events = (struct logs_filtered_log_events){ s.v, s.n };
	/* AWS gives an empty list here since 2019. */
	out->searched_log_streams.v = arena_new(task_arena(t), struct logs_searched_log_stream);
	if (s.more)
		out->next_token = api_token_seal(t, logs_position_id(task_arena(t), &s.last));
	return 0;
}
