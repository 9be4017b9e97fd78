/* deliver: chunks on their way to subscribers. */
#include "services/logs/subscription.h"

#include "base/clock.h"
#include "base/log.h"
#include "codec/codec.h"
#include "codec/json.h"
#include "kv/key.h"
#include "lambda_gen.h"
#include "loop/pool.h"
#include "services/logs/chunk.h"
#include "services/logs/filter_pattern.h"
#include "services/logs/merge.h"

#include <zlib.h>

#define MAX_AGE_MS   (24 * 3600 * 1000)
#define MAX_PAUSE_MS (5 * 60 * 1000)

void logs_deliver_add(struct kv_txn *txn, const struct logs_group *g, const struct logs_stream *s,
        int64_t first_ms)
{
	struct arena *a = kv_arena(txn);
	struct str prefix = logs_prefix(a, g, S("subscription")), key, row;
	struct logs_delivery_record d = {
		.account = g->account,
		.region = g->region,
		.log_group = g->name,
		.log_stream = s->name,
		.group_id = g->r.id,
		.stream_id = opt_int((int64_t)s->id),
		.timestamp = opt_int(first_ms),
		.sequence = opt_int((int64_t)s->sequence),
	};

	if (g->r.subscription_filters.v == 0)
		return;
	CLEANUP(kv_scan_close) struct kv_scan *scan = kv_scan_prefix(txn, prefix, false);
	while (kv_next(scan, &key, &row))
		if (kv_key_read(a, str_sub(key, prefix.n, key.n), "s", &d.filter_name))
			kv_job_add(txn, S(LOGS_QUEUE),
			        record_pack(a, &logs_shape_delivery_record, &d), clock_now_ms());
}

/* Functions are open to CloudWatch Logs by its global or its regional name. */
int logs_invoke(struct task *t, const struct logs_group *g, struct str function_arn,
        struct str type, struct str payload)
{
	struct arena *a = task_arena(t);
	struct str names[] = { S("logs.amazonaws.com"),
		str_printf(a, "logs.%.*s.amazonaws.com", STR(g->region)) };
	struct str source = str_concat(a, 2, logs_group_arn(a, g), S(":*"));
	struct lambda_invoke_in in = {
		.function_name = function_arn, .invocation_type = type, .payload = payload
	};
	int bad = 0;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct lambda_invoke_out out = { 0 };
		struct api_caller who = api_caller_service(names[i], g->account, g->region, source);
		bad = api_call(t, &who, "lambda", "Invoke", &in, &out);
		if (bad != API_ERROR_ACCESS_DENIED)
			break;
	}
	return bad;
}

/* ---- the message ---- */

struct squeeze {
	struct str in;
	char *out;
	size_t n, capacity;
};

static int gzip(void *arg)
{
	struct squeeze *s = arg;
	z_stream z = { 0 };

	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8,
	            Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	z.next_in = (Bytef *)(uintptr_t)s->in.p;
	z.avail_in = (uInt)s->in.n;
	z.next_out = (Bytef *)s->out;
	z.avail_out = (uInt)s->capacity;
	int result = deflate(&z, Z_FINISH);
	s->n = z.total_out;
	deflateEnd(&z);
	return result == Z_STREAM_END ? 0 : -EIO;
}

static void write_events(struct json_writer *w, struct arena *a, const struct logs_message *m)
{
	json_key(w, S("logEvents"));
	json_array(w);
	for (size_t i = 0; i < m->n; i++) {
		json_object(w);
		json_member_str(w, S("id"), logs_position_id(a, &m->v[i].position));
		json_member_i64(w, S("timestamp"), m->v[i].position.timestamp);
		json_member_str(w, S("message"), m->v[i].message);
		json_end(w);
	}
	json_end(w);
}

static struct str message_json(struct arena *a, const struct logs_message *m)
{
	struct buf b = buf_init(a);
	struct json_writer w = json_writer(&b);

	json_object(&w);
	json_member_str(&w, S("messageType"), m->type);
	json_member_str(&w, S("owner"), m->owner);
	json_member_str(&w, S("logGroup"), m->group);
	json_member_str(&w, S("logStream"), m->stream);
	json_key(&w, S("subscriptionFilters"));
	json_array(&w);
	json_str(&w, m->filter);
	json_end(&w);
	write_events(&w, a, m);
	json_end(&w);
	return buf_str(&b);
}

int logs_message_pack(struct task *t, const struct logs_message *m, struct str *payload)
{
	struct arena *a = task_arena(t);
	struct squeeze s = { .in = message_json(a, m) };

	s.capacity = s.in.n + s.in.n / 1000 + 1024;
	s.out = arena_bytes(a, s.capacity);
	TRY(pool_run(t, gzip, &s));
	*payload = str_concat(a, 3, S("{\"awslogs\":{\"data\":\""),
	        base64_encode(a, (struct str){ s.out, s.n }), S("\"}}"));
	return 0;
}

/* ---- the job ---- */

struct delivery {
	struct logs_delivery_record d;
	struct logs_group g;
	struct logs_subscription_filter filter;
	struct logs_chunk chunk;
	struct logs_event *v;
	size_t n;
};

/* KV_NOT_FOUND: the filter, the group or the events are gone. */
static int load(struct kv_txn *txn, void *arg)
{
	struct delivery *d = arg;
	struct arena *a = kv_arena(txn);
	struct str row;

	int got = logs_group_load(txn, &d->g);
	if (got == LOGS_RESOURCE_NOT_FOUND_EXCEPTION || d->g.r.id.v != d->d.group_id.v)
		return KV_NOT_FOUND;
	TRY(got);
	TRY(record_get(txn, logs_subscription_key(a, &d->g, d->d.filter_name),
	        &logs_shape_subscription_filter, &d->filter));
	TRY(kv_get(txn,
	        logs_chunk_key(a, &d->g, (uint64_t)d->d.stream_id.v, d->d.timestamp.v,
	                (uint64_t)d->d.sequence.v),
	        &row));
	return logs_chunk_unpack(a, row, &d->chunk);
}

static int match(struct task *t, struct delivery *d)
{
	struct arena *a = task_arena(t);
	CLEANUP(arena_destroyp) struct arena *scratch = arena_create();
	struct filter_pattern *pattern;
	struct str why;

	if (filter_pattern_parse(a, d->filter.filter_pattern, &pattern, &why) != 0)
		return -EPROTO;
	d->v = arena_new_n(a, struct logs_event, d->chunk.n);
	for (size_t i = 0; i < d->chunk.n; i++) {
		const struct logs_chunk_event *e = &d->chunk.v[i];
		arena_reset(scratch);
		if (!filter_pattern_match(pattern, scratch, e->message, NULL))
			continue;
		d->v[d->n++] = (struct logs_event){
			.position = { e->timestamp, (uint64_t)d->d.stream_id.v,
			        (uint64_t)d->d.sequence.v, i },
			.message = e->message,
		};
	}
	return 0;
}

static int send(struct task *t, struct delivery *d)
{
	struct logs_message m = { .owner = d->g.account,
		.group = d->g.name,
		.stream = d->d.log_stream,
		.filter = d->d.filter_name,
		.type = S("DATA_MESSAGE"),
		.v = d->v,
		.n = d->n };
	struct str payload;

	TRY(logs_message_pack(t, &m, &payload));
	return logs_invoke(t, &d->g, d->filter.destination_arn, S("Event"), payload);
}

static int again(struct task *t, struct kv_job *job, const struct delivery *d)
{
	int64_t pause = MIN((int64_t)1000 << MIN(job->attempts, 16u), (int64_t)MAX_PAUSE_MS);

	if (clock_now_ms() - job->created_ms <= MAX_AGE_MS)
		return kv_job_retry(t, job, clock_now_ms() + pause, (struct str){ 0 });
	log_warn("logs: events of %.*s are dropped: the subscription filter %.*s could not deliver "
	         "them for a day",
	        STR(d->g.name), STR(d->d.filter_name));
	return kv_job_done(t, job, NULL, NULL);
}

int logs_deliver(struct task *t, struct kv_job *job)
{
	struct delivery d = { 0 };

	TRY(record_unpack(task_arena(t), &logs_shape_delivery_record, job->payload, &d.d));
	d.g = (struct logs_group){
		.account = d.d.account, .region = d.d.region, .name = d.d.log_group
	};
	int got = kv_view(t, load, &d);
	if (got == 0)
		got = match(t, &d);
	if (got == KV_NOT_FOUND || (got == 0 && d.n == 0))
		return kv_job_done(t, job, NULL, NULL);
	TRY(got);
	got = send(t, &d);
	if (got == -ECANCELED)
		return got;
	return got ? again(t, job, &d) : kv_job_done(t, job, NULL, NULL);
}
