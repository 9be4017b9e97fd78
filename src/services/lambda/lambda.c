/* lambda: the service's table. */
#include "services/lambda/lambda.h"

#include "kv/jobs.h"
#include "services/lambda/async.h"
#include "services/lambda/destination.h"
#include "services/lambda/function_url.h"
#include "services/lambda/layer.h"
#include "services/lambda/operate.h"
#include "services/lambda/route.h"

static int on_resource(struct task *t, const void *in, struct api_access *access)
{
	/* ListTags, TagResource and UntagResource: their first member is the ARN. */
	access->resource = *(const struct str *)in;
	return 0;
}

static const struct api_row rows[] = {
	API_ROW(lambda, ADD_PERMISSION, add_permission, .authorize = lambda_on_function),
	API_ROW(lambda, CREATE_FUNCTION, create_function, .authorize = lambda_on_function),
	API_ROW(lambda, DELETE_FUNCTION, delete_function, .authorize = lambda_on_function),
	API_ROW(lambda, DELETE_FUNCTION_CONCURRENCY, delete_function_concurrency,
	        .authorize = lambda_on_function),
	API_ROW(lambda, GET_ACCOUNT_SETTINGS, get_account_settings),
	API_ROW(lambda, GET_FUNCTION, get_function, .authorize = lambda_on_function),
	API_ROW(lambda, GET_FUNCTION_CONCURRENCY, get_function_concurrency,
	        .authorize = lambda_on_function),
	API_ROW(lambda, GET_FUNCTION_CONFIGURATION, get_function_configuration,
	        .authorize = lambda_on_function),
	API_ROW(lambda, GET_POLICY, get_policy, .authorize = lambda_on_function),
	API_ROW(lambda, INVOKE, invoke, .action = "lambda:InvokeFunction",
	        .authorize = lambda_on_function),
	API_ROW(lambda, INVOKE_WITH_RESPONSE_STREAM, invoke_with_response_stream,
	        .action = "lambda:InvokeFunction", .authorize = lambda_on_function),
	API_ROW(lambda, INVOKE_ASYNC, invoke_async, .action = "lambda:InvokeFunction",
	        .authorize = lambda_on_function),
	API_ROW(lambda, LIST_FUNCTIONS, list_functions),
	API_ROW(lambda, LIST_TAGS, list_tags, .authorize = on_resource),
	API_ROW(lambda, LIST_VERSIONS_BY_FUNCTION, list_versions_by_function,
	        .authorize = lambda_on_function),
	API_ROW(lambda, PUBLISH_VERSION, publish_version, .authorize = lambda_on_function),
	API_ROW(lambda, PUT_FUNCTION_CONCURRENCY, put_function_concurrency,
	        .authorize = lambda_on_function),
	API_ROW(lambda, REMOVE_PERMISSION, remove_permission, .authorize = lambda_on_function),
	API_ROW(lambda, TAG_RESOURCE, tag_resource, .authorize = on_resource),
	API_ROW(lambda, UNTAG_RESOURCE, untag_resource, .authorize = on_resource),
	API_ROW(lambda, UPDATE_FUNCTION_CODE, update_function_code,
	        .authorize = lambda_on_function),
	API_ROW(lambda, UPDATE_FUNCTION_CONFIGURATION, update_function_configuration,
	        .authorize = lambda_on_function),
	API_ROW(lambda, ADD_LAYER_VERSION_PERMISSION, add_layer_version_permission,
	        .authorize = lambda_on_layer),
	API_ROW(lambda, CREATE_ALIAS, create_alias, .authorize = lambda_on_function),
	API_ROW(lambda, CREATE_FUNCTION_URL_CONFIG, create_function_url_config,
	        .authorize = lambda_on_function),
	API_ROW(lambda, DELETE_ALIAS, delete_alias, .authorize = lambda_on_function),
	API_ROW(lambda, DELETE_FUNCTION_EVENT_INVOKE_CONFIG, delete_function_event_invoke_config,
	        .authorize = lambda_on_function),
	API_ROW(lambda, DELETE_FUNCTION_URL_CONFIG, delete_function_url_config,
	        .authorize = lambda_on_function),
	API_ROW(lambda, DELETE_LAYER_VERSION, delete_layer_version, .authorize = lambda_on_layer),
	API_ROW(lambda, GET_ALIAS, get_alias, .authorize = lambda_on_function),
	API_ROW(lambda, GET_FUNCTION_EVENT_INVOKE_CONFIG, get_function_event_invoke_config,
	        .authorize = lambda_on_function),
	API_ROW(lambda, GET_FUNCTION_RECURSION_CONFIG, get_function_recursion_config,
	        .authorize = lambda_on_function),
	API_ROW(lambda, GET_FUNCTION_URL_CONFIG, get_function_url_config,
	        .authorize = lambda_on_function),
	API_ROW(lambda, GET_LAYER_VERSION, get_layer_version, .authorize = lambda_on_layer),
	API_ROW(lambda, GET_LAYER_VERSION_BY_ARN, get_layer_version_by_arn,
	        .action = "lambda:GetLayerVersion", .authorize = lambda_on_layer_arn),
	API_ROW(lambda, GET_LAYER_VERSION_POLICY, get_layer_version_policy,
	        .authorize = lambda_on_layer),
	API_ROW(lambda, GET_RUNTIME_MANAGEMENT_CONFIG, get_runtime_management_config,
	        .authorize = lambda_on_function),
	API_ROW(lambda, LIST_ALIASES, list_aliases, .authorize = lambda_on_function),
	API_ROW(lambda, LIST_FUNCTION_EVENT_INVOKE_CONFIGS, list_function_event_invoke_configs,
	        .authorize = lambda_on_function),
	API_ROW(lambda, LIST_FUNCTION_URL_CONFIGS, list_function_url_configs,
	        .authorize = lambda_on_function),
	API_ROW(lambda, LIST_LAYERS, list_layers),
	API_ROW(lambda, LIST_LAYER_VERSIONS, list_layer_versions),
	API_ROW(lambda, PUBLISH_LAYER_VERSION, publish_layer_version, .authorize = lambda_on_layer),
	API_ROW(lambda, PUT_FUNCTION_EVENT_INVOKE_CONFIG, put_function_event_invoke_config,
	        .authorize = lambda_on_function),
	API_ROW(lambda, PUT_FUNCTION_RECURSION_CONFIG, put_function_recursion_config,
	        .authorize = lambda_on_function),
	API_ROW(lambda, PUT_RUNTIME_MANAGEMENT_CONFIG, put_runtime_management_config,
	        .authorize = lambda_on_function),
	API_ROW(lambda, REMOVE_LAYER_VERSION_PERMISSION, remove_layer_version_permission,
	        .authorize = lambda_on_layer),
	API_ROW(lambda, DELETE_PROVISIONED_CONCURRENCY_CONFIG,
	        delete_provisioned_concurrency_config, .authorize = lambda_on_function),
	API_ROW(lambda, GET_PROVISIONED_CONCURRENCY_CONFIG, get_provisioned_concurrency_config,
	        .authorize = lambda_on_function),
	API_ROW(lambda, PUT_PROVISIONED_CONCURRENCY_CONFIG, put_provisioned_concurrency_config,
	        .authorize = lambda_on_function),
	API_ROW(lambda, LIST_PROVISIONED_CONCURRENCY_CONFIGS, list_provisioned_concurrency_configs,
	        .authorize = lambda_on_function),
	API_ROW(lambda, UPDATE_ALIAS, update_alias, .authorize = lambda_on_function),
	API_ROW(lambda, UPDATE_FUNCTION_EVENT_INVOKE_CONFIG, update_function_event_invoke_config,
	        .authorize = lambda_on_function),
	API_ROW(lambda, UPDATE_FUNCTION_URL_CONFIG, update_function_url_config,
	        .authorize = lambda_on_function),
};

static const struct api_route routes[] = {
	{ lambda_package_match, lambda_package_serve },
	{ lambda_operate_match, lambda_operate_serve },
	{ lambda_url_match, lambda_url_serve },
};

static int start(struct task *t)
{
	struct kv *kv = loop_get(task_loop(t), LOOP_KV);

	kv_job_handler(kv, S("lambda-async"), 100, lambda_async_deliver);
	kv_job_handler(kv, S("lambda-delivery"), 20, lambda_destination_deliver);
	kv_job_handler(kv, S("lambda-snapshot"), 4, lambda_snapshot_deliver);
	lambda_provision_start(t);
	return 0;
}

const struct api_service lambda_service = {
	.model = &lambda_model,
	.iam_prefix = "lambda",
	.rows = rows,
	.n_rows = ARRAY_LEN(rows),
	.routes = routes,
	.n_routes = ARRAY_LEN(routes),
	.max_body_bytes = 70167211,
	.start = start,
};
