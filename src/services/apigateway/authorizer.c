/* CreateAuthorizer, GetAuthorizer, GetAuthorizers, UpdateAuthorizer, DeleteAuthorizer */
#include "services/apigateway/authorizer.h"

#include "services/apigateway/patch.h"

static struct apigateway_authorizer *find(struct apigw_change *c, struct str id)
{
	struct apigateway_authorizer *a = GROW_FIND(&c->api.authorizers, id, id);

	if (!a)
		apigw_not_found(c, "Invalid Authorizer identifier specified");
	return a;
}

int authorizer_check(struct apigw_change *c, const struct apigateway_authorizer *a)
{
	bool token = str_eq(a->type, S("TOKEN"));
	int64_t ttl = a->authorizer_result_ttl_in_seconds.set
	                      ? a->authorizer_result_ttl_in_seconds.v
	                      : 300;

	if (!token && !str_eq(a->type, S("REQUEST")))
		return apigw_refuse(c, API_ERROR_NOT_IMPLEMENTED,
		        "Authorizers of type %.*s are not implemented here", STR(a->type));
	if (!a->authorizer_uri.n)
		return apigw_bad_request(c, "Authorizer URI must be specified");
	if (str_find(a->authorizer_uri, S(":lambda:path/")) < 0)
		return apigw_refuse(c, APIGATEWAY_BAD_REQUEST_EXCEPTION,
		        "Invalid Authorizer URI: %.*s. Authorizer URI should be a valid API "
		        "Gateway ARN that represents a Lambda function invocation.",
		        STR(a->authorizer_uri));
	if (ttl < 0 || ttl > 3600)
		return apigw_bad_request(
		        c, "Authorizer result TTL must be between 0 and 3600 seconds");
	if (token && !str_starts(a->identity_source, S("method.request.header.")))
		return apigw_bad_request(
		        c, "Invalid identity source specified for the TOKEN authorizer");
	if (!token && !a->identity_source.n && ttl)
		return apigw_bad_request(c, "Identity source is required for REQUEST authorizers "
		                            "when caching is enabled");
	return 0;
}

static int check_name(struct apigw_change *c, struct str name)
{
	if (GROW_FIND(&c->api.authorizers, name, name))
		return apigw_refuse(c, APIGATEWAY_CONFLICT_EXCEPTION,
		        "Authorizer name must be unique. Authorizer %.*s already exists in this "
		        "RestApi.",
		        STR(name));
	return 0;
}

static int create(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_create_authorizer_in *in = in_;
	struct apigateway_authorizer a = {
		.id = apigw_id(c->arena, 6),
		.name = in->name,
		.type = in->type,
		.provider_arns = in->provider_arns,
		.auth_type = in->auth_type.n ? in->auth_type : S("custom"),
		.authorizer_uri = in->authorizer_uri,
		.authorizer_credentials = in->authorizer_credentials,
		.identity_source = in->identity_source,
		.identity_validation_expression = in->identity_validation_expression,
		.authorizer_result_ttl_in_seconds = in->authorizer_result_ttl_in_seconds,
	};

	if (!a.identity_source.n && str_eq(a.type, S("TOKEN")))
		a.identity_source = S("method.request.header.Authorization");
	if (!a.authorizer_result_ttl_in_seconds.set)
		a.authorizer_result_ttl_in_seconds = opt_int(300);
	TRY(authorizer_check(c, &a));
	TRY(check_name(c, a.name));
	*GROW_ADD(c->arena, &c->api.authorizers) = *(struct apigateway_authorizer *)out = a;
	return 0;
}

int apigateway_create_authorizer(struct task *t, const struct apigateway_create_authorizer_in *in,
        struct apigateway_create_authorizer_out *out)
{
	return apigw_change(t, in->rest_api_id, create, in, out);
}

static int get(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_get_authorizer_in *in = in_;
	const struct apigateway_authorizer *a = find(c, in->authorizer_id);

	if (!a)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	*(struct apigateway_authorizer *)out = *a;
	return 0;
}

int apigateway_get_authorizer(struct task *t, const struct apigateway_get_authorizer_in *in,
        struct apigateway_get_authorizer_out *out)
{
	return apigw_look(t, in->rest_api_id, get, in, out);
}

static int list(struct apigw_change *c, const void *in, void *out_)
{
	struct apigateway_authorizers *out = out_;

	out->items = c->api.authorizers;
	if (!out->items.v)
		out->items.v = arena_alloc(c->arena, 1);
	return 0;
}

int apigateway_get_authorizers(struct task *t, const struct apigateway_get_authorizers_in *in,
        struct apigateway_get_authorizers_out *out)
{
	return apigw_look(t, in->rest_api_id, list, in, out);
}

static int update(struct apigw_change *c, const void *in_, void *out)
{
	static const struct patch_rule rules[] = {
		{ "/name", PATCH_REPLACE },
		{ "/type", PATCH_REPLACE },
		{ "/authType", PATCH_REPLACE },
		{ "/authorizerUri", PATCH_REPLACE },
		{ "/authorizerCredentials", PATCH_REPLACE },
		{ "/identitySource", PATCH_REPLACE },
		{ "/identityValidationExpression", PATCH_REPLACE },
		{ "/authorizerResultTtlInSeconds", PATCH_REPLACE },
	};
	const struct apigateway_update_authorizer_in *in = in_;
	struct apigateway_authorizer *a = find(c, in->authorizer_id);

	if (!a)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	TRY(patch_apply(
	        c, &in->patch_operations, PATCH_TARGET(&apigateway_shape_authorizer, a, rules)));
	TRY(authorizer_check(c, a));
	*(struct apigateway_authorizer *)out = *a;
	return 0;
}

int apigateway_update_authorizer(struct task *t, const struct apigateway_update_authorizer_in *in,
        struct apigateway_update_authorizer_out *out)
{
	return apigw_change(t, in->rest_api_id, update, in, out);
}

static int drop(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_delete_authorizer_in *in = in_;
	struct apigateway_authorizer *a = find(c, in->authorizer_id);

	if (!a)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	for (size_t i = 0; i < c->api.resources.n; i++)
		for (size_t k = 0; k < c->api.resources.v[i].resource_methods.n; k++)
			if (str_eq(c->api.resources.v[i].resource_methods.v[k].value.authorizer_id,
			            a->id))
				return apigw_refuse(c, APIGATEWAY_CONFLICT_EXCEPTION,
				        "Cannot delete authorizer '%.*s', is referenced in method",
				        STR(a->name));
	GROW_REMOVE(&c->api.authorizers, a);
	return 0;
}

int apigateway_delete_authorizer(struct task *t, const struct apigateway_delete_authorizer_in *in,
        struct apigateway_delete_authorizer_out *out)
{
	return apigw_change(t, in->rest_api_id, drop, in, out);
}

/* ---- FlushStageAuthorizersCache ---- */

static int flush(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_flush_stage_authorizers_cache_in *in = in_;

	if (!kv_has(c->txn, apigw_live_key(c->arena, S("stage"), c->api_id, in->stage_name)))
		return apigw_not_found(c, "Invalid stage identifier specified");
	kv_del_prefix(c->txn, apigw_live_key(c->arena, S("authorized"), c->api_id, in->stage_name));
	return 0;
}

int apigateway_flush_stage_authorizers_cache(struct task *t,
        const struct apigateway_flush_stage_authorizers_cache_in *in,
        struct apigateway_flush_stage_authorizers_cache_out *out)
{
	return apigw_change(t, in->rest_api_id, flush, in, out);
}
