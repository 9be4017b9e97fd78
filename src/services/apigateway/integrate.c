/* integrate: by the type of the integration; mocks. */
#include "services/apigateway/integrate.h"

#include "base/clock.h"

int integrate_mock(struct task *t, struct exchange *e)
{
	struct mapped_request request;
	struct mapped_response response = { 0 };
	yyjson_val *root;

	TRY(mapping_request(e, &request));
	if (json_parse(e->arena, request.body, &root) == 0) {
		yyjson_val *code = json_get(root, "statusCode");
		uint64_t n = 0;
		if (yyjson_is_int(code))
			response.status = (int)yyjson_get_int(code);
		else if (str_to_u64(json_str_of(code), &n))
			response.status = (int)MIN(n, (uint64_t)999);
	}
	if (response.status < 100 || response.status > 599) {
		exchange_log_error(e,
		        "Execution failed due to configuration error: Unable to parse statusCode. "
		        "It "
		        "should be an integer that is defined in the request template.");
		return exchange_refuse(e, REFUSE_API_CONFIGURATION, (struct str){ 0 });
	}
	response.body = S("");
	e->integration_status = response.status;
	http_header_add(e->arena, &response.headers, S("Content-Type"), S("application/json"));
	return mapping_response(e, &response);
}

/* {a=1, b=2}, as the log shows pairs. */
static struct str pairs(struct exchange *e, const struct http_headers *h)
{
	struct buf b = buf_init(e->arena);

	buf_add_char(&b, '{');
	for (size_t i = 0; i < h->n; i++)
		buf_printf(&b, "%s%.*s=%.*s", i ? ", " : "", STR(h->v[i].name), STR(h->v[i].value));
	buf_add_char(&b, '}');
	return buf_str(&b);
}

static void log_request(struct exchange *e)
{
	if (!e->log_data)
		return;
	exchange_log_data(e, "Method request path: %.*s", STR(pairs(e, &e->path_params)));
	exchange_log_data(e, "Method request query string: %.*s", STR(pairs(e, &e->query)));
	exchange_log_data(e, "Method request headers: %.*s", STR(pairs(e, &e->headers)));
	exchange_log_data(e, "Method request body before transformations: %.*s",
	        STR(e->binary ? S("[Binary Data]") : e->body));
}

static void log_answer(struct exchange *e)
{
	exchange_log_data(
	        e, "Method response body after transformations: %.*s", STR(e->answer_body));
	if (e->log_data)
		exchange_log_data(e, "Method response headers: %.*s", STR(pairs(e, &e->answer)));
	exchange_log(e, "Successfully completed execution");
}

int exchange_integrate(struct task *t, struct exchange *e)
{
	static const struct {
		struct str type;
		int (*run)(struct task *t, struct exchange *e);
	} kinds[] = {
		{ S_INIT("AWS_PROXY"), integrate_lambda_proxy },
		{ S_INIT("AWS"), integrate_aws },
		{ S_INIT("HTTP"), integrate_http },
		{ S_INIT("HTTP_PROXY"), integrate_http_proxy },
		{ S_INIT("MOCK"), integrate_mock },
	};
	uint64_t before = clock_mono_ns();

	log_request(e);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (!str_eq(kinds[i].type, e->integration->type))
			continue;
		int result = kinds[i].run(t, e);
		if (!e->integration_ms)
			e->integration_ms = (clock_mono_ns() - before) / 1000000;
		if (result == 0)
			log_answer(e);
		return result;
	}
	return exchange_refuse(e, REFUSE_API_CONFIGURATION, (struct str){ 0 });
}
