/* PutMethod, GetMethod, UpdateMethod, DeleteMethod */
#include "services/apigateway/method.h"

#include "services/apigateway/patch.h"

bool method_is_verb(struct str verb)
{
	static const struct str verbs[] = { S_INIT("GET"), S_INIT("PUT"), S_INIT("POST"),
		S_INIT("DELETE"), S_INIT("PATCH"), S_INIT("HEAD"), S_INIT("OPTIONS"),
		S_INIT("ANY") };

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (str_eq(verbs[i], verb))
			return true;
	return false;
}

static int check_authorization(struct apigw_change *c, const struct apigateway_method *m)
{
	if (str_eq(m->authorization_type, S("NONE")) || str_eq(m->authorization_type, S("AWS_IAM")))
		return 0;
	if (str_eq(m->authorization_type, S("COGNITO_USER_POOLS")))
		return apigw_refuse(c, API_ERROR_NOT_IMPLEMENTED,
		        "Authorization by COGNITO_USER_POOLS is not implemented here");
	if (!str_eq(m->authorization_type, S("CUSTOM")))
		return apigw_bad_request(c, "Invalid authorization type specified. Valid options "
		                            "are: NONE, AWS_IAM, CUSTOM, "
		                            "COGNITO_USER_POOLS");
	if (!m->authorizer_id.n || !GROW_FIND(&c->api.authorizers, id, m->authorizer_id))
		return apigw_bad_request(c, "Invalid authorizer ID specified. Setting the "
		                            "authorization type to CUSTOM or "
		                            "COGNITO_USER_POOLS requires a valid authorizer.");
	return 0;
}

static bool is_request_parameter(struct str name)
{
	static const struct str prefixes[] = { S_INIT("method.request.path."),
		S_INIT("method.request.querystring."), S_INIT("method.request.header."),
		S_INIT("method.request.multivaluequerystring."),
		S_INIT("method.request.multivalueheader.") };

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (str_starts(name, prefixes[i]) && name.n > prefixes[i].n)
			return true;
	return false;
}

int method_check(struct apigw_change *c, const struct apigateway_method *m)
{
	TRY(check_authorization(c, m));
	for (size_t i = 0; i < m->request_parameters.n; i++)
		if (!is_request_parameter(m->request_parameters.v[i].key))
			return apigw_refuse(c, APIGATEWAY_BAD_REQUEST_EXCEPTION,
			        "Invalid mapping expression specified: Validation Result: warnings "
			        ": [], "
			        "errors : [Invalid mapping expression parameter specified: %.*s]",
			        STR(m->request_parameters.v[i].key));
	for (size_t i = 0; i < m->request_models.n; i++)
		if (!GROW_FIND(&c->api.models, name, m->request_models.v[i].value))
			return apigw_refuse(c, APIGATEWAY_BAD_REQUEST_EXCEPTION,
			        "Invalid model identifier specified: %.*s",
			        STR(m->request_models.v[i].value));
	if (m->request_validator_id.n &&
	        !GROW_FIND(&c->api.validators, id, m->request_validator_id))
		return apigw_bad_request(c, "Invalid Request Validator identifier specified");
	return 0;
}

static int put(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_put_method_in *in = in_;
	struct apigateway_resource *r = apigw_resource(c, in->resource_id);

	if (!r)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	if (!method_is_verb(in->http_method))
		return apigw_bad_request(c, "Invalid HttpMethod specified. Valid options are "
		                            "GET,PUT,POST,DELETE,PATCH,HEAD,"
		                            "OPTIONS,ANY");
	if (GROW_FIND(&r->resource_methods, key, in->http_method))
		return apigw_refuse(c, APIGATEWAY_CONFLICT_EXCEPTION,
		        "Method already exists for this resource");
	struct apigateway_method m = {
		.http_method = in->http_method,
		.authorization_type = in->authorization_type,
		.authorizer_id = in->authorizer_id.n ? in->authorizer_id : (struct str){ 0 },
		.api_key_required = opt_bool(in->api_key_required.v),
		.operation_name = in->operation_name,
		.request_parameters = in->request_parameters,
		.request_models = in->request_models,
		.request_validator_id =
		        in->request_validator_id.n ? in->request_validator_id : (struct str){ 0 },
		.authorization_scopes = in->authorization_scopes,
	};
	TRY(method_check(c, &m));
	struct apigateway_map_of_method_entry *e = GROW_ADD(c->arena, &r->resource_methods);
	e->key = in->http_method;
	e->value = *(struct apigateway_method *)out = m;
	return 0;
}

int apigateway_put_method(struct task *t, const struct apigateway_put_method_in *in,
        struct apigateway_put_method_out *out)
{
	return apigw_change(t, in->rest_api_id, put, in, out);
}

static int get(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_get_method_in *in = in_;
	const struct apigateway_method *m = apigw_method(c, in->resource_id, in->http_method);

	if (!m)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	*(struct apigateway_method *)out = *m;
	return 0;
}

int apigateway_get_method(struct task *t, const struct apigateway_get_method_in *in,
        struct apigateway_get_method_out *out)
{
	return apigw_look(t, in->rest_api_id, get, in, out);
}

static int update(struct apigw_change *c, const void *in_, void *out)
{
	static const struct patch_rule rules[] = {
		{ "/authorizationType", PATCH_REPLACE },
		{ "/authorizerId", PATCH_REPLACE },
		{ "/apiKeyRequired", PATCH_REPLACE },
		{ "/operationName", PATCH_REPLACE },
		{ "/requestValidatorId", PATCH_REPLACE },
		{ "/requestParameters/", PATCH_ALL },
		{ "/requestModels/", PATCH_ALL },
		{ "/authorizationScopes", PATCH_ADD | PATCH_REPLACE | PATCH_REMOVE },
		{ "/authorizationScopes/", PATCH_ALL },
	};
	const struct apigateway_update_method_in *in = in_;
	struct apigateway_method *m = apigw_method(c, in->resource_id, in->http_method);

	if (!m)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	TRY(patch_apply(
	        c, &in->patch_operations, PATCH_TARGET(&apigateway_shape_method, m, rules)));
	if (str_is_empty(m->authorizer_id) || str_eq(m->authorization_type, S("NONE")) ||
	        str_eq(m->authorization_type, S("AWS_IAM")))
		m->authorizer_id = (struct str){ 0 };
	if (str_is_empty(m->request_validator_id))
		m->request_validator_id = (struct str){ 0 };
	TRY(method_check(c, m));
	*(struct apigateway_method *)out = *m;
	return 0;
}

int apigateway_update_method(struct task *t, const struct apigateway_update_method_in *in,
        struct apigateway_update_method_out *out)
{
	return apigw_change(t, in->rest_api_id, update, in, out);
}

static int drop(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_delete_method_in *in = in_;

	if (!apigw_method(c, in->resource_id, in->http_method))
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	struct apigateway_resource *r = apigw_resource(c, in->resource_id);
	GROW_REMOVE(&r->resource_methods, GROW_FIND(&r->resource_methods, key, in->http_method));
	return 0;
}

int apigateway_delete_method(struct task *t, const struct apigateway_delete_method_in *in,
        struct apigateway_delete_method_out *out)
{
	return apigw_change(t, in->rest_api_id, drop, in, out);
}
