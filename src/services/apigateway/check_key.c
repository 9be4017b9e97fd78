/* check_key: methods that ask for an API key: one that is enabled and whose usage plan has the
 * stage. */
#include "services/apigateway/exchange.h"

#include "services/apigateway/usage.h"

static void log_not_required(struct exchange *e, struct str stage)
{
	if (!e->log_info)
		return;
	exchange_log(e, "Verifying Usage Plan for request: %.*s. API Key:  API Stage: %.*s",
	        STR(e->request_id), STR(stage));
	exchange_log(e,
	        "API Key  authorized because method '%.*s %.*s' does not require API Key. Request "
	        "will not contribute to throttle or quota limits",
	        STR(e->method->http_method), STR(e->resource->path));
	exchange_log(e, "Usage Plan check succeeded for API Key  and API Stage %.*s", STR(stage));
}

int exchange_check_key(struct task *t, struct exchange *e)
{
	struct usage_check check = { .account = e->account,
		.region = e->region,
		.api_id = e->api_id,
		.stage = e->stage_name };
	struct str stage = str_printf(e->arena, "%.*s/%.*s", STR(e->api_id), STR(e->stage_name));

	if (!e->method->api_key_required.v) {
		log_not_required(e, stage);
		e->api_key = (struct str){ 0 };
		return 0;
	}
	if (!str_eq(e->snapshot->api->api_key_source, S("AUTHORIZER")))
		e->api_key = http_header_get(&e->headers, S("x-api-key"));
	exchange_log(e, "Verifying Usage Plan for request: %.*s. API Key: %s API Stage: %.*s",
	        STR(e->request_id), e->api_key.n ? "******" : "", STR(stage));
	check.value = e->api_key;
	if (e->api_key.n)
		TRY(usage_check(t, &check));
	if (!check.allowed) {
		e->api_key = (struct str){ 0 };
		exchange_log_error(e,
		        "API Key %s not authorized because method '%.*s %.*s' requires API Key and "
		        "API Key is "
		        "not associated with a Usage Plan for API Stage %.*s: %s",
		        check.value.n ? "******" : "", STR(e->method->http_method),
		        STR(e->resource->path), STR(stage),
		        check.found ? "API Key was found" : "No API Key was found");
		return exchange_refuse(e, REFUSE_INVALID_API_KEY, (struct str){ 0 });
	}
	e->api_key_id = check.key_id;
	exchange_log(e, "Usage Plan check succeeded for API Key and API Stage %.*s", STR(stage));
	if (check.over_quota)
		return exchange_refuse(e, REFUSE_QUOTA_EXCEEDED, (struct str){ 0 });
	return 0;
}
