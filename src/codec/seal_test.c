/* seal: what opens, and what does not. */
#include "codec/seal.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct seal sealing = { S_INIT("secret"), S_INIT("label"), S_INIT("id") };

static void test_round_trip(void **state)
{
	struct arena *a = arena_create();
	struct str plain;

	struct str one = seal_make(a, &sealing, S("hello"));
	struct str two = seal_make(a, &sealing, S("hello"));
	assert_false(str_eq(one, two));
	assert_int_equal(seal_open(a, &sealing, one, &plain), 0);
	assert_true(str_eq(plain, S("hello")));
	assert_int_equal(seal_open(a, &sealing, seal_make(a, &sealing, S("")), &plain), 0);
	assert_int_equal(plain.n, 0);
	arena_destroy(a);
}

static void test_changed(void **state)
{
	struct arena *a = arena_create();
	struct str plain, sealed = seal_make(a, &sealing, S("hello"));

	for (size_t i = 0; i < sealed.n; i++) {
		struct str bad = str_dup(a, sealed);
		((char *)(uintptr_t)bad.p)[i] ^= 1;
		assert_int_equal(seal_open(a, &sealing, bad, &plain), CODEC_BAD);
		assert_int_equal(seal_open(a, &sealing, str_sub(sealed, 0, i), &plain), CODEC_BAD);
	}
	arena_destroy(a);
}

static void test_elsewhere(void **state)
{
	struct arena *a = arena_create();
	struct str plain, sealed = seal_make(a, &sealing, S("hello"));
	struct seal others[3] = { sealing, sealing, sealing };

	others[0].secret = S("other");
	others[1].label = S("other");
	others[2].bound = S("other");
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(seal_open(a, &others[i], sealed, &plain), CODEC_BAD);
	arena_destroy(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_elsewhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
