/* Invoke, and its forerunner InvokeAsync */
#include "services/lambda/async.h"

#include "codec/codec.h"
#include "codec/json.h"
#include "services/lambda/recording.h"
#include "services/lambda/recursion.h"

#define ASYNC_MAX 1048576

static int throttled(struct task *t, const char *reason)
{
	struct lambda_too_many_requests_exception *detail =
	        arena_new(task_arena(t), struct lambda_too_many_requests_exception);

	detail->reason = str_of(reason);
	detail->retry_after_seconds = S("1");
	return fail_with(t, LAMBDA_TOO_MANY_REQUESTS_EXCEPTION, detail, "Rate Exceeded.");
}

int lambda_run_prepare(struct task *t, const struct lambda_ref *ref,
        const struct lambda_function_record *r, struct runtime_invocation *in,
        struct runtime_function *f)
{
	lambda_runnable(task_arena(t), ref, r, f);
	TRY(lambda_snapshot_check(t, r));
	if (!lambda_trace_next(task_arena(t), f->arn, r, in->trace_id, &in->trace_id))
		return fail(t, LAMBDA_RECURSIVE_INVOCATION_EXCEPTION,
		        "Lambda has detected your function being invoked in a recursive loop with "
		        "other AWS resources and stopped your function's invocation.");
	return 0;
}

int lambda_run_failed(struct task *t, int got, struct str why)
{
	switch (got) {
	case RUNTIME_THROTTLED_RESERVED:
		return throttled(t, "ReservedFunctionConcurrentInvocationLimitExceeded");
	case RUNTIME_THROTTLED_ACCOUNT:
	case RUNTIME_THROTTLED_HOST:
		return throttled(t, "ConcurrentInvocationLimitExceeded");
	case RUNTIME_UNAVAILABLE:
		return fail(t, LAMBDA_INVALID_RUNTIME_EXCEPTION, "%.*s", STR(why));
	case RUNTIME_BAD_PACKAGE:
		return fail(t, LAMBDA_INVALID_ZIP_FILE_EXCEPTION,
		        "Lambda could not unzip the deployment package.");
	default:
		return got;
	}
}

int lambda_run(struct task *t, const struct lambda_ref *ref, const struct lambda_function_record *r,
        const struct runtime_invocation *in, struct runtime_result *result)
{
	struct runtime_invocation traced = *in;
	struct runtime_function f;

	TRY(lambda_run_prepare(t, ref, r, &traced, &f));
	int got = runtime_invoke(t, &f, &traced, result);
	if (got == 0 && r->recording.v)
		lambda_recording_add(t, ref, r, &traced, result);
	return lambda_run_failed(t, got, result->payload);
}

static int too_large(struct task *t, size_t limit)
{
	return fail(t, LAMBDA_REQUEST_TOO_LARGE_EXCEPTION,
	        "Request must be smaller than %zu bytes for the InvokeFunction operation", limit);
}

int lambda_check_event(struct task *t, struct str payload, size_t limit)
{
	if (payload.n > limit)
		return too_large(t, limit);
	if (payload.n && !json_is_valid(payload))
		return fail(t, LAMBDA_INVALID_REQUEST_CONTENT_EXCEPTION,
		        "Could not parse request body into json: Could not parse payload into "
		        "json");
	return 0;
}

int lambda_client_context(struct task *t, struct str encoded, struct str *json)
{
	*json = (struct str){ 0 };
	if (!encoded.n)
		return 0;
	if (encoded.n > 3583 || base64_decode(task_arena(t), encoded, json) != 0 ||
	        !json_is_valid(*json))
		return fail(t, LAMBDA_INVALID_REQUEST_CONTENT_EXCEPTION,
		        "Client context must be a valid Base64-encoded JSON object.");
	return 0;
}

static void answer(struct arena *a, const struct runtime_result *r, struct lambda_invoke_out *out)
{
	out->status_code = opt_int(200);
	out->payload = r->payload;
	out->function_error = r->function_error;
	if (r->log_tail.p)
		out->log_result = base64_encode(a, r->log_tail);
}

int lambda_invoke(struct task *t, const struct lambda_invoke_in *in, struct lambda_invoke_out *out)
{
	struct lambda_ref ref;
	struct lambda_function_record r;
	struct runtime_result result = { 0 };
	bool async = str_eq(in->invocation_type, S("Event"));

	TRY(lambda_check_event(t, in->payload, async ? ASYNC_MAX : LAMBDA_SYNC_MAX));
	TRY(lambda_ref_parse(t, in->function_name, in->qualifier, &ref));
	TRY(lambda_load_routed(t, &ref, &r));
	if (str_eq(in->invocation_type, S("DryRun"))) {
		out->status_code = opt_int(204);
		return 0;
	}
	if (async) {
		out->status_code = opt_int(202);
		return lambda_async_add(t, &ref, in);
	}
	struct runtime_invocation invocation = {
		.request_id = call_of(t)->request_id,
		.payload = in->payload.n ? in->payload : S("{}"),
		.trace_id = lambda_trace_of(t),
		.invoked_arn = lambda_ref_arn(task_arena(t), &ref),
		.want_log_tail = str_eq(in->log_type, S("Tail")),
	};
	TRY(lambda_client_context(t, in->client_context, &invocation.client_context));
	TRY(lambda_run(t, &ref, &r, &invocation, &result));
	out->executed_version = r.configuration->version;
	answer(task_arena(t), &result, out);
	return 0;
}

int lambda_invoke_async(struct task *t, const struct lambda_invoke_async_in *in,
        struct lambda_invoke_async_out *out)
{
	struct lambda_invoke_in event = { .function_name = in->function_name };
	struct lambda_function_record r;
	struct lambda_ref ref;

	int bad = stream_read_all(t, in->invoke_args, task_arena(t), ASYNC_MAX + 1, &event.payload);
	if (bad == -EMSGSIZE)
		return too_large(t, ASYNC_MAX);
	TRY(bad);
	TRY(lambda_check_event(t, event.payload, ASYNC_MAX));
	TRY(lambda_find(t, in->function_name, (struct str){ 0 }, &ref, &r));
	TRY(lambda_async_add(t, &ref, &event));
	out->status = opt_int(202);
	return 0;
}
