/* PutIntegrationResponse, GetIntegrationResponse, UpdateIntegrationResponse,
 * DeleteIntegrationResponse */
#include "services/apigateway/method.h"

#include "services/apigateway/patch.h"

static struct apigateway_integration_response *find(
        struct apigw_change *c, struct apigateway_integration *i, struct str status)
{
	struct apigateway_map_of_integration_response_entry *e =
	        GROW_FIND(&i->integration_responses, key, status);

	if (!e)
		apigw_not_found(c, "Invalid Response status code specified");
	return e ? &e->value : NULL;
}

static int put(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_put_integration_response_in *in = in_;
	struct apigateway_integration *i = apigw_integration(c, in->resource_id, in->http_method);

	if (!i)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	struct apigateway_method *m = apigw_method(c, in->resource_id, in->http_method);
	if (!GROW_FIND(&m->method_responses, key, in->status_code))
		return apigw_not_found(c, "Invalid Response status code specified");
	struct apigateway_map_of_integration_response_entry *e =
	        GROW_FIND(&i->integration_responses, key, in->status_code);
	if (!e)
		e = GROW_ADD(c->arena, &i->integration_responses);
	e->key = in->status_code;
	e->value = (struct apigateway_integration_response){ .status_code = in->status_code,
		.selection_pattern = in->selection_pattern,
		.response_parameters = in->response_parameters,
		.response_templates = in->response_templates,
		.content_handling = in->content_handling };
	*(struct apigateway_integration_response *)out = e->value;
	return 0;
}

int apigateway_put_integration_response(struct task *t,
        const struct apigateway_put_integration_response_in *in,
        struct apigateway_put_integration_response_out *out)
{
	return apigw_change(t, in->rest_api_id, put, in, out);
}

static int get(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_get_integration_response_in *in = in_;
	struct apigateway_integration *i = apigw_integration(c, in->resource_id, in->http_method);
	const struct apigateway_integration_response *r = i ? find(c, i, in->status_code) : NULL;

	if (!r)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	*(struct apigateway_integration_response *)out = *r;
	return 0;
}

int apigateway_get_integration_response(struct task *t,
        const struct apigateway_get_integration_response_in *in,
        struct apigateway_get_integration_response_out *out)
{
	return apigw_look(t, in->rest_api_id, get, in, out);
}

static int update(struct apigw_change *c, const void *in_, void *out)
{
	static const struct patch_rule rules[] = {
		{ "/selectionPattern", PATCH_REPLACE | PATCH_REMOVE },
		{ "/contentHandling", PATCH_REPLACE | PATCH_REMOVE },
		{ "/responseParameters/", PATCH_ALL },
		{ "/responseTemplates/", PATCH_ALL },
	};
	const struct apigateway_update_integration_response_in *in = in_;
	struct apigateway_integration *i = apigw_integration(c, in->resource_id, in->http_method);
	struct apigateway_integration_response *r = i ? find(c, i, in->status_code) : NULL;

	if (!r)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	TRY(patch_apply(c, &in->patch_operations,
	        PATCH_TARGET(&apigateway_shape_integration_response, r, rules)));
	*(struct apigateway_integration_response *)out = *r;
	return 0;
}

int apigateway_update_integration_response(struct task *t,
        const struct apigateway_update_integration_response_in *in,
        struct apigateway_update_integration_response_out *out)
{
	return apigw_change(t, in->rest_api_id, update, in, out);
}

static int drop(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_delete_integration_response_in *in = in_;
	struct apigateway_integration *i = apigw_integration(c, in->resource_id, in->http_method);

	if (!i || !find(c, i, in->status_code))
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	GROW_REMOVE(&i->integration_responses,
	        GROW_FIND(&i->integration_responses, key, in->status_code));
	return 0;
}

int apigateway_delete_integration_response(struct task *t,
        const struct apigateway_delete_integration_response_in *in,
        struct apigateway_delete_integration_response_out *out)
{
	return apigw_change(t, in->rest_api_id, drop, in, out);
}
