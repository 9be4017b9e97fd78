/* Tests of the sandbox from inside: shell commands that look around, and notices of how they end.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "sandbox/sandbox.h"

#include <arpa/inet.h>
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

/* ---- network ---- */

static char own_text[INET_ADDRSTRLEN]; /* of this machine, not loopback; "": it has none */
static uint16_t opened_port;           /* in host_ports */
static pid_t server;

static struct in_addr own_address(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	socklen_t size = sizeof to;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	to.sin_addr.s_addr = inet_addr("198.51.100.1");
	if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0 ||
	        getsockname(fd, (struct sockaddr *)&to, &size) < 0)
		to.sin_addr.s_addr = 0;
	close(fd);
	return to.sin_addr;
}

static int bind_to(int type, struct in_addr address, uint16_t *port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_addr = address, .sin_port = htons(*port)
	};
	socklen_t size = sizeof to;
	int fd = socket(AF_INET, type, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof to), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&to, &size), 0);
	assert_true(type == SOCK_DGRAM || listen(fd, 10) == 0);
	*port = ntohs(to.sin_port);
	return fd;
}

/* Answers each line and each datagram with "seen " before it. */
_Noreturn static void serve(int tcp, int udp)
{
	struct sockaddr_in from;
	socklen_t size = sizeof from;
	char room[128] = "seen ";

	for (;;) {
		struct pollfd v[] = { { tcp, POLLIN, 0 }, { udp, POLLIN, 0 } };
		poll(v, 2, -1);
		if (v[0].revents) {
			int fd = accept(tcp, NULL, NULL);
			ssize_t n = read(fd, room + 5, sizeof room - 5);
			(void)!write(fd, room, (size_t)MAX(n, 0) + 5);
			close(fd);
		}
		if (v[1].revents) {
			ssize_t n = recvfrom(
			        udp, room + 5, sizeof room - 5, 0, (struct sockaddr *)&from, &size);
			sendto(udp, room, (size_t)MAX(n, 0) + 5, 0, (struct sockaddr *)&from, size);
		}
	}
}

static uint16_t start_server(struct in_addr address)
{
	uint16_t port = 0;
	int tcp = bind_to(SOCK_STREAM, address, &port), udp = bind_to(SOCK_DGRAM, address, &port);

	server = fork();
	if (server == 0)
		serve(tcp, udp);
	close(tcp);
	close(udp);
	return port;
}

static void end_server(void)
{
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
}

static struct sandbox_spec bash(const char *id, const char *format, uint16_t port)
{
	struct sandbox_spec s = shell(id, "");

	s.argv[0] = S("/usr/bin/bash");
	s.argv[2] = str_printf(a,
	        "say() { exec 3<>$1 && echo hi >&3 && head -n1 <&3; }; "
	        "IP=%s PORT=%u; %s",
	        own_text, port, format);
	s.network = true;
	return s;
}

#define NEEDS_ADDRESS()                                              \
	do {                                                         \
		if (!own_text[0]) {                                  \
			print_message("skipped: no address here\n"); \
			skip();                                      \
		}                                                    \
	} while (0)

static void test_network(void **state)
{
	NEEDS_ADDRESS();
	uint16_t port = start_server(own_address());
	struct str out = run(bash("net",
	                             "say /dev/tcp/$IP/$PORT; say /dev/udp/$IP/$PORT;"
	                             "say /dev/tcp/host.wolke.internal/$PORT",
	                             port),
	        NULL);
	assert_true(str_eq(out, S("seen hi\nseen hi\nseen hi\n")));
	end_server();
	out = run(bash("net", "say /dev/tcp/$IP/$PORT; say /dev/udp/$IP/$PORT", port), NULL);
	assert_has(out, "tcp/");
	assert_has(out, "Connection refused\n");
	assert_has(out, "error reading"); /* of head: the datagram was refused */
}

static void test_network_is_closed(void **state)
{
	NEEDS_ADDRESS();
	struct sandbox_spec s = bash("net", "say /dev/tcp/$IP/1", 0);

	s.network = false;
	assert_has(run(s, NULL), "Network is unreachable");
	/* Metadata services, multicast, nobody's. */
	struct str out = run(bash("net", "say /dev/tcp/169.254.169.254/80", 0), NULL);
	assert_has(out, "Network is unreachable");
	assert_has(
	        run(bash("net", "say /dev/tcp/240.0.0.1/80", 0), NULL), "Network is unreachable");
}

/* Of the host's loopback only what was asked for; of other sandboxes nothing. */
static void test_network_of_host(void **state)
{
	NEEDS_ADDRESS();
	struct in_addr loopback = { htonl(INADDR_LOOPBACK) };
	uint16_t port = start_server(loopback);
	struct sandbox_spec other = shell("other", "sleep 98765");

	other.runtime_port = 9001;
	struct sandbox_message m = spawn(other);
	struct str out = run(bash("net",
	                             "say /dev/tcp/127.0.0.1/$PORT;"
	                             "say /dev/tcp/host.wolke.internal/$PORT;"
	                             "say /dev/tcp/127.0.0.1/9001; say /dev/tcp/169.254.76.1/9001;"
	                             "say /dev/tcp/host.wolke.internal/9001",
	                             port),
	        NULL);
	end_server();
	assert_has_not(out, "seen");
	assert_int_equal(
	        ask((struct sandbox_message){ .type = SANDBOX_KILL, .id = S("other") }).error, 0);
	wait_exit("other");
	close_fds(&m);
	int fd = bind_to(SOCK_STREAM, loopback, &opened_port);
	m = spawn(bash("net", "say /dev/tcp/host.wolke.internal/$PORT", opened_port));
	struct pollfd p = { fd, POLLIN, 0 };
	assert_int_equal(poll(&p, 1, 20000), 1);
	int accepted = accept(fd, NULL, NULL);
	assert_int_equal(write(accepted, "opened\n", 7), 7);
	assert_true(str_eq(read_all(m.fds[SANDBOX_FD_LOG]), S("opened\n")));
	wait_exit("net");
	close_fds(&m);
	close(accepted);
	close(fd);
}

static void test_network_by_assign(void **state)
{
	NEEDS_ADDRESS();
	struct sandbox_spec empty = { .id = S("net"), .memory_mib = 128 }, off = bash("net", "", 0);
	struct sandbox_message m = spawn(empty);
	uint16_t port = start_server(own_address());
	struct sandbox_spec s = bash("net", "say /dev/tcp/$IP/$PORT", port);

	assert_int_equal(
	        ask((struct sandbox_message){ .type = SANDBOX_ASSIGN, .spec = s }).error, 0);
	assert_true(str_eq(read_all(m.fds[SANDBOX_FD_LOG]), S("seen hi\n")));
	wait_exit("net");
	close_fds(&m);
	empty.network = true;
	m = spawn(empty);
	off.argv[2] = s.argv[2];
	off.network = false;
	assert_int_equal(
	        ask((struct sandbox_message){ .type = SANDBOX_ASSIGN, .spec = off }).error, 0);
	assert_has(read_all(m.fds[SANDBOX_FD_LOG]), "Network is unreachable");
	wait_exit("net");
	close_fds(&m);
	end_server();
}

static void choose_addresses(void)
{
	struct in_addr own = own_address(), loopback = { htonl(INADDR_LOOPBACK) };

	if (own.s_addr)
		inet_ntop(AF_INET, &own, own_text, sizeof own_text);
	close(bind_to(SOCK_STREAM, loopback, &opened_port));
}

static void start_helper(void)
{
	struct sandbox_options o = {
		.state_dir = str_printf(a, "%s/state", dir),
		.runtimes_dir = S("/nowhere"),
		.network = { .possible = true, .standard = true, .n_host_ports = 1 },
	};
	struct sandbox_message m;

	o.network.host_ports[0] = opened_port;
	assert_int_equal(sandbox_helper_start(&o, &helper), 0);
	receive(&m);
	assert_int_equal(m.type, SANDBOX_REPORT);
	report = m.why;
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

static int start(void **state)
{
	a = arena_create();
	assert_non_null(mkdtemp(dir));
	chmod(dir, 0755);
	choose_addresses();
	start_helper();
	return 0;
}

static int stop(void **state)
{
	close(helper);
	while (wait(NULL) > 0)
		;
	pclose(popen(str_cstr(a, str_printf(a, "rm -rf %s", dir)), "r"));
	return 0;
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
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_network_is_closed),
		cmocka_unit_test(test_network_of_host),
		cmocka_unit_test(test_network_by_assign),
		cmocka_unit_test(test_helper_ends),
		cmocka_unit_test(test_helper_is_killed),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
