/* Tests of mapping templates. */
#include "services/apigateway/vtl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct http_headers headers_of(struct arena *a, const char *name, const char *value)
{
	struct http_headers h = { 0 };

	http_header_add(a, &h, str_of(name), str_of(value));
	return h;
}

static struct str rendered(struct arena *a, const char *template, const char *body)
{
	struct http_headers headers = headers_of(a, "X-Token", "abc");
	struct http_headers query = headers_of(a, "page", "2");
	struct http_headers path = headers_of(a, "id", "7");
	struct http_headers stage = headers_of(a, "env", "prod");
	struct vtl_input in = {
		.body = str_of(body),
		.headers = &headers,
		.query = &query,
		.path = &path,
		.context_json = S("{\"stage\":\"dev\",\"identity\":{\"sourceIp\":\"1.2.3.4\"}}"),
		.stage_variables = &stage,
	};
	struct vtl_output out;

	if (vtl_render(a, str_of(template), &in, &out) != 0)
		return str_concat(a, 2, S("failed: "), out.why);
	return out.text;
}

struct example {
	const char *template, *body, *text;
};

static void check_all(const struct example *v, size_t n)
{
	struct arena *a = arena_create();

	for (size_t i = 0; i < n; i++) {
		struct str text = rendered(a, v[i].template, v[i].body);
		assert_string_equal(str_cstr(a, text), v[i].text);
	}
	arena_destroy(a);
}

static void test_references(void **state)
{
	static const struct example v[] = {
		{ "plain $ text # 5", "", "plain $ text # 5" },
		{ "$nothing $!nothing|${nothing}", "", "$nothing |${nothing}" },
		{ "$context.stage $context.identity.sourceIp [$context.none]", "",
		        "dev 1.2.3.4 []" },
		{ "${stageVariables.env}s $stageVariables.get('env')", "", "prods prod" },
		{ "$input.params('id') $input.params('page') "
		  "$input.params('X-Token') ($input.params('q'))",
		        "", "7 2 abc ()" },
		{ "$input.params().path.id $input.params().get('querystring').get('page')", "",
		        "7 2" },
		{ "$input.body", "{\"a\":1}", "{\"a\":1}" },
		{ "\\$input.body", "x", "$input.body" },
		{ "mail@x.com costs $5.00.", "", "mail@x.com costs $5.00." },
		{ "#* no *#a## no\nb", "", "ab" },
		{ "$context.stage[a b]", "", "dev[a b]" },
		{ "#[[ $x #if ]]#", "", " $x #if " },
	};

	check_all(v, ARRAY_LEN(v));
}

static void test_input(void **state)
{
	static const char *body =
	        "{\"a\":{\"b\":[1,2,{\"c\":\"x\"}]},\"s\":\"he\\\"y\",\"n\":1.5,\"t\":true}";
	const struct example v[] = {
		{ "$input.json('$')", body,
		        "{\"a\":{\"b\":[1,2,{\"c\":\"x\"}]},\"s\":\"he\\\"y\",\"n\":1.5,\"t\":"
		        "true}" },
		{ "$input.json('$.a.b[0]') $input.json('$.s')", body, "1 \"he\\\"y\"" },
		{ "[$input.json('$.none')]", body, "[]" },
		{ "$input.json('$')", "", "{}" },
		{ "$input.path('$.a.b[2].c') $input.path('$').n $input.path('$').t", body,
		        "x 1.5 true" },
		{ "$input.path('$.a')", body, "{b=[1,2,{\"c\":\"x\"}]}" },
		{ "#set($r = $input.path('$'))$r.a.b[1] $r.a.b.size() $r.get('s')", body,
		        "2 3 he\"y" },
		{ "$util.escapeJavaScript($input.json('$.s'))", body, "\\\"he\\\\\\\"y\\\"" },
	};

	check_all(v, ARRAY_LEN(v));
}

static void test_directives(void **state)
{
	static const struct example v[] = {
		{ "#set($x = 1)\n#set($y = $x + 2)\n$y", "", "3" },
		{ "#if($x)a#elseif(1 == 1)b#{else}c#end", "", "b" },
		{ "#if(!$x && 2 > 1 || false)yes#end", "", "yes" },
		{ "#foreach($i in [1..3])$i#if($foreach.hasNext),#end#end", "", "1,2,3" },
		{ "#foreach($i in [3..1])$foreach.count:$i #end", "", "1:3 2:2 3:1 " },
		{ "#foreach($k in "
		  "$input.params().header.keySet())$k=$input.params().header.get($k)#end",
		        "", "X-Token=abc" },
		{ "#foreach($i in [1,2,3])#if($i == 2)#break#end$i#end!", "", "1!" },
		{ "a#stop b", "", "a" },
		{ "#macro(twice $s)$s$s#end#twice('ab')", "", "abab" },
		{ "#set($m = {'a': 1, \"b\": [2, 3]})$m.a $m.b.get(1) $m", "",
		        "1 3 {a=1, b=[2, 3]}" },
		{ "#set($l = [])#set($ok = $l.add('x'))$l.size() $l", "", "1 [x]" },
		{ "#set($m = {})$!m.put('k', 'v')$m.k #set($m.j = 2)$m.j", "", "v 2" },
		{ "#set($s = \"v=$context.stage\")$s", "", "v=dev" },
		{ "#set($s = 'v=$context.stage')$s", "", "v=$context.stage" },
	};

	check_all(v, ARRAY_LEN(v));
}

static void test_methods(void **state)
{
	static const struct example v[] = {
		{ "#set($s = ' Hello ')$s.trim().toUpperCase() $s.length()", "", "HELLO 7" },
		{ "#set($s = 'a-b-c')$s.replace('-', '+') $s.replaceAll('[ac]', 'x') "
		  "$s.split('-').size()",
		        "", "a+b+c x-b-x 3" },
		{ "#set($s = 'abc')$s.substring(1) $s.substring(0,2) $s.indexOf('c') "
		  "$s.contains('b')",
		        "", "bc ab 2 true" },
		{ "$util.base64Encode('hi') $util.base64Decode('aGk=') $util.urlEncode('a b&c') "
		  "$util.urlDecode('a+b%26c')",
		        "", "aGk= hi a+b%26c a b&c" },
		{ "$util.parseJson('{\"a\":[1]}').a[0]", "", "1" },
		{ "#set($x = 7 / 2)$x #set($y = 7 % 4)$y #set($z = 1.5 * 2)$z", "", "3 3 3.0" },
		{ "#set($x = 1 / 0)[$!x]", "", "[]" },
	};

	check_all(v, ARRAY_LEN(v));
}

static void test_overrides(void **state)
{
	struct arena *a = arena_create();
	struct vtl_input in = { .body = S("") };
	struct vtl_output out;

	assert_int_equal(vtl_render(a,
	                         S("#set($context.responseOverride.status = 404)"
	                           "#set($context.responseOverride.header.X-A = 'b')"),
	                         &in, &out),
	        0);
	assert_true(str_find(out.overrides, S("\"status\":404")) > 0);
	assert_true(str_find(out.overrides, S("\"X-A\":\"b\"")) > 0);
	arena_destroy(a);
}

static void test_bounds(void **state)
{
	struct arena *a = arena_create();

	assert_true(str_starts(
	        rendered(
	                a, "#foreach($i in [1..9999999])#foreach($j in [1..9999999])x#end#end", ""),
	        S("failed: ")));
	assert_true(str_starts(rendered(a, "#macro(m)#m()#end#m()", ""), S("failed: ")));
	assert_true(str_starts(rendered(a, "#if(1)", ""), S("failed: ")));
	assert_true(str_starts(rendered(a, "#end", ""), S("failed: ")));
	struct buf deep = buf_init(a);
	for (int i = 0; i < 5000; i++)
		buf_add(&deep, S("#if((("));
	assert_true(str_starts(rendered(a, str_cstr(a, buf_str(&deep)), ""), S("failed: ")));
	arena_destroy(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_input),
		cmocka_unit_test(test_directives),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_overrides),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
