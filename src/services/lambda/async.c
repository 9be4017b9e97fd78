/*
 * async: events accepted with 202. They are on disk before that is answered, and are delivered at
 * least once: function errors are tried twice more, after one and two minutes; throttles and system
 * errors are tried with growing pauses until the event is six hours old.
 */
#include "services/lambda/function.h"

#include "base/clock.h"
#include "base/log.h"
#include "codec/codec.h"

#define MAX_AGE_MS   (6 * 3600 * 1000)
#define MAX_RETRIES  2
#define MAX_PAUSE_MS (5 * 60 * 1000)

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
		.payload = in->payload.n ? in->payload : S("{}"),
	};

	return kv_update(t, add, &e);
}

static int64_t pause_ms(uint32_t attempts)
{
	return MIN((int64_t)1000 << MIN(attempts, 16u), (int64_t)MAX_PAUSE_MS);
}

static int give_up(struct task *t, struct kv_job *job, const struct lambda_async_event_record *e,
        const struct lambda_function_record *r)
{
	const struct lambda_dead_letter_config *dead =
	        r && r->configuration ? r->configuration->dead_letter_config : NULL;

	if (dead)
		log_warn("lambda: event %.*s of %.*s is dropped: its dead-letter target %.*s is "
		         "served by nobody here",
		        STR(e->request_id), STR(e->function_name), STR(dead->target_arn));
	return kv_job_done(t, job, NULL, NULL);
}

static int again(
        struct task *t, struct kv_job *job, struct lambda_async_event_record *e, int64_t after_ms)
{
	struct str payload = record_pack(task_arena(t), &lambda_shape_async_event_record, e);

	return kv_job_retry(t, job, clock_now_ms() + after_ms, payload);
}

int lambda_async_deliver(struct task *t, struct kv_job *job)
{
	struct arena *a = task_arena(t);
	struct lambda_async_event_record e = { 0 };
	struct lambda_function_record r = { 0 };
	struct runtime_result result = { 0 };

	TRY(record_unpack(a, &lambda_shape_async_event_record, job->payload, &e));
	struct lambda_ref ref = { e.account, e.region, e.function_name, e.qualifier };
	struct runtime_invocation in = { .request_id = e.request_id,
		.payload = e.payload,
		.invoked_arn = lambda_ref_arn(a, &ref) };
	if (e.client_context.n)
		TRY(base64_decode(a, e.client_context, &in.client_context));
	struct call background = {
		.account = e.account, .region = e.region, .request_id = e.request_id
	};
	task_local_set(t, &background);
	int bad = lambda_load(t, &ref, &r);
	if (bad == 0)
		bad = lambda_run(t, &ref, &r, &in, &result);
	task_local_set(t, NULL);
	if (bad == -ECANCELED)
		return bad;
	if (bad == LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION ||
	        clock_now_ms() - job->created_ms > MAX_AGE_MS)
		return give_up(t, job, &e, &r);
	if (bad)
		return again(t, job, &e, pause_ms(job->attempts));
	if (!result.function_error.p)
		return kv_job_done(t, job, NULL, NULL);
	if (e.errors.v >= MAX_RETRIES)
		return give_up(t, job, &e, &r);
	e.errors = opt_int(e.errors.v + 1);
	return again(t, job, &e, e.errors.v * 60000);
}
