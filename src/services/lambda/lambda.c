/* lambda: the service's table. */
#include "services/lambda/lambda.h"

#include "kv/jobs.h"
#include "services/lambda/function.h"
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
};

static const struct api_route routes[] = {
	{ lambda_package_match, lambda_package_serve },
	{ lambda_operate_match, lambda_operate_serve },
};

static int start(struct task *t)
{
	kv_job_handler(
	        loop_get(task_loop(t), LOOP_KV), S("lambda-async"), 100, lambda_async_deliver);
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
