/* openapi: the document as a whole: settings, models, validators, authorizers, paths. */
#include "services/apigateway/openapi.h"

#include "codec/yaml.h"
#include "services/apigateway/authorizer.h"
#include "services/apigateway/resource.h"

#include <ctype.h>
#include <stdarg.h>

void openapi_warn(struct openapi_import *i, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	*GROW_ADD(i->change->arena, &i->warnings) = str_vprintf(i->change->arena, format, args);
	va_end(args);
}

int openapi_parse(struct arena *a, struct str text, yyjson_val **root, struct str *why)
{
	struct str json = str_trim(text);

	*why = S("");
	if (!str_starts(json, S("{")) && yaml_to_json(a, text, &json, why) != 0)
		return OPENAPI_BAD;
	if (json_parse_explain(a, json, root, why) != 0)
		return OPENAPI_BAD;
	return yyjson_is_obj(*root) ? 0 : OPENAPI_BAD;
}

struct str openapi_upper(struct arena *a, struct str s)
{
	char *p = arena_bytes(a, s.n + 1);

	for (size_t i = 0; i < s.n; i++)
		p[i] = (char)toupper((unsigned char)s.p[i]);
	return (struct str){ s.p ? p : NULL, s.n };
}

static struct str scalar(struct arena *a, yyjson_val *v)
{
	struct str text = json_str_of(v);

	return text.p || !v || yyjson_is_null(v) ? text : json_text(a, v);
}

void openapi_string_map(
        struct arena *a, yyjson_val *object, struct apigateway_map_of_string_to_string *map)
{
	size_t i, max;
	yyjson_val *key, *value;

	yyjson_obj_foreach(object, i, max, key, value)
	{
		struct apigateway_map_of_string_to_string_entry *e =
		        GROW_FIND(map, key, json_str_of(key));
		if (!e)
			e = GROW_ADD(a, map);
		*e = (struct apigateway_map_of_string_to_string_entry){ json_str_of(key),
			scalar(a, value) };
	}
}

yyjson_val *openapi_resolve(struct openapi_import *i, yyjson_val *v)
{
	for (int hops = 0; hops < 16; hops++) {
		struct str ref = json_get_str(v, "$ref");
		if (!str_starts(ref, S("#")))
			return v;
		v = yyjson_ptr_getn(i->root, ref.p + 1, ref.n - 1);
	}
	return NULL;
}

/* ---- models ---- */

static struct str model_name(struct arena *a, struct str name)
{
	struct buf b = buf_init(a);

	for (size_t i = 0; i < name.n; i++)
		if (isalnum((unsigned char)name.p[i]))
			buf_add_char(&b, name.p[i]);
	return buf_str(&b);
}

static struct str last_segment(struct str ref)
{
	ptrdiff_t slash = str_rfind_char(ref, '/');

	return str_sub(ref, (size_t)(slash + 1), ref.n);
}

/* References between schemas become references between the API's models. */
static void write_schema(struct openapi_import *i, struct json_writer *w, yyjson_val *v)
{
	struct arena *a = i->change->arena;
	size_t at, max;
	yyjson_val *key, *value;

	if (yyjson_is_arr(v)) {
		json_array(w);
		yyjson_arr_foreach(v, at, max, value) write_schema(i, w, value);
		json_end(w);
		return;
	}
	if (!yyjson_is_obj(v)) {
		json_value(w, v);
		return;
	}
	json_object(w);
	yyjson_obj_foreach(v, at, max, key, value)
	{
		struct str name = json_str_of(key), text = json_str_of(value);
		json_key(w, name);
		if (str_eq(name, S("$ref")) && str_starts(text, S("#/")))
			json_str(w, str_printf(a,
			                    "https://apigateway.amazonaws.com/restapis/%.*s/models/"
			                    "%.*s",
			                    STR(i->change->api_id),
			                    STR(model_name(a, last_segment(text)))));
		else
			write_schema(i, w, value);
	}
	json_end(w);
}

static void put_model(struct openapi_import *i, struct str name, yyjson_val *schema)
{
	struct apigw_change *c = i->change;
	struct apigateway_model *m = GROW_FIND(&c->api.models, name, name);
	struct buf b = buf_init(c->arena);
	struct json_writer w = json_writer(&b);

	write_schema(i, &w, schema);
	if (!m) {
		m = GROW_ADD(c->arena, &c->api.models);
		*m = (struct apigateway_model){ .id = apigw_id(c->arena, 6), .name = name };
	}
	m->schema = buf_str(&b);
	m->content_type = S("application/json");
	m->description = json_get_str(schema, "description");
}

struct str openapi_model(struct openapi_import *i, yyjson_val *schema)
{
	struct arena *a = i->change->arena;
	struct str ref = json_get_str(schema, "$ref"), name;

	if (!yyjson_is_obj(schema))
		return (struct str){ 0 };
	if (ref.p) {
		name = model_name(a, last_segment(ref));
		if (GROW_FIND(&i->change->api.models, name, name))
			return name;
		openapi_warn(i, "Model '%.*s' is not defined", STR(name));
		return (struct str){ 0 };
	}
	name = str_concat(a, 2, S("MODEL"), apigw_id(a, 6));
	put_model(i, name, schema);
	return name;
}

static void take_models(struct openapi_import *i)
{
	yyjson_val *all = i->v3 ? json_get(json_get(i->root, "components"), "schemas")
	                        : json_get(i->root, "definitions");
	size_t at, max;
	yyjson_val *key, *schema;

	yyjson_obj_foreach(all, at, max, key, schema)
	{
		struct str name = model_name(i->change->arena, json_str_of(key));
		if (name.n)
			put_model(i, name, schema);
	}
}

/* ---- validators, authorizers, gateway responses ---- */

static void take_validators(struct openapi_import *i)
{
	struct apigw_change *c = i->change;
	yyjson_val *all = json_get(i->root, "x-amazon-apigateway-request-validators"), *key, *v;
	size_t at, max;

	yyjson_obj_foreach(all, at, max, key, v)
	{
		struct apigateway_request_validator *r =
		        GROW_FIND(&c->api.validators, name, json_str_of(key));
		if (!r) {
			r = GROW_ADD(c->arena, &c->api.validators);
			r->id = apigw_id(c->arena, 6);
			r->name = json_str_of(key);
		}
		r->validate_request_body = opt_bool(json_get_bool(v, "validateRequestBody", false));
		r->validate_request_parameters =
		        opt_bool(json_get_bool(v, "validateRequestParameters", false));
	}
	i->default_validator = json_get_str(i->root, "x-amazon-apigateway-request-validator");
}

static int take_authorizer(struct openapi_import *i, struct str name, yyjson_val *scheme)
{
	struct apigw_change *c = i->change;
	yyjson_val *x = json_get(scheme, "x-amazon-apigateway-authorizer");
	struct apigateway_authorizer fresh = {
		.name = name,
		.type = openapi_upper(c->arena, json_get_str(x, "type")),
		.auth_type = json_get_str(scheme, "x-amazon-apigateway-authtype"),
		.authorizer_uri = json_get_str(x, "authorizerUri"),
		.authorizer_credentials = json_get_str(x, "authorizerCredentials"),
		.identity_source = json_get_str(x, "identitySource"),
		.identity_validation_expression = json_get_str(x, "identityValidationExpression"),
		.authorizer_result_ttl_in_seconds =
		        opt_int(json_get_i64(x, "authorizerResultTtlInSeconds", 300)),
	};

	if (!yyjson_is_obj(x))
		return 0;
	if (!fresh.identity_source.n && str_eq(fresh.type, S("TOKEN")))
		fresh.identity_source = str_concat(
		        c->arena, 2, S("method.request.header."), json_get_str(scheme, "name"));
	TRY(authorizer_check(c, &fresh));
	struct apigateway_authorizer *a = GROW_FIND(&c->api.authorizers, name, name);
	fresh.id = a ? a->id : apigw_id(c->arena, 6);
	if (!a)
		a = GROW_ADD(c->arena, &c->api.authorizers);
	*a = fresh;
	return 0;
}

static int take_authorizers(struct openapi_import *i)
{
	yyjson_val *all = i->v3 ? json_get(json_get(i->root, "components"), "securitySchemes")
	                        : json_get(i->root, "securityDefinitions");
	size_t at, max;
	yyjson_val *key, *scheme;

	yyjson_obj_foreach(all, at, max, key, scheme)
	        TRY(take_authorizer(i, json_str_of(key), scheme));
	return 0;
}

static void take_gateway_responses(struct openapi_import *i)
{
	struct apigw_change *c = i->change;
	yyjson_val *all = json_get(i->root, "x-amazon-apigateway-gateway-responses"), *key, *v;
	size_t at, max;

	yyjson_obj_foreach(all, at, max, key, v)
	{
		struct apigateway_gateway_response *r =
		        GROW_FIND(&c->api.gateway_responses, response_type, json_str_of(key));
		if (!r)
			r = GROW_ADD(c->arena, &c->api.gateway_responses);
		*r = (struct apigateway_gateway_response){ .response_type = json_str_of(key),
			.status_code = scalar(c->arena, json_get(v, "statusCode")),
			.default_response = opt_bool(false) };
		openapi_string_map(
		        c->arena, json_get(v, "responseParameters"), &r->response_parameters);
		openapi_string_map(
		        c->arena, json_get(v, "responseTemplates"), &r->response_templates);
	}
}

/* ---- settings ---- */

static void take_binary_types(struct openapi_import *i)
{
	yyjson_val *types = json_get(i->root, "x-amazon-apigateway-binary-media-types"), *v;
	struct apigateway_list_of_string *to = &i->change->api.api->binary_media_types;
	size_t at, max;

	if (yyjson_is_arr(types))
		*to = (struct apigateway_list_of_string){ 0 };
	yyjson_arr_foreach(types, at, max, v) if (yyjson_is_str(v)) *
	        GROW_ADD(i->change->arena, to) = json_str_of(v);
}

static void take_settings(struct openapi_import *i)
{
	struct arena *a = i->change->arena;
	struct apigateway_rest_api *api = i->change->api.api;
	yyjson_val *info = json_get(i->root, "info"), *v;
	struct str description = json_get_str(info, "description");

	if (json_get_str(info, "title").n)
		api->name = json_get_str(info, "title");
	if (description.p)
		api->description = description;
	if (json_get(info, "version"))
		api->version = scalar(a, json_get(info, "version"));
	take_binary_types(i);
	v = json_get(i->root, "x-amazon-apigateway-minimum-compression-size");
	if (yyjson_is_int(v))
		api->minimum_compression_size = opt_int(yyjson_get_sint(v));
	if (json_get_str(i->root, "x-amazon-apigateway-api-key-source").n)
		api->api_key_source = openapi_upper(
		        a, json_get_str(i->root, "x-amazon-apigateway-api-key-source"));
	v = json_get(i->root, "x-amazon-apigateway-policy");
	if (yyjson_is_obj(v))
		api->policy = json_text(a, v);
	v = json_get(json_get(i->root, "x-amazon-apigateway-endpoint-configuration"),
	        "disableExecuteApiEndpoint");
	if (yyjson_is_bool(v))
		api->disable_execute_api_endpoint = opt_bool(yyjson_get_bool(v));
}

/* ---- paths ---- */

static struct str base_path(struct openapi_import *i)
{
	struct str path = json_get_str(i->root, "basePath");

	if (i->v3) {
		/* The first server's URL: what is behind its host, or the variable basePath. */
		yyjson_val *server = yyjson_arr_get_first(json_get(i->root, "servers"));
		struct str url = json_get_str(server, "url");
		struct str variable = json_get_str(
		        json_get(json_get(server, "variables"), "basePath"), "default");
		ptrdiff_t scheme = str_find(url, S("://"));
		if (scheme >= 0)
			url = str_sub(url, (size_t)scheme + 3, url.n);
		str_cut(&url, '/');
		path = variable.n ? variable : url;
	}
	if (i->base_path == OPENAPI_SPLIT && path.n) {
		struct str rest = str_starts(path, S("/")) ? str_sub(path, 1, path.n) : path;
		str_cut(&rest, '/');
		path = rest.p ? rest : S("");
	}
	return path;
}

/* The resource at a path, with those above it. */
static int ensure_path(struct openapi_import *i, struct str path, struct str *id)
{
	struct apigw_change *c = i->change;
	struct str parent = c->api.api->root_resource_id;

	while (path.p) {
		struct str part = str_cut(&path, '/');
		const struct apigateway_resource *found = NULL;
		if (!part.n)
			continue;
		for (size_t k = 0; k < c->api.resources.n && !found; k++)
			if (str_eq(c->api.resources.v[k].parent_id, parent) &&
			        str_eq(c->api.resources.v[k].path_part, part))
				found = &c->api.resources.v[k];
		if (found)
			parent = found->id;
		else
			TRY(resource_add(c, parent, part, &parent));
	}
	*id = parent;
	return 0;
}

static int take_path(struct openapi_import *i, struct str path, yyjson_val *item)
{
	static const struct {
		const char *key;
		struct str verb;
	} verbs[] = {
		{ "get", S_INIT("GET") },
		{ "put", S_INIT("PUT") },
		{ "post", S_INIT("POST") },
		{ "delete", S_INIT("DELETE") },
		{ "patch", S_INIT("PATCH") },
		{ "head", S_INIT("HEAD") },
		{ "options", S_INIT("OPTIONS") },
		{ "x-amazon-apigateway-any-method", S_INIT("ANY") },
	};
	struct str full = path, id;

	if (i->base_path != OPENAPI_IGNORE)
		full = str_concat(i->change->arena, 3, base_path(i), S("/"), path);
	TRY(ensure_path(i, full, &id));
	item = openapi_resolve(i, item);
	for (size_t k = 0; k < ARRAY_LEN(verbs); k++) {
		yyjson_val *operation = json_get(item, verbs[k].key);
		if (yyjson_is_obj(operation))
			TRY(openapi_operation(i, id, verbs[k].verb, item, operation));
	}
	return 0;
}

static int take_paths(struct openapi_import *i)
{
	size_t at, max;
	yyjson_val *key, *item;

	yyjson_obj_foreach(json_get(i->root, "paths"), at, max, key, item)
	{
		if (!str_starts(json_str_of(key), S("x-")))
			TRY(take_path(i, json_str_of(key), item));
	}
	return 0;
}

static int check_version(struct openapi_import *i)
{
	struct str v2 = scalar(i->change->arena, json_get(i->root, "swagger"));
	struct str v3 = scalar(i->change->arena, json_get(i->root, "openapi"));

	i->v3 = str_starts(v3, S("3."));
	if (!i->v3 && !str_eq(v2, S("2.0")))
		return apigw_bad_request(i->change,
		        "Invalid OpenAPI input. The document must be Swagger 2.0 or OpenAPI 3.0");
	if (!json_get_str(json_get(i->root, "info"), "title").n && !i->change->api.api->name.n)
		return apigw_bad_request(
		        i->change, "Invalid OpenAPI input. The title is required in info");
	return 0;
}

int openapi_build(struct apigw_change *c, struct openapi_import *i)
{
	i->change = c;
	i->warnings = (struct apigateway_list_of_string){ 0 };
	TRY(check_version(i));
	take_settings(i);
	take_models(i);
	take_validators(i);
	TRY(take_authorizers(i));
	take_gateway_responses(i);
	TRY(take_paths(i));
	if (!i->fail_on_warnings || !i->warnings.n)
		return 0;
	struct buf b = buf_init(c->arena);
	for (size_t k = 0; k < i->warnings.n; k++)
		buf_printf(&b, "%s%.*s", k ? "\n\t" : "", STR(i->warnings.v[k]));
	return apigw_refuse(c, APIGATEWAY_BAD_REQUEST_EXCEPTION,
	        "Warnings found during import:\n\t%.*s", STR(buf_str(&b)));
}
