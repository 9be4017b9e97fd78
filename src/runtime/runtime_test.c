/* The parts of the runtime that need no sandbox. */
#include "runtime/env_state.h"
#include "runtime/interpreters.h"
#include "runtime/lines.h"
#include "runtime/packages.h"
#include "runtime/report.h"
#include "runtime/runtime.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena *a;

static int set_up(void **state)
{
	a = arena_create();
	return 0;
}

static int tear_down(void **state)
{
	arena_destroy(a);
	return 0;
}

#define assert_text(s, text) assert_string_equal(str_cstr(a, s), text)

static void test_states(void **state)
{
	static const enum env_state life[] = { ENV_STARTING, ENV_INIT, ENV_IDLE, ENV_BUSY, ENV_IDLE,
		ENV_BUSY, ENV_STOPPING, ENV_GONE };

	for (size_t i = 1; i < ARRAY_LEN(life); i++)
		assert_true(env_state_may(life[i - 1], life[i]));
	assert_false(env_state_may(ENV_STARTING, ENV_IDLE));
	assert_true(env_state_may(ENV_IDLE, ENV_INIT)); /* a snapshot is restored */
	assert_false(env_state_may(ENV_BUSY, ENV_INIT));
	assert_false(env_state_may(ENV_STOPPING, ENV_IDLE));
	for (int i = 0; i < ENV_STATE_N; i++)
		assert_false(env_state_may(ENV_GONE, (enum env_state)i));
	assert_text(env_state_name(ENV_BUSY), "busy");
}

static const struct report cold = {
	.request_id = S_INIT("8f507cfc-1697"),
	.version = S_INIT("$LATEST"),
	.duration_ms = 12.344,
	.init_ms = 100.5,
	.memory_size_mib = 128,
	.max_memory_mib = 36,
};

static struct str text_of(void (*fn)(struct buf *, bool, int64_t, const struct report *), bool json,
        const struct report *r)
{
	struct buf b = buf_init(a);

	fn(&b, json, 1769860800123, r);
	return buf_str(&b);
}

static void test_report_text(void **state)
{
	struct report warm = cold, timed_out = cold, traced = cold;

	assert_text(text_of(report_start, false, &cold),
	        "START RequestId: 8f507cfc-1697 Version: $LATEST\n");
	assert_text(text_of(report_report, false, &cold),
	        "REPORT RequestId: 8f507cfc-1697\tDuration: 12.34 ms\tBilled Duration: 113 "
	        "ms\tMemory "
	        "Size: 128 MB\tMax Memory Used: 36 MB\tInit Duration: 100.50 ms\t\n");
	warm.init_ms = -1;
	assert_text(text_of(report_report, false, &warm),
	        "REPORT RequestId: 8f507cfc-1697\tDuration: 12.34 ms\tBilled Duration: 13 "
	        "ms\tMemory "
	        "Size: 128 MB\tMax Memory Used: 36 MB\t\n");
	timed_out = warm;
	timed_out.duration_ms = 3000;
	timed_out.status = S("timeout");
	assert_text(text_of(report_report, false, &timed_out),
	        "REPORT RequestId: 8f507cfc-1697\tDuration: 3000.00 ms\tBilled Duration: 3000 "
	        "ms\tMemory "
	        "Size: 128 MB\tMax Memory Used: 36 MB\tStatus: timeout\n");
	traced = warm;
	traced.trace_id = S("Root=1-5f-6;Parent=53;Sampled=1");
	assert_true(str_ends(text_of(report_report, false, &traced),
	        S("\nXRAY TraceId: 1-5f-6\tSegmentId: 53\tSampled: true\t\n")));
}

static void test_report_json(void **state)
{
	struct report failed = cold;

	assert_text(text_of(report_start, true, &cold),
	        "{\"time\":\"2026-01-31T12:00:00.123Z\",\"type\":\"platform.start\",\"record\":{"
	        "\"requestId\":\"8f507cfc-1697\",\"version\":\"$LATEST\"}}\n");
	failed.init_ms = -1;
	failed.status = S("error");
	failed.error_type = S("Runtime.ExitError");
	assert_text(text_of(report_report, true, &failed),
	        "{\"time\":\"2026-01-31T12:00:00.123Z\",\"type\":\"platform.report\",\"record\":{"
	        "\"requestId\":\"8f507cfc-1697\",\"metrics\":{\"durationMs\":12.34,"
	        "\"billedDurationMs\":13,\"memorySizeMB\":128,\"maxMemoryUsedMB\":36},"
	        "\"status\":\"error\",\"errorType\":\"Runtime.ExitError\"}}\n");
}

static void test_report_restored(void **state)
{
	struct buf b = buf_init(a);
	struct report r = cold;

	r.init_ms = -1;
	r.restore_ms = 12.34;
	report_report(&b, false, 0, &r);
	assert_true(
	        str_find(buf_str(&b),
	                S("\tRestore Duration: 12.34 ms\tBilled Restore Duration: 13 ms\t")) > 0);
	buf_clear(&b);
	report_extension(&b, false, 0,
	        &(struct report_extension){ S("x"), S("Ready"), S("INVOKE,SHUTDOWN"), { 0 } });
	assert_text(buf_str(&b), "EXTENSION\tName: x\tState: Ready\tEvents: [INVOKE,SHUTDOWN]\n");
}

static void test_exit_reasons(void **state)
{
	assert_text(report_exit_reason(a, 1, 0), "exit status 1");
	assert_text(report_exit_reason(a, -1, SIGKILL), "signal: killed");
	assert_text(report_exit_reason(a, -1, SIGSEGV), "signal: segmentation fault");
	assert_null(report_exit_reason(a, 0, 0).p);
	assert_text(report_error(a, S("Runtime.ExitError"), S("1-2"), S("Runtime exited")),
	        "{\"errorType\":\"Runtime.ExitError\",\"errorMessage\":\"RequestId: 1-2 Error: "
	        "Runtime "
	        "exited\"}");
}

static void add_line(void *arg, struct str line)
{
	struct buf *b = arg;

	buf_add(b, line);
	buf_add_char(b, '|');
}

static void test_lines(void **state)
{
	struct lines l = { 0 };
	struct buf b = buf_init(a);

	lines_feed(&l, S("one\ntw"), add_line, &b);
	lines_feed(&l, S("o\n\nthr"), add_line, &b);
	assert_text(buf_str(&b), "one\n|two\n|\n|");
	lines_end(&l, add_line, &b);
	assert_text(buf_str(&b), "one\n|two\n|\n|thr|");
	lines_deinit(&l);
}

static void count_line(void *arg, struct str line)
{
	size_t *n = arg;

	assert_true(line.n <= LINE_MAX_BYTES);
	n[0]++;
	n[1] += line.n;
}

static void test_long_lines(void **state)
{
	struct lines l = { 0 };
	size_t n[2] = { 0 };
	char piece[1000];

	memset(piece, 'x', sizeof piece);
	for (int i = 0; i < 600; i++)
		lines_feed(&l, (struct str){ piece, sizeof piece }, count_line, n);
	lines_feed(&l, S("\n"), count_line, n);
	assert_int_equal(n[0], 3);
	assert_int_equal(n[1], 600001);
	lines_deinit(&l);
}

static void test_kinds(void **state)
{
	assert_null(runtime_kind_find(S("python2.7")));
	const struct runtime_kind *k = runtime_kind_find(S("python3.12"));
	assert_non_null(k);
	assert_int_equal(k->minor, 12);
	assert_int_equal(runtime_kind_find(S("nodejs22.x"))->major, 22);
}

static void test_check(void **state)
{
	struct str nearest, why;

	assert_int_equal(runtime_check(a, S("provided.al2023"), &nearest, &why), 0);
	assert_int_equal(runtime_check(a, S("java21"), &nearest, &why), RUNTIME_UNAVAILABLE);
	assert_true(why.n > 0);
	assert_int_equal(runtime_check(a, S("cobol1"), &nearest, &why), RUNTIME_UNAVAILABLE);
	assert_true(str_find(runtime_table(a), S("provided.al2023")) > 0);
}

static void test_package_names(void **state)
{
	/* SHA-256 of nothing. */
	assert_text(package_name(a, S("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="), S("b")),
	        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_text(package_name(a, (struct str){ 0 }, S("0123")), "blob-0123");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_report_text),
		cmocka_unit_test(test_report_json),
		cmocka_unit_test(test_report_restored),
		cmocka_unit_test(test_exit_reasons),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_package_names),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
