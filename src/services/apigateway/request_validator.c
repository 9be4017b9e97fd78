/* CreateRequestValidator, GetRequestValidator(s), UpdateRequestValidator, DeleteRequestValidator */
#include "services/apigateway/patch.h"

static struct apigateway_request_validator *find(struct apigw_change *c, struct str id)
{
	struct apigateway_request_validator *v = GROW_FIND(&c->api.validators, id, id);

	if (!v)
		apigw_not_found(c, "Invalid Request Validator identifier specified");
	return v;
}

static int create(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_create_request_validator_in *in = in_;
	struct apigateway_request_validator v = { apigw_id(c->arena, 6), in->name,
		opt_bool(in->validate_request_body.v),
		opt_bool(in->validate_request_parameters.v) };

	*GROW_ADD(c->arena, &c->api.validators) = *(struct apigateway_request_validator *)out = v;
	return 0;
}

int apigateway_create_request_validator(struct task *t,
        const struct apigateway_create_request_validator_in *in,
        struct apigateway_create_request_validator_out *out)
{
	return apigw_change(t, in->rest_api_id, create, in, out);
}

static int get(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_get_request_validator_in *in = in_;
	const struct apigateway_request_validator *v = find(c, in->request_validator_id);

	if (!v)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	*(struct apigateway_request_validator *)out = *v;
	return 0;
}

int apigateway_get_request_validator(struct task *t,
        const struct apigateway_get_request_validator_in *in,
        struct apigateway_get_request_validator_out *out)
{
	return apigw_look(t, in->rest_api_id, get, in, out);
}

static int list(struct apigw_change *c, const void *in, void *out_)
{
	struct apigateway_request_validators *out = out_;

	out->items = c->api.validators;
	if (!out->items.v)
		out->items.v = arena_alloc(c->arena, 1);
	return 0;
}

int apigateway_get_request_validators(struct task *t,
        const struct apigateway_get_request_validators_in *in,
        struct apigateway_get_request_validators_out *out)
{
	return apigw_look(t, in->rest_api_id, list, in, out);
}

static int update(struct apigw_change *c, const void *in_, void *out)
{
	static const struct patch_rule rules[] = { { "/name", PATCH_REPLACE },
		{ "/validateRequestBody", PATCH_REPLACE },
		{ "/validateRequestParameters", PATCH_REPLACE } };
	const struct apigateway_update_request_validator_in *in = in_;
	struct apigateway_request_validator *v = find(c, in->request_validator_id);

	if (!v)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	TRY(patch_apply(c, &in->patch_operations,
	        PATCH_TARGET(&apigateway_shape_request_validator, v, rules)));
	*(struct apigateway_request_validator *)out = *v;
	return 0;
}

int apigateway_update_request_validator(struct task *t,
        const struct apigateway_update_request_validator_in *in,
        struct apigateway_update_request_validator_out *out)
{
	return apigw_change(t, in->rest_api_id, update, in, out);
}

static int drop(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_delete_request_validator_in *in = in_;
	struct apigateway_request_validator *v = find(c, in->request_validator_id);

	if (!v)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	GROW_REMOVE(&c->api.validators, v);
	return 0;
}

int apigateway_delete_request_validator(struct task *t,
        const struct apigateway_delete_request_validator_in *in,
        struct apigateway_delete_request_validator_out *out)
{
	return apigw_change(t, in->rest_api_id, drop, in, out);
}
