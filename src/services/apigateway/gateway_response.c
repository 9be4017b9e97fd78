/* PutGatewayResponse, GetGatewayResponse(s), UpdateGatewayResponse, DeleteGatewayResponse */
#include "services/apigateway/patch.h"

static const struct {
	const char *type, *status;
} defaults[] = {
	{ "ACCESS_DENIED", "403" },
	{ "API_CONFIGURATION_ERROR", "500" },
	{ "AUTHORIZER_CONFIGURATION_ERROR", "500" },
	{ "AUTHORIZER_FAILURE", "500" },
	{ "BAD_REQUEST_BODY", "400" },
	{ "BAD_REQUEST_PARAMETERS", "400" },
	{ "DEFAULT_4XX", NULL },
	{ "DEFAULT_5XX", NULL },
	{ "EXPIRED_TOKEN", "403" },
	{ "INTEGRATION_FAILURE", "504" },
	{ "INTEGRATION_TIMEOUT", "504" },
	{ "INVALID_API_KEY", "403" },
	{ "INVALID_SIGNATURE", "403" },
	{ "MISSING_AUTHENTICATION_TOKEN", "403" },
	{ "QUOTA_EXCEEDED", "429" },
	{ "REQUEST_TOO_LARGE", "413" },
	{ "RESOURCE_NOT_FOUND", "404" },
	{ "THROTTLED", "429" },
	{ "UNAUTHORIZED", "401" },
	{ "UNSUPPORTED_MEDIA_TYPE", "415" },
	{ "WAF_FILTERED", "403" },
};

static struct apigateway_gateway_response by_default(struct arena *a, size_t i)
{
	struct apigateway_gateway_response r = { .response_type = str_of(defaults[i].type),
		.status_code = str_of(defaults[i].status),
		.default_response = opt_bool(true) };

	*GROW_ADD(a, &r.response_templates) =
	        (struct apigateway_map_of_string_to_string_entry){ S("application/json"),
		        S("{\"message\":$context.error.messageString}") };
	return r;
}

static int effective(
        struct apigw_change *c, struct str type, struct apigateway_gateway_response *out)
{
	const struct apigateway_gateway_response *own =
	        GROW_FIND(&c->api.gateway_responses, response_type, type);

	if (own) {
		*out = *own;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++) {
		if (!str_eq(str_of(defaults[i].type), type))
			continue;
		*out = by_default(c->arena, i);
		return 0;
	}
	return apigw_not_found(c, "Invalid gateway response type specified");
}

static struct apigateway_gateway_response *store(
        struct apigw_change *c, const struct apigateway_gateway_response *r)
{
	struct apigateway_gateway_response *own =
	        GROW_FIND(&c->api.gateway_responses, response_type, r->response_type);

	if (!own)
		own = GROW_ADD(c->arena, &c->api.gateway_responses);
	*own = *r;
	own->default_response = opt_bool(false);
	return own;
}

static int put(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_put_gateway_response_in *in = in_;
	struct apigateway_gateway_response r = { 0 };

	TRY(effective(c, in->response_type, &r));
	if (in->status_code.p)
		r.status_code = in->status_code;
	r.response_parameters = in->response_parameters;
	r.response_templates = in->response_templates;
	*(struct apigateway_gateway_response *)out = *store(c, &r);
	return 0;
}

int apigateway_put_gateway_response(struct task *t,
        const struct apigateway_put_gateway_response_in *in,
        struct apigateway_put_gateway_response_out *out)
{
	return apigw_change(t, in->rest_api_id, put, in, out);
}

static int get(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_get_gateway_response_in *in = in_;

	return effective(c, in->response_type, out);
}

int apigateway_get_gateway_response(struct task *t,
        const struct apigateway_get_gateway_response_in *in,
        struct apigateway_get_gateway_response_out *out)
{
	return apigw_look(t, in->rest_api_id, get, in, out);
}

static int list(struct apigw_change *c, const void *in, void *out_)
{
	struct apigateway_gateway_responses *out = out_;

	for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
		TRY(effective(c, str_of(defaults[i].type), GROW_ADD(c->arena, &out->items)));
	return 0;
}

int apigateway_get_gateway_responses(struct task *t,
        const struct apigateway_get_gateway_responses_in *in,
        struct apigateway_get_gateway_responses_out *out)
{
	return apigw_look(t, in->rest_api_id, list, in, out);
}

static int update(struct apigw_change *c, const void *in_, void *out)
{
	static const struct patch_rule rules[] = { { "/statusCode", PATCH_ALL },
		{ "/responseParameters/", PATCH_ALL }, { "/responseTemplates/", PATCH_ALL } };
	const struct apigateway_update_gateway_response_in *in = in_;
	struct apigateway_gateway_response r = { 0 };

	TRY(effective(c, in->response_type, &r));
	TRY(patch_apply(c, &in->patch_operations,
	        PATCH_TARGET(&apigateway_shape_gateway_response, &r, rules)));
	*(struct apigateway_gateway_response *)out = *store(c, &r);
	return 0;
}

int apigateway_update_gateway_response(struct task *t,
        const struct apigateway_update_gateway_response_in *in,
        struct apigateway_update_gateway_response_out *out)
{
	return apigw_change(t, in->rest_api_id, update, in, out);
}

static int drop(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_delete_gateway_response_in *in = in_;
	struct apigateway_gateway_response *own =
	        GROW_FIND(&c->api.gateway_responses, response_type, in->response_type);

	if (!own)
		return apigw_not_found(c, "Gateway response type not defined on api");
	GROW_REMOVE(&c->api.gateway_responses, own);
	return 0;
}

int apigateway_delete_gateway_response(struct task *t,
        const struct apigateway_delete_gateway_response_in *in,
        struct apigateway_delete_gateway_response_out *out)
{
	return apigw_change(t, in->rest_api_id, drop, in, out);
}
