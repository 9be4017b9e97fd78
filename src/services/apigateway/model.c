/* CreateModel, GetModel, GetModels, UpdateModel, DeleteModel */
#include "services/apigateway/patch.h"

#include "codec/json.h"

static struct apigateway_model *find(struct apigw_change *c, struct str name)
{
	struct apigateway_model *m = GROW_FIND(&c->api.models, name, name);

	if (!m)
		apigw_refuse(c, APIGATEWAY_NOT_FOUND_EXCEPTION,
		        "Invalid model name specified: %.*s", STR(name));
	return m;
}

static bool is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
		            (s.p[i] >= '0' && s.p[i] <= '9')))
			return false;
	return s.n > 0;
}

static int check_schema(struct apigw_change *c, const struct apigateway_model *m)
{
	if (str_eq(m->content_type, S("application/json")) && m->schema.n &&
	        !json_is_valid(m->schema))
		return apigw_bad_request(c, "Model schema is not valid: Invalid model schema "
		                            "specified. Unable to parse the schema as JSON");
	return 0;
}

static int create(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_create_model_in *in = in_;
	struct apigateway_model m = { apigw_id(c->arena, 6), in->name, in->description, in->schema,
		in->content_type };

	if (!is_name(in->name))
		return apigw_refuse(c, APIGATEWAY_BAD_REQUEST_EXCEPTION,
		        "Model name must be alphanumeric: %.*s", STR(in->name));
	if (GROW_FIND(&c->api.models, name, in->name))
		return apigw_refuse(c, APIGATEWAY_CONFLICT_EXCEPTION,
		        "Model name already exists for this REST API");
	TRY(check_schema(c, &m));
	*GROW_ADD(c->arena, &c->api.models) = *(struct apigateway_model *)out = m;
	return 0;
}

int apigateway_create_model(struct task *t, const struct apigateway_create_model_in *in,
        struct apigateway_create_model_out *out)
{
	return apigw_change(t, in->rest_api_id, create, in, out);
}

static int get(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_get_model_in *in = in_;
	const struct apigateway_model *m = find(c, in->model_name);

	if (!m)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	*(struct apigateway_model *)out = *m;
	return 0;
}

int apigateway_get_model(struct task *t, const struct apigateway_get_model_in *in,
        struct apigateway_get_model_out *out)
{
	return apigw_look(t, in->rest_api_id, get, in, out);
}

static int list(struct apigw_change *c, const void *in, void *out_)
{
	struct apigateway_models *out = out_;

	out->items = c->api.models;
	return 0;
}

int apigateway_get_models(struct task *t, const struct apigateway_get_models_in *in,
        struct apigateway_get_models_out *out)
{
	return apigw_look(t, in->rest_api_id, list, in, out);
}

static int update(struct apigw_change *c, const void *in_, void *out)
{
	static const struct patch_rule rules[] = { { "/description", PATCH_REPLACE },
		{ "/schema", PATCH_REPLACE } };
	const struct apigateway_update_model_in *in = in_;
	struct apigateway_model *m = find(c, in->model_name);

	if (!m)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	TRY(patch_apply(c, &in->patch_operations, PATCH_TARGET(&apigateway_shape_model, m, rules)));
	TRY(check_schema(c, m));
	*(struct apigateway_model *)out = *m;
	return 0;
}

int apigateway_update_model(struct task *t, const struct apigateway_update_model_in *in,
        struct apigateway_update_model_out *out)
{
	return apigw_change(t, in->rest_api_id, update, in, out);
}

static bool is_used(const struct apigateway_method *m, struct str name)
{
	if (GROW_FIND(&m->request_models, value, name))
		return true;
	for (size_t i = 0; i < m->method_responses.n; i++)
		if (GROW_FIND(&m->method_responses.v[i].value.response_models, value, name))
			return true;
	return false;
}

static int drop(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_delete_model_in *in = in_;
	struct apigateway_model *m = find(c, in->model_name);

	if (!m)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	for (size_t i = 0; i < c->api.resources.n; i++)
		for (size_t k = 0; k < c->api.resources.v[i].resource_methods.n; k++)
			if (is_used(&c->api.resources.v[i].resource_methods.v[k].value, m->name))
				return apigw_refuse(c, APIGATEWAY_CONFLICT_EXCEPTION,
				        "Cannot delete model '%.*s', is referenced in method "
				        "request or response",
				        STR(m->name));
	GROW_REMOVE(&c->api.models, m);
	return 0;
}

int apigateway_delete_model(struct task *t, const struct apigateway_delete_model_in *in,
        struct apigateway_delete_model_out *out)
{
	return apigw_change(t, in->rest_api_id, drop, in, out);
}
