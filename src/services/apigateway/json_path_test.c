/* Tests of JSONPath, JSON Schema and path matching: what requests are looked at with. */
#include "services/apigateway/json_path.h"
#include "services/apigateway/json_schema.h"
#include "services/apigateway/path_match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char *document =
        "{\"store\":{\"book\":[{\"t\":\"A\",\"price\":8.95},{\"t\":\"B\",\"price\":12.99,"
        "\"isbn\":\"1\"},{\"t\":\"C\",\"price\":22}],\"x-y\":{\"price\":19.95}}}";

/* The results as JSON, one after another. */
static struct str found(struct arena *a, const char *path)
{
	struct json_path_result r;
	struct buf b = buf_init(a);
	yyjson_val *root;

	assert_int_equal(json_parse(a, str_of(document), &root), 0);
	if (json_path(a, root, str_of(path), &r) != 0)
		return S("bad");
	for (size_t i = 0; i < r.n; i++)
		buf_printf(&b, "%s%.*s", i ? " " : "", STR(json_text(a, r.v[i])));
	return buf_str(&b);
}

static void test_paths(void **state)
{
	static const struct {
		const char *path, *text;
	} v[] = {
		{ "$.store.book[0].t", "\"A\"" },
		{ "store.book[1].t", "\"B\"" },
		{ "$['store']['x-y'].price", "19.95" },
		{ "$.store.x-y.price", "19.95" },
		{ "$.store.book[*].t", "\"A\" \"B\" \"C\"" },
		{ "$.store.book[-1].t", "\"C\"" },
		{ "$.store.book[0:2].t", "\"A\" \"B\"" },
		{ "$.store.book[0,2].t", "\"A\" \"C\"" },
		{ "$..price", "8.95 12.99 22 19.95" },
		{ "$.store.book[?(@.price < 10)].t", "\"A\"" },
		{ "$.store.book[?(@.isbn)].t", "\"B\"" },
		{ "$.store.book[?(@.t == 'C' || @.price == 8.95)].t", "\"A\" \"C\"" },
		{ "$.none.x", "" },
		{ "$.store.", "bad" },
		{ "$[", "bad" },
		{ "$.store.book[?(@.t]", "bad" },
	};
	struct arena *a = arena_create();

	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		assert_string_equal(str_cstr(a, found(a, v[i].path)), v[i].text);
	arena_destroy(a);
}

static void test_schema(void **state)
{
	static const struct {
		const char *schema, *body;
		bool good;
	} v[] = {
		{ "{\"type\":\"object\",\"required\":[\"a\"]}", "{\"a\":1}", true },
		{ "{\"type\":\"object\",\"required\":[\"a\"]}", "{}", false },
		{ "{\"type\":\"object\"}", "not json", false },
		{ "{\"properties\":{\"a\":{\"type\":\"integer\",\"minimum\":2}}}", "{\"a\":1}",
		        false },
		{ "{\"properties\":{\"a\":{\"type\":\"number\"}}}", "{\"a\":1}", true },
		{ "{\"additionalProperties\":false,\"properties\":{\"a\":{}}}", "{\"b\":1}",
		        false },
		{ "{\"items\":{\"type\":\"string\",\"maxLength\":2}}", "[\"ab\",\"abc\"]", false },
		{ "{\"enum\":[1,\"x\"]}", "\"x\"", true },
		{ "{\"pattern\":\"^a+$\"}", "\"ab\"", false },
		{ "{\"oneOf\":[{\"type\":\"string\"},{\"minLength\":1}]}", "\"x\"", false },
		{ "{\"definitions\":{\"t\":{\"type\":\"string\"}},\"$ref\":\"#/definitions/t\"}",
		        "1", false },
		{ "{\"$ref\":\"#\"}", "1", false },
		{ "{\"not\":{\"type\":\"null\"}}", "null", false },
	};
	struct arena *a = arena_create();

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct json_schema s = { .schema = str_of(v[i].schema) };
		struct str why;
		assert_int_equal(json_schema_check(a, &s, str_of(v[i].body), &why) == 0, v[i].good);
	}
	arena_destroy(a);
}

static void test_match(void **state)
{
	static const struct {
		const char *template, *path;
		bool fits;
	} v[] = {
		{ "/", "/", true },
		{ "/pets", "/pets/", true },
		{ "/pets", "/pet", false },
		{ "/pets/{id}", "/pets/7", true },
		{ "/pets/{id}", "/pets", false },
		{ "/pets/{id}", "/pets/7/x", false },
		{ "/{proxy+}", "/a/b/c", true },
		{ "/{proxy+}", "/", false },
		{ "/a/{proxy+}", "/a", false },
	};
	struct arena *a = arena_create();
	struct http_headers params = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		assert_int_equal(
		        path_match(a, str_of(v[i].template), str_of(v[i].path), NULL), v[i].fits);
	assert_true(path_match(a, S("/a/{x}/{proxy+}"), S("/a/1%20/b/c"), &params));
	assert_true(str_eq(http_header_get(&params, S("x")), S("1%20")));
	assert_true(str_eq(http_header_get(&params, S("proxy")), S("b/c")));
	assert_true(path_match_compare(S("/a/b"), S("/a/{x}")) < 0);
	assert_true(path_match_compare(S("/{proxy+}"), S("/{x}/b")) > 0);
	arena_destroy(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_schema),
		cmocka_unit_test(test_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
