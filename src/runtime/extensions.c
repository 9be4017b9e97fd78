/* extensions: see extensions.h. The HTTP side is in extensions_api.c, the end in shutdown.c. */
#include "runtime/extensions.h"
#include "runtime/telemetry.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "codec/json.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

static struct extensions *extensions_get(struct env *e)
{
	if (e->extensions)
		return e->extensions;
	e->extensions = mem_new(struct extensions);
	e->extensions->env = e;
	list_init(&e->extensions->all);
	cond_init(&e->extensions->changed);
	e->extensions->telemetry = telemetry_new(e);
	return e->extensions;
}

static struct extension *add(struct env *e, struct str name)
{
	struct extensions *all = extensions_get(e);
	struct extension *x = mem_new(struct extension);

	x->env = e;
	x->name = str_dup(e->arena, name);
	x->log_fd.fd = -1;
	x->event_arena = arena_create();
	cond_init(&x->has_event);
	list_push_back(&all->all, &x->node);
	all->n++;
	return x;
}

struct extension *extension_new(struct env *e, struct str name)
{
	struct extension *x =
	        e->extensions && e->extensions->n >= EXTENSIONS_MAX ? NULL : add(e, name);

	return x;
}

struct extension *extension_find(const struct env *e, struct str id)
{
	if (!e->extensions)
		return NULL;
	list_for_each (n, &e->extensions->all) {
		struct extension *x = CONTAINER_OF(n, struct extension, node);
		if (x->id[0] && str_eq(str_of(x->id), id))
			return x;
	}
	return NULL;
}

struct extension *extension_find_name(const struct env *e, struct str name)
{
	if (!e->extensions)
		return NULL;
	list_for_each (n, &e->extensions->all) {
		struct extension *x = CONTAINER_OF(n, struct extension, node);
		if (str_eq(x->name, name))
			return x;
	}
	return NULL;
}

/* ---- starting ---- */

static void find_in(struct env *e, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *f;
	struct stat st;

	while (d && (f = readdir(d))) {
		bool good = fstatat(dirfd(d), f->d_name, &st, 0) == 0 && S_ISREG(st.st_mode);
		if (good && !extension_find_name(e, str_of(f->d_name)))
			add(e, str_of(f->d_name))->external = true;
	}
	if (d)
		closedir(d);
}

void extensions_find(struct env *e, const struct sandbox_spec *spec)
{
	for (size_t i = 0; i < spec->n_layers; i++)
		find_in(e, str_cstr(e->arena,
		                   str_concat(e->arena, 2, spec->layers[i], S("/extensions"))));
}

/* Of the function's own runtime only. */
static bool is_hidden(struct str variable)
{
	static const struct str names[] = { S_INIT("AWS_EXECUTION_ENV="),
		S_INIT("AWS_LAMBDA_LOG_GROUP_NAME="), S_INIT("AWS_LAMBDA_LOG_STREAM_NAME="),
		S_INIT("AWS_XRAY_CONTEXT_MISSING="), S_INIT("AWS_XRAY_DAEMON_ADDRESS="),
		S_INIT("LAMBDA_RUNTIME_DIR="), S_INIT("LAMBDA_TASK_ROOT="),
		S_INIT("_AWS_XRAY_DAEMON_ADDRESS="), S_INIT("_AWS_XRAY_DAEMON_PORT="),
		S_INIT("_HANDLER="), S_INIT("PYTHONPATH=/var/runtime"), S_INIT("NODE_PATH=") };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_starts(variable, names[i]))
			return true;
	return false;
}

static void on_line(void *arg, struct str line)
{
	struct extension *x = arg;

	if (x->env->log)
		env_log_line(x->env->log, line);
	telemetry_line(x->env, TELEMETRY_EXTENSION, line);
}

static int log_task(struct task *t, void *arg)
{
	enum { PIECE = 4096 };
	struct extension *x = arg;
	struct env *e = x->env;
	char *piece = arena_bytes(task_arena(t), PIECE);

	for (;;) {
		ssize_t n = loop_fd_read(t, &x->log_fd, piece, PIECE, TASK_FOREVER);
		if (n <= 0)
			break;
		lines_feed(&x->lines, (struct str){ piece, (size_t)n }, on_line, x);
	}
	lines_end(&x->lines, on_line, x);
	env_unref(e);
	return 0;
}

static int start_one(struct task *t, struct extension *x, const struct str *env, size_t n_env)
{
	struct env *e = x->env;
	struct arena *a = task_arena(t);
	struct str program = str_concat(a, 2, S("/opt/extensions/"), x->name);
	struct sandbox_message m = { .type = SANDBOX_RUN, .id = str_of(e->id) }, reply;

	m.spec = (struct sandbox_spec){ .argv = &program, .n_argv = 1 };
	m.spec.env = arena_new_n(a, struct str, n_env + 1);
	for (size_t i = 0; i < n_env; i++)
		if (!is_hidden(env[i]))
			m.spec.env[m.spec.n_env++] = env[i];
	TRY(sandbox_client_call(t, &e->rt->sandbox, &m, &reply));
	x->number = m.number;
	TRY(loop_fd_init(&x->log_fd, e->rt->loop, fd_take(&reply.fds[SANDBOX_FD_LOG])));
	env_ref(e);
	task_start(e->rt->loop, "extension-log", log_task, x);
	return 0;
}

int extensions_start(struct task *t, struct env *e, const struct str *env, size_t n_env)
{
	if (!e->extensions)
		return 0;
	list_for_each (n, &e->extensions->all) {
		struct extension *x = CONTAINER_OF(n, struct extension, node);
		if (x->external)
			TRY(start_one(t, x, env, n_env));
	}
	return 0;
}

/* ---- readiness ---- */

bool extensions_are_ready(const struct env *e)
{
	if (!e->extensions)
		return true;
	list_for_each (n, &e->extensions->all) {
		const struct extension *x = CONTAINER_OF(n, struct extension, node);
		if (x->state != EXTENSION_WAITING)
			return false;
	}
	return true;
}

void extension_asks(struct extension *x)
{
	struct env *e = x->env;

	if (x->state != EXTENSION_ENDED)
		x->state = EXTENSION_WAITING;
	if (extensions_are_ready(e))
		env_is_ready(e);
}

static struct str events_of(struct arena *a, const struct extension *x)
{
	return str_printf(a, "%s%s%s", x->invoke ? "INVOKE" : "",
	        x->invoke && x->shutdown ? "," : "", x->shutdown ? "SHUTDOWN" : "");
}

static void say_extension(struct extension *x, struct str state)
{
	struct env *e = x->env;
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct buf b = buf_init(a);
	struct report_extension r = { .name = x->name,
		.state = state,
		.events = events_of(a, x),
		.error_type = x->error_type };

	report_extension(&b, e->pool->f.log_json, clock_now_ms(), &r);
	if (e->log)
		env_log_event(e->log, buf_str(&b));
	buf_clear(&b);
	report_extension(&b, true, clock_now_ms(), &r);
	telemetry_platform(e, S("platform.extension"), buf_str(&b));
}

void extensions_end_init(struct env *e)
{
	if (!e->extensions || e->extensions->registration_closed)
		return;
	e->extensions->registration_closed = true;
	list_for_each (n, &e->extensions->all)
		say_extension(CONTAINER_OF(n, struct extension, node), S("Ready"));
	telemetry_end_init(e);
}

/* ---- events ---- */

static int64_t wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static struct json_writer begin_event(
        struct extension *x, struct buf *b, struct str type, int64_t deadline)
{
	arena_reset(x->event_arena);
	*b = buf_init(x->event_arena);
	struct json_writer w = json_writer(b);
	json_object(&w);
	json_member_str(&w, S("eventType"), type);
	json_member_i64(&w, S("deadlineMs"), deadline);
	return w;
}

static void give(struct extension *x, struct json_writer *w, struct buf *b)
{
	json_end(w);
	x->event = buf_str(b);
	x->state = EXTENSION_WORKING;
	cond_broadcast(&x->has_event);
}

static void invoke_one(struct extension *x, const struct runtime_invocation *in)
{
	struct buf b;
	struct json_writer w =
	        begin_event(x, &b, S("INVOKE"), wall_ms() + x->env->pool->f.timeout_s * 1000ll);

	json_member_str(&w, S("requestId"), in->request_id);
	json_member_str(&w, S("invokedFunctionArn"), in->invoked_arn);
	json_key(&w, S("tracing"));
	json_object(&w);
	json_member_str(&w, S("type"), S("X-Amzn-Trace-Id"));
	json_member_str(&w, S("value"), in->trace_id);
	json_end(&w);
	give(x, &w, &b);
}

void extensions_invoke(struct env *e, const struct runtime_invocation *in)
{
	if (!e->extensions)
		return;
	list_for_each (n, &e->extensions->all) {
		struct extension *x = CONTAINER_OF(n, struct extension, node);
		if (x->invoke && x->state != EXTENSION_ENDED)
			invoke_one(x, in);
	}
}

void extension_shut_down(struct extension *x, struct str reason, int64_t limit_ms)
{
	struct buf b;
	struct json_writer w = begin_event(x, &b, S("SHUTDOWN"), wall_ms() + limit_ms);

	json_member_str(&w, S("shutdownReason"), reason);
	give(x, &w, &b);
}

/* ---- failures ---- */

/* What it was for has failed with it. */
static void fail_env(struct extension *x, struct str type, struct str what)
{
	struct env *e = x->env;
	struct str id = { e->run.request_id, e->run.request_id_n };
	struct str document = report_error(e->arena, type, id, what);
	struct outcome o = {
		.payload = document,
		.function_error = S("Unhandled"),
		.status = S("error"),
		.error_type = type,
	};

	if (e->state == ENV_INIT) {
		env_init_failed(e, document, type);
	} else if (e->state == ENV_BUSY) {
		e->end = ENV_END_FAILURE;
		if (!e->run.answered)
			env_finish(e, &o);
		env_stop(e);
	} else if (e->state == ENV_IDLE) {
		e->end = ENV_END_FAILURE;
		env_stop(e);
	}
}

void extensions_failed(struct extension *x, struct str error_type)
{
	x->error_type = str_dup(x->env->arena, error_type);
}

void extensions_recheck(struct env *e)
{
	if (!e->extensions)
		return;
	list_for_each (n, &e->extensions->all) {
		struct extension *x = CONTAINER_OF(n, struct extension, node);
		if (x->state == EXTENSION_ENDED && e->state == ENV_INIT)
			fail_env(x, x->error_type, S("exited before the runtime had started"));
	}
}

static void on_end(struct extension *x, const struct sandbox_message *m)
{
	struct env *e = x->env;
	struct str reason = report_exit_reason(e->arena, m->exit_code, m->exit_signal);
	bool reported = x->error_type.n > 0;

	x->state = EXTENSION_ENDED;
	cond_broadcast(&e->extensions->changed);
	if (e->state == ENV_STOPPING || e->state == ENV_GONE)
		return;
	if (!reported)
		x->error_type = m->error ? S("Extension.LaunchError") : S("Extension.Crash");
	say_extension(x, m->error ? S("LaunchError") : S("Exited"));
	fail_env(x, x->error_type,
	        m->error ? str_printf(e->arena, "fork/exec /opt/extensions/%.*s: %s", STR(x->name),
	                           m->error == -EACCES ? "permission denied" : strerror(-m->error))
	                 : (reason.n ? reason : S("exit code 0")));
}

/* The runtime is gone; extensions get their SHUTDOWN. */
static void on_main_end(struct env *e, const struct sandbox_message *m)
{
	e->extensions->main_ended = true;
	cond_broadcast(&e->extensions->changed);
	env_drain_log(e);
	if (e->state == ENV_INIT)
		env_init_failed_by_exit(e, m);
	else if (e->state == ENV_BUSY)
		env_run_failed_by_exit(e, m);
	/* Else it is still starting, or stopping anyway. */
	if (e->state != ENV_INIT && e->state != ENV_BUSY && e->state != ENV_IDLE)
		return;
	e->end = ENV_END_FAILURE;
	env_stop(e);
}

void extensions_on_child(struct env *e, const struct sandbox_message *m)
{
	if (!e->extensions)
		return;
	if (!m->pid) {
		on_main_end(e, m);
		return;
	}
	list_for_each (n, &e->extensions->all) {
		struct extension *x = CONTAINER_OF(n, struct extension, node);
		if (x->number == (uint32_t)m->pid && x->state != EXTENSION_ENDED) {
			on_end(x, m);
			return;
		}
	}
}

void extensions_free(struct env *e)
{
	struct list_node *n;

	if (!e->extensions)
		return;
	while ((n = list_pop_front(&e->extensions->all))) {
		struct extension *x = CONTAINER_OF(n, struct extension, node);
		loop_fd_deinit(&x->log_fd);
		lines_deinit(&x->lines);
		arena_destroy(x->event_arena);
		mem_free(x);
	}
	telemetry_free(e->extensions->telemetry);
	mem_free(e->extensions);
	e->extensions = NULL;
}
