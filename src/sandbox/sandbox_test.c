/* Tests of the sandbox from inside: shell commands that look around, and notices of how they end.
 */
#include "base/clock.h"
#include "sandbox/trying.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

static void make_folder(const char *path)
{
	assert_int_equal(mkdir(path, 0755), 0);
}

static void make_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);

	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static const char *in_dir(const char *name)
{
	return str_cstr(a, str_printf(a, "%s/%s", dir, name));
}

static void test_exit_code(void **state)
{
	struct sandbox_message e;
	struct str out = run(shell("one", "echo $0; id -un; id -u; exit 7"), &e);

	assert_true(str_eq(out, S("/bin/sh\nsbx_user1051\n993\n")));
	assert_int_equal(e.exit_code, 7);
	assert_int_equal(e.exit_signal, 0);
	assert_false(e.oom_killed);
}

static void test_exit_signal(void **state)
{
	struct sandbox_message e;

	run(shell("two", "kill -SEGV $$"), &e);
	assert_int_equal(e.exit_code, -1);
	assert_int_equal(e.exit_signal, SIGSEGV);
}

static void test_program_that_is_not_there(void **state)
{
	struct sandbox_spec s = shell("three", "");

	s.argv[0] = S("/var/task/bootstrap");
	struct sandbox_message m =
	        ask((struct sandbox_message){ .type = SANDBOX_SPAWN, .spec = s });
	assert_int_equal(m.error, -ENOENT);
	assert_has(m.why, "/var/task/bootstrap");
	s.code_dir = S("/nowhere/at/all");
	m = ask((struct sandbox_message){ .type = SANDBOX_SPAWN, .spec = s });
	assert_int_equal(m.error, -ENOENT);
	assert_has(m.why, "/nowhere/at/all");
	assert_true(str_eq(run(shell("three", "echo again"), NULL), S("again\n")));
}

/* The host: its files, processes, environment, network. */
static void test_isolation(void **state)
{
	make_file(in_dir("secret"), "secret");
	struct str out = run(
	        shell("four",
	                "ls -A /root /home /tmp /run /mnt; cat /etc/shadow; ls -d /sys /boot /work;"
	                "echo env $(env | sort); echo pids /proc/[0-9]*; cat /proc/1/environ "
	                "/proc/1/cmdline;"
	                "ls -l /proc/1/fd; tail -n +3 /proc/net/dev; touch /x /usr/x /etc/x "
	                "/var/task/x /dev/x;"
	                "grep -E 'Cap(Eff|Bnd)|NoNewPrivs|Seccomp:' /proc/self/status; umount /tmp;"
	                "unshare -Ur id; kill -9 1; echo alive; hostname; ls -l /proc/self/fd"),
	        NULL);
	assert_has_not(out, "secret");
	assert_has(out, "/etc/shadow: No such file");
	assert_has(out, "cannot access '/sys'");
	assert_has(out, "env PATH=/usr/bin:/bin PWD=/var/task");
	assert_has(out, "pids /proc/1 /proc/2\n");
	assert_has_not(out, "SECRET_OF_THE_HOST");
	assert_has_not(out, "sandbox_test");
	assert_has(out, "lo:");
	assert_has_not(out, "eth0");
	assert_has(out, "touch: cannot touch '/x': Read-only file system");
	assert_has(out, "touch: cannot touch '/usr/x': Read-only file system");
	assert_has(out, "touch: cannot touch '/etc/x': Read-only file system");
	assert_has(out, "touch: cannot touch '/var/task/x': Read-only file system");
	assert_has(out, "touch: cannot touch '/dev/x': Read-only file system");
	assert_has(out, "CapEff:\t0000000000000000");
	assert_has(out, "CapBnd:\t0000000000000000");
	assert_has(out, "NoNewPrivs:\t1");
	assert_has(out, "Seccomp:\t2");
	assert_has(out, "unshare failed: Operation not permitted");
	assert_has(out, "alive\nsandbox\n");
	if (str_find(report, S("not started by root")) < 0)
		assert_has_not(out, "socket:");
}

static void test_file_system(void **state)
{
	struct sandbox_spec s =
	        shell("five", "cat /var/task/f /opt/x /opt/only1 /opt/only2 /var/runtime/r"
	                      " /opt2/deep/e/f; echo hi >/tmp/a; cat /tmp/a; stat -c %a /tmp");
	struct str layers[2] = { str_of(in_dir("l1")), str_of(in_dir("l2")) };
	struct str extra = str_printf(a, "%s/extra:/opt2/deep/e", dir);

	make_folder(in_dir("code"));
	make_file(in_dir("code/f"), "code\n");
	make_folder(in_dir("l1"));
	make_file(in_dir("l1/x"), "first\n");
	make_file(in_dir("l1/only1"), "only1\n");
	make_folder(in_dir("l2"));
	make_file(in_dir("l2/x"), "second\n");
	make_file(in_dir("l2/only2"), "only2\n");
	make_folder(in_dir("rt"));
	make_file(in_dir("rt/r"), "rt\n");
	make_folder(in_dir("extra"));
	make_file(in_dir("extra/f"), "extra\n");
	s.code_dir = str_of(in_dir("code"));
	s.runtime_dir = str_of(in_dir("rt"));
	s.layers = layers;
	s.n_layers = 2;
	s.extra = &extra;
	s.n_extra = 1;
	assert_true(str_eq(run(s, NULL), S("code\nsecond\nonly1\nonly2\nrt\nextra\nhi\n1777\n")));
	s = shell("five", "ls -A /tmp");
	assert_true(str_eq(run(s, NULL), S("")));
}

static void test_tmp_is_limited(void **state)
{
	struct str out =
	        run(shell("six", "head -c 20M /dev/zero >/tmp/big; stat -c %s /tmp/big"), NULL);

	assert_has(out, "No space left on device");
	assert_has(out, "16777216\n");
}

static void test_fork_bomb(void **state)
{
	struct sandbox_spec s =
	        shell("seven", "i=0; while [ $i -lt 100 ]; do sleep 60 & i=$((i+1)); done");
	struct sandbox_message e;

	NEEDS("cgroup controller pids");
	s.max_pids = 20;
	assert_has(run(s, &e), "Cannot fork");
	assert_true(e.exit_code > 0);
}

static void test_memory_hog(void **state)
{
	struct sandbox_spec s = shell("eight", "x=1234567890123456; while :; do x=$x$x; done");
	struct sandbox_message e;

	NEEDS("cgroup controller memory");
	s.memory_mib = 16;
	run(s, &e);
	assert_true(e.oom_killed);
	assert_int_equal(e.exit_signal, SIGKILL);
	run(shell("eight", "exit 0"), &e);
	assert_false(e.oom_killed);
}

static void test_kill(void **state)
{
	struct sandbox_message m = spawn(
	        shell("nine", "trap '' TERM INT HUP; echo up; sleep 100 & sleep 100; sleep 100"));
	char up[3];
	struct pollfd p = { m.fds[SANDBOX_FD_LOG], POLLIN, 0 };

	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_int_equal(read(p.fd, up, 3), 3);
	p = (struct pollfd){ m.fds[SANDBOX_FD_PIDFD], POLLIN, 0 };
	struct sandbox_message term = {
		.type = SANDBOX_SIGNAL, .id = S("nine"), .signal = SIGTERM
	};
	assert_int_equal(ask(term).error, 0);
	assert_int_equal(poll(&p, 1, 100), 0);
	assert_int_equal(kill(m.pid, 0), 0);
	assert_int_equal(
	        ask((struct sandbox_message){ .type = SANDBOX_KILL, .id = S("nine") }).error, 0);
	assert_int_equal(wait_exit("nine").exit_signal, SIGKILL);
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_int_equal(kill(m.pid, 0), -1);
	assert_int_equal(
	        ask((struct sandbox_message){ .type = SANDBOX_KILL, .id = S("nine") }).error,
	        -ESRCH);
	close_fds(&m);
}

static void test_fd_limit(void **state)
{
	assert_true(str_eq(run(shell("ten", "ulimit -n; ulimit -c"), NULL), S("1024\n0\n")));
}

static void test_freeze(void **state)
{
	struct sandbox_message m =
	        spawn(shell("eleven", "while :; do echo tick; sleep 0.01; done"));
	char room[4096];
	int log = m.fds[SANDBOX_FD_LOG];
	struct pollfd p = { log, POLLIN, 0 };

	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_int_equal(
	        ask((struct sandbox_message){ .type = SANDBOX_FREEZE, .id = S("eleven") }).error,
	        0);
	usleep(50000);
	while (read(log, room, sizeof room) > 0)
		;
	assert_int_equal(poll(&p, 1, 200), 0);
	assert_int_equal(
	        ask((struct sandbox_message){ .type = SANDBOX_THAW, .id = S("eleven") }).error, 0);
	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_int_equal(
	        ask((struct sandbox_message){ .type = SANDBOX_FREEZE, .id = S("eleven") }).error,
	        0);
	assert_int_equal(
	        ask((struct sandbox_message){ .type = SANDBOX_KILL, .id = S("eleven") }).error, 0);
	wait_exit("eleven");
	close_fds(&m);
}

static int connect_inside(struct sandbox_message *m, int which)
{
	struct pollfd p = { m->fds[which], POLLIN, 0 };

	assert_int_equal(poll(&p, 1, 10000), 1);
	int fd = accept(m->fds[which], NULL, NULL);
	assert_true(fd >= 0);
	return fd;
}

static const char hello[] =
        "exec 3<>/dev/tcp/127.0.0.1/9001; echo hello >&3; cat <&3; sleep 100; true";

static struct sandbox_spec caller(const char *id)
{
	struct sandbox_spec s = shell(id, hello);

	s.argv[0] = S("/bin/bash");
	s.runtime_port = 9001;
	return s;
}

static void test_runtime_socket(void **state)
{
	struct sandbox_message m = spawn(caller("twelve")), other = spawn(caller("thirteen"));
	char room[8] = "";
	int one = connect_inside(&m, SANDBOX_FD_RUNTIME),
	    two = connect_inside(&other, SANDBOX_FD_RUNTIME);

	assert_int_equal(read(one, room, 6), 6);
	assert_string_equal(room, "hello\n");
	close(one);
	close(two);
	struct str stacks =
	        ask((struct sandbox_message){ .type = SANDBOX_STACKS, .id = S("twelve") }).why;
	assert_has(stacks, "/bin/bash");
	assert_has(stacks, "waits in");
	NEEDS("cgroup controller memory");
	assert_true(pread(m.fds[SANDBOX_FD_MEMORY], room, 7, 0) > 4);
	assert_true(pread(m.fds[SANDBOX_FD_CPU], room, 7, 0) > 1);
	for (size_t i = 0; i < 2; i++) {
		const char *id = i ? "twelve" : "thirteen";
		assert_int_equal(
		        ask((struct sandbox_message){ .type = SANDBOX_KILL, .id = str_of(id) })
		                .error,
		        0);
		wait_exit(id);
	}
	close_fds(&m);
	close_fds(&other);
}

/* Started without code, given it later. */
static void test_assign_running(void **state)
{
	struct sandbox_spec s = shell("fourteen",
	        "echo up; while ! cat /var/task/f 2>/dev/null; do sleep 0.01; done;"
	        "cat /opt/x; echo $(($(stat -f -c '%b*%S' /tmp))); exit 3");
	struct str layer = str_of(in_dir("l1"));
	struct sandbox_message m = spawn(s), e;
	struct sandbox_spec more = { .id = S("fourteen"),
		.code_dir = str_of(in_dir("code")),
		.layers = &layer,
		.n_layers = 1,
		.tmp_mib = 32,
		.memory_mib = 64 };

	/* The layers first: the code is what the script waits for. */
	more.code_dir = S("");
	assert_int_equal(
	        ask((struct sandbox_message){ .type = SANDBOX_ASSIGN, .spec = more }).error, 0);
	more = (struct sandbox_spec){ .id = S("fourteen"), .code_dir = str_of(in_dir("code")) };
	assert_int_equal(
	        ask((struct sandbox_message){ .type = SANDBOX_ASSIGN, .spec = more }).error, 0);
	e = wait_exit("fourteen");
	struct str out = read_all(m.fds[SANDBOX_FD_LOG]);
	assert_string_equal(str_cstr(a, out), "up\ncode\nfirst\n33554432\n");
	assert_int_equal(e.exit_code, 3);
	close_fds(&m);
}

/* Empty, and given program and code in one. */
static void test_assign_empty(void **state)
{
	struct sandbox_spec s = { .id = S("fifteen"), .memory_mib = 128, .runtime_port = 9001 };
	struct sandbox_message m = spawn(s), reply;

	assert_int_equal(m.pid, 0);
	s = caller("fifteen");
	s.code_dir = str_of(in_dir("code"));
	reply = ask((struct sandbox_message){ .type = SANDBOX_ASSIGN, .spec = s });
	assert_int_equal(reply.error, 0);
	assert_true(reply.pid > 0);
	close(connect_inside(&m, SANDBOX_FD_RUNTIME));
	assert_int_equal(
	        ask((struct sandbox_message){ .type = SANDBOX_KILL, .id = S("fifteen") }).error, 0);
	wait_exit("fifteen");
	close_fds(&m);
}

static const char zygote_program[] =
        "import ctypes, os, sys\n"
        "lib = ctypes.PyDLL(os.environ['WOLKE_ZYGOTE_LIB'])\n"
        "ctypes.pythonapi.PyOS_BeforeFork()\n"
        "assert lib.zygote_serve(int(os.environ['WOLKE_ZYGOTE_FD'])) == 0\n"
        "ctypes.pythonapi.PyOS_AfterFork_Child()\n"
        "import socket, threading, wave\n"
        "t = threading.Thread(target=lambda: print(os.getuid(), os.getcwd(), open('f').read(), "
        "end=''))\n"
        "t.start(); t.join()\n"
        "print(len([p for p in os.listdir('/proc') if p.isdigit()]), os.listdir('/proc/self/fd'))\n"
        "print(open('/proc/self/status').read())\n"
        "getenv = ctypes.CDLL(None).getenv; getenv.restype = ctypes.c_char_p\n"
        "print(getenv(b'ANSWER'), getenv(b'WOLKE_ZYGOTE_FD'))\n"
        "try: os.listdir('/root/.ssh')\n"
        "except OSError as e: print(e.strerror)\n"
        "socket.create_connection(('127.0.0.1', 9001)).sendall(b'hello')\n"
        "sys.stdout.flush(); os._exit(9)\n";

static void start_zygote(const char *python)
{
	struct str argv[] = { str_of(python), str_of(in_dir("zygote.py")) };
	struct str env = S("PATH=/usr/bin:/bin");
	struct sandbox_message m = { .type = SANDBOX_ZYGOTE,
		.spec = { .id = S("python"), .argv = argv, .n_argv = 2, .env = &env, .n_env = 1 } };

	make_file(in_dir("zygote.py"), zygote_program);
	m = ask(m);
	if (m.error)
		fail_msg("zygote: %.*s", STR(m.why));
	assert_true(m.pid > 0);
}

static void test_zygote(void **state)
{
	struct str env = S("ANSWER=42");
	struct sandbox_spec s = { .id = S("sixteen"),
		.zygote = S("python"),
		.memory_mib = 128,
		.runtime_port = 9001,
		.code_dir = str_of(in_dir("code")),
		.env = &env,
		.n_env = 1 };

	if (access("/usr/bin/python3", X_OK) < 0)
		skip();
	start_zygote("/usr/bin/python3");
	for (int i = 0; i < 3; i++) {
		struct sandbox_message m = spawn(s);
		assert_true(m.pid > 0);
		close(connect_inside(&m, SANDBOX_FD_RUNTIME));
		assert_int_equal(wait_exit("sixteen").exit_code, 9);
		struct str out = read_all(m.fds[SANDBOX_FD_LOG]);
		assert_has(out, "993 /var/task code\n2 ['0', '1', '2', '3']\n");
		assert_has(out, "b'42' None\n");
		assert_has(out, "CapEff:\t0000000000000000");
		assert_has(out, "CapBnd:\t0000000000000000");
		assert_has(out, "Seccomp:\t2");
		assert_has(out, "No such file or directory");
		close_fds(&m);
	}
	s.zygote = S("nobody");
	assert_int_equal(
	        ask((struct sandbox_message){ .type = SANDBOX_SPAWN, .spec = s }).error, -ESRCH);
	/* What it parented outlives it. */
	s.zygote = S("python");
	struct sandbox_message m = spawn(s);
	assert_int_equal(
	        ask((struct sandbox_message){ .type = SANDBOX_KILL, .id = S("python") }).error, 0);
	wait_exit("python");
	close(connect_inside(&m, SANDBOX_FD_RUNTIME));
	assert_int_equal(wait_exit("sixteen").exit_code, 9);
	close_fds(&m);
}

static pid_t parent_of(pid_t pid)
{
	char line[128];
	int parent = 0;
	FILE *f = fopen(str_cstr(a, str_printf(a, "/proc/%d/status", pid)), "r");

	assert_non_null(f);
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "PPid: %d", &parent) == 1)
			break;
	fclose(f);
	return parent;
}

/* Cgroups, processes, mounts that carry the helper's traces: an empty answer is what we want. */
static struct str traces(pid_t of)
{
	const char *script = str_cstr(
	        a, str_printf(a,
	                   "find /sys/fs/cgroup -name 'wolke-%d' 2>/dev/null; grep %s "
	                   "/proc/self/mountinfo;"
	                   "grep -l '[9]8765' /proc/[0-9]*/cmdline 2>/dev/null; ls -A %s/state",
	                   of, dir, dir));
	FILE *f = popen(script, "r");
	struct buf b = buf_init(a);

	assert_non_null(f);
	for (int c; (c = fgetc(f)) != EOF;)
		buf_add_char(&b, (char)c);
	pclose(f);
	return buf_str(&b);
}

static void expect_nothing_left(struct sandbox_message *m, pid_t helper_pid)
{
	struct pollfd p = { m->fds[SANDBOX_FD_PIDFD], POLLIN, 0 };
	struct str left = S("");

	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_int_equal(kill(m->pid, 0), -1);
	for (int tries = 0; tries < 200; tries++, usleep(20000))
		if (str_is_empty(left = traces(helper_pid)))
			break;
	assert_string_equal(str_cstr(a, left), "");
	close_fds(m);
}

static void test_helper_ends(void **state)
{
	NEEDS("cgroup controller memory");
	struct sandbox_message m = spawn(shell("last", "sleep 98765 & setsid sleep 98765"));
	pid_t helper_pid = parent_of(parent_of(m.pid));

	assert_true(traces(helper_pid).n > 0);
	close(helper);
	expect_nothing_left(&m, helper_pid);
	start_helper();
}

static void test_helper_is_killed(void **state)
{
	NEEDS("cgroup controller memory");
	struct sandbox_message m = spawn(shell("last", "sleep 98765 & setsid sleep 98765"));
	pid_t helper_pid = parent_of(parent_of(m.pid));

	assert_int_equal(kill(helper_pid, SIGKILL), 0);
	expect_nothing_left(&m, helper_pid);
	assert_int_equal(waitpid(helper_pid, NULL, 0), helper_pid);
	close(helper);
	start_helper();
}

int main(int argc, char **argv)
{
	/* What is set while a program runs lies elsewhere than what it was started with. */
	if (!getenv("SECRET_OF_THE_HOST") && setenv("SECRET_OF_THE_HOST", "1", 1) == 0)
		execv("/proc/self/exe", argv);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_code),
		cmocka_unit_test(test_exit_signal),
		cmocka_unit_test(test_program_that_is_not_there),
		cmocka_unit_test(test_isolation),
		cmocka_unit_test(test_file_system),
		cmocka_unit_test(test_tmp_is_limited),
		cmocka_unit_test(test_fork_bomb),
		cmocka_unit_test(test_memory_hog),
		cmocka_unit_test(test_kill),
		cmocka_unit_test(test_fd_limit),
		cmocka_unit_test(test_freeze),
		cmocka_unit_test(test_runtime_socket),
		cmocka_unit_test(test_assign_running),
		cmocka_unit_test(test_assign_empty),
		cmocka_unit_test(test_zygote),
		cmocka_unit_test(test_helper_ends),
		cmocka_unit_test(test_helper_is_killed),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
