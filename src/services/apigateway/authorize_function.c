/*
 * authorize_function: Lambda authorizers. The function gets a token or the request, and returns a
 * principal, a policy and a context; the answer is kept for the authorizer's TTL.
 */
#include "services/apigateway/authorize.h"

#include "base/clock.h"
#include "base/log.h"
#include "codec/codec.h"
#include "kv/key.h"
#include "services/apigateway/integrate.h"
#include "services/apigateway/proxy_event.h"
#include "services/apigateway/regex.h"
#include "services/apigateway/store.h"

#define TTL_DEFAULT 300

struct authorizing {
	struct exchange *e;
	const struct apigateway_authorizer *authorizer;
	bool token;          /* TOKEN, else REQUEST */
	struct str identity; /* the sources' values: the cache's key; n == 0: none */
	struct str key;
	int64_t ttl_s;
	struct apigateway_authorizer_result_record record;
};

/* ---- identity sources ---- */

static bool cut_prefix(struct str *s, const char *prefix)
{
	if (!str_starts(*s, str_of(prefix)))
		return false;
	*s = str_sub(*s, strlen(prefix), s->n);
	return true;
}

static struct str source_value(struct exchange *e, struct str source)
{
	if (cut_prefix(&source, "method.request.header."))
		return http_header_get(&e->headers, source);
	if (cut_prefix(&source, "method.request.querystring."))
		return http_header_get(&e->query, source);
	if (cut_prefix(&source, "context."))
		return exchange_context_text(e, source);
	if (cut_prefix(&source, "stageVariables.")) {
		const struct apigateway_map_of_string_to_string_entry *v =
		        GROW_FIND(&e->stage->variables, key, source);
		return v ? v->value : (struct str){ 0 };
	}
	return (struct str){ 0 };
}

/* False when one of the sources is missing. */
static bool take_identity(struct authorizing *a)
{
	struct str rest = a->authorizer->identity_source;
	struct buf b = buf_init(a->e->arena);

	while (rest.n) {
		struct str value = source_value(a->e, str_trim(str_cut(&rest, ',')));
		if (!value.n)
			return false;
		buf_add(&b, value);
		buf_add_char(&b, 0);
	}
	a->identity = buf_str(&b);
	return true;
}

/* ---- the function ---- */

static struct str token_event(struct authorizing *a)
{
	struct buf b = buf_init(a->e->arena);
	struct json_writer w = json_writer(&b);

	json_object(&w);
	json_member_str(&w, S("type"), S("TOKEN"));
	json_member_str(&w, S("methodArn"), exchange_method_arn(a->e));
	json_member_str(&w, S("authorizationToken"), str_sub(a->identity, 0, a->identity.n - 1));
	json_end(&w);
	return buf_str(&b);
}

static struct str request_event(struct authorizing *a)
{
	struct buf b = buf_init(a->e->arena);
	struct json_writer w = json_writer(&b);

	json_object(&w);
	json_member_str(&w, S("type"), S("REQUEST"));
	json_member_str(&w, S("methodArn"), exchange_method_arn(a->e));
	proxy_event_members(a->e, &w);
	json_end(&w);
	return buf_str(&b);
}

static int call(struct task *t, struct authorizing *a, struct str *document)
{
	struct exchange *e = a->e;
	struct str source =
	        str_printf(e->arena, "arn:aws:execute-api:%.*s:%.*s:%.*s/authorizers/%.*s",
	                STR(e->region), STR(e->account), STR(e->api_id), STR(a->authorizer->id));
	uint64_t before = clock_mono_ns();

	struct function_call f = { .arn = integrate_function_of(e, a->authorizer->authorizer_uri),
		.credentials = a->authorizer->authorizer_credentials,
		.source_arn = source,
		.payload = a->token ? token_event(a) : request_event(a) };
	int bad = integrate_call_function(t, e, &f);
	e->authorizer_ms = (clock_mono_ns() - before) / 1000000;
	if (bad < 0 && bad != -ETIMEDOUT)
		return bad;
	if (bad) {
		exchange_log_error(e, "Execution failed due to configuration error: Invalid "
		                      "permissions on Lambda function");
		return exchange_refuse(e, REFUSE_AUTHORIZER_CONFIGURATION, (struct str){ 0 });
	}
	*document = f.answer;
	if (!f.error.p)
		return 0;
	/* A function that fails with "Unauthorized" says so to the client. */
	yyjson_val *root;
	if (json_parse(e->arena, f.answer, &root) == 0 &&
	        str_eq(json_get_str(root, "errorMessage"), S("Unauthorized"))) {
		exchange_log_error(e, "Unauthorized request: %.*s", STR(e->request_id));
		return exchange_refuse(e, REFUSE_UNAUTHORIZED, (struct str){ 0 });
	}
	exchange_log_error(e, "Execution failed due to configuration error: Authorizer error");
	return exchange_refuse(e, REFUSE_AUTHORIZER_FAILURE, (struct str){ 0 });
}

/* ---- what it said ---- */

/* The policy holds for whoever asked: it is read as one that names the caller. */
static int evaluate(struct exchange *e, struct str json, struct policy_result *result)
{
	struct policy_source source = { .name = S("the authorizer's policy") };
	struct policy_set set = { .identity = &source, .n_identity = 1 };
	struct str why;
	struct policy_request request = {
		.principal_arn =
		        str_printf(e->arena, "arn:aws:iam::%.*s:user/authorized", STR(e->account)),
		.principal_account = e->account,
		.action = S("execute-api:Invoke"),
		.resource = exchange_method_arn(e),
		.resource_account = e->account,
	};

	if (policy_parse(e->arena, json, POLICY_IDENTITY, &source.policy, &why) != 0) {
		exchange_log_error(e,
		        "Execution failed due to configuration error: Invalid JSON in response: "
		        "%.*s",
		        STR(why));
		return exchange_refuse(e, REFUSE_AUTHORIZER_CONFIGURATION, (struct str){ 0 });
	}
	policy_evaluate(e->arena, &request, &set, result);
	return 0;
}

static bool is_flat(yyjson_val *context)
{
	size_t i, max;
	yyjson_val *key, *value;

	if (context && !yyjson_is_null(context) && !yyjson_is_obj(context))
		return false;
	yyjson_obj_foreach(context, i, max, key, value) if (yyjson_is_ctn(value)) return false;
	return true;
}

static int apply(struct authorizing *a, struct str document)
{
	struct exchange *e = a->e;
	struct policy_result result;
	yyjson_val *root;

	if (json_parse(e->arena, document, &root) != 0 || !json_get_str(root, "principalId").p ||
	        !json_get(root, "policyDocument") || !is_flat(json_get(root, "context"))) {
		exchange_log_error(e, "Execution failed due to configuration error: Authorizer "
		                      "response is not valid");
		return exchange_refuse(e, REFUSE_AUTHORIZER_CONFIGURATION, (struct str){ 0 });
	}
	e->principal_id = json_get_str(root, "principalId");
	e->authorizer_context = json_get(root, "context");
	e->api_key = json_get_str(root, "usageIdentifierKey");
	TRY(evaluate(e, json_text(e->arena, json_get(root, "policyDocument")), &result));
	if (result.decision == POLICY_ALLOWED) {
		exchange_log(e, "Successfully completed authorizer execution");
		return 0;
	}
	exchange_log_error(e, "The client is not authorized to perform this operation.");
	return exchange_refuse(e, REFUSE_ACCESS_DENIED,
	        result.decision == POLICY_EXPLICIT_DENY
	                ? S("User is not authorized to access this resource with an explicit deny")
	                : (struct str){ 0 });
}

/* ---- the cache: rows, so that it outlives nothing it should not ---- */

static int load(struct kv_txn *txn, void *arg)
{
	struct authorizing *a = arg;

	a->record = (struct apigateway_authorizer_result_record){ 0 };
	return record_get(txn, a->key, &apigateway_shape_authorizer_result_record, &a->record);
}

static int save(struct kv_txn *txn, void *arg)
{
	struct authorizing *a = arg;

	record_put(txn, a->key, &apigateway_shape_authorizer_result_record, &a->record);
	return 0;
}

static int cached(struct task *t, struct authorizing *a, bool *hit)
{
	*hit = false;
	if (!a->ttl_s || !a->identity.n)
		return 0;
	a->key = kv_key(a->e->arena, "ssssssss", S("apigateway"), S(""), S(""), S("authorized"),
	        a->e->api_id, a->e->stage_name, a->authorizer->id,
	        hash_sha256(a->e->arena, a->identity));
	int got = kv_view(t, load, a);
	*hit = got == 0 && a->record.expires.v > clock_now_ms();
	return got < 0 ? got : 0;
}

int authorize_by_function(struct task *t, struct exchange *e)
{
	struct authorizing a = { .e = e,
		.authorizer = GROW_FIND(&e->snapshot->authorizers, id, e->method->authorizer_id) };
	struct str document, expression;
	bool hit;

	if (!a.authorizer)
		return exchange_refuse(e, REFUSE_AUTHORIZER_CONFIGURATION, (struct str){ 0 });
	a.token = str_eq(a.authorizer->type, S("TOKEN"));
	a.ttl_s = a.authorizer->authorizer_result_ttl_in_seconds.set
	                  ? a.authorizer->authorizer_result_ttl_in_seconds.v
	                  : TTL_DEFAULT;
	exchange_log(e, "Starting authorizer: %.*s for request: %.*s", STR(a.authorizer->id),
	        STR(e->request_id));
	expression = a.authorizer->identity_validation_expression;
	bool complete = take_identity(&a);
	if ((!complete && (a.token || a.ttl_s)) ||
	        (a.token && expression.n &&
	                !regex_matches(expression, str_sub(a.identity, 0, a.identity.n - 1)))) {
		exchange_log_error(e, "Unauthorized request: %.*s", STR(e->request_id));
		return exchange_refuse(e, REFUSE_UNAUTHORIZED, (struct str){ 0 });
	}
	TRY(cached(t, &a, &hit));
	if (hit)
		return apply(&a, a.record.document);
	TRY(call(t, &a, &document));
	int result = apply(&a, document);
	if (!a.key.p || (result && !str_eq(e->error_response, S("ACCESS_DENIED"))))
		return result;
	a.record.expires = opt_int(clock_now_ms() + a.ttl_s * 1000);
	a.record.document = document;
	int bad = kv_update(t, save, &a);
	return bad ? bad : result;
}
