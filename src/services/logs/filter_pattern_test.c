/* What patterns match, and what they refuse. */
#include "services/logs/filter_pattern.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static bool matches(const char *pattern, const char *message)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct filter_pattern *p;
	struct str why;

	assert_int_equal(filter_pattern_parse(a, str_of(pattern), &p, &why), 0);
	return filter_pattern_match(p, a, str_of(message), NULL);
}

static void refuses(const char *pattern, const char *words)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct filter_pattern *p;
	struct str why;

	assert_int_equal(filter_pattern_parse(a, str_of(pattern), &p, &why), FILTER_PATTERN_BAD);
	assert_string_equal(str_cstr(a, why), words);
}

struct
try {
	const char *pattern, *message;
	bool expected;
};

static void try_all(const struct try *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (matches(v[i].pattern, v[i].message) != v[i].expected)
			fail_msg("%s on %s: not %d", v[i].pattern, v[i].message, v[i].expected);
}

static void terms(void **state)
{
	static const struct try tries[] = {
		{ "", "anything", true },
		{ "  ", "anything", true },
		{ "ERROR", "[ERROR] A fatal exception", true },
		{ "ERROR", "Exiting with ERRORCODE: -1", true },
		{ "ERROR", "error", false },
		{ "ERROR Exception", "[ERROR] Caught IllegalArgumentException", true },
		{ "ERROR Exception", "[ERROR] Caught it", false },
		{ "ERROR -Exiting", "Exiting with ERRORCODE: -1", false },
		{ "ERROR - \"Exiting\"", "Exiting with ERRORCODE: -1", false },
		{ "ERROR -Exiting", "ERROR", true },
		{ "-WARN", "INFO", true },
		{ "?ERROR ?WARN", "WARN message", true },
		{ "?ERROR ?WARN", "INFO message", false },
		{ "?ERROR WARN", "WARN message", true },
		{ "\"INTERNAL SERVER ERROR\"", "500 INTERNAL SERVER ERROR", true },
		{ "\"INTERNAL SERVER ERROR\"", "INTERNAL ERROR", false },
		{ "\"say \\\"hi\\\"\"", "they say \"hi\"", true },
		{ "%^\\d{3} %", "404 x", true },
		{ "%^\\d{3} %", "x 404 ", false },
		{ "%gr[ae]y%", "a grey cat", true },
		{ "%\\x28\\w+\\x29%", "f(x)", true },
		{ "%a%%b%", "ab", true },
	};

	try_all(tries, ARRAY_LEN(tries));
}

#define EVENT                                                                                \
	"{\"eventType\": \"UpdateTrail\", \"sourceIPAddress\": \"111.111.111.111\","         \
	" \"arrayKey\": [\"value\", \"another value\"],"                                     \
	" \"objectList\": [{\"name\": \"a\", \"id\": 1}, {\"name\": \"b\", \"id\": 2}],"     \
	" \"SomeObject\": null, \"ThisFlag\": true, \"latency\": 10.5, \"status\": \"404\"," \
	" \"detail-type\": \"x\", \"big\": 12345678901, \"nested\": {\"k\": [[0, 1], [4, 5]]}}"

static void json(void **state)
{
	static const struct try tries[] = {
		{ "{ $.eventType = \"UpdateTrail\" }", EVENT, true },
		{ "{ $.eventType = UpdateTrail }", EVENT, true },
		{ "{$.eventType=Update*}", EVENT, true },
		{ "{ $.eventType = *Trail }", EVENT, true },
		{ "{ $.eventType = \"*dateTr*\" }", EVENT, true },
		{ "{ $.eventType = Up*Trail }", EVENT, false },
		{ "{ $.eventType = * }", EVENT, true },
		{ "{ $.missing = * }", EVENT, false },
		{ "{ $.eventType != UpdateTrail }", EVENT, false },
		{ "{ $.missing != UpdateTrail }", EVENT, false },
		{ "{ $.sourceIPAddress != 123.123.* }", EVENT, true },
		{ "{ $.sourceIPAddress = 111.111.* }", EVENT, true },
		{ "{ $.arrayKey[0] = \"value\" }", EVENT, true },
		{ "{ $.arrayKey[1] = \"value\" }", EVENT, false },
		{ "{ $.arrayKey[*] = \"another value\" }", EVENT, true },
		{ "{ $.arrayKey = \"value\" }", EVENT, false },
		{ "{ $.arrayKey != \"value\" }", EVENT, false },
		{ "{ $.objectList[1].id = 2 }", EVENT, true },
		{ "{ $.objectList[*].name = b }", EVENT, true },
		{ "{ $.*[1].id >= 2 }", EVENT, true },
		{ "{ $.nested.k[1][0] = 4 }", EVENT, true },
		{ "{ $['detail-type'] = x }", EVENT, true },
		{ "{ $.detail-type = x }", EVENT, true },
		{ "{ $.SomeObject IS NULL }", EVENT, true },
		{ "{ $.eventType IS NULL }", EVENT, false },
		{ "{ $.missing IS NULL }", EVENT, false },
		{ "{ $.SomeOtherObject NOT EXISTS }", EVENT, true },
		{ "{ $.SomeObject NOT EXISTS }", EVENT, false },
		{ "{ $.ThisFlag IS TRUE }", EVENT, true },
		{ "{ $.ThisFlag IS FALSE }", EVENT, false },
		{ "{ $.latency >= 10.5 }", EVENT, true },
		{ "{ $.latency > +1.05e1 }", EVENT, false },
		{ "{ $.latency < 10e3 }", EVENT, true },
		{ "{ $.latency < 10e-3 }", EVENT, false },
		{ "{ $.latency = 10* }", EVENT, true },
		{ "{ $.big = 12345678901 }", EVENT, true },
		{ "{ $.status = 404 }", EVENT, true },
		{ "{ $.status = 4* }", EVENT, true },
		{ "{ $.status = %4[0-9]{2}% }", EVENT, true },
		{ "{ $.status != %4[0-9]{2}% }", EVENT, false },
		{ "{ ($.status = 404) && ($.latency > 1) }", EVENT, true },
		{ "{ $.status = 1 || $.latency > 1 && $.ThisFlag IS FALSE }", EVENT, false },
		{ "{ $.status = 404 || $.latency > 99 && $.ThisFlag IS FALSE }", EVENT, true },
		{ "{ ($.status = 404 || $.latency > 99) && $.ThisFlag IS FALSE }", EVENT, false },
		{ "{ $.status = 404 }", "no JSON", false },
		{ "{ $.status = 404 }", "{\"status\": 404", false },
		{ "{ $.status = 404 }", "  {\"status\": 404}\n", true },
	};

	try_all(tries, ARRAY_LEN(tries));
}

#define LINE "127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] \"GET /index.html HTTP/1.0\" 404 1534"

static void fields(void **state)
{
	static const struct try tries[] = {
		{ "[ip, id, user, timestamp, request, status, bytes]", LINE, true },
		{ "[ip, id, user, timestamp, request, status]", LINE, false },
		{ "[ip, ...]", LINE, true },
		{ "[..., status, bytes]", LINE, true },
		{ "[ip, ..., status, bytes > 1000]", LINE, true },
		{ "[ip, ..., status, bytes > 1534]", LINE, false },
		{ "[ip = 127.0.*, ..., status = 4*, bytes]", LINE, true },
		{ "[..., request = *html*, status = 4* && status != 403, bytes]", LINE, true },
		{ "[..., status = 4* && status != 404, bytes]", LINE, false },
		{ "[..., status = 500 || status = 404, bytes]", LINE, true },
		{ "[..., request = \"GET /index.html HTTP/1.0\", status, bytes]", LINE, true },
		{ "[..., request = %^GET%, status, bytes]", LINE, true },
		{ "[ip, , user = frank, ...]", LINE, true },
		{ "[w1=ERROR, w2]", "ERROR message", true },
		{ "[w1=ERROR || w1=WARN, w2]", "WARN message", true },
		{ "[w1!=ERROR&&w1!=WARN, w2]", "INFO message", true },
		{ "[w1!=ERROR&&w1!=WARN, w2]", "WARN message", false },
		{ "[a, b, ...]", "one", false },
		{ "[a, b, ...]", "one two", true },
	};

	try_all(tries, ARRAY_LEN(tries));
}

static void field_values(void **state)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct filter_pattern *p;
	struct filter_values values;
	struct buf b = buf_init(a);
	struct str why;

	assert_int_equal(
	        filter_pattern_parse(a, S("[..., request=*.html*, status_code=4*,]"), &p, &why), 0);
	assert_true(filter_pattern_match(p, a, S(LINE), &values));
	for (size_t i = 0; i < values.n; i++)
		buf_printf(&b, "%.*s=%.*s;", STR(values.v[i].name), STR(values.v[i].value));
	buf_add_char(&b, 0);
	assert_string_equal(b.p, "$1=127.0.0.1;$2=-;$3=frank;$4=10/Oct/2000:13:25:15 -0700;"
	                         "$request=GET /index.html HTTP/1.0;$status_code=404;$7=1534;");
}

static void refused(void **state)
{
	static const char *const bad[] = { "\"open", "%open", "%a(b)%", "%a!%", "%\\1%", "%[%", "-",
		"{ }", "{ $ = 1 }", "{ $.a }", "{ $.a = }", "{ $.a == 1 }", "{ $.a = 1 && }",
		"{ ($.a = 1 }", "{ $.a > x }", "{ $.a IS MAYBE }", "{ $.a EXISTS }",
		"{ $.a[x] = 1 }", "{ $.*.*.*.* = 1 }", "{ $.a = %a% && $.b = %b% && $.c = %c% }",
		"{ $.a = 1 $.b = 2 }", "[a > x]", "[a b]", "[..., ...]", "[a = ]",
		"[status = 4* && bytes > 1000]", "[a && b]" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		refuses(bad[i], "Invalid filter pattern");
	refuses("{ $.a = 1", "If a filter pattern starts with '{' it must end with '}'");
	refuses("[a", "If a filter pattern starts with '[' it must end with ']'");
	refuses("ERROR foo.bar", "Invalid character(s) in term 'foo.bar'");
}

static void deep_nesting_is_refused(void **state)
{
	char pattern[1024];

	memset(pattern, '(', sizeof pattern);
	pattern[0] = '{';
	pattern[sizeof pattern - 2] = '}';
	pattern[sizeof pattern - 1] = 0;
	refuses(pattern, "Invalid filter pattern");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terms),
		cmocka_unit_test(json),
		cmocka_unit_test(fields),
		cmocka_unit_test(field_values),
		cmocka_unit_test(refused),
		cmocka_unit_test(deep_nesting_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
