/* ImportRestApi, PutRestApi */
#include "services/apigateway/openapi.h"
#include "services/apigateway/rest_api.h"

static struct str parameter(const struct apigateway_map_of_string_to_string *map, const char *name)
{
	const struct apigateway_map_of_string_to_string_entry *e =
	        GROW_FIND(map, key, str_of(name));

	return e ? e->value : (struct str){ 0 };
}

static int prepare(struct task *t, struct str body,
        const struct apigateway_map_of_string_to_string *parameters, struct openapi_import *i)
{
	struct str why, base = parameter(parameters, "basepath");

	if (!base.p)
		base = parameter(parameters, "basePath");
	if (str_eq(base, S("prepend")))
		i->base_path = OPENAPI_PREPEND;
	else if (str_eq(base, S("split")))
		i->base_path = OPENAPI_SPLIT;
	if (openapi_parse(task_arena(t), body, &i->root, &why) != 0)
		return fail(t, APIGATEWAY_BAD_REQUEST_EXCEPTION,
		        "Invalid OpenAPI input. Unable to parse the document: %.*s", STR(why));
	return 0;
}

struct importing {
	struct openapi_import import;
	struct str endpoint_types;
	bool overwrite;
};

static int finish(
        struct apigw_change *c, const struct importing *m, struct apigateway_rest_api *out)
{
	rest_api_show(c->arena, c->api.api, out);
	out->warnings = m->import.warnings;
	return 0;
}

static int import(struct apigw_change *c, const void *in, void *out)
{
	struct importing *m = (struct importing *)(uintptr_t)in;

	rest_api_begin(c);
	c->api.models = (struct apigateway_list_of_model){ 0 };
	if (m->endpoint_types.n)
		c->api.api->endpoint_configuration->types.v[0] = m->endpoint_types;
	TRY(openapi_build(c, &m->import));
	return finish(c, m, out);
}

int apigateway_import_rest_api(struct task *t, const struct apigateway_import_rest_api_in *in,
        struct apigateway_import_rest_api_out *out)
{
	struct importing m = { .import.fail_on_warnings = in->fail_on_warnings.v,
		.endpoint_types = parameter(&in->parameters, "endpointConfigurationTypes") };

	TRY(prepare(t, in->body, &in->parameters, &m.import));
	return apigw_change_account(t, import, &m, out);
}

/* What the document does not say is gone, but the API stays the same one. */
static void forget(struct apigw_change *c)
{
	struct apigateway_rest_api *api = c->api.api;
	struct apigateway_resource root = { .id = api->root_resource_id, .path = S("/") };

	c->api = (struct apigateway_api_record){ .api = api };
	*GROW_ADD(c->arena, &c->api.resources) = root;
	api->binary_media_types = (struct apigateway_list_of_string){ 0 };
	api->minimum_compression_size = (struct opt_int){ 0 };
}

static int put(struct apigw_change *c, const void *in, void *out)
{
	struct importing *m = (struct importing *)(uintptr_t)in;

	if (m->overwrite)
		forget(c);
	TRY(openapi_build(c, &m->import));
	return finish(c, m, out);
}

int apigateway_put_rest_api(struct task *t, const struct apigateway_put_rest_api_in *in,
        struct apigateway_put_rest_api_out *out)
{
	struct importing m = { .import.fail_on_warnings = in->fail_on_warnings.v,
		.overwrite = str_eq(in->mode, S("overwrite")) };

	TRY(prepare(t, in->body, &in->parameters, &m.import));
	return apigw_change(t, in->rest_api_id, put, &m, out);
}
