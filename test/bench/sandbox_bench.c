/* How long sandboxes take: sandbox_bench [python3 zygote.py]. Times from SPAWN to the first
 * connection on the runtime socket, from a program that only connects. */
#include "base/arena.h"
#include "base/clock.h"
#include "sandbox/sandbox.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MANY 1000

static struct arena *a;
static int helper;
static uint32_t numbers;
static struct sandbox_message replies[MANY];

static double now_ms(void)
{
	return (double)clock_mono_ns() / 1e6;
}

static void receive(struct sandbox_message *m)
{
	struct pollfd p = { helper, POLLIN, 0 };

	ensure(poll(&p, 1, 60000) == 1 && sandbox_receive(helper, a, m) == 0);
}

static void wait_type(enum sandbox_message_type type, struct sandbox_message *m)
{
	do
		receive(m);
	while (m->type != type);
	if (m->error)
		fprintf(stderr, "%.*s\n", STR(m->why));
	ensure(m->error == 0 || m->error == -ESRCH);
}

static void send_message(struct sandbox_message m)
{
	struct pollfd p = { helper, POLLOUT, 0 };
	int error;

	m.number = ++numbers;
	while ((error = sandbox_send(helper, &m)) == -EAGAIN)
		poll(&p, 1, -1);
	ensure(error == 0);
}

static struct sandbox_spec spec(const char *name, int i, const char *zygote)
{
	struct sandbox_spec s = { .network = true, .memory_mib = 128, .runtime_port = 9001 };

	s.id = str_printf(a, "%s%d", name, i);
	s.argv = arena_new(a, struct str);
	s.argv[0] = S("/var/runtime/sandbox_bench");
	s.n_argv = 1;
	s.runtime_dir = str_of(getenv("BENCH_DIR"));
	if (zygote)
		s.zygote = str_of(zygote);
	return s;
}

static void accept_one(int listener)
{
	struct pollfd p = { listener, POLLIN, 0 };

	ensure(poll(&p, 1, 60000) == 1);
	close(accept(listener, NULL, NULL));
}

static void close_fds(struct sandbox_message *m)
{
	for (int i = 0; i < SANDBOX_FD_N; i++)
		fd_closep(&m->fds[i]);
}

static int compare(const void *x, const void *y)
{
	return *(const double *)x < *(const double *)y ? -1
	                                               : *(const double *)x > *(const double *)y;
}

static void one_by_one(const char *name, const char *zygote, int pause_us)
{
	enum { N = 100 };
	double replied[N], connected[N], gone[N];

	for (int i = 0; i < N; i++) {
		struct sandbox_message m, e;
		double t = now_ms();
		send_message((struct sandbox_message){
		        .type = SANDBOX_SPAWN, .spec = spec(name, i, zygote) });
		wait_type(SANDBOX_REPLY, &m);
		replied[i] = now_ms() - t;
		accept_one(m.fds[SANDBOX_FD_RUNTIME]);
		connected[i] = now_ms() - t;
		t = now_ms();
		wait_type(SANDBOX_EXIT, &e);
		gone[i] = now_ms() - t;
		close_fds(&m);
		usleep((useconds_t)pause_us);
	}
	qsort(replied, N, sizeof *replied, compare);
	qsort(connected, N, sizeof *connected, compare);
	qsort(gone, N, sizeof *gone, compare);
	printf("%-28s reply p50 %.2f  connected p50 %.2f p99 %.2f  gone %.2f ms\n", name,
	        replied[N / 2], connected[N / 2], connected[N - 2], gone[N / 2]);
}

static void burst(const char *name, const char *zygote, int n)
{
	struct sandbox_message e;
	double t = now_ms();

	for (int i = 0; i < n; i++)
		send_message((struct sandbox_message){
		        .type = SANDBOX_SPAWN, .spec = spec(name, i, zygote) });
	for (int i = 0; i < n; i++)
		wait_type(SANDBOX_REPLY, &replies[i]);
	double replied = now_ms() - t;
	for (int i = 0; i < n; i++)
		accept_one(replies[i].fds[SANDBOX_FD_RUNTIME]);
	double connected = now_ms() - t;
	for (int i = 0; i < n; i++)
		wait_type(SANDBOX_EXIT, &e);
	printf("%-20s %4d: replied %.1f connected %.1f all gone %.1f ms\n", name, n, replied,
	        connected, now_ms() - t);
	for (int i = 0; i < n; i++)
		close_fds(&replies[i]);
}

static int be_inside(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(9001),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char byte;

	if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
		return 1;
	return read(fd, &byte, 1) < 0;
}

static int be_inside_and_stay(void)
{
	be_inside();
	pause();
	return 0;
}

static void measure_zygote(char **argv)
{
	struct str args[] = { str_of(argv[0]), str_of(argv[1]) };
	struct sandbox_message m = { .type = SANDBOX_ZYGOTE,
		.spec = { .id = S("python"), .argv = args, .n_argv = 2 } };
	double t = now_ms();

	send_message(m);
	wait_type(SANDBOX_REPLY, &m);
	printf("zygote ready %.1f ms\n", now_ms() - t);
	one_by_one("zygote", "python", 8000);
	one_by_one("zygotewithoutpause", "python", 0);
	burst("zygoteburst", "python", 100);
}

int main(int argc, char **argv)
{
	bool network = !getenv("NO_NETWORK");
	struct sandbox_options o = { .state_dir = S("/tmp/sandbox-bench-state"),
		.network = { .possible = network, .standard = network },
		.runtimes_dir = S("/nowhere") };
	struct rlimit files;
	struct sandbox_message m;
	char dir[512];

	if (getpid() < 10)
		return getenv("STAY") ? be_inside_and_stay() : be_inside();
	a = arena_create();
	setvbuf(stdout, NULL, _IOLBF, 0);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	ssize_t n = readlink("/proc/self/exe", dir, sizeof dir - 1);
	dir[n] = 0;
	*strrchr(dir, '/') = 0;
	setenv("BENCH_DIR", dir, 1);
	double t = now_ms();
	ensure(sandbox_helper_start(&o, &helper) == 0);
	setrlimit(RLIMIT_NOFILE, &files);
	wait_type(SANDBOX_REPORT, &m);
	printf("helper ready %.1f ms; lacks: %.*s\n", now_ms() - t, STR(m.why));
	usleep(50000);
	one_by_one("spare", NULL, 8000);
	one_by_one("withoutpause", NULL, 0);
	burst("burst", NULL, 100);
	if (argc > 2)
		measure_zygote(argv + 1);
	burst("many", NULL, MANY);
	return 0;
}
