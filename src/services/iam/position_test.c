/* position: statements are found, whatever stands around them. */
#include "services/iam/position.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void expect(struct str json, size_t statement, struct iam_span e)
{
	struct iam_span span = { 0 };

	assert_true(iam_statement_span(json, statement, &span));
	assert_int_equal(span.start_line, e.start_line);
	assert_int_equal(span.start_column, e.start_column);
	assert_int_equal(span.end_line, e.end_line);
	assert_int_equal(span.end_column, e.end_column);
}

/* As AWS's documentation of SimulateCustomPolicy shows it. */
static void test_single(void **state)
{
	expect(S("{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":"
	         "\"dynamodb:*\",\"Resource\":\"*\",\"Condition\":{\"DateGreaterThan\":"
	         "{\"aws:CurrentTime\":\"2015-08-16T12:00:00Z\"}}}}"),
	        0, (struct iam_span){ 1, 38, 1, 167 });
}

static void test_list(void **state)
{
	struct str json = S("{\n \"Id\": \"Statement\",\n \"Statement\": [\n  {\"Sid\": \"}{\"},\n"
	                    "  {\"Condition\": {\"x\": {}}}\n ]\n}\n");

	expect(json, 0, (struct iam_span){ 4, 4, 4, 16 });
	expect(json, 1, (struct iam_span){ 5, 4, 5, 27 });
	assert_false(iam_statement_span(json, 2, &(struct iam_span){ 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
