/* Chunks and positions survive their way into bytes and back. */
#include "services/logs/chunk.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void chunks(void **state)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct logs_chunk_event e[] = { { 1700000000000, S_INIT("one") },
		{ 1700000000000, S_INIT("") }, { 1700000300000, S_INIT("three\n\0!") } };
	struct logs_chunk c = { .ingested_ms = 5, .v = e, .n = ARRAY_LEN(e) }, back;

	struct str row = logs_chunk_pack(a, &c);
	assert_int_equal(logs_chunk_unpack(a, row, &back), 0);
	assert_int_equal(back.n, 3);
	assert_int_equal(back.ingested_ms, 5);
	assert_int_equal(back.first_ms, e[0].timestamp);
	assert_int_equal(back.last_ms, e[2].timestamp);
	assert_int_equal(back.bytes, 11 + 3 * LOGS_EVENT_OVERHEAD);
	for (size_t i = 0; i < back.n; i++) {
		assert_int_equal(back.v[i].timestamp, e[i].timestamp);
		assert_true(str_eq(back.v[i].message, e[i].message));
	}
	for (size_t n = 0; n < row.n; n++)
		assert_int_equal(logs_chunk_unpack(a, str_sub(row, 0, n), &back), -EPROTO);
}

static void positions(void **state)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct logs_position p[] = {
		{ 0, 0, 0, 0 },
		{ 1700000000000, 1, 1, 0 },
		{ 1700000000000, 1, 1, 1 },
		{ 1700000000000, 1, 2, 0 },
		{ 1700000000000, 70000, 1, UINT32_MAX },
		{ 1700000000001, 1, 0, 0 },
		{ 4000000000000, (UINT64_C(1) << 48) - 1, UINT64_MAX, UINT32_MAX },
	};
	struct str before = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(p); i++) {
		struct logs_position back;
		struct str id = logs_position_id(a, &p[i]);
		assert_true(logs_position_parse(id, &back));
		assert_int_equal(logs_position_cmp(&p[i], &back), 0);
		assert_true(i == 0 || str_cmp(before, id) < 0);
		before = id;
	}
	/* The timestamp is AWS's: the id over 2^144. */
	struct logs_position aws;
	assert_true(logs_position_parse(
	        S("31132629274945519779805322857203735586714454643391594505"), &aws));
	assert_int_equal(aws.timestamp, 1396035378988);
	assert_false(logs_position_parse(S("12"), &aws));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks),
		cmocka_unit_test(positions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
