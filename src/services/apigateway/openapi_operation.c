/* openapi_operation: one operation as a method, with its integration and responses. */
#include "services/apigateway/openapi.h"

#include "services/apigateway/method.h"

/* ---- parameters ---- */

static void put_parameter(
        struct openapi_import *i, struct apigateway_method *m, struct str key, bool required)
{
	struct apigateway_map_of_string_to_boolean_entry *e =
	        GROW_FIND(&m->request_parameters, key, key);

	if (!e)
		e = GROW_ADD(i->change->arena, &m->request_parameters);
	e->key = key;
	e->value = opt_bool(required);
}

/* "consumes" of the operation or of the document; JSON else. */
static yyjson_val *types_of(struct openapi_import *i, yyjson_val *operation, const char *name)
{
	yyjson_val *own = json_get(operation, name);

	return yyjson_arr_size(own) ? own : json_get(i->root, name);
}

static void put_models(struct openapi_import *i, struct apigateway_map_of_string_to_string *to,
        yyjson_val *types, yyjson_val *schema)
{
	struct arena *a = i->change->arena;
	struct str model = openapi_model(i, schema);
	size_t at, max;
	yyjson_val *type;

	if (!model.p)
		return;
	if (!yyjson_arr_size(types)) {
		*GROW_ADD(a, to) =
		        (struct apigateway_map_of_string_to_string_entry){ S("application/json"),
			        model };
		return;
	}
	yyjson_arr_foreach(types, at, max, type)
	{
		if (yyjson_is_str(type))
			*GROW_ADD(a, to) = (struct apigateway_map_of_string_to_string_entry){
				json_str_of(type), model
			};
	}
}

/* {"application/json": {"schema": ...}} */
static void put_content(struct openapi_import *i, struct apigateway_map_of_string_to_string *to,
        yyjson_val *content)
{
	size_t at, max;
	yyjson_val *type, *v;

	yyjson_obj_foreach(content, at, max, type, v)
	{
		struct str model = openapi_model(i, json_get(v, "schema"));
		if (model.p)
			*GROW_ADD(i->change->arena, to) =
			        (struct apigateway_map_of_string_to_string_entry){
				        json_str_of(type), model
			        };
	}
}

static void take_parameter(
        struct openapi_import *i, struct apigateway_method *m, yyjson_val *operation, yyjson_val *p)
{
	static const struct {
		struct str in;
		const char *key;
	} places[] = {
		{ S_INIT("path"), "path" },
		{ S_INIT("query"), "querystring" },
		{ S_INIT("header"), "header" },
	};

	p = openapi_resolve(i, p);
	struct str in = json_get_str(p, "in"), name = json_get_str(p, "name");
	if (str_eq(in, S("body")))
		put_models(i, &m->request_models, types_of(i, operation, "consumes"),
		        json_get(p, "schema"));
	for (size_t k = 0; k < ARRAY_LEN(places); k++)
		if (str_eq(in, places[k].in) && name.n)
			put_parameter(i, m,
			        str_printf(i->change->arena, "method.request.%s.%.*s",
			                places[k].key, STR(name)),
			        json_get_bool(p, "required", k == 0));
}

static void take_parameters(struct openapi_import *i, struct apigateway_method *m, yyjson_val *item,
        yyjson_val *operation)
{
	size_t at, max;
	yyjson_val *p;

	yyjson_arr_foreach(json_get(item, "parameters"), at, max, p)
	        take_parameter(i, m, operation, p);
	yyjson_arr_foreach(json_get(operation, "parameters"), at, max, p)
	        take_parameter(i, m, operation, p);
	put_content(i, &m->request_models,
	        json_get(openapi_resolve(i, json_get(operation, "requestBody")), "content"));
}

/* ---- responses ---- */

static void take_response(struct openapi_import *i, struct apigateway_method *m, struct str status,
        yyjson_val *v, yyjson_val *operation)
{
	struct arena *a = i->change->arena;
	struct apigateway_map_of_method_response_entry *e = GROW_ADD(a, &m->method_responses);
	size_t at, max;
	yyjson_val *name, *header;

	e->key = e->value.status_code = status;
	yyjson_obj_foreach(json_get(v, "headers"), at, max, name, header)
	{
		*GROW_ADD(a, &e->value.response_parameters) =
		        (struct apigateway_map_of_string_to_boolean_entry){
			        str_concat(a, 2, S("method.response.header."), json_str_of(name)),
			        opt_bool(false)
		        };
	}
	put_models(i, &e->value.response_models, types_of(i, operation, "produces"),
	        json_get(v, "schema"));
	put_content(i, &e->value.response_models, json_get(v, "content"));
}

static void take_responses(
        struct openapi_import *i, struct apigateway_method *m, yyjson_val *operation)
{
	size_t at, max;
	yyjson_val *key, *v;
	uint64_t status;

	yyjson_obj_foreach(json_get(operation, "responses"), at, max, key, v)
	{
		if (str_to_u64(json_str_of(key), &status) && status >= 100 && status < 600)
			take_response(i, m, json_str_of(key), openapi_resolve(i, v), operation);
	}
}

/* ---- integrations ---- */

static struct str text_of(struct openapi_import *i, yyjson_val *object, const char *name)
{
	yyjson_val *v = json_get(object, name);

	return yyjson_is_num(v) ? json_text(i->change->arena, v) : json_str_of(v);
}

static void take_integration_responses(struct openapi_import *i, struct apigateway_method *m,
        struct apigateway_integration *to, yyjson_val *x)
{
	struct arena *a = i->change->arena;
	size_t at, max;
	yyjson_val *pattern, *v;

	yyjson_obj_foreach(json_get(x, "responses"), at, max, pattern, v)
	{
		struct str status = text_of(i, v, "statusCode");
		if (!status.n)
			continue;
		if (!GROW_FIND(&m->method_responses, key, status))
			openapi_warn(i, "Response mapping for status %.*s has no method response",
			        STR(status));
		struct apigateway_map_of_integration_response_entry *e =
		        GROW_FIND(&to->integration_responses, key, status);
		if (!e)
			e = GROW_ADD(a, &to->integration_responses);
		e->key = status;
		e->value = (struct apigateway_integration_response){ .status_code = status,
			.content_handling = openapi_upper(a, json_get_str(v, "contentHandling")) };
		if (!str_eq(json_str_of(pattern), S("default")))
			e->value.selection_pattern = json_str_of(pattern);
		openapi_string_map(
		        a, json_get(v, "responseParameters"), &e->value.response_parameters);
		openapi_string_map(
		        a, json_get(v, "responseTemplates"), &e->value.response_templates);
	}
}

static int take_integration(struct openapi_import *i, struct apigateway_method *m,
        struct str resource_id, yyjson_val *operation)
{
	struct arena *a = i->change->arena;
	yyjson_val *x = openapi_resolve(i, json_get(operation, "x-amazon-apigateway-integration")),
	           *v;
	struct apigateway_integration *to = arena_new(a, struct apigateway_integration);
	size_t at, max;

	m->method_integration = NULL;
	if (!yyjson_is_obj(x))
		return 0;
	to->type = openapi_upper(a, json_get_str(x, "type"));
	to->http_method = openapi_upper(a, json_get_str(x, "httpMethod"));
	to->uri = json_get_str(x, "uri");
	to->credentials = json_get_str(x, "credentials");
	to->connection_type = openapi_upper(a, json_get_str(x, "connectionType"));
	to->connection_id = json_get_str(x, "connectionId");
	to->passthrough_behavior = openapi_upper(a, json_get_str(x, "passthroughBehavior"));
	to->content_handling = openapi_upper(a, json_get_str(x, "contentHandling"));
	to->cache_namespace = json_get_str(x, "cacheNamespace").n
	                              ? json_get_str(x, "cacheNamespace")
	                              : resource_id;
	if (yyjson_is_int(json_get(x, "timeoutInMillis")))
		to->timeout_in_millis = opt_int(json_get_i64(x, "timeoutInMillis", 0));
	to->cache_key_parameters.v = arena_alloc(a, 1);
	yyjson_arr_foreach(json_get(x, "cacheKeyParameters"), at, max, v) if (yyjson_is_str(v)) *
	        GROW_ADD(a, &to->cache_key_parameters) = json_str_of(v);
	if (json_get_bool(json_get(x, "tlsConfig"), "insecureSkipVerification", false)) {
		to->tls_config = arena_new(a, struct apigateway_tls_config);
		to->tls_config->insecure_skip_verification = opt_bool(true);
	}
	openapi_string_map(a, json_get(x, "requestParameters"), &to->request_parameters);
	openapi_string_map(a, json_get(x, "requestTemplates"), &to->request_templates);
	take_integration_responses(i, m, to, x);
	m->method_integration = to;
	return integration_check(i->change, to);
}

/* ---- security ---- */

static void apply_scheme(struct openapi_import *i, struct apigateway_method *m, struct str name)
{
	yyjson_val *all = i->v3 ? json_get(json_get(i->root, "components"), "securitySchemes")
	                        : json_get(i->root, "securityDefinitions");
	yyjson_val *scheme = yyjson_is_obj(all) ? yyjson_obj_getn(all, name.p, name.n) : NULL;
	const struct apigateway_authorizer *a = GROW_FIND(&i->change->api.authorizers, name, name);

	if (a) {
		m->authorization_type = S("CUSTOM");
		m->authorizer_id = a->id;
	} else if (str_eq_nocase(
	                   json_get_str(scheme, "x-amazon-apigateway-authtype"), S("awsSigv4"))) {
		m->authorization_type = S("AWS_IAM");
	} else if (str_eq(json_get_str(scheme, "type"), S("apiKey")) &&
	           str_eq_nocase(json_get_str(scheme, "name"), S("x-api-key"))) {
		m->api_key_required = opt_bool(true);
	} else {
		openapi_warn(i, "Security scheme '%.*s' is not one that API Gateway enforces",
		        STR(name));
	}
}

static void take_security(
        struct openapi_import *i, struct apigateway_method *m, yyjson_val *operation)
{
	yyjson_val *security = json_get(operation, "security"), *one, *key, *scopes;
	struct str auth = json_get_str(json_get(operation, "x-amazon-apigateway-auth"), "type");
	size_t at, max, k, kmax;

	if (!yyjson_is_arr(security))
		security = json_get(i->root, "security");
	yyjson_arr_foreach(security, at, max, one)
	{
		yyjson_obj_foreach(one, k, kmax, key, scopes) apply_scheme(i, m, json_str_of(key));
	}
	if (auth.n)
		m->authorization_type = openapi_upper(i->change->arena, auth);
}

static void take_validator(
        struct openapi_import *i, struct apigateway_method *m, yyjson_val *operation)
{
	struct str name = json_get_str(operation, "x-amazon-apigateway-request-validator");

	if (!name.n)
		name = i->default_validator;
	const struct apigateway_request_validator *v =
	        GROW_FIND(&i->change->api.validators, name, name);
	if (v)
		m->request_validator_id = v->id;
	else if (name.n)
		openapi_warn(i, "Request validator '%.*s' is not defined", STR(name));
}

int openapi_operation(struct openapi_import *i, struct str resource_id, struct str verb,
        yyjson_val *item, yyjson_val *operation)
{
	struct apigw_change *c = i->change;
	struct apigateway_resource *r = apigw_resource(c, resource_id);
	struct apigateway_map_of_method_entry *e = GROW_FIND(&r->resource_methods, key, verb);
	struct apigateway_method m = { .http_method = verb,
		.authorization_type = S("NONE"),
		.api_key_required = opt_bool(false),
		.operation_name = json_get_str(operation, "operationId") };

	take_parameters(i, &m, item, operation);
	take_responses(i, &m, operation);
	take_security(i, &m, operation);
	take_validator(i, &m, operation);
	TRY(take_integration(i, &m, resource_id, operation));
	TRY(method_check(c, &m));
	if (!e)
		e = GROW_ADD(c->arena, &r->resource_methods);
	e->key = verb;
	e->value = m;
	return 0;
}
