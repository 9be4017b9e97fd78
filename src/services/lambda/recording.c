/* recording: writing, bounding, listing. */
#include "services/lambda/recording.h"

#include "base/clock.h"
#include "base/log.h"
#include "kv/key.h"
#include "services/lambda/operate.h"

#define DAY_MS 86400000ll

static struct str prefix_of(struct arena *a, const struct lambda_ref *ref)
{
	return kv_key(
	        a, "sssss", S("lambda"), ref->account, ref->region, S("recording"), ref->name);
}

static struct str sum_key(struct arena *a, const struct lambda_ref *ref)
{
	return kv_key(
	        a, "sssss", S("lambda"), ref->account, ref->region, S("recording-sum"), ref->name);
}

/* ---- bounds ---- */

static int forget(struct kv_txn *txn, struct str key, struct str value,
        struct lambda_recording_sum_record *sum)
{
	struct lambda_recording_record r = { 0 };

	TRY(record_unpack(kv_arena(txn), &lambda_shape_recording_record, value, &r));
	if (r.holds_code.v)
		lambda_record_release(txn, r.function);
	sum->count.v--;
	sum->bytes.v -= (int64_t)value.n;
	kv_del(txn, key);
	return 0;
}

static bool is_too_much(const struct lambda_recording_sum_record *sum, int64_t time_ms)
{
	return sum->count.v > LAMBDA_RECORDINGS_MAX || sum->bytes.v > LAMBDA_RECORDINGS_BYTES ||
	       time_ms < clock_now_ms() - LAMBDA_RECORDINGS_DAYS * DAY_MS;
}

/* The oldest row, when it is to go. Not within a scan: that range is written. */
static bool oldest(struct kv_txn *txn, const struct lambda_ref *ref, struct str *key,
        struct str *value, int64_t *time_ms)
{
	struct arena *a = kv_arena(txn);
	CLEANUP(kv_scan_close) struct kv_scan *s = kv_scan_prefix(txn, prefix_of(a, ref), false);
	struct str part;
	uint64_t time;

	if (!kv_next(s, key, value) ||
	        !kv_key_read(a, *key, "sssssu", &part, &part, &part, &part, &part, &time))
		return false;
	*key = str_dup(a, *key);
	*value = str_dup(a, *value);
	*time_ms = (int64_t)time;
	return true;
}

static int bound(
        struct kv_txn *txn, const struct lambda_ref *ref, struct lambda_recording_sum_record *sum)
{
	struct str key, value;
	int64_t time_ms;

	while (oldest(txn, ref, &key, &value, &time_ms) && is_too_much(sum, time_ms))
		TRY(forget(txn, key, value, sum));
	return 0;
}

int lambda_recordings_drop(struct kv_txn *txn, const struct lambda_ref *ref)
{
	struct lambda_recording_sum_record sum = { 0 };
	struct str key, value;
	int64_t time_ms;

	while (oldest(txn, ref, &key, &value, &time_ms))
		TRY(forget(txn, key, value, &sum));
	kv_del(txn, sum_key(kv_arena(txn), ref));
	return 0;
}

/* ---- writing ---- */

struct addition {
	struct arena *arena;
	struct kv *kv;
	struct lambda_ref ref;
	struct lambda_recording_record record;
};

/* Its code can be held when the function still has it. */
static bool has_code(struct kv_txn *txn, const struct addition *x)
{
	struct lambda_function_record now;
	struct lambda_ref ref = x->ref;

	ref.qualifier = x->record.function->configuration->version;
	return lambda_record_get(txn, &ref, &now) == 0 &&
	       str_eq(now.generation, x->record.function->generation);
}

static int add(struct kv_txn *txn, void *arg)
{
	struct addition *x = arg;
	struct arena *a = kv_arena(txn);
	struct lambda_recording_sum_record sum = { 0 };
	struct str sums = sum_key(a, &x->ref);
	struct lambda_ref function = { x->ref.account, x->ref.region, x->ref.name, { 0 } };
	struct lambda_function_record now;

	if (lambda_record_get(txn, &function, &now) != 0)
		return KV_NOT_FOUND;
	int got = record_get(txn, sums, &lambda_shape_recording_sum_record, &sum);
	if (got && got != KV_NOT_FOUND)
		return got;
	x->record.holds_code.set = true;
	x->record.holds_code.v = has_code(txn, x);
	if (x->record.holds_code.v)
		lambda_record_hold(txn, x->record.function);
	struct str value = record_pack(a, &lambda_shape_recording_record, &x->record);
	kv_put(txn,
	        kv_key(a, "sssssus", S("lambda"), x->ref.account, x->ref.region, S("recording"),
	                x->ref.name, (uint64_t)x->record.time_ms.v, x->record.request_id),
	        value);
	sum.count = opt_int(sum.count.v + 1);
	sum.bytes = opt_int(sum.bytes.v + (int64_t)value.n);
	TRY(bound(txn, &x->ref, &sum));
	record_put(txn, sums, &lambda_shape_recording_sum_record, &sum);
	return 0;
}

static int add_task(struct task *t, void *arg)
{
	struct addition *x = arg;
	int bad = kv_update(t, add, x);

	if (bad < 0 && bad != -ECANCELED)
		log_warn("an invocation of %.*s is not recorded: %s", STR(x->ref.name),
		        strerror(-bad));
	arena_destroy(x->arena);
	mem_free(x);
	return 0;
}

/* A copy by way of its packed form: the record outlives the call. */
static struct lambda_function_record *copy_function(
        struct arena *a, const struct lambda_function_record *r)
{
	struct lambda_function_record *copy = arena_new(a, struct lambda_function_record);
	struct str packed = record_pack(a, &lambda_shape_function_record, r);
	int bad = record_unpack(a, &lambda_shape_function_record, packed, copy);

	ensure(bad == 0);
	return copy;
}

void lambda_recording_add(struct task *t, const struct lambda_ref *ref,
        const struct lambda_function_record *r, const struct runtime_invocation *in,
        const struct runtime_result *result)
{
	struct addition *x = mem_new(struct addition);
	struct arena *a = x->arena = arena_create();
	struct lambda_recording_record *n = &x->record;

	x->ref = (struct lambda_ref){ str_dup(a, ref->account), str_dup(a, ref->region),
		str_dup(a, ref->name), str_dup(a, ref->qualifier) };
	n->function = copy_function(a, r);
	n->request_id = str_dup(a, in->request_id);
	n->function_name = x->ref.name;
	n->qualifier = x->ref.qualifier;
	n->time_ms = opt_int(clock_now_ms() - (int64_t)MAX(result->duration_ms, 0));
	n->duration_us = opt_int((int64_t)(result->duration_ms * 1000));
	n->event = str_dup(a, in->payload);
	n->client_context = str_dup(a, in->client_context);
	n->cognito_identity = str_dup(a, in->cognito_identity);
	n->trace_id = str_dup(a, in->trace_id);
	n->invoked_arn = str_dup(a, in->invoked_arn);
	n->result = str_dup(a, result->payload);
	n->function_error = str_dup(a, result->function_error);
	n->log_stream = str_dup(a, result->log_stream);
	task_start(task_loop(t), "record-invocation", add_task, x);
}

/* ---- on and off ---- */

struct turn {
	const struct lambda_ref *ref;
	bool on;
};

static int turn(struct kv_txn *txn, void *arg)
{
	const struct turn *x = arg;
	struct lambda_function_record r;

	TRY(lambda_record_get(txn, x->ref, &r));
	r.recording.set = true;
	r.recording.v = x->on;
	lambda_record_put(txn, x->ref, &r);
	return 0;
}

/* PUT functions/NAME/recording {"On": true}; without On it only tells. */
int lambda_put_recording(struct task *t, struct operating *o)
{
	struct lambda_function_record r;
	struct lambda_ref ref;

	TRY(lambda_operate_find(t, o, &ref, &r));
	struct turn x = { &ref, json_get_bool(o->body, "On", r.recording.v) };
	if (x.on != r.recording.v)
		TRY(kv_update(t, turn, &x));
	json_object(&o->w);
	json_member_bool(&o->w, S("On"), x.on);
	json_end(&o->w);
	return 0;
}

/* ---- listing ---- */

struct listing {
	struct str prefix;
	struct operating *o;
	struct buf b;
};

static void write_one(
        struct arena *a, struct json_writer *w, const struct lambda_recording_record *r)
{
	json_object(w);
	json_member_str(w, S("Id"), r->request_id);
	json_member_str(w, S("FunctionName"), r->function_name);
	json_member_str(w, S("Version"), r->function->configuration->version);
	json_member_str(w, S("Time"), time_iso8601(a, r->time_ms.v, true));
	json_key(w, S("DurationMs"));
	json_double(w, (double)r->duration_us.v / 1000);
	json_member_i64(w, S("EventBytes"), (int64_t)r->event.n);
	if (r->function_error.n)
		json_member_str(w, S("FunctionError"), r->function_error);
	json_end(w);
}

static int list(struct kv_txn *txn, void *arg)
{
	struct listing *l = arg;
	CLEANUP(kv_scan_close) struct kv_scan *s = kv_scan_prefix(txn, l->prefix, false);
	struct str key, value;

	l->b = buf_init(kv_arena(txn));
	struct json_writer w = json_writer(&l->b);
	json_array(&w);
	while (kv_next(s, &key, &value)) {
		struct lambda_recording_record r = { 0 };
		TRY(record_unpack(kv_arena(txn), &lambda_shape_recording_record, value, &r));
		if (r.time_ms.v >= clock_now_ms() - LAMBDA_RECORDINGS_DAYS * DAY_MS)
			write_one(kv_arena(txn), &w, &r);
	}
	json_end(&w);
	return 0;
}

/* GET recordings[?function=NAME] */
int lambda_recordings(struct task *t, struct operating *o)
{
	const struct call *c = call_of(t);
	struct str name = uri_params_get(&o->query, S("function"));
	struct arena *a = task_arena(t);
	struct listing l = { .prefix = kv_key(a, "ssss", S("lambda"), c->account, c->region,
		                     S("recording")) };

	if (name.n)
		l.prefix = kv_key(
		        a, "sssss", S("lambda"), c->account, c->region, S("recording"), name);
	TRY(kv_view(t, list, &l));
	buf_add(&o->answer, buf_str(&l.b));
	return 0;
}
