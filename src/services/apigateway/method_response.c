/* PutMethodResponse, GetMethodResponse, UpdateMethodResponse, DeleteMethodResponse */
#include "services/apigateway/method.h"

#include "services/apigateway/patch.h"

static struct apigateway_method_response *find(
        struct apigw_change *c, struct apigateway_method *m, struct str status)
{
	struct apigateway_map_of_method_response_entry *e =
	        GROW_FIND(&m->method_responses, key, status);

	if (!e)
		apigw_not_found(c, "Invalid Response status code specified");
	return e ? &e->value : NULL;
}

static bool is_status(struct str s)
{
	return s.n == 3 && s.p[0] >= '1' && s.p[0] <= '5' && s.p[1] >= '0' && s.p[1] <= '9' &&
	       s.p[2] >= '0' && s.p[2] <= '9';
}

static int put(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_put_method_response_in *in = in_;
	struct apigateway_method *m = apigw_method(c, in->resource_id, in->http_method);

	if (!m)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	if (!is_status(in->status_code))
		return apigw_bad_request(c, "Invalid status code specified");
	if (GROW_FIND(&m->method_responses, key, in->status_code))
		return apigw_refuse(c, APIGATEWAY_CONFLICT_EXCEPTION,
		        "Response already exists for this resource");
	for (size_t i = 0; i < in->response_models.n; i++)
		if (!GROW_FIND(&c->api.models, name, in->response_models.v[i].value))
			return apigw_refuse(c, APIGATEWAY_BAD_REQUEST_EXCEPTION,
			        "Invalid model identifier specified: %.*s",
			        STR(in->response_models.v[i].value));
	struct apigateway_map_of_method_response_entry *e =
	        GROW_ADD(c->arena, &m->method_responses);
	e->key = in->status_code;
	e->value = (struct apigateway_method_response){ .status_code = in->status_code,
		.response_parameters = in->response_parameters,
		.response_models = in->response_models };
	*(struct apigateway_method_response *)out = e->value;
	return 0;
}

int apigateway_put_method_response(struct task *t,
        const struct apigateway_put_method_response_in *in,
        struct apigateway_put_method_response_out *out)
{
	return apigw_change(t, in->rest_api_id, put, in, out);
}

static int get(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_get_method_response_in *in = in_;
	struct apigateway_method *m = apigw_method(c, in->resource_id, in->http_method);
	const struct apigateway_method_response *r = m ? find(c, m, in->status_code) : NULL;

	if (!r)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	*(struct apigateway_method_response *)out = *r;
	return 0;
}

int apigateway_get_method_response(struct task *t,
        const struct apigateway_get_method_response_in *in,
        struct apigateway_get_method_response_out *out)
{
	return apigw_look(t, in->rest_api_id, get, in, out);
}

static int update(struct apigw_change *c, const void *in_, void *out)
{
	static const struct patch_rule rules[] = { { "/responseParameters/", PATCH_ALL },
		{ "/responseModels/", PATCH_ALL } };
	const struct apigateway_update_method_response_in *in = in_;
	struct apigateway_method *m = apigw_method(c, in->resource_id, in->http_method);
	struct apigateway_method_response *r = m ? find(c, m, in->status_code) : NULL;

	if (!r)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	TRY(patch_apply(c, &in->patch_operations,
	        PATCH_TARGET(&apigateway_shape_method_response, r, rules)));
	*(struct apigateway_method_response *)out = *r;
	return 0;
}

int apigateway_update_method_response(struct task *t,
        const struct apigateway_update_method_response_in *in,
        struct apigateway_update_method_response_out *out)
{
	return apigw_change(t, in->rest_api_id, update, in, out);
}

static int drop(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_delete_method_response_in *in = in_;
	struct apigateway_method *m = apigw_method(c, in->resource_id, in->http_method);

	if (!m || !find(c, m, in->status_code))
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	GROW_REMOVE(&m->method_responses, GROW_FIND(&m->method_responses, key, in->status_code));
	return 0;
}

int apigateway_delete_method_response(struct task *t,
        const struct apigateway_delete_method_response_in *in,
        struct apigateway_delete_method_response_out *out)
{
	return apigw_change(t, in->rest_api_id, drop, in, out);
}
