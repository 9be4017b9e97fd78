/* wire_test: requests and answers in each protocol, with the real services' shapes. */
#include "api/wire_internal.h"

#include "api/api_engine.h"
#include "api/record.h"
#include "iam_gen.h"
#include "lambda_gen.h"
#include "logs_gen.h"
#include "s3_gen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* Tests run inside a task with a call. */
struct case_ {
	int (*fn)(struct task *t, struct call *c);
};

static int in_task(struct task *t, void *arg)
{
	struct case_ *test = arg;

	api_call_push(t, NULL, NULL);
	assert_int_equal(test->fn(t, call_of(t)), 0);
	return 0;
}

static void run(int (*fn)(struct task *t, struct call *c))
{
	struct loop *loop = loop_new();
	struct case_ test = { fn };

	task_start(loop, "test", in_task, &test);
	loop_run(loop);
	loop_free(loop);
}

static void assert_str(struct str got, struct str wanted)
{
	if (!str_eq(got, wanted))
		fail_msg("got:    %.*s\nwanted: %.*s", STR(got), STR(wanted));
}

static struct http_request request(struct str method, struct str target)
{
	struct str query = target;
	struct str path = str_cut(&query, '?');

	return (struct http_request){
		.method = method, .target = target, .path = path, .query = query
	};
}

static void serve(struct task *t, struct call *c, const struct shape_service *model)
{
	struct api_service *s = arena_new(task_arena(t), struct api_service);

	s->model = model;
	c->service = s;
}

/* Routes and decodes. */
static int take(struct task *t, const struct shape_service *model, struct http_request *http,
        struct str body, void **in)
{
	struct call *c = call_of(t);
	struct wire_request r = { .service = model, .http = http, .body = body };

	serve(t, c, model);
	TRY(wire_route(task_arena(t), model, http, body, &r.operation, &r.labels, &r.n_labels));
	c->operation = r.operation;
	*in = arena_alloc(task_arena(t), r.operation->in->size);
	return wire_decode(t, &r, *in);
}

static const char *routed(
        struct task *t, const struct shape_service *model, const char *method, const char *target)
{
	struct http_request http = request(str_of(method), str_of(target));
	const struct shape_operation *op = NULL;
	struct str *labels;
	size_t n;

	if (wire_route(task_arena(t), model, &http, S(""), &op, &labels, &n) != 0)
		return "none";
	return str_cstr(task_arena(t), op->name);
}

static int routes(struct task *t, struct call *c)
{
	static const struct {
		const struct shape_service *model;
		const char *method, *target, *operation;
	} rows[] = {
		{ &lambda_model, "POST", "/2015-03-31/functions", "CreateFunction" },
		{ &lambda_model, "GET", "/2015-03-31/functions/", "ListFunctions" },
		{ &lambda_model, "POST", "/2015-03-31/functions/a%3Ab/invocations", "Invoke" },
		{ &lambda_model, "GET", "/2015-03-31/functions/a/versions?Marker=1",
		        "ListVersionsByFunction" },
		{ &lambda_model, "GET", "/2015-03-31/functions//versions", "none" },
		{ &lambda_model, "GET", "/nothing", "none" },
		{ &s3_model, "GET", "/", "ListBuckets" },
		{ &s3_model, "GET", "/b", "ListObjects" },
		{ &s3_model, "GET", "/b/", "ListObjects" },
		{ &s3_model, "GET", "/b?list-type=2&prefix=x", "ListObjectsV2" },
		{ &s3_model, "GET", "/b?versioning", "GetBucketVersioning" },
		{ &s3_model, "GET", "/b/a/b//c?x-id=GetObject", "GetObject" },
		{ &s3_model, "PUT", "/b/k", "PutObject" },
		{ &s3_model, "PUT", "/b/k?partNumber=1&uploadId=x", "UploadPart" },
		{ &s3_model, "POST", "/b/k?uploads", "CreateMultipartUpload" },
		{ &s3_model, "POST", "/b/k?uploadId=x", "CompleteMultipartUpload" },
		{ &s3_model, "POST", "/b?delete", "DeleteObjects" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *got = routed(t, rows[i].model, rows[i].method, rows[i].target);
		if (strcmp(got, rows[i].operation) != 0)
			fail_msg("%s %s: %s", rows[i].method, rows[i].target, got);
	}
	return 0;
}

static int rest_json(struct task *t, struct call *c)
{
	struct http_request http = request(S("POST"), S("/2015-03-31/functions"));
	struct lambda_create_function_in *in;
	void *got;

	TRY(take(t, &lambda_model, &http,
	        S("{\"FunctionName\":\"f\",\"Role\":\"arn:aws:iam::1:role/"
	          "r\",\"Code\":{\"ZipFile\":\"aGk=\"},"
	          "\"Timeout\":7,\"Publish\":true,\"Environment\":{\"Variables\":{\"A\":\"1\","
	          "\"B\":null}},"
	          "\"Layers\":[\"x\",\"y\"],\"Unknown\":[{}]}"),
	        &got));
	in = got;
	assert_str(in->function_name, S("f"));
	assert_str(in->code->zip_file, S("hi"));
	assert_true(in->timeout.set && in->timeout.v == 7);
	assert_true(in->publish.v);
	assert_int_equal(in->environment->variables.n, 1);
	assert_str(in->environment->variables.v[0].value, S("1"));
	assert_int_equal(in->layers.n, 2);
	assert_null(in->runtime.p);
	return 0;
}

static int rest_json_outside_the_body(struct task *t, struct call *c)
{
	struct http_request http =
	        request(S("POST"), S("/2015-03-31/functions/a%3Ab/invocations?Qualifier=3"));
	struct lambda_invoke_in *in;
	void *got;

	http_header_add(task_arena(t), &http.headers, S("x-amz-invocation-type"), S("Event"));
	TRY(take(t, &lambda_model, &http, S("{\"n\": 1}"), &got));
	in = got;
	assert_str(in->function_name, S("a:b"));
	assert_str(in->qualifier, S("3"));
	assert_str(in->invocation_type, S("Event"));
	assert_str(in->payload, S("{\"n\": 1}"));
	return 0;
}

static int wrong_types(struct task *t, struct call *c)
{
	static const struct {
		const char *body, *message;
	} rows[] = {
		{ "{\"FunctionName\":1}", "NUMBER_VALUE cannot be converted to String" },
		{ "{\"Timeout\":\"x\"}", "STRING_VALUE cannot be converted to Integer" },
		{ "{\"Timeout\":3000000000}", "NUMBER_VALUE cannot be converted to Integer" },
		{ "{\"FunctionName\":{}}", "Start of structure or map found where not expected." },
		{ "{\"Code\":{\"ZipFile\":\"*\"}}",
		        "Unable to decode base64: the value is not valid base64" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_request http = request(S("POST"), S("/2015-03-31/functions"));
		void *got;
		assert_int_equal(take(t, &lambda_model, &http, str_of(rows[i].body), &got),
		        API_ERROR_SERIALIZATION);
		assert_str(c->failure.name, S("SerializationException"));
		assert_str(c->failure.message, str_of(rows[i].message));
	}
	return 0;
}

static int query(struct task *t, struct call *c)
{
	struct http_request http = request(S("POST"), S("/"));
	struct iam_create_role_in *in;
	void *got;

	TRY(take(t, &iam_model, &http,
	        S("Action=CreateRole&Version=2010-05-08&RoleName=r&AssumeRolePolicyDocument=%7B%7D"
	          "&Tags.member.2.Key=b&Tags.member.2.Value=2&Tags.member.1.Key=a&Tags.member.1."
	          "Value=1+1"
	          "&MaxSessionDuration=3600"),
	        &got));
	in = got;
	assert_str(in->role_name, S("r"));
	assert_str(in->assume_role_policy_document, S("{}"));
	assert_int_equal(in->tags.n, 2);
	assert_str(in->tags.v[0].key, S("a"));
	assert_str(in->tags.v[0].value, S("1 1"));
	assert_str(in->tags.v[1].key, S("b"));
	assert_int_equal(in->max_session_duration.v, 3600);
	return 0;
}

static int rest_xml(struct task *t, struct call *c)
{
	struct http_request http = request(S("POST"), S("/b?delete"));
	struct s3_delete_objects_in *in;
	void *got;

	TRY(take(t, &s3_model, &http,
	        S("<Delete "
	          "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a&amp;b</Key></"
	          "Object>"
	          "<Object><Key>c</Key></Object><Quiet>true</Quiet></Delete>"),
	        &got));
	in = got;
	assert_str(in->bucket, S("b"));
	assert_int_equal(in->delete->objects.n, 2);
	assert_str(in->delete->objects.v[0].key, S("a&b"));
	assert_true(in->delete->quiet.v);
	assert_int_equal(take(t, &s3_model, &http, S("<Delete>"), &got), API_ERROR_SERIALIZATION);
	assert_str(c->failure.name, S("MalformedXML"));
	return 0;
}

static int json_answer(struct task *t, struct call *c)
{
	struct logs_log_group groups[1] = { { .log_group_name = S("/g\"1"),
		.creation_time = opt_int(5) } };
	struct logs_describe_log_groups_out out = { .log_groups = { groups, 1 } };
	struct wire_response r = { 0 };

	serve(t, c, &logs_model);
	c->operation = &logs_model.operations[logs_OP_DESCRIBE_LOG_GROUPS];
	wire_encode(t, c, &out, &r);
	assert_str(
	        r.body, S("{\"logGroups\":[{\"logGroupName\":\"/g\\\"1\",\"creationTime\":5}]}"));
	assert_str(http_header_get(&r.headers, S("content-type")), S("application/x-amz-json-1.1"));
	assert_int_equal(r.status, 200);
	out = (struct logs_describe_log_groups_out){ 0 };
	r = (struct wire_response){ 0 };
	wire_encode(t, c, &out, &r);
	assert_str(r.body, S("{\"logGroups\":[]}"));
	return 0;
}

static int query_answer(struct task *t, struct call *c)
{
	struct iam_role role = {
		.role_name = S("r<"), .path = S("/"), .create_date = opt_time(1769860800000)
	};
	struct iam_get_role_out out = { .role = &role };
	struct wire_response r = { 0 };

	serve(t, c, &iam_model);
	c->operation = &iam_model.operations[iam_OP_GET_ROLE];
	c->request_id = S("id");
	wire_encode(t, c, &out, &r);
	assert_str(r.body,
	        S("<GetRoleResponse "
	          "xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetRoleResult><Role>"
	          "<Path>/</Path><RoleName>r&lt;</RoleName><CreateDate>2026-01-31T12:00:00Z</"
	          "CreateDate>"
	          "</Role></GetRoleResult><ResponseMetadata><RequestId>id</RequestId></"
	          "ResponseMetadata>"
	          "</GetRoleResponse>"));
	return 0;
}

static int xml_answers(struct task *t, struct call *c)
{
	struct s3_get_bucket_location_out location = { .location_constraint = S("eu-west-1") };
	struct s3_head_object_out head = { .content_length = opt_int(3),
		.last_modified = opt_time(1769860800000) };
	struct wire_response r = { 0 };

	serve(t, c, &s3_model);
	c->operation = &s3_model.operations[s3_OP_GET_BUCKET_LOCATION];
	wire_encode(t, c, &location, &r);
	assert_str(r.body, S("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LocationConstraint "
	                     "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">eu-west-1</"
	                     "LocationConstraint>"));
	r = (struct wire_response){ 0 };
	c->operation = &s3_model.operations[s3_OP_HEAD_OBJECT];
	wire_encode(t, c, &head, &r);
	assert_str(http_header_get(&r.headers, S("Last-Modified")),
	        S("Sat, 31 Jan 2026 12:00:00 GMT"));
	assert_int_equal(r.body.n, 0);
	return 0;
}

static int errors(struct task *t, struct call *c)
{
	struct wire_response r = { 0 };
	struct lambda_too_many_requests_exception detail = { .reason = S("CallerRateLimitExceeded"),
		.retry_after_seconds = S("1") };

	serve(t, c, &lambda_model);
	c->operation = &lambda_model.operations[lambda_OP_INVOKE];
	fail_with(t, LAMBDA_TOO_MANY_REQUESTS_EXCEPTION, &detail, "Rate Exceeded.");
	wire_encode_error(t, c, &r);
	assert_int_equal(r.status, 429);
	assert_str(
	        http_header_get(&r.headers, S("x-amzn-ErrorType")), S("TooManyRequestsException"));
	assert_str(http_header_get(&r.headers, S("Retry-After")), S("1"));
	assert_str(r.body, S("{\"Type\":\"User\",\"Reason\":\"CallerRateLimitExceeded\","
	                     "\"message\":\"Rate Exceeded.\"}"));

	r = (struct wire_response){ 0 };
	serve(t, c, &s3_model);
	fail_named(t, "NoSuchBucket", 404, "The specified bucket does not exist");
	fail_element(t, S("BucketName"), S("b"));
	c->request_id = S("id");
	wire_encode_error(t, c, &r);
	assert_true(str_find(r.body, S("<Code>NoSuchBucket</Code><Message>The specified bucket "
	                               "does not exist</Message>"
	                               "<BucketName>b</BucketName><RequestId>id</RequestId>")) > 0);
	return 0;
}

static int constraints(struct task *t, struct call *c)
{
	struct lambda_function_code code = { 0 };
	struct lambda_create_function_in in = { 0 };

	in.function_name = S("a b");
	in.timeout = opt_int(0);
	in.runtime = S("cobol");
	in.code = &code;
	serve(t, c, &lambda_model);
	assert_int_equal(wire_validate(t, &lambda_model,
	                         lambda_model.operations[lambda_OP_CREATE_FUNCTION].in, &in),
	        API_ERROR_VALIDATION);
	assert_true(str_starts(c->failure.message, S("4 validation errors detected: ")));
	assert_true(
	        str_find(c->failure.message,
	                S("Value 'a b' at 'functionName' failed to satisfy constraint: Member must "
	                  "satisfy regular expression pattern: ")) > 0);
	assert_true(str_find(c->failure.message, S("Value null at 'role' failed to satisfy "
	                                           "constraint: Member must not be null")) > 0);
	assert_true(str_find(c->failure.message, S("Value '0' at 'timeout' failed to satisfy "
	                                           "constraint: Member must have value greater "
	                                           "than or equal to 1")) > 0);
	assert_true(str_find(c->failure.message, S("Value 'cobol' at 'runtime' failed to satisfy "
	                                           "constraint: Member must satisfy enum "
	                                           "value set: [")) > 0);
	return 0;
}

static int records(struct task *t, struct call *c)
{
	struct arena *a = task_arena(t);
	struct lambda_environment_variables_entry variable = { S("K"), S("v\0w") };
	struct lambda_environment_response environment = { .variables = { &variable, 1 } };
	struct lambda_function_configuration in = { .function_name = S("f"),
		.timeout = opt_int(-3),
		.environment = &environment,
		.description = S("") },
	                                     out = { 0 };
	const struct shape *shape = &lambda_shape_function_configuration;
	struct str bytes = record_pack(a, shape, &in);

	assert_int_equal(record_unpack(a, shape, bytes, &out), 0);
	assert_str(out.function_name, S("f"));
	assert_true(out.description.p && out.description.n == 0);
	assert_int_equal(out.timeout.v, -3);
	assert_str(out.environment->variables.v[0].value, S("v\0w"));
	assert_null(out.role.p);
	for (size_t n = 0; n < bytes.n; n++)
		assert_int_equal(record_unpack(a, shape, str_sub(bytes, 0, n), &out), -EPROTO);
	char *other = arena_bytes(a, bytes.n);
	memcpy(other, bytes.p, bytes.n);
	other[0] = 2;
	assert_int_equal(record_unpack(a, shape, (struct str){ other, bytes.n }, &out), -EPROTO);
	return 0;
}

static int json_form(struct task *t, struct call *c)
{
	struct arena *a = task_arena(t);
	const struct shape *shape = lambda_model.operations[lambda_OP_INVOKE].in;
	struct lambda_invoke_in in = { 0 };

	assert_int_equal(
	        wire_from_json(a, shape, S("{\"FunctionName\":\"f\",\"Payload\":\"e30=\"}"), &in),
	        0);
	assert_str(in.payload, S("{}"));
	assert_str(wire_to_json(a, shape, &in), S("{\"FunctionName\":\"f\",\"Payload\":\"e30=\"}"));
	return 0;
}

#define CASE(name)                            \
	static void test_##name(void **state) \
	{                                     \
		run(name);                    \
	}
CASE(routes)
CASE(rest_json)
CASE(rest_json_outside_the_body)
CASE(wrong_types)
CASE(query)
CASE(rest_xml)
CASE(json_answer)
CASE(query_answer)
CASE(xml_answers)
CASE(errors)
CASE(constraints)
CASE(records)
CASE(json_form)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_rest_json),
		cmocka_unit_test(test_rest_json_outside_the_body),
		cmocka_unit_test(test_wrong_types),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_rest_xml),
		cmocka_unit_test(test_json_answer),
		cmocka_unit_test(test_query_answer),
		cmocka_unit_test(test_xml_answers),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_constraints),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_json_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
