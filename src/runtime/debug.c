/* debug: a listening port per function, and a pair of tasks per connection. */
#include "runtime/debug.h"

#include "base/clock.h"
#include "base/log.h"
#include "loop/child.h"
#include "net/server.h"
#include "runtime/develop.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE      16384
#define TRY_MS     30
#define TRIES      500 /* 15 s: an interpreter that has yet to start */
#define INSTALL_MS 180000

static const struct {
	enum runtime_language language;
	uint16_t port;
} languages[] = {
	{ LANGUAGE_NODEJS, 9229 },
	{ LANGUAGE_PYTHON, 5678 },
	{ LANGUAGE_PROVIDED, 2345 },
};

struct debugger {
	struct runtime *rt;
	struct arena *arena;
	struct runtime_function f; /* to start one when there is none */
	enum runtime_language language;
	uint16_t inside;
	int port;
	struct loop_fd listener;
	struct task *acceptor;
	size_t n_attached, refs;
	bool ended;
};

static void unref(struct debugger *d)
{
	if (--d->refs)
		return;
	arena_destroy(d->arena);
	mem_free(d);
}

/* ---- what others ask ---- */

void debug_key(struct runtime *rt, struct arena *a, struct runtime_function *f)
{
	const struct debugger *d = rt->debuggers.n ? map_get(&rt->debuggers, f->arn) : NULL;

	f->debug_port = d ? d->inside : 0;
	if (d)
		f->key = str_concat(a, 2, f->key, S("?debug"));
}

bool debug_holds(const struct env *e)
{
	const struct debugger *d;

	if (!e->pool || !e->pool->f.debug_port)
		return false;
	d = map_get(&e->rt->debuggers, e->pool->f.arn);
	return d && (d->n_attached || (d->language == LANGUAGE_PROVIDED && e->state == ENV_INIT));
}

struct str debug_variable(struct arena *a, const struct env *e, struct str *name)
{
	unsigned port = e->pool->f.debug_port;

	if (e->interpreter->kind->language == LANGUAGE_NODEJS) {
		*name = S("NODE_OPTIONS");
		return str_printf(a, "--inspect=127.0.0.1:%u", port);
	}
	*name = S("WOLKE_DEBUG_PORT");
	return str_printf(a, "%u", port);
}

void debug_argv(struct arena *a, const struct env *e, struct sandbox_spec *spec)
{
	struct str *argv = arena_new_n(a, struct str, spec->n_argv + 3);

	if (!e->pool->f.debug_port)
		return;
	argv[0] = S("/usr/bin/gdbserver");
	argv[1] = S("--once");
	argv[2] = str_printf(a, "127.0.0.1:%u", e->pool->f.debug_port);
	memcpy(argv + 3, spec->argv, spec->n_argv * sizeof *argv);
	spec->argv = argv;
	spec->n_argv += 3;
}

/* ---- a connection ---- */

struct link {
	struct debugger *d;
	struct loop_fd outside, inside;
	struct cond ended;
	bool is_over;
	int refs; /* its task, and one for each direction */
};

struct half {
	struct link *link;
	struct loop_fd *from, *to;
};

static void link_unref(struct link *l)
{
	if (--l->refs)
		return;
	loop_fd_deinit(&l->outside);
	loop_fd_deinit(&l->inside);
	unref(l->d);
	mem_free(l);
}

static int copy_task(struct task *t, void *arg)
{
	struct half *h = arg;
	struct link *l = h->link;
	char *piece = arena_bytes(task_arena(t), PIECE);

	while (!l->is_over) {
		ssize_t n = loop_fd_read(t, h->from, piece, PIECE, TASK_FOREVER);
		if (n <= 0 || loop_fd_write_all(t, h->to, (struct str){ piece, (size_t)n },
		                      TASK_FOREVER) != 0)
			break;
	}
	l->is_over = true;
	cond_broadcast(&l->ended);
	link_unref(l);
	mem_free(h);
	return 0;
}

static void copy(struct link *l, struct loop_fd *from, struct loop_fd *to)
{
	struct half *h = mem_new(struct half);

	*h = (struct half){ l, from, to };
	l->refs++;
	task_start(l->d->rt->loop, "debug-copy", copy_task, h);
}

/* The environment that runs the function now: the one that was started last. */
static struct env *find_env(const struct debugger *d)
{
	struct map_slot *slot;
	struct env *found = NULL;
	size_t at = 0;

	while ((slot = map_next(&d->rt->envs, &at))) {
		struct env *e = slot->value;
		if (!e->pool || !e->pool->f.debug_port || e->pool->retired || !e->pid ||
		        e->state == ENV_STOPPING || e->state == ENV_GONE ||
		        !str_eq(e->pool->f.arn, d->f.arn))
			continue;
		if (!found || e->init_started_ns > found->init_started_ns)
			found = e;
	}
	return found;
}

static void start_one(struct debugger *d)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct runtime_function f = d->f;
	struct str why;
	struct pool *p;

	debug_key(d->rt, a, &f);
	if (develop_key(d->rt, a, &f, &why) != 0 || pool_get(d->rt, &f, a, &why, &p) != 0)
		log_warn("debugger of %.*s: %.*s", STR(d->f.name), STR(why));
	else
		pool_start_ahead(p);
}

static int connect_to(struct task *t, struct debugger *d, struct env *e, struct loop_fd *fd)
{
	struct sandbox_message m = { .type = SANDBOX_CONNECT, .id = str_of(e->id) }, reply;
	int error = 0;
	socklen_t n = sizeof error;

	m.spec.runtime_port = d->inside;
	TRY(sandbox_client_call(t, &d->rt->sandbox, &m, &reply));
	TRY(loop_fd_init(fd, d->rt->loop, fd_take(&reply.fds[SANDBOX_FD_RUNTIME])));
	int bad = loop_fd_wait_writable(t, fd, 1000);
	if (!bad && getsockopt(fd->fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0)
		bad = -error;
	if (bad)
		loop_fd_deinit(fd);
	return bad;
}

static int reach(struct task *t, struct debugger *d, struct loop_fd *fd)
{
	for (int i = 0; i < TRIES && !d->ended; i++) {
		struct env *e = find_env(d);
		int bad = e ? connect_to(t, d, e, fd) : -EAGAIN;
		if (bad == 0 || bad == -ECANCELED)
			return bad;
		if (!e && i % 10 == 0)
			start_one(d);
		TRY(task_sleep(t, TRY_MS));
	}
	return -ETIMEDOUT;
}

static int link_task(struct task *t, void *arg)
{
	struct link *l = arg;

	if (reach(t, l->d, &l->inside) == 0) {
		l->d->n_attached++;
		copy(l, &l->outside, &l->inside);
		copy(l, &l->inside, &l->outside);
		while (!l->is_over && cond_wait(t, &l->ended, TASK_FOREVER) == 0)
			;
		l->d->n_attached--;
	}
	/* Whoever still waits for one of them gets -EBADF. */
	l->is_over = true;
	loop_fd_deinit(&l->outside);
	loop_fd_deinit(&l->inside);
	link_unref(l);
	return 0;
}

static int accept_task(struct task *t, void *arg)
{
	struct debugger *d = arg;
	int fd;

	while (!d->ended && (fd = loop_fd_accept(t, &d->listener)) >= 0) {
		struct link *l = mem_new(struct link);
		l->d = d;
		l->inside.fd = -1;
		l->refs = 1;
		cond_init(&l->ended);
		if (loop_fd_init(&l->outside, d->rt->loop, fd) != 0) {
			mem_free(l);
			continue;
		}
		d->refs++;
		task_start(d->rt->loop, "debug-link", link_task, l);
	}
	d->acceptor = NULL;
	unref(d);
	return 0;
}

/* ---- on and off ---- */

static void end_pools(struct runtime *rt, struct str arn, bool debugged)
{
	struct map_slot *slot;
	size_t at = 0;

	while ((slot = map_next(&rt->pools, &at))) {
		struct pool *p = slot->value;
		if (str_eq(p->f.arn, arn) && str_eq(p->f.version, S("$LATEST")) &&
		        (p->f.debug_port != 0) == debugged)
			pool_retire(p);
	}
}

static void turn_off(struct debugger *d)
{
	map_remove(&d->rt->debuggers, d->f.arn);
	d->ended = true;
	loop_fd_deinit(&d->listener); /* ends the acceptor */
	end_pools(d->rt, d->f.arn, true);
	unref(d);
}

/* debugpy of the interpreter's own version, once, beside the bootstrap. */
static int install_debugpy(
        struct task *t, struct runtime *rt, const struct interpreter *in, struct str *why)
{
	struct arena *a = task_arena(t);
	struct child_result r;
	const char *to = str_printf(a, "%.*s/python/debug/python%d.%d",
	        STR(rt->options.runtimes_dir), in->kind->major, in->kind->minor)
	                         .p;
	const char *const argv[] = { in->path, "-m", "pip", "install", "--quiet",
		"--disable-pip-version-check", "--root-user-action=ignore", "--retries", "1",
		"--timeout", "15", "--target", to, "debugpy", NULL };

	if (access(str_printf(a, "%s/debugpy/__init__.py", to).p, R_OK) == 0)
		return 0;
	log_info("installing debugpy for %s", in->path);
	int bad = child_run(t, argv, INSTALL_MS, &r);
	if (bad == 0 && r.exit_code == 0)
		return 0;
	*why = str_printf(a, "debugpy is not there and cannot be installed for %s: %.*s", in->path,
	        STR(bad ? str_of(strerror(-bad)) : str_trim(r.out)));
	return RUNTIME_UNAVAILABLE;
}

static int make_ready(struct task *t, struct runtime *rt, const struct runtime_function *f,
        struct str *why, enum runtime_language *language)
{
	const struct runtime_kind *k = runtime_kind_find(f->runtime);
	struct str nearest;

	TRY(runtime_check(task_arena(t), f->runtime, &nearest, why));
	*language = k->language;
	if (k->language == LANGUAGE_PYTHON)
		return install_debugpy(t, rt, interpreter_find(k), why);
	if (k->language != LANGUAGE_PROVIDED || access("/usr/bin/gdbserver", X_OK) == 0)
		return 0;
	*why = S("gdbserver is not there: install the package gdbserver");
	return RUNTIME_UNAVAILABLE;
}

static int turn_on(struct task *t, struct runtime *rt, const struct runtime_function *f, int *port,
        struct str *why)
{
	enum runtime_language language = LANGUAGE_OTHER;
	struct debugger *before;
	uint16_t inside = 0;

	TRY(make_ready(t, rt, f, why, &language));
	for (size_t i = 0; i < ARRAY_LEN(languages); i++)
		if (languages[i].language == language)
			inside = languages[i].port;
	if ((before = map_get(&rt->debuggers, f->arn)))
		turn_off(before);
	*port = *port ? *port : inside;
	int fd = http_listen(S("127.0.0.1"), *port);
	if (fd < 0) {
		*why = str_printf(task_arena(t), "port %d: %s", *port, strerror(-fd));
		return RUNTIME_UNAVAILABLE;
	}
	struct debugger *d = mem_new(struct debugger);
	d->rt = rt;
	d->refs = 2;
	d->arena = arena_create();
	function_copy(d->arena, f, &d->f);
	d->language = language;
	d->inside = inside;
	d->port = *port;
	TRY(loop_fd_init(&d->listener, rt->loop, fd));
	map_put(&rt->debuggers, d->f.arn, d);
	end_pools(rt, d->f.arn, false);
	d->acceptor = task_start(rt->loop, "debug-accept", accept_task, d);
	start_one(d);
	return 0;
}

struct asking {
	const struct runtime_function *f;
	int port;
	struct str why;
	struct arena *arena;
};

static int debug_here(struct task *t, void *arg)
{
	struct asking *x = arg;
	struct runtime *rt = runtime_of(t);
	struct debugger *d = rt ? map_get(&rt->debuggers, x->f->arn) : NULL;
	int bad = 0;

	if (!rt || rt->stopping)
		return -ECANCELED;
	if (x->port >= 0)
		bad = turn_on(t, rt, x->f, &x->port, &x->why);
	else if (d)
		turn_off(d);
	x->why = str_dup(x->arena, x->why);
	return bad;
}

int runtime_debug(struct task *t, const struct runtime_function *f, int *port, struct str *why)
{
	struct asking x = { .f = f, .port = *port, .why = S(""), .arena = task_arena(t) };
	struct runtime *rt = runtime_of(t);

	if (!rt)
		return -ECANCELED;
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	x.arena = a;
	int bad = loop_call(t, rt->loop, debug_here, &x);
	*port = x.port;
	*why = str_dup(task_arena(t), x.why);
	return bad;
}

static int wait_here(struct task *t, void *arg)
{
	struct asking *x = arg;

	for (;;) {
		struct runtime *rt = runtime_of(t);
		const struct debugger *d = rt ? map_get(&rt->debuggers, x->f->arn) : NULL;
		if (!d || d->n_attached)
			return d ? 0 : -ECANCELED;
		TRY(task_sleep(t, TRY_MS));
	}
}

int runtime_debug_wait(struct task *t, const struct runtime_function *f)
{
	struct asking x = { .f = f };
	struct runtime *rt = runtime_of(t);

	return rt ? loop_call(t, rt->loop, wait_here, &x) : -ECANCELED;
}

int debug_stop(struct task *t, struct runtime *rt)
{
	struct map_slot *slot;
	size_t at = 0;

	while ((slot = map_next(&rt->debuggers, &at))) {
		turn_off(slot->value);
		at = 0;
	}
	map_deinit(&rt->debuggers);
	return task_yield(t);
}
