/* Tests of the sandbox from inside: shell commands that look around, and notices of how they end.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "sandbox/sandbox.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct arena *a;
static int helper = -1;
static uint32_t numbers;
static char dir[] = "/tmp/wolke-sandbox-test-XXXXXX";
static struct str report;

static void receive(struct sandbox_message *m)
{
	struct pollfd p = { helper, POLLIN, 0 };

	assert_int_equal(poll(&p, 1, 20000), 1);
	assert_int_equal(sandbox_receive(helper, a, m), 0);
}

/* Sends; returns the reply, and puts aside nothing: one thing at a time. */
static struct sandbox_message ask(struct sandbox_message m)
{
	struct sandbox_message reply;

	m.number = ++numbers;
	assert_int_equal(sandbox_send(helper, &m), 0);
	do
		receive(&reply);
	while (reply.type != SANDBOX_REPLY || reply.number != m.number);
	return reply;
}

static struct sandbox_message wait_exit(const char *id)
{
	struct sandbox_message m;

	do
		receive(&m);
	while (m.type != SANDBOX_EXIT || !str_eq(m.id, str_of(id)));
	return m;
}

static void close_fds(struct sandbox_message *m)
{
	for (int i = 0; i < SANDBOX_FD_N; i++)
		fd_closep(&m->fds[i]);
}

static struct str read_all(int fd)
{
	struct buf b = buf_init(a);
	struct pollfd p = { fd, POLLIN, 0 };

	while (poll(&p, 1, 20000) == 1) {
		ssize_t n = read(fd, buf_reserve(&b, 4096), 4096);
		if (n <= 0)
			break;
		buf_commit(&b, (size_t)n);
	}
	return buf_str(&b);
}

static struct sandbox_spec shell(const char *id, const char *script)
{
	struct sandbox_spec s = { .id = str_of(id), .memory_mib = 128, .tmp_mib = 16 };

	s.n_argv = 3;
	s.argv = arena_new_n(a, struct str, 3);
	s.argv[0] = S("/bin/sh");
	s.argv[1] = S("-c");
	s.argv[2] = str_of(script);
	s.n_env = 1;
	s.env = arena_new_n(a, struct str, 1);
	s.env[0] = S("PATH=/usr/bin:/bin");
	return s;
}

static struct sandbox_message spawn(struct sandbox_spec s)
{
	struct sandbox_message m =
	        ask((struct sandbox_message){ .type = SANDBOX_SPAWN, .spec = s });

	if (m.error)
		fail_msg("spawn: %.*s", STR(m.why));
	return m;
}

/* Runs a script to its end; returns what it wrote. */
static struct str run(struct sandbox_spec s, struct sandbox_message *exit_notice)
{
	struct sandbox_message m = spawn(s), e = wait_exit(str_cstr(a, s.id));
	struct str out = read_all(m.fds[SANDBOX_FD_LOG]);

	close_fds(&m);
	if (exit_notice)
		*exit_notice = e;
	return out;
}

static void test_exit_code(void **state)
{
	struct sandbox_message e;
	struct str out = run(shell("one", "echo $0; id -u; exit 7"), &e);

	assert_true(str_eq(out, S("/bin/sh\n993\n")));
	assert_int_equal(e.exit_code, 7);
}

static int start(void **state)
{
	struct sandbox_message m;

	a = arena_create();
	assert_non_null(mkdtemp(dir));
	struct sandbox_options o = { .state_dir = str_printf(a, "%s/state", dir),
		.runtimes_dir = S("") };
	assert_int_equal(sandbox_helper_start(&o, &helper), 0);
	receive(&m);
	report = m.why;
	printf("report: %.*s\n", STR(report));
	return 0;
}

static int stop(void **state)
{
	close(helper);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_code),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
