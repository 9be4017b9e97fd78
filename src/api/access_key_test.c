/* access_key: ids carry their account. */
#include "api/access_key.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_round_trip(void **state)
{
	static const struct str accounts[] = { S_INIT("000000000000"), S_INIT("123456789012"),
		S_INIT("999999999999") };
	struct arena *a = arena_create();
	struct str account;

	for (size_t i = 0; i < ARRAY_LEN(accounts); i++) {
		struct str id = access_key_make(a, S("AKIA"), accounts[i]);
		assert_int_equal(id.n, 20);
		assert_true(access_key_account(a, id, &account));
		assert_true(str_eq(account, accounts[i]));
		assert_false(str_eq(id, access_key_make(a, S("AKIA"), accounts[i])));
	}
	arena_destroy(a);
}

/* An example of AWS's own documentation of GetAccessKeyInfo's arithmetic. */
static void test_known(void **state)
{
	struct arena *a = arena_create();
	struct str account;

	assert_true(access_key_account(a, S("ASIAQNZGKIQY56JQ7WML"), &account));
	assert_string_equal(str_cstr(a, account), "029608264753");
	arena_destroy(a);
}

static void test_other_forms(void **state)
{
	struct arena *a = arena_create();
	struct str account;

	assert_false(access_key_account(a, S("test"), &account));
	assert_false(access_key_account(a, S("AKIA1111111111111111"), &account));
	assert_false(access_key_account(a, S("AKIAIOSFODNN7EXAMPLEX"), &account));
	arena_destroy(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_other_forms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
