/*
 * DescribeLogStreams: by name, or by the time of the last event. There is no index by time, as it
 * would have to move with every PutLogEvents: the best of all rows are chosen while reading them.
 */
#include "services/logs/stream.h"

#include "codec/codec.h"
#include "kv/key.h"

struct listing {
	struct logs_group g;
	struct logs_stream_range range;
	bool by_time, has_after;
	int64_t after_ms; /* by time: with range.after, where the page before ended */
	size_t limit;
	struct logs_stream *v; /* limit + 1, in order */
	size_t n;
};

static int cmp(const struct listing *l, const struct logs_stream *a, const struct logs_stream *b)
{
	int c = (a->last_ms > b->last_ms) - (a->last_ms < b->last_ms);

	if (c == 0)
		c = str_cmp(a->name, b->name);
	return l->range.descending ? -c : c;
}

static int take_by_name(void *arg, const struct logs_stream *s)
{
	struct listing *l = arg;

	l->v[l->n++] = *s;
	return l->n > l->limit;
}

static int take_by_time(void *arg, const struct logs_stream *s)
{
	struct listing *l = arg;
	struct logs_stream after = { .name = l->range.after, .last_ms = l->after_ms };
	size_t at = l->n;

	if (l->has_after && cmp(l, s, &after) <= 0)
		return 0;
	while (at > 0 && cmp(l, s, &l->v[at - 1]) < 0)
		at--;
	if (at > l->limit)
		return 0;
	l->n = MIN(l->n + 1, l->limit + 1);
	memmove(&l->v[at + 1], &l->v[at], (l->n - 1 - at) * sizeof *l->v);
	l->v[at] = *s;
	return 0;
}

static int view(struct kv_txn *txn, void *arg)
{
	struct listing *l = arg;
	struct logs_stream_range all = { 0 };

	TRY(logs_group_load(txn, &l->g));
	l->v = arena_new_n(kv_arena(txn), struct logs_stream, l->limit + 1);
	int got = l->by_time ? logs_streams_each(txn, &l->g, &all, take_by_time, l)
	                     : logs_streams_each(txn, &l->g, &l->range, take_by_name, l);
	return MIN(got, 0);
}

static int open_token(struct task *t, struct listing *l, struct str token)
{
	struct str position, name;
	uint64_t by_time;

	if (!token.p)
		return 0;
	if (!api_token_open(t, token, &position) ||
	        !kv_key_read(task_arena(t), position, "uis", &by_time, &l->after_ms, &name) ||
	        (by_time != 0) != l->by_time)
		return fail(
		        t, LOGS_INVALID_PARAMETER_EXCEPTION, "The specified nextToken is invalid.");
	l->range.after = name;
	l->has_after = true;
	return 0;
}

static struct logs_log_stream shown(
        struct arena *a, const struct logs_group *g, const struct logs_stream *s)
{
	struct logs_log_stream o = {
		.log_stream_name = s->name,
		.creation_time = opt_int(s->created_ms),
		.arn = str_concat(a, 3, logs_group_arn(a, g), S(":log-stream:"), s->name),
		.stored_bytes = opt_int(0), /* AWS: always, since 2019 */
	};

	if (s->sequence == 0)
		return o;
	o.first_event_timestamp = opt_int(s->first_ms);
	o.last_event_timestamp = opt_int(s->last_ms);
	o.last_ingestion_time = opt_int(s->ingested_ms);
	o.upload_sequence_token = str_printf(a, "%056llu", (unsigned long long)s->sequence);
	return o;
}

static int prepare(struct task *t, const struct logs_describe_log_streams_in *in, struct listing *l)
{
	TRY(logs_group_ref(t, in->log_group_name, in->log_group_identifier, &l->g));
	l->by_time = in->order_by.p && str_eq(in->order_by, S("LastEventTime"));
	if (l->by_time && in->log_stream_name_prefix.p)
		return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION,
		        "Cannot order by LastEventTime with a logStreamNamePrefix.");
	return open_token(t, l, in->next_token);
}

int logs_describe_log_streams(struct task *t, const struct logs_describe_log_streams_in *in,
        struct logs_describe_log_streams_out *out)
{
	struct arena *a = task_arena(t);
	struct listing l = { .range = { in->log_stream_name_prefix, { 0 }, in->descending.v },
		.limit = in->limit.set ? (size_t)in->limit.v : 50 };

	TRY(prepare(t, in, &l));
	int bad = kv_view(t, view, &l);
	if (bad == LOGS_RESOURCE_NOT_FOUND_EXCEPTION)
		return logs_group_missing(t);
	TRY(bad);
	out->log_streams.v = arena_new_n(a, struct logs_log_stream, l.limit + 1);
	for (size_t i = 0; i < MIN(l.n, l.limit); i++)
		out->log_streams.v[out->log_streams.n++] = shown(a, &l.g, &l.v[i]);
	if (l.n <= l.limit)
		return 0;
	const struct logs_stream *last = &l.v[l.limit - 1];
	out->next_token =
	        api_token_seal(t, kv_key(a, "uis", (uint64_t)l.by_time, last->last_ms, last->name));
	return 0;
}
