/* CreateRestApi, GetRestApi, GetRestApis, UpdateRestApi, DeleteRestApi */
#include "services/apigateway/rest_api.h"

#include "api/policy.h"
#include "kv/key.h"
#include "services/apigateway/patch.h"

static const struct {
	const char *name, *description, *schema;
} default_models[] = {
	{ "Empty", "This is a default empty schema model",
	        "{\n  \"$schema\": \"http://json-schema.org/draft-04/schema#\",\n  \"title\" : "
	        "\"Empty Schema\",\n"
	        "  \"type\" : \"object\"\n}" },
	{ "Error", "This is a default error schema model",
	        "{\n  \"$schema\" : \"http://json-schema.org/draft-04/schema#\",\n  \"title\" : "
	        "\"Error Schema\",\n"
	        "  \"type\" : \"object\",\n  \"properties\" : {\n    \"message\" : { \"type\" : "
	        "\"string\" }\n  }\n}" },
};

static struct apigateway_endpoint_configuration *endpoint(struct arena *a)
{
	struct apigateway_endpoint_configuration *e =
	        arena_new(a, struct apigateway_endpoint_configuration);

	*GROW_ADD(a, &e->types) = S("EDGE");
	e->ip_address_type = S("ipv4");
	return e;
}

void rest_api_begin(struct apigw_change *c)
{
	struct arena *a = c->arena;
	struct apigateway_rest_api *api = arena_new(a, struct apigateway_rest_api);

	c->api_id = api->id = apigw_id(a, 10);
	c->api.api = api;
	api->created_date = opt_time(c->now_ms / 1000 * 1000);
	api->api_key_source = S("HEADER");
	api->endpoint_configuration = endpoint(a);
	api->disable_execute_api_endpoint = opt_bool(false);
	struct apigateway_resource *root = GROW_ADD(a, &c->api.resources);
	*root = (struct apigateway_resource){ .id = apigw_id(a, 10), .path = S("/") };
	api->root_resource_id = root->id;
	for (size_t i = 0; i < ARRAY_LEN(default_models); i++)
		*GROW_ADD(a, &c->api.models) = (struct apigateway_model){ .id = apigw_id(a, 6),
			.name = str_of(default_models[i].name),
			.description = str_of(default_models[i].description),
			.schema = str_of(default_models[i].schema),
			.content_type = S("application/json") };
}

void rest_api_show(
        struct arena *a, const struct apigateway_rest_api *api, struct apigateway_rest_api *out)
{
	struct buf b = buf_init(a);

	*out = *api;
	if (!api->policy.p)
		return;
	for (size_t i = 0; i < api->policy.n; i++) {
		if (api->policy.p[i] == '"' || api->policy.p[i] == '\\')
			buf_add_char(&b, '\\');
		buf_add_char(&b, api->policy.p[i]);
	}
	out->policy = buf_str(&b);
}

/* ---- create ---- */

static int check_policy(struct apigw_change *c, struct str policy)
{
	const struct policy *parsed;
	struct str why;

	if (policy.n && policy_parse(c->arena, policy, POLICY_RESOURCE, &parsed, &why) != 0)
		return apigw_refuse(c, APIGATEWAY_BAD_REQUEST_EXCEPTION,
		        "Invalid policy document. Please check the policy syntax and ensure that "
		        "Principals are valid.");
	return 0;
}

static int check(struct apigw_change *c, const struct apigateway_rest_api *api)
{
	const struct apigateway_endpoint_configuration *e = api->endpoint_configuration;

	if (!api->name.n)
		return apigw_bad_request(c, "Invalid API name specified");
	if (e && e->types.n > 1)
		return apigw_bad_request(c, "Cannot create an api with multiple Endpoint Types.");
	if (api->minimum_compression_size.set &&
	        (api->minimum_compression_size.v < 0 || api->minimum_compression_size.v > 10485760))
		return apigw_bad_request(
		        c, "Invalid minimum compression size, must be between 0 and 10485760");
	return check_policy(c, api->policy);
}

static void take_settings(struct apigw_change *c, const struct apigateway_create_rest_api_in *in)
{
	struct apigateway_rest_api *api = c->api.api;

	api->name = in->name;
	api->description = in->description;
	api->version = in->version;
	api->tags = in->tags;
	api->security_policy = in->security_policy;
	api->endpoint_access_mode = in->endpoint_access_mode;
	api->policy = in->policy.n ? in->policy : api->policy;
	if (in->binary_media_types.n)
		api->binary_media_types = in->binary_media_types;
	if (in->minimum_compression_size.set)
		api->minimum_compression_size = in->minimum_compression_size;
	if (in->api_key_source.p)
		api->api_key_source = in->api_key_source;
	if (in->endpoint_configuration && in->endpoint_configuration->types.n)
		api->endpoint_configuration = in->endpoint_configuration;
	if (!api->endpoint_configuration->ip_address_type.p)
		api->endpoint_configuration->ip_address_type = S("ipv4");
	if (in->disable_execute_api_endpoint.set)
		api->disable_execute_api_endpoint = in->disable_execute_api_endpoint;
}

/* Everything but what makes it that API: ids stay valid inside the copy. */
static int clone(struct apigw_change *c, struct str from)
{
	struct apigateway_rest_api fresh = *c->api.api;
	struct str key = apigw_row_key(c->arena, c, S("api"), from);

	c->api = (struct apigateway_api_record){ 0 };
	int got = record_get(c->txn, key, &apigateway_shape_api_record, &c->api);
	if (got == KV_NOT_FOUND)
		return apigw_bad_request(c, "Invalid API identifier specified");
	TRY(got);
	c->api.api->id = fresh.id;
	c->api.api->created_date = fresh.created_date;
	return 0;
}

static int create(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_create_rest_api_in *in = in_;

	rest_api_begin(c);
	if (in->clone_from.n)
		TRY(clone(c, in->clone_from));
	take_settings(c, in);
	TRY(check(c, c->api.api));
	rest_api_show(c->arena, c->api.api, out);
	return 0;
}

int apigateway_create_rest_api(struct task *t, const struct apigateway_create_rest_api_in *in,
        struct apigateway_create_rest_api_out *out)
{
	return apigw_change_account(t, create, in, out);
}

/* ---- get, list ---- */

static int get(struct apigw_change *c, const void *in, void *out)
{
	rest_api_show(c->arena, c->api.api, out);
	return 0;
}

int apigateway_get_rest_api(struct task *t, const struct apigateway_get_rest_api_in *in,
        struct apigateway_get_rest_api_out *out)
{
	return apigw_look(t, in->rest_api_id, get, in, out);
}

static int add(struct apigw_change *c, struct str value, void *out_, bool *taken)
{
	struct apigateway_rest_apis *out = out_;
	struct apigateway_api_record r = { 0 };

	TRY(record_unpack(c->arena, &apigateway_shape_api_record, str_dup(c->arena, value), &r));
	rest_api_show(c->arena, r.api, GROW_ADD(c->arena, &out->items));
	return 0;
}

static int list(struct apigw_change *c, const void *in_, void *out_)
{
	const struct apigateway_get_rest_apis_in *in = in_;
	struct apigateway_rest_apis *out = out_;
	struct apigw_listing l = {
		.prefix =
		        kv_key(c->arena, "ssss", S("apigateway"), c->account, c->region, S("api")),
		.position = in->position,
		.limit = apigw_limit(in->limit, 25),
		.add = add,
		.out = out,
	};

	TRY(apigw_list(c, &l));
	out->position = l.next;
	return 0;
}

int apigateway_get_rest_apis(struct task *t, const struct apigateway_get_rest_apis_in *in,
        struct apigateway_get_rest_apis_out *out)
{
	return apigw_look_account(t, list, in, out);
}

/* ---- update ---- */

static const struct patch_rule rules[] = {
	{ "/name", PATCH_REPLACE },
	{ "/description", PATCH_REPLACE },
	{ "/version", PATCH_REPLACE },
	{ "/apiKeySource", PATCH_REPLACE },
	{ "/policy", PATCH_REPLACE },
	{ "/disableExecuteApiEndpoint", PATCH_REPLACE },
	{ "/minimumCompressionSize", PATCH_REPLACE | PATCH_REMOVE },
	{ "/binaryMediaTypes/", PATCH_ALL },
	{ "/endpointConfiguration/types/", PATCH_REPLACE },
	{ "/endpointConfiguration/ipAddressType", PATCH_REPLACE },
	{ "/endpointConfiguration/vpcEndpointIds", PATCH_ADD | PATCH_REMOVE },
	{ "/securityPolicy", PATCH_REPLACE },
	{ "/endpointAccessMode", PATCH_REPLACE },
};

/* Clients take a number away by replacing it with nothing. */
static struct apigateway_patch_operation normal(const struct apigateway_patch_operation *o)
{
	struct apigateway_patch_operation p = *o;

	if (str_eq(p.path, S("/minimumCompressionSize")) && p.value.n == 0)
		p.op = S("remove");
	if (str_eq(p.path, S("/endpointConfiguration/types/EDGE")) ||
	        str_eq(p.path, S("/endpointConfiguration/types/REGIONAL")) ||
	        str_eq(p.path, S("/endpointConfiguration/types/PRIVATE")))
		p.path = S("/endpointConfiguration/types/0");
	return p;
}

static int update(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_update_rest_api_in *in = in_;

	for (size_t i = 0; i < in->patch_operations.n; i++) {
		struct apigateway_patch_operation o = normal(&in->patch_operations.v[i]);
		TRY(patch_apply_one(
		        c, &o, PATCH_TARGET(&apigateway_shape_rest_api, c->api.api, rules)));
	}
	TRY(check(c, c->api.api));
	rest_api_show(c->arena, c->api.api, out);
	return 0;
}

int apigateway_update_rest_api(struct task *t, const struct apigateway_update_rest_api_in *in,
        struct apigateway_update_rest_api_out *out)
{
	return apigw_change(t, in->rest_api_id, update, in, out);
}

/* ---- delete ---- */

static int drop(struct apigw_change *c, const void *in, void *out)
{
	static const struct str kinds[] = { S_INIT("stage"), S_INIT("deployment"),
		S_INIT("snapshot"), S_INIT("snapshot-resource"), S_INIT("snapshot-models"),
		S_INIT("authorized") };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		kv_del_prefix(c->txn, apigw_live_prefix(c->arena, kinds[i], c->api_id));
	kv_del(c->txn, apigw_row_key(c->arena, c, S("api"), c->api_id));
	c->api_id = (struct str){ 0 };
	return 0;
}

int apigateway_delete_rest_api(struct task *t, const struct apigateway_delete_rest_api_in *in,
        struct apigateway_delete_rest_api_out *out)
{
	return apigw_change(t, in->rest_api_id, drop, in, out);
}
