/* diagnose: what is said of a dump, and of the CPU. */
#include "runtime/diagnose.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char dump[] = "Thread 0x00007f0000000001 (most recent call first):\n"
                           "  File \"/var/task/app.py\", line 3 in other\n"
                           "  File \"/usr/lib/python3.12/threading.py\", line 1010 in run\n"
                           "\n"
                           "Current thread 0x00007f0000000002 (most recent call first):\n"
                           "  File \"/var/task/app.py\", line 7 in handler\n"
                           "  File \"/var/runtime/wolke_runtime.py\", line 576 in answer\n"
                           "  File \"/var/runtime/bootstrap.py\", line 9 in <module>\n";

static void test_python_dump(void **state)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct buf b = buf_init(a);

	diagnose_python(&b, str_of(dump));
	assert_string_equal(str_cstr(a, buf_str(&b)),
	        "[wolke] It was here, innermost call first:\n"
	        "[wolke]   /var/task/app.py:7 handler\n"
	        "[wolke] Another thread was here, innermost call first:\n"
	        "[wolke]   /var/task/app.py:3 other\n"
	        "[wolke]   /usr/lib/python3.12/threading.py:1010 run\n");
}

static void test_what_is_no_dump(void **state)
{
	static const char *const texts[] = { "", "\n", "  File \"", "  File \"x",
		"  File \"x\", line", "Thread 0x", "\nThread 0x\nThread 0x",
		"  File \"x\", line 1" };
	CLEANUP(arena_destroyp) struct arena *a = arena_create();

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct buf b = buf_init(a);
		diagnose_python(&b, str_of(texts[i]));
	}
}

static struct str cpu(struct arena *a, struct diagnose_cpu c)
{
	struct buf b = buf_init(a);

	diagnose_cpu_lines(&b, &c);
	return buf_str(&b);
}

static void test_starved(void **state)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct diagnose_cpu c = { 1.5, 0.11, 1.3, 128, 40 };

	assert_true(str_find(cpu(a, c), S("held back for 1.30 s")) > 0);
	c.held_s = 0.1;
	assert_true(str_find(cpu(a, c), S("held back")) < 0);
	assert_true(str_find(cpu(a, c), S("nearly full")) < 0);
	c.max_memory_mib = 120;
	assert_true(str_find(cpu(a, c), S("nearly full")) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_python_dump),
		cmocka_unit_test(test_what_is_no_dump),
		cmocka_unit_test(test_starved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
