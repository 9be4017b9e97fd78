/* The pure parts: the lineage of a trace header, layer ARNs, CORS. */
#include "services/lambda/cors.h"
#include "services/lambda/layer.h"
#include "services/lambda/recursion.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define ARN S("arn:aws:lambda:us-east-1:000000000000:function:f")

static bool next(struct arena *a, struct str came, const char *loop, struct str *trace)
{
	struct lambda_function_record r = { .recursive_loop = str_of(loop) };

	return lambda_trace_next(a, ARN, &r, came, trace);
}

static void lineage_counts(void **state)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct str trace = S("Root=1-a-b;Sampled=1");

	for (int n = 0; n < 16; n++) {
		assert_true(next(a, trace, NULL, &trace));
		assert_true(str_starts(trace, S("Root=1-a-b;Sampled=1;Lineage=1:")));
		assert_true(str_ends(trace, str_printf(a, ":%d", n)));
	}
	assert_true(next(a, trace, "Allow", &(struct str){ 0 }));
	assert_false(next(a, trace, NULL, &trace));
}

static void lineage_keeps_others(void **state)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct str trace, own;

	assert_true(next(a, S("Root=r"), NULL, &own));
	own = str_sub(own, (size_t)str_find(own, S("1:")), own.n);
	/* The SDKs escape the bar. */
	struct str came = str_concat(a, 3, S("Root=r;Lineage=1:0badcafe:3%7C"), own, S("|x"));
	assert_true(next(a, came, NULL, &trace));
	assert_true(str_ends(trace, S(":1|1:0badcafe:3|x")));
	assert_true(next(a, S("nonsense;;Lineage=:::|||"), NULL, &trace));
	assert_true(str_starts(trace, S("Root=1-")));
}

static void layer_arns(void **state)
{
	struct lambda_layer_ref ref;

	assert_true(lambda_layer_arn_parse(
	        S("arn:aws:lambda:us-east-1:123456789012:layer:name:7"), &ref));
	assert_true(str_eq(ref.name, S("name")) && ref.version == 7);
	assert_true(lambda_layer_arn_parse(
	        S("arn:aws:lambda:us-east-1:123456789012:layer:name"), &ref));
	assert_true(str_eq(ref.name, S("name")) && ref.version == 0);
	assert_false(lambda_layer_arn_parse(
	        S("arn:aws:lambda:us-east-1:123456789012:layer:name:x"), &ref));
	assert_false(lambda_layer_arn_parse(
	        S("arn:aws:lambda:us-east-1:123456789012:function:name"), &ref));
	assert_false(lambda_layer_arn_parse(S("name"), &ref));
}

static struct http_request request(struct arena *a, const char *method, struct str origin)
{
	struct http_request r = { .method = str_of(method) };

	http_header_add(a, &r.headers, S("Origin"), origin);
	http_header_add(a, &r.headers, S("Access-Control-Request-Method"), S("GET"));
	return r;
}

static void cors_origins(void **state)
{
	static const struct {
		struct str allowed, origin, answer;
	} cases[] = {
		{ S_INIT("*"), S_INIT("https://a"), S_INIT("*") },
		{ S_INIT("https://a"), S_INIT("https://a"), S_INIT("https://a") },
		{ S_INIT("https://*.a"), S_INIT("https://b.a"), S_INIT("https://b.a") },
		{ S_INIT("https://a"), S_INIT("https://b"), { NULL, 0 } },
	};
	CLEANUP(arena_destroyp) struct arena *a = arena_create();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str allowed = cases[i].allowed;
		struct lambda_cors cors = { .allow_origins = { &allowed, 1 } };
		struct http_request r = request(a, "GET", cases[i].origin);
		struct http_headers answer = { 0 };
		http_header_add(a, &answer, S("Access-Control-Allow-Origin"), S("own"));
		cors_apply(a, &cors, &r, &answer);
		struct str got = http_header_get(&answer, S("access-control-allow-origin"));
		assert_true(str_eq(got, cases[i].answer) && !got.p == !cases[i].answer.p);
	}
}

static void cors_preflights(void **state)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct http_request get = request(a, "GET", S("https://a"));
	struct http_request options = request(a, "OPTIONS", S("https://a"));

	assert_false(cors_is_preflight(&get));
	assert_true(cors_is_preflight(&options));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lineage_counts),
		cmocka_unit_test(lineage_keeps_others),
		cmocka_unit_test(layer_arns),
		cmocka_unit_test(cors_origins),
		cmocka_unit_test(cors_preflights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
