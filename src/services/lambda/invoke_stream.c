/* InvokeWithResponseStream */
#include "codec/codec.h"
#include "services/lambda/function.h"
#include "services/lambda/recursion.h"

#define PIECE 32768

static int send_pieces(struct task *t, struct runtime_stream *s)
{
	char *piece = arena_bytes(task_arena(t), PIECE);
	size_t n;

	for (;;) {
		TRY(runtime_stream_read(t, s, piece, PIECE, &n));
		if (!n)
			return 0;
		struct lambda_invoke_response_stream_update update = { .payload = { piece, n } };
		TRY(api_event_send(t, "PayloadChunk", &update));
	}
}

static struct str error_code(const struct runtime_result *r)
{
	if (r->timed_out)
		return S("Sandbox.Timedout");
	return r->error_type.n ? r->error_type : r->function_error;
}

static int send_complete(struct task *t, const struct runtime_result *r)
{
	struct lambda_invoke_with_response_stream_complete_event e = { 0 };

	if (r->function_error.p) {
		e.error_code = error_code(r);
		e.error_details = r->payload;
	}
	if (r->log_tail.p)
		e.log_result = base64_encode(task_arena(t), r->log_tail);
	return api_event_send(t, "InvokeComplete", &e);
}

static int stream(struct task *t, const struct runtime_function *f,
        const struct runtime_invocation *in, struct runtime_stream **s)
{
	int bad = runtime_stream_open(t, f, in, s);

	if (bad)
		return lambda_run_failed(t, bad, *s ? runtime_stream_result(*s)->payload : S(""));
	api_header(t, S("X-Amz-Executed-Version"), f->version);
	TRY(send_pieces(t, *s));
	return send_complete(t, runtime_stream_result(*s));
}

int lambda_invoke_with_response_stream(struct task *t,
        const struct lambda_invoke_with_response_stream_in *in,
        struct lambda_invoke_with_response_stream_out *out)
{
	struct lambda_ref ref;
	struct lambda_function_record r;
	struct runtime_function f;
	struct runtime_stream *s = NULL;

	TRY(lambda_check_event(t, in->payload, LAMBDA_SYNC_MAX));
	TRY(lambda_ref_parse(t, in->function_name, in->qualifier, &ref));
	TRY(lambda_load_routed(t, &ref, &r));
	out->status_code = opt_int(str_eq(in->invocation_type, S("DryRun")) ? 204 : 200);
	if (out->status_code.v == 204)
		return 0;
	struct runtime_invocation invocation = {
		.request_id = call_of(t)->request_id,
		.payload = in->payload.n ? in->payload : S("{}"),
		.trace_id = lambda_trace_of(t),
		.invoked_arn = lambda_ref_arn(task_arena(t), &ref),
		.want_log_tail = str_eq(in->log_type, S("Tail")),
	};
	TRY(lambda_client_context(t, in->client_context, &invocation.client_context));
	TRY(lambda_run_prepare(t, &ref, &r, &invocation, &f));
	int bad = stream(t, &f, &invocation, &s);
	runtime_stream_close(t, s);
	return bad;
}
