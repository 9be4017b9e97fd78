#pragma once
/*
 * trying: what tests of the sandbox share: a helper of the test's own, and programs run in it.
 */
#include "base/buf.h"
#include "sandbox/sandbox.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct arena *a;
static int helper = -1;
static uint32_t numbers;
static char dir[] = "/tmp/wolke-sandbox-test-XXXXXX";
static struct str report;
static uint16_t opened_port; /* in host_ports */

static inline void receive(struct sandbox_message *m)
{
	struct pollfd p = { helper, POLLIN, 0 };

	assert_int_equal(poll(&p, 1, 20000), 1);
	assert_int_equal(sandbox_receive(helper, a, m), 0);
}

/* Sends; returns the reply, and puts aside nothing: one thing at a time. */
static inline struct sandbox_message ask(struct sandbox_message m)
{
	struct sandbox_message reply;

	m.number = ++numbers;
	assert_int_equal(sandbox_send(helper, &m), 0);
	do
		receive(&reply);
	while (reply.type != SANDBOX_REPLY || reply.number != m.number);
	return reply;
}

static inline struct sandbox_message wait_exit(const char *id)
{
	struct sandbox_message m;

	do
		receive(&m);
	while (m.type != SANDBOX_EXIT || !str_eq(m.id, str_of(id)));
	return m;
}

static inline void close_fds(struct sandbox_message *m)
{
	for (int i = 0; i < SANDBOX_FD_N; i++)
		fd_closep(&m->fds[i]);
}

static inline struct str read_all(int fd)
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

static inline struct sandbox_spec shell(const char *id, const char *script)
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

static inline struct sandbox_message spawn(struct sandbox_spec s)
{
	struct sandbox_message m =
	        ask((struct sandbox_message){ .type = SANDBOX_SPAWN, .spec = s });

	if (m.error)
		fail_msg("spawn: %.*s", STR(m.why));
	return m;
}

/* Runs a script to its end; returns what it wrote. */
static inline struct str run(struct sandbox_spec s, struct sandbox_message *exit_notice)
{
	struct sandbox_message m = spawn(s), e = wait_exit(str_cstr(a, s.id));
	struct str out = read_all(m.fds[SANDBOX_FD_LOG]);

	close_fds(&m);
	if (exit_notice)
		*exit_notice = e;
	return out;
}

#define assert_has(out, text)                                                   \
	do {                                                                    \
		if (str_find(out, str_of(text)) < 0)                            \
			fail_msg("\"%s\" is missing in: %.*s", text, STR(out)); \
	} while (0)
#define assert_has_not(out, text)                                       \
	do {                                                            \
		if (str_find(out, str_of(text)) >= 0)                   \
			fail_msg("\"%s\" is in: %.*s", text, STR(out)); \
	} while (0)

/* What a host without the rights cannot give is not tested there. */
#define NEEDS(what)                                                              \
	do {                                                                     \
		if (str_find(report, S(what)) >= 0) {                            \
			print_message("skipped: this host gives no %s\n", what); \
			skip();                                                  \
		}                                                                \
	} while (0)

static inline void start_helper(void)
{
	struct sandbox_options o = {
		.state_dir = str_printf(a, "%s/state", dir),
		.runtimes_dir = S("/nowhere"),
		.network = { .possible = true,
		        .standard = true,
		        .n_host_ports = 1,
		        .host_ports = { opened_port } },
	};
	struct sandbox_message m;

	assert_int_equal(sandbox_helper_start(&o, &helper), 0);
	receive(&m);
	assert_int_equal(m.type, SANDBOX_REPORT);
	report = m.why;
}

static inline int start(void **state)
{
	a = arena_create();
	assert_non_null(mkdtemp(dir));
	chmod(dir, 0755);
	start_helper();
	return 0;
}

static inline int stop(void **state)
{
	close(helper);
	while (wait(NULL) > 0)
		;
	pclose(popen(str_cstr(a, str_printf(a, "rm -rf %s", dir)), "r"));
	return 0;
}
