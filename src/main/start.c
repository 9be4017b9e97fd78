/*
 * start: `wolke start`. The privileged helper is forked first, before any thread; then the store is
 * opened, the services are started, and the port is served until SIGTERM or SIGINT.
 */
#include "main/command.h"
#include "main/loops.h"
#include "main/server.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "codec/codec.h"
#include "kv/blobs.h"
#include "kv/jobs.h"
#include "kv/timers.h"
#include "loop/pool.h"
#include "net/client.h"
#include "net/tls.h"
#include "runtime/runtime.h"
#include "runtime/tail.h"
#include "sandbox/sandbox.h"
#include "services/iam/iam.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define GRACE_MS  5000
#define LOOPS_MAX 64

struct server {
	const struct options *options;
	struct arena *arena;
	struct loop *loop; /* loop 0 */
	struct kv *kv;
	struct api *api;
	struct tls_server *tls;
	struct http_server *http;
	struct loops *loops;
	int sandbox_fd, listen_fd, signal_fd;
	struct network_options network;
	int result;
};

static int say(const char *what, int error)
{
	log_error("%s: %s", what, strerror(error < 0 ? -error : error));
	return error;
}

static int make_directory(struct arena *a, struct str path)
{
	for (size_t i = 1; i <= path.n; i++) {
		if (i < path.n && path.p[i] != '/')
			continue;
		if (mkdir(str_cstr(a, str_sub(path, 0, i)), 0700) != 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

/* Whole or not at all: a start that is killed here must not lock the next one out. */
static int store_secret(struct arena *a, struct str dir, struct str path, struct str secret)
{
	const char *name = str_cstr(a, str_concat(a, 2, path, S(".new")));
	CLEANUP(fd_closep) int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CLEANUP(fd_closep) int folder = open(str_cstr(a, dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || folder < 0 || write(fd, secret.p, secret.n) != (ssize_t)secret.n)
		return -errno;
	if (fsync(fd) != 0 || rename(name, str_cstr(a, path)) != 0 || fsync(folder) != 0)
		return -errno;
	return 0;
}

/* A secret of this installation: made once, kept in the data directory. */
static int load_secret(struct arena *a, struct str dir, struct str *secret)
{
	struct str path = str_printf(a, "%.*s/root-secret", STR(dir));
	char *bytes = arena_bytes(a, 64);
	CLEANUP(fd_closep) int fd = open(str_cstr(a, path), O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		*secret = rand_text(
		        a, 40, S("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"));
		return store_secret(a, dir, path, *secret);
	}
	ssize_t n = read(fd, bytes, 64);
	if (n < 32) {
		log_error("%.*s is damaged: what it seals cannot be read without it", STR(path));
		return -EPROTO;
	}
	*secret = str_trim((struct str){ bytes, (size_t)n });
	return 0;
}

static void access_line(const char *line)
{
	log_info("%s", line);
}

static enum api_iam_mode iam_mode(struct str word)
{
	if (str_eq(word, S("enforce")))
		return API_IAM_ENFORCE;
	return str_eq(word, S("off")) ? API_IAM_OFF : API_IAM_WARN;
}

static int open_store(struct server *s)
{
	const char *why = NULL;
	struct kv_options o = {
		.path = str_printf(s->arena, "%.*s/store", STR(s->options->data_dir)),
		.durability = str_eq(s->options->durability, S("relaxed")) ? KV_RELAXED : KV_STRICT,
		.beside = true,
	};

	TRY(kv_open(&o, &s->kv, &why));
	if (o.durability == KV_RELAXED)
		log_warn("--durability=relaxed: what is written may be lost in a crash");
	loop_set(s->loop, LOOP_KV, s->kv);
	return 0;
}

static int make_api(struct server *s)
{
	const struct options *o = s->options;
	struct api_options api = {
		.services = server_services,
		.identity = &iam_identity,
		.iam = iam_mode(o->iam),
		.default_account = o->account,
		.default_region = o->region,
		.host = S("localhost"),
		.port = o->port,
		.access_log = o->access_log ? access_line : NULL,
	};

	TRY(load_secret(s->arena, o->data_dir, &api.root_secret));
	TRY(api_new(&api, &s->api));
	loop_set(s->loop, LOOP_API, s->api);
	return 0;
}

static int start_runtime(struct server *s)
{
	const struct options *o = s->options;
	struct runtime_options r = {
		.data_dir = o->data_dir,
		.runtimes_dir = o->runtimes_dir,
		.sandbox_fd = s->sandbox_fd,
		.network = s->network.standard,
		.nearest = str_eq(o->runtimes, S("nearest")),
		.keep_warm_s = (uint32_t)o->keep_warm_s,
		.account_concurrency = (uint32_t)o->concurrency,
		.endpoint = S("http://127.0.0.1:4566"),
	};

	return runtime_start(s->loop, &r);
}

static int serve(struct task *t, struct http_exchange *x)
{
	return admin_matches(&x->request) ? admin_serve(t, x) : api_serve(t, x);
}

static int n_loops(const struct options *o)
{
	long n = o->threads ? o->threads : sysconf(_SC_NPROCESSORS_ONLN);

	return (int)MAX(1, MIN(n, LOOPS_MAX));
}

static int start_http(struct task *t, struct server *s)
{
	struct http_server_options o = { .handler = serve, .arg = s, .tls = s->tls };

	TRY(loops_start(t, n_loops(s->options) - 1, s->listen_fd, &o, &s->loops));
	return http_server_start(s->loop, fd_take(&s->listen_fd), &o, &s->http);
}

static int wait_for_signal(struct task *t, struct server *s)
{
	struct loop_fd fd;
	struct signalfd_siginfo info;

	TRY(loop_fd_init(&fd, s->loop, fd_take(&s->signal_fd)));
	ssize_t n = loop_fd_read(t, &fd, &info, sizeof info, TASK_FOREVER);
	loop_fd_deinit(&fd);
	return n < 0 ? (int)n : 0;
}

/* The store opens beside all this, and requests that need it wait for it. */
static int bring_up(struct task *t, struct server *s)
{
	const char *why = NULL;

	TRY(start_runtime(s));
	TRY(api_start(t));
	TRY(start_http(t, s));
	TRY(kv_blobs_sweep(t));
	kv_timers_start(s->kv, s->loop);
	kv_jobs_start(s->kv, s->loop);
	int bad = kv_opened(t, s->kv, &why);
	if (bad == -EBUSY)
		log_error("another wolke runs with the data in %.*s", STR(s->options->data_dir));
	else if (bad)
		log_error("the store at %.*s does not open: %s", STR(kv_path(s->kv)),
		        why ? why : strerror(-bad));
	return bad;
}

static int server_task(struct task *t, void *arg)
{
	struct server *s = arg;

	s->result = bring_up(t, s);
	if (s->result == 0) {
		log_info("wolke %s listens on http://%.*s:%d, data in %.*s", WOLKE_VERSION,
		        STR(s->options->host), s->options->port, STR(s->options->data_dir));
		s->result = wait_for_signal(t, s);
		log_info("stopping");
		runtime_tails_end(s->loop);
		loops_stop_begin(t, s->loops, GRACE_MS);
		s->result = http_server_stop(t, s->http, GRACE_MS);
		loops_stop_end(t, s->loops);
		s->result = runtime_stop(t);
	} else {
		say("start", s->result);
	}
	http_client_close(s->loop);
	loop_stop(s->loop);
	return 0;
}

static int block_signals(struct server *s)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	s->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return s->signal_fd < 0 ? -errno : 0;
}

/* Strict is for those who want nothing open that is not asked for. */
static int set_network(struct server *s)
{
	const struct options *o = s->options;
	bool strict = str_eq(o->sandbox, S("strict"));
	struct str mode = o->network.n ? o->network : strict ? S("ask") : S("on");
	struct str rest = o->host_ports;
	uint64_t port;

	s->network.possible = !str_eq(mode, S("off"));
	s->network.standard = str_eq(mode, S("on"));
	while (rest.n) {
		if (!str_to_u64(str_trim(str_cut(&rest, ',')), &port) || !port || port > 65535 ||
		        s->network.n_host_ports == NETWORK_PORTS_MAX) {
			log_error("--host-ports takes up to %d port numbers with commas between",
			        NETWORK_PORTS_MAX);
			return -EINVAL;
		}
		s->network.host_ports[s->network.n_host_ports++] = (uint16_t)port;
	}
	return 0;
}

static int start_helper(struct server *s)
{
	TRY(set_network(s));
	struct sandbox_options o = {
		.state_dir = str_printf(s->arena, "%.*s/sandbox", STR(s->options->data_dir)),
		.runtimes_dir = s->options->runtimes_dir,
		.network = s->network,
		.strict = str_eq(s->options->sandbox, S("strict")),
	};

	return sandbox_helper_start(&o, &s->sandbox_fd);
}

static void set_log_level(struct str word)
{
	static const struct str names[] = { S_INIT("debug"), S_INIT("info"), S_INIT("warning"),
		S_INIT("error") };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(word, names[i]))
			log_set_level((enum log_level)i);
}

static int take_port(struct server *s)
{
	const struct options *o = s->options;

	s->listen_fd = http_listen(o->host, o->port);
	if (s->listen_fd >= 0)
		return 0;
	if (s->listen_fd == -EINVAL)
		log_error("--host takes an IP address, not %.*s", STR(o->host));
	else
		log_error("port %d of %.*s: %s", o->port, STR(o->host), strerror(-s->listen_fd));
	return s->listen_fd;
}

static int prepare(struct server *s)
{
	const struct options *o = s->options;

	set_log_level(o->log_level);
	if (str_eq(o->clock, S("manual")))
		clock_manual_set(clock_now_ms());
	int bad = make_directory(s->arena, o->data_dir);
	if (bad)
		return say(str_cstr(s->arena, o->data_dir), bad);
	/* Before the port is taken: the helper would keep it open while we stop. */
	TRY(start_helper(s));
	TRY(take_port(s));
	TRY(block_signals(s));
	s->loop = loop_new();
	TRY(open_store(s));
	TRY(make_api(s));
	return tls_server_new(o->data_dir, &s->tls);
}

int command_start(struct arena *a, const struct options *o)
{
	struct server s = { .options = o, .arena = a, .listen_fd = -1, .sandbox_fd = -1 };
	int bad = prepare(&s);

	if (bad) {
		say("start", bad);
		return 1;
	}
	task_start(s.loop, "server", server_task, &s);
	loop_run(s.loop);
	pool_stop();
	kv_close(s.kv);
	tls_server_free(s.tls);
	loop_free(s.loop);
	api_free(s.api);
	return s.result ? 1 : 0;
}
