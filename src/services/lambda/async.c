/*
 * async: each event is a job. Function errors are tried again after one and two minutes; throttles
 * and system errors with pauses that double from a second to five minutes, until the event's
 * maximum age. What becomes of it goes to the destinations and the dead-letter queue, each a job of
 * its own that is written in the update that ends the event.
 */
#include "services/lambda/async.h"

#include "base/clock.h"
#include "base/log.h"
#include "codec/codec.h"
#include "codec/json.h"
#include "services/lambda/destination.h"
#include "services/lambda/event_invoke.h"
#include "services/lambda/lambda.h"
#include "services/lambda/recursion.h"

#define MAX_PAUSE_MS (5 * 60 * 1000)
#define RETRY_MS     60000

/* An event while it is looked after. */
struct attempt {
	struct kv_job *job;
	struct lambda_async_event_record e;
	struct lambda_ref ref;
	struct lambda_function_record r;
	struct lambda_function_event_invoke_config config;
	struct runtime_result result;
	bool answered; /* result is there */
	struct lambda_delivery_record deliveries[2];
	size_t n_deliveries;
};

/* ---- accepting ---- */

static int add(struct kv_txn *txn, void *arg)
{
	struct str payload = record_pack(kv_arena(txn), &lambda_shape_async_event_record, arg);

	kv_job_add(txn, S("lambda-async"), payload, clock_now_ms());
	return 0;
}

int lambda_async_add(
        struct task *t, const struct lambda_ref *ref, const struct lambda_invoke_in *in)
{
	struct lambda_async_event_record e = {
		.account = ref->account,
		.region = ref->region,
		.function_name = ref->name,
		.qualifier = ref->qualifier,
		.request_id = call_of(t)->request_id,
		.client_context = in->client_context,
		.trace_id = lambda_trace_of(t),
		.payload = in->payload.n ? in->payload : S("{}"),
	};

	return kv_update(t, add, &e);
}

/* ---- the record of what became of it ---- */

static void write_context(
        struct json_writer *w, const struct attempt *x, struct str arn, struct str condition)
{
	json_key(w, S("requestContext"));
	json_object(w);
	json_member_str(w, S("requestId"), x->e.request_id);
	json_member_str(w, S("functionArn"), arn);
	json_member_str(w, S("condition"), condition);
	json_member_i64(w, S("approximateInvokeCount"), x->e.errors.v + x->answered);
	json_end(w);
}

static void write_response(struct json_writer *w, const struct attempt *x)
{
	json_key(w, S("responseContext"));
	json_object(w);
	json_member_i64(w, S("statusCode"), 200);
	json_member_str(w, S("executedVersion"), x->r.configuration->version);
	json_member_str(w, S("functionError"), x->result.function_error);
	json_end(w);
	json_key(w, S("responsePayload"));
	if (json_is_valid(x->result.payload))
		json_raw(w, x->result.payload);
	else
		json_str(w, x->result.payload);
}

static struct str outcome(struct arena *a, const struct attempt *x, struct str condition)
{
	struct buf b = buf_init(a);
	struct json_writer w = json_writer(&b);

	json_object(&w);
	json_member_str(&w, S("version"), S("1.0"));
	json_member_str(&w, S("timestamp"), time_iso8601(a, clock_now_ms(), true));
	write_context(&w, x, lambda_ref_qualified_arn(a, &x->ref), condition);
	json_key(&w, S("requestPayload"));
	json_raw(&w, x->e.payload);
	if (x->answered)
		write_response(&w, x);
	json_end(&w);
	return buf_str(&b);
}

static struct lambda_delivery_record *add_delivery(
        struct arena *a, struct attempt *x, struct str target)
{
	struct lambda_delivery_record *d = &x->deliveries[x->n_deliveries++];
	struct str trace = x->e.trace_id;

	/* Sixteen times at most, through destinations too. */
	(void)!lambda_trace_next(
	        a, lambda_ref_unqualified_arn(a, &x->ref), &x->r, x->e.trace_id, &trace);
	*d = (struct lambda_delivery_record){
		.account = x->ref.account,
		.region = x->ref.region,
		.function_name = x->ref.name,
		.function_arn = lambda_ref_qualified_arn(a, &x->ref),
		.role = x->r.configuration->role,
		.target = target,
		.request_id = x->e.request_id,
		.trace_id = trace,
	};
	return d;
}

static void add_dead_letter(struct arena *a, struct attempt *x)
{
	const struct lambda_dead_letter_config *dead = x->r.configuration->dead_letter_config;
	yyjson_val *error;

	if (!dead)
		return;
	struct lambda_delivery_record *d = add_delivery(a, x, dead->target_arn);
	d->dead_letter = opt_bool(true);
	d->body = x->e.payload;
	if (x->answered && json_parse(a, x->result.payload, &error) == 0)
		d->error_message = json_get_str(error, "errorMessage");
}

/* ---- its end ---- */

static int store_deliveries(struct kv_txn *txn, void *arg)
{
	struct attempt *x = arg;

	for (size_t i = 0; i < x->n_deliveries; i++)
		lambda_destination_add(txn, &x->deliveries[i]);
	return 0;
}

static int finish(struct task *t, struct attempt *x, bool success, struct str condition)
{
	struct arena *a = task_arena(t);
	const struct lambda_destination_config *c = x->config.destination_config;
	struct str target = { 0 };

	if (c)
		target = success ? c->on_success->destination : c->on_failure->destination;
	if (target.n) {
		struct lambda_delivery_record *d = add_delivery(a, x, target);
		d->success = opt_bool(success);
		d->body = outcome(a, x, condition);
	}
	if (!success)
		add_dead_letter(a, x);
	if (!success && !x->n_deliveries)
		log_warn("lambda: event %.*s of %.*s is dropped: %.*s", STR(x->e.request_id),
		        STR(x->e.function_name), STR(condition));
	return kv_job_done(t, x->job, store_deliveries, x);
}

/* ---- its attempts ---- */

static int64_t max_age_ms(const struct attempt *x)
{
	struct opt_int age = x->config.maximum_event_age_in_seconds;

	return (age.set ? age.v : LAMBDA_EVENT_AGE_MAX_S) * 1000;
}

static int64_t max_retries(const struct attempt *x)
{
	struct opt_int retries = x->config.maximum_retry_attempts;

	return retries.set ? retries.v : LAMBDA_EVENT_RETRIES;
}

static int again(struct task *t, struct attempt *x, int64_t after_ms)
{
	struct str payload = record_pack(task_arena(t), &lambda_shape_async_event_record, &x->e);
	int64_t due = clock_now_ms() + after_ms;

	/* An event that grows too old meanwhile ends when it does. */
	return kv_job_retry(t, x->job, MIN(due, x->job->created_ms + max_age_ms(x) + 1), payload);
}

static int load_config(struct kv_txn *txn, void *arg)
{
	struct attempt *x = arg;
	int got = lambda_event_invoke_get(txn, &x->ref, &x->config);

	return got == KV_NOT_FOUND ? 0 : got;
}

static int run(struct task *t, struct attempt *x)
{
	struct runtime_invocation in = { .request_id = x->e.request_id,
		.payload = x->e.payload,
		.trace_id = x->e.trace_id,
		.invoked_arn = lambda_ref_arn(task_arena(t), &x->ref) };

	if (x->e.client_context.n)
		TRY(base64_decode(task_arena(t), x->e.client_context, &in.client_context));
	TRY(lambda_run(t, &x->ref, &x->r, &in, &x->result));
	x->answered = true;
	return 0;
}

static int settle(struct task *t, struct attempt *x, int bad)
{
	if (bad == LAMBDA_RECURSIVE_INVOCATION_EXCEPTION) {
		log_warn("lambda: %.*s is invoked in a recursive loop: event %.*s ends it",
		        STR(x->e.function_name), STR(x->e.request_id));
		return finish(t, x, false, S("RetriesExhausted"));
	}
	if (bad)
		return again(t, x,
		        MIN((int64_t)1000 << MIN(x->job->attempts, 16u), (int64_t)MAX_PAUSE_MS));
	if (!x->result.function_error.p)
		return finish(t, x, true, S("Success"));
	if (x->e.errors.v >= max_retries(x))
		return finish(t, x, false, S("RetriesExhausted"));
	x->e.errors = opt_int(x->e.errors.v + 1);
	return again(t, x, x->e.errors.v * RETRY_MS);
}

static int look_after(struct task *t, struct attempt *x)
{
	TRY(kv_view(t, load_config, x));
	int bad = lambda_load_routed(t, &x->ref, &x->r);
	if (bad == LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION) {
		log_warn("lambda: event %.*s is dropped: its function %.*s is gone",
		        STR(x->e.request_id), STR(x->e.function_name));
		return kv_job_done(t, x->job, NULL, NULL);
	}
	TRY(bad);
	if (clock_now_ms() - x->job->created_ms > max_age_ms(x))
		return finish(t, x, false, S("EventAgeExceeded"));
	if (x->r.reserved_concurrency.set && x->r.reserved_concurrency.v == 0)
		return finish(t, x, false, S("ZeroReservedConcurrency"));
	bad = run(t, x);
	return bad == -ECANCELED ? bad : settle(t, x, bad);
}

int lambda_async_deliver(struct task *t, struct kv_job *job)
{
	struct attempt *x = arena_new(task_arena(t), struct attempt);

	x->job = job;
	TRY(record_unpack(task_arena(t), &lambda_shape_async_event_record, job->payload, &x->e));
	x->ref = (struct lambda_ref){ x->e.account, x->e.region, x->e.function_name,
		x->e.qualifier };
	struct call background = { .service = &lambda_service,
		.account = x->e.account,
		.region = x->e.region,
		.request_id = x->e.request_id,
		.now_ms = clock_now_ms() };
	task_local_set(t, &background);
	int bad = look_after(t, x);
	task_local_set(t, NULL);
	return bad;
}
