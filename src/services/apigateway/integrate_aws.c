/*
 * integrate_aws: functions and other services, over the call bus. A function is invoked by API
 * Gateway itself, on behalf of the method, and the function's policy must allow it; or by the role
 * that the integration names.
 */
#include "services/apigateway/integrate.h"

#include "api/arn.h"
#include "base/clock.h"
#include "codec/codec.h"
#include "lambda_gen.h"
#include "services/apigateway/call_as.h"

struct str integrate_function_of(struct exchange *e, struct str uri)
{
	static const struct str begin = S_INIT(":lambda:path/2015-03-31/functions/");
	struct str text = exchange_stage_variables(e, uri);
	ptrdiff_t at = str_find(text, begin);

	if (at < 0 || !str_ends(text, S("/invocations")))
		return (struct str){ 0 };
	size_t from = (size_t)at + begin.n;
	return str_sub(text, from, text.n - from - 12);
}

static struct api_caller caller(struct exchange *e, struct str credentials, struct str source_arn)
{
	if (str_eq(credentials, S("arn:aws:iam::*:user/*")))
		return (struct api_caller){
			.principal = e->principal, .account = e->account, .region = e->region
		};
	if (credentials.n)
		return (struct api_caller){ .principal = call_as_role(e->arena,
			                            exchange_stage_variables(e, credentials),
			                            S("BackplaneAssumeRoleSession")),
			.account = e->account,
			.region = e->region };
	return api_caller_service(S("apigateway.amazonaws.com"), e->account, e->region, source_arn);
}

int integrate_call_function(struct task *t, struct exchange *e, struct function_call *f)
{
	struct api_caller who = caller(e, f->credentials, f->source_arn);
	struct lambda_invoke_in in = { .function_name = f->arn, .payload = f->payload };
	struct lambda_invoke_out out = { 0 };
	uint64_t timeout_ms = (uint64_t)e->integration->timeout_in_millis.v;
	uint64_t end_ns = clock_mono_ns() + (timeout_ms ? timeout_ms : 29000) * 1000000;
	struct arn arn;
	struct str async = http_header_get(&e->headers, S("x-amz-invocation-type"));

	if (str_eq(async, S("Event")) && str_eq(e->integration->type, S("AWS")))
		in.invocation_type = async;
	if (arn_parse(f->arn, &arn))
		who.region = arn.region;
	uint64_t before = task_deadline_set(t, end_ns);
	int bad = api_call(t, &who, "lambda", "Invoke", &in, &out);
	task_deadline_set(t, before);
	f->answer = out.payload.p ? out.payload : S("");
	f->error = out.function_error;
	return bad;
}

/* What the method's pattern says: arn:...:api/stage/GET/pets/{id} with "{id}" as "*". */
static struct str source_arn(struct exchange *e)
{
	struct buf b = buf_init(e->arena);
	struct str rest = e->resource->path;

	buf_printf(&b, "arn:aws:execute-api:%.*s:%.*s:%.*s/%.*s/%.*s", STR(e->region),
	        STR(e->account), STR(e->api_id), STR(e->stage_name), STR(e->request->method));
	for (str_cut(&rest, '/'); rest.p;) {
		struct str part = str_cut(&rest, '/');
		buf_add_char(&b, '/');
		buf_add(&b, str_starts(part, S("{")) ? S("*") : part);
	}
	return buf_str(&b);
}

static int report(struct task *t, struct exchange *e, int bad)
{
	const struct api_failure *f;

	if (bad == -ETIMEDOUT) {
		exchange_log_error(e, "Execution failed due to a timeout error");
		return exchange_refuse(e, REFUSE_INTEGRATION_TIMEOUT, (struct str){ 0 });
	}
	if (bad <= 0)
		return bad;
	f = api_failure(t);
	e->integration_status = f->http_status;
	if (bad == API_ERROR_ACCESS_DENIED || bad == LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION)
		exchange_log_error(e, "Execution failed due to configuration error: Invalid "
		                      "permissions on Lambda function");
	else
		exchange_log_error(e, "Lambda invocation failed with status: %d. %.*s",
		        f->http_status, STR(f->message));
	return exchange_refuse(e, REFUSE_API_CONFIGURATION, (struct str){ 0 });
}

int integrate_invoke(struct task *t, struct exchange *e, struct function_call *f)
{
	uint64_t before = clock_mono_ns();

	f->arn = integrate_function_of(e, e->integration->uri);
	f->credentials = e->integration->credentials;
	f->source_arn = source_arn(e);
	if (!f->arn.n) {
		exchange_log_error(e, "Execution failed due to configuration error: Invalid "
		                      "permissions on Lambda function");
		return exchange_refuse(e, REFUSE_API_CONFIGURATION, (struct str){ 0 });
	}
	exchange_log_data(e, "Endpoint request URI: %.*s",
	        STR(exchange_stage_variables(e, e->integration->uri)));
	exchange_log_data(e, "Endpoint request body after transformations: %.*s", STR(f->payload));
	exchange_log(e, "Sending request to %.*s",
	        STR(exchange_stage_variables(e, e->integration->uri)));
	TRY(report(t, e, integrate_call_function(t, e, f)));
	e->integration_status = 200;
	e->integration_ms = (clock_mono_ns() - before) / 1000000;
	exchange_log(e, "Received response. Status: 200, Integration latency: %llu ms",
	        (unsigned long long)e->integration_ms);
	exchange_log_data(e, "Endpoint response body before transformations: %.*s", STR(f->answer));
	return 0;
}

/* ---- functions without proxy ---- */

static int run_function(struct task *t, struct exchange *e)
{
	struct mapped_request request;
	struct mapped_response response = { .status = 200, .of_function = true, .error = S("") };
	struct function_call f = { 0 };
	yyjson_val *root;

	TRY(mapping_request(e, &request));
	f.payload = request.body.n ? request.body : S("{}");
	TRY(integrate_invoke(t, e, &f));
	response.body = f.answer;
	http_header_add(e->arena, &response.headers, S("Content-Type"), S("application/json"));
	if (f.error.p) {
		if (json_parse(e->arena, f.answer, &root) == 0)
			response.error = json_get_str(root, "errorMessage");
		if (!response.error.p)
			response.error = S("");
		exchange_log_error(e,
		        "Lambda execution failed with status 200 due to customer function error: "
		        "%.*s",
		        STR(response.error));
	}
	return mapping_response(e, &response);
}

/* ---- other services, in the action form: arn:aws:apigateway:region:service:action/Name ---- */

static int run_action(struct task *t, struct exchange *e, const struct arn *arn)
{
	struct mapped_request request;
	struct mapped_response response = { .status = 200 };
	struct str action = str_sub(arn->resource, 7, arn->resource.n);
	const char *service = str_cstr(e->arena, arn->account);

	TRY(mapping_request(e, &request));
	if (!e->integration->credentials.n) {
		exchange_log_error(e, "Execution failed due to configuration error: API Gateway "
		                      "does not have permission to assume the provided role");
		return exchange_refuse(e, REFUSE_API_CONFIGURATION, (struct str){ 0 });
	}
	struct api_caller who = caller(e, e->integration->credentials, exchange_method_arn(e));
	who.region = arn->region;
	int bad = api_call_json(t, &who, service, str_cstr(e->arena, action),
	        request.body.n ? request.body : S("{}"), &response.body);
	if (bad == -ENOSYS) {
		exchange_log_error(e,
		        "Execution failed due to configuration error: %.*s %.*s is not served here",
		        STR(arn->account), STR(action));
		return exchange_refuse(e, REFUSE_API_CONFIGURATION, (struct str){ 0 });
	}
	if (bad < 0)
		return bad;
	if (bad > 0) {
		const struct api_failure *f = api_failure(t);
		struct buf b = buf_init(e->arena);
		struct json_writer w = json_writer(&b);
		json_object(&w);
		json_member_str(&w, S("__type"), f->name);
		json_member_str(&w, S("message"), f->message);
		json_end(&w);
		response.status = f->http_status ? f->http_status : 400;
		response.body = buf_str(&b);
	}
	e->integration_status = response.status;
	http_header_add(e->arena, &response.headers, S("Content-Type"), S("application/json"));
	return mapping_response(e, &response);
}

int integrate_aws(struct task *t, struct exchange *e)
{
	struct arn arn;

	if (integrate_function_of(e, e->integration->uri).n)
		return run_function(t, e);
	if (arn_parse(exchange_stage_variables(e, e->integration->uri), &arn) &&
	        str_starts(arn.resource, S("action/")))
		return run_action(t, e, &arn);
	exchange_log_error(e,
	        "Execution failed due to configuration error: integrations by path are served for "
	        "Lambda only: %.*s",
	        STR(e->integration->uri));
	return exchange_refuse(e, REFUSE_API_CONFIGURATION, (struct str){ 0 });
}
