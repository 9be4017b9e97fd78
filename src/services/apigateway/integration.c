/* PutIntegration, GetIntegration, UpdateIntegration, DeleteIntegration */
#include "services/apigateway/method.h"

#include "api/arn.h"
#include "codec/codec.h"
#include "services/apigateway/patch.h"

#define TIMEOUT_MAX_MS 29000

static bool is_type(const struct apigateway_integration *i, const char *type)
{
	return str_eq(i->type, str_of(type));
}

static int check_uri(struct apigw_change *c, const struct apigateway_integration *i)
{
	struct arn arn;
	struct uri uri;

	if (is_type(i, "HTTP") || is_type(i, "HTTP_PROXY")) {
		bool variable = str_find(i->uri, S("${")) >= 0;
		if (variable ? !i->uri.n : uri_parse(i->uri, &uri) != 0)
			return apigw_bad_request(c, "Invalid HTTP endpoint specified for URI");
		return 0;
	}
	if (!arn_parse(i->uri, &arn) || !str_eq(arn.service, S("apigateway")))
		return apigw_bad_request(c, "Invalid ARN specified in the request");
	if (is_type(i, "AWS_PROXY") && !str_eq(arn.account, S("lambda")))
		return apigw_bad_request(c, "Integrations of type 'AWS_PROXY' currently only "
		                            "supports Lambda function and "
		                            "Firehose stream invocations.");
	if (is_type(i, "AWS_PROXY") && !str_starts(arn.resource, S("path/")))
		return apigw_bad_request(c, "AWS ARN for integration must contain path or action");
	return 0;
}

static int check_unsupported(struct apigw_change *c, const struct apigateway_integration *i)
{
	if (str_eq(i->connection_type, S("VPC_LINK")))
		return apigw_refuse(
		        c, API_ERROR_NOT_IMPLEMENTED, "VPC links are not implemented here");
	if (str_eq(i->response_transfer_mode, S("STREAM")))
		return apigw_refuse(
		        c, API_ERROR_NOT_IMPLEMENTED, "Response streaming is not implemented here");
	return 0;
}

static int check_credentials(struct apigw_change *c, struct str credentials)
{
	struct arn arn;

	if (!credentials.n || str_eq(credentials, S("arn:aws:iam::*:user/*")))
		return 0;
	if (!arn_parse(credentials, &arn))
		return apigw_bad_request(c, "Invalid ARN specified in the request");
	if (!str_eq(arn.account, c->account))
		return apigw_bad_request(c, "Cross-account pass role is not allowed.");
	return 0;
}

int integration_check(struct apigw_change *c, struct apigateway_integration *i)
{
	bool http = is_type(i, "HTTP") || is_type(i, "HTTP_PROXY");

	TRY(check_unsupported(c, i));
	if (!i->passthrough_behavior.n)
		i->passthrough_behavior = S("WHEN_NO_MATCH");
	if (!str_eq(i->passthrough_behavior, S("WHEN_NO_MATCH")) &&
	        !str_eq(i->passthrough_behavior, S("WHEN_NO_TEMPLATES")) &&
	        !str_eq(i->passthrough_behavior, S("NEVER")))
		return apigw_bad_request(c, "Invalid passthrough behavior specified");
	if (http && !i->connection_type.n)
		i->connection_type = S("INTERNET");
	if (!i->timeout_in_millis.set)
		i->timeout_in_millis = opt_int(TIMEOUT_MAX_MS);
	if (i->timeout_in_millis.v < 50 || i->timeout_in_millis.v > TIMEOUT_MAX_MS)
		return apigw_bad_request(c, "Timeout should be between 50 ms and 29000 ms");
	if (is_type(i, "MOCK"))
		return 0;
	if (!i->http_method.n)
		return apigw_bad_request(c, "Enumeration value for HttpMethod must be non-empty");
	TRY(check_credentials(c, i->credentials));
	return check_uri(c, i);
}

static struct apigateway_integration of_input(const struct apigateway_put_integration_in *in)
{
	return (struct apigateway_integration){
		.type = in->type,
		.http_method = in->integration_http_method,
		.uri = in->uri,
		.connection_type = in->connection_type,
		.connection_id = in->connection_id,
		.credentials = in->credentials,
		.request_parameters = in->request_parameters,
		.request_templates = in->request_templates,
		.passthrough_behavior = in->passthrough_behavior,
		.content_handling = in->content_handling,
		.timeout_in_millis = in->timeout_in_millis,
		.cache_namespace = in->cache_namespace.n ? in->cache_namespace : in->resource_id,
		.cache_key_parameters = in->cache_key_parameters,
		.tls_config = in->tls_config,
		.response_transfer_mode = in->response_transfer_mode,
		.integration_target = in->integration_target,
	};
}

static int put(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_put_integration_in *in = in_;
	struct apigateway_method *m = apigw_method(c, in->resource_id, in->http_method);

	if (!m)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	struct apigateway_integration *i = arena_new(c->arena, struct apigateway_integration);
	*i = of_input(in);
	if (!i->cache_key_parameters.v)
		i->cache_key_parameters.v = arena_alloc(c->arena, 1);
	TRY(integration_check(c, i));
	m->method_integration = i;
	*(struct apigateway_integration *)out = *i;
	return 0;
}

int apigateway_put_integration(struct task *t, const struct apigateway_put_integration_in *in,
        struct apigateway_put_integration_out *out)
{
	return apigw_change(t, in->rest_api_id, put, in, out);
}

static int get(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_get_integration_in *in = in_;
	const struct apigateway_integration *i =
	        apigw_integration(c, in->resource_id, in->http_method);

	if (!i)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	*(struct apigateway_integration *)out = *i;
	return 0;
}

int apigateway_get_integration(struct task *t, const struct apigateway_get_integration_in *in,
        struct apigateway_get_integration_out *out)
{
	return apigw_look(t, in->rest_api_id, get, in, out);
}

static int update(struct apigw_change *c, const void *in_, void *out)
{
	static const struct patch_rule rules[] = {
		{ "/type", PATCH_REPLACE },
		{ "/httpMethod", PATCH_REPLACE },
		{ "/uri", PATCH_REPLACE },
		{ "/credentials", PATCH_REPLACE },
		{ "/passthroughBehavior", PATCH_REPLACE },
		{ "/contentHandling", PATCH_REPLACE },
		{ "/timeoutInMillis", PATCH_REPLACE },
		{ "/cacheNamespace", PATCH_REPLACE },
		{ "/cacheKeyParameters/", PATCH_ALL },
		{ "/connectionType", PATCH_REPLACE },
		{ "/connectionId", PATCH_REPLACE },
		{ "/requestParameters/", PATCH_ALL },
		{ "/requestTemplates/", PATCH_ALL },
		{ "/tlsConfig/insecureSkipVerification", PATCH_REPLACE },
	};
	const struct apigateway_update_integration_in *in = in_;
	struct apigateway_integration *i = apigw_integration(c, in->resource_id, in->http_method);

	if (!i)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	TRY(patch_apply(
	        c, &in->patch_operations, PATCH_TARGET(&apigateway_shape_integration, i, rules)));
	TRY(integration_check(c, i));
	*(struct apigateway_integration *)out = *i;
	return 0;
}

int apigateway_update_integration(struct task *t, const struct apigateway_update_integration_in *in,
        struct apigateway_update_integration_out *out)
{
	return apigw_change(t, in->rest_api_id, update, in, out);
}

static int drop(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_delete_integration_in *in = in_;

	if (!apigw_integration(c, in->resource_id, in->http_method))
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	apigw_method(c, in->resource_id, in->http_method)->method_integration = NULL;
	return 0;
}

int apigateway_delete_integration(struct task *t, const struct apigateway_delete_integration_in *in,
        struct apigateway_delete_integration_out *out)
{
	return apigw_change(t, in->rest_api_id, drop, in, out);
}
