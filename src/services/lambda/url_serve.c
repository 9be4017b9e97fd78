/* url_serve: find whose address it is, authorize, invoke, answer. */
#include "services/lambda/url_request.h"

#include "base/log.h"
#include "services/lambda/lambda.h"
#include "services/lambda/policy_rows.h"
#include "services/lambda/recursion.h"

#define BODY_MAX 6291456

/* ---- the address ---- */

static bool by_host(const struct http_request *q, struct str *id)
{
	struct str host = q->host;

	*id = str_cut(&host, '.');
	return host.p && id->n && str_eq(str_cut(&host, '.'), S("lambda-url")) && host.p;
}

bool lambda_url_match(const struct http_request *q)
{
	struct str id;

	return by_host(q, &id) || str_starts(q->path, S(LAMBDA_URL_PATH));
}

static void take_address(struct url_request *r)
{
	const struct http_request *q = &r->x->request;

	r->path = q->path;
	if (by_host(q, &r->id))
		return;
	struct str rest = str_sub(q->path, sizeof LAMBDA_URL_PATH - 1, q->path.n);
	r->id = str_cut(&rest, '/');
	r->path = rest.p ? (struct str){ rest.p - 1, rest.n + 1 } : S("/");
}

static int load(struct kv_txn *txn, void *arg)
{
	struct url_request *r = arg;
	struct lambda_url_index_record i = { 0 };

	TRY(record_get(
	        txn, lambda_url_id_key(kv_arena(txn), r->id), &lambda_shape_url_index_record, &i));
	r->ref = (struct lambda_ref){ i.account, i.region, i.function_name, i.qualifier };
	TRY(record_get(txn, lambda_row_key(kv_arena(txn), &r->ref, "url"), &lambda_shape_url_record,
	        &r->url));
	return lambda_policy_json(
	        txn, lambda_row_key(kv_arena(txn), &r->ref, "policy"), &r->policy);
}

/* ---- answers of its own ---- */

static int refuse(struct url_request *r, int status, struct str body)
{
	r->status = status;
	r->headers.n = 0;
	http_header_add(r->arena, &r->headers, S("Content-Type"), S("application/json"));
	r->answer = body;
	return 0;
}

static int forbidden(struct url_request *r)
{
	TRY(refuse(r, 403, S("{\"Message\":\"Forbidden\"}")));
	http_header_add(r->arena, &r->headers, S("x-amzn-ErrorType"), S("AccessDeniedException"));
	return 0;
}

/* ---- may they? ---- */

static int authorize_action(struct task *t, struct url_request *r, struct str action)
{
	struct policy_key *keys = arena_new_n(r->arena, struct policy_key, 2);
	struct str *values = arena_new_n(r->arena, struct str, 2);

	values[0] = r->url.config->auth_type;
	values[1] = S("true");
	keys[0] = (struct policy_key){
		.name = S("lambda:FunctionUrlAuthType"), .values = &values[0], .n_values = 1
	};
	keys[1] = (struct policy_key){
		.name = S("lambda:InvokedViaFunctionUrl"), .values = &values[1], .n_values = 1
	};
	struct api_access access = { .action = action,
		.resource = lambda_ref_arn(r->arena, &r->ref),
		.resource_account = r->ref.account,
		.resource_policy = r->policy,
		.keys = keys,
		.n_keys = 2 };
	return api_authorize(t, &access);
}

/* Who calls a URL needs both rights, as AWS asks for since October 2025. */
static int authorize(struct task *t, struct url_request *r)
{
	struct call *c = call_of(t);
	bool iam = str_eq(r->url.config->auth_type, S("AWS_IAM"));

	c->principal = (struct principal){ .type = PRINCIPAL_ANONYMOUS };
	if (iam) {
		TRY(api_authenticate_http(t, r->body));
		if (c->principal.type == PRINCIPAL_ANONYMOUS)
			return API_ERROR_ACCESS_DENIED;
	}
	c->account = r->ref.account;
	c->region = r->ref.region;
	TRY(authorize_action(t, r, S("lambda:InvokeFunctionUrl")));
	return authorize_action(t, r, S("lambda:InvokeFunction"));
}

/* ---- the function ---- */

static int invoke(struct task *t, struct url_request *r)
{
	struct runtime_result result = { 0 };

	r->trace_id = lambda_trace_or_new(t, &r->function);
	struct runtime_invocation in = { .request_id = call_of(t)->request_id,
		.payload = url_event(t, r),
		.trace_id = r->trace_id,
		.invoked_arn = lambda_ref_arn(r->arena, &r->ref) };

	bool streams = str_eq(r->url.config->invoke_mode, S("RESPONSE_STREAM"));
	int bad = streams ? url_stream_open(t, r, &in)
	                  : lambda_run(t, &r->ref, &r->function, &in, &result);
	if (bad == LAMBDA_TOO_MANY_REQUESTS_EXCEPTION)
		return refuse(r, 429,
		        S("{\"Reason\":\"ConcurrentInvocationLimitExceeded\",\"Type\":\"User\","
		          "\"message\":\"Rate Exceeded.\"}"));
	if (bad > 0)
		return refuse(r, 502, S("Internal Server Error"));
	TRY(bad);
	if (streams)
		return 0;
	if (result.function_error.p || !url_take_answer(r, result.payload))
		return refuse(r, 502, S("Internal Server Error"));
	return 0;
}

static int steps(struct task *t, struct url_request *r)
{
	int bad = kv_view(t, load, r);

	if (bad == KV_NOT_FOUND)
		return forbidden(r);
	TRY(bad);
	const struct lambda_cors *cors = r->url.config->cors;
	if (cors && cors_is_preflight(&r->x->request)) {
		r->status = 200;
		return 0;
	}
	r->domain = str_printf(
	        r->arena, "%.*s.lambda-url.%.*s.localhost", STR(r->id), STR(r->ref.region));
	bad = stream_read_all(t, r->x->request.body, r->arena, BODY_MAX, &r->body);
	if (bad == -EMSGSIZE)
		return refuse(r, 413, S("{\"Message\":\"Request Entity Too Large\"}"));
	TRY(bad);
	bad = authorize(t, r);
	if (bad > 0)
		return forbidden(r);
	TRY(bad);
	bad = lambda_load_routed(t, &r->ref, &r->function);
	if (bad > 0)
		return refuse(r, 502, S("Internal Server Error"));
	TRY(bad);
	return invoke(t, r);
}

int lambda_url_serve(struct task *t, struct http_exchange *x)
{
	struct url_request *r = arena_new(task_arena(t), struct url_request);

	r->x = x;
	r->arena = task_arena(t);
	r->answer = S("");
	call_of(t)->service = &lambda_service; /* whose errors these are */
	take_address(r);
	int bad = steps(t, r);
	if (bad == -ECANCELED)
		return bad;
	if (bad) {
		log_error("lambda url %.*s: %s (request %.*s)", STR(r->id), strerror(-bad),
		        STR(call_of(t)->request_id));
		refuse(r, 500, S("Internal Server Error"));
	}
	if (r->url.config)
		cors_apply(r->arena, r->url.config->cors, &x->request, &r->headers);
	http_header_set(r->arena, &r->headers, S("x-amzn-RequestId"), call_of(t)->request_id);
	if (r->trace_id.n)
		http_header_set(r->arena, &r->headers, S("X-Amzn-Trace-Id"), r->trace_id);
	if (r->stream)
		return url_stream_respond(t, r);
	return http_respond(t, x, r->status, &r->headers, r->answer);
}
