/*
 * runtime_api: the Lambda Runtime API (version 2018-06-01) inside each sandbox, and beside it the
 * AWS endpoint. A direct path instead of the general server: no header that nobody reads, and the
 * answers to a runtime that sends its result and its next question together go out together.
 */
#include "runtime/extensions_api.h"

#include "base/clock.h"
#include "codec/json.h"
#include "net/server.h"

#include <stdio.h>
#include <time.h>

#define BUFFER      4096
#define BUFFER_KEEP 65536
#define HEAD_MAX    65536
#define MAX_HEADERS 100
#define BODY_LIMIT  (64 << 20) /* what is read and dropped at most beyond the limit */
#define PREFIX      "/2018-06-01/runtime/"

/* ---- answers ---- */

int runtime_api_flush(struct task *t, struct runtime_conn *c)
{
	struct str held = { c->held, c->held_n };

	c->held_n = 0;
	return held.n ? transport_write(t, &c->transport, held, TASK_FOREVER) : 0;
}

int runtime_api_answer(struct task *t, struct runtime_conn *c, int status, struct str body)
{
	char text[512];
	int n = snprintf(text, sizeof text,
	        "HTTP/1.1 %d %.*s\r\nContent-Type: application/json\r\nContent-Length: "
	        "%zu\r\n\r\n%.*s",
	        status, STR(http_status_text(status)), body.n, STR(body));

	ensure(n > 0 && (size_t)n < sizeof text);
	if (c->held_n + (size_t)n > sizeof c->held)
		TRY(runtime_api_flush(t, c));
	memcpy(c->held + c->held_n, text, (size_t)n);
	c->held_n += (size_t)n;
	return 0;
}

int runtime_api_accepted(struct task *t, struct runtime_conn *c)
{
	return runtime_api_answer(t, c, 202, S("{\"status\":\"OK\"}\n"));
}

int runtime_api_bad_id(struct task *t, struct runtime_conn *c)
{
	return runtime_api_answer(t, c, 400,
	        S("{\"errorMessage\":\"Invalid request "
	          "ID\",\"errorType\":\"InvalidRequestID\"}\n"));
}

int runtime_api_bad_transition(struct task *t, struct runtime_conn *c)
{
	return runtime_api_answer(t, c, 403,
	        S("{\"errorMessage\":\"State transition is not allowed\",\"errorType\":"
	          "\"InvalidStateTransition\"}\n"));
}

/* ---- the operations ---- */

static int next(struct task *t, struct runtime_conn *c, struct api_request *r)
{
	return env_next(c->env, c) == 0 ? 0 : runtime_api_bad_transition(t, c);
}

/* 0 when the running invocation is the one that is meant and has no answer yet. */
bool runtime_api_is_running(const struct env *e)
{
	return e->state == ENV_BUSY && !e->run.answered && !e->run.timed_out;
}

bool runtime_api_is_current(const struct env *e, struct str id)
{
	return str_eq(id, (struct str){ e->run.request_id, e->run.request_id_n });
}

static int too_large(struct task *t, struct runtime_conn *c)
{
	struct outcome o = {
		.payload = report_too_large(),
		.function_error = S("Unhandled"),
		.error_type = S("Function.ResponseSizeTooLarge"),
	};

	env_finish(c->env, &o);
	return runtime_api_answer(t, c, 413,
	        S("{\"errorMessage\":\"Exceeded maximum allowed payload size (6291556 bytes).\","
	          "\"errorType\":\"RequestEntityTooLarge\"}\n"));
}

static int finish(
        struct task *t, struct runtime_conn *c, struct api_request *r, const struct outcome *o)
{
	if (!runtime_api_is_current(c->env, r->id))
		return runtime_api_bad_id(t, c);
	if (!runtime_api_is_running(c->env))
		return runtime_api_bad_transition(t, c);
	if (r->too_large)
		return too_large(t, c);
	env_finish(c->env, o);
	return runtime_api_accepted(t, c);
}

static int response(struct task *t, struct runtime_conn *c, struct api_request *r)
{
	struct outcome o = { .payload = r->body };

	if (r->streams)
		return runtime_api_stream(t, c, r);
	return finish(t, c, r, &o);
}

struct str runtime_api_error_type(const struct api_request *r)
{
	struct str type =
	        http_header_get(&r->parser.headers, S("lambda-runtime-function-error-type"));

	return type.n ? str_sub(type, 0, 128) : S("Runtime.Unknown");
}

/* What is not JSON cannot be an error document. */
struct str runtime_api_document(struct task *t, const struct api_request *r)
{
	struct buf b = buf_init(task_arena(t));
	struct json_writer w = json_writer(&b);

	if (json_is_valid(r->body))
		return r->body;
	json_object(&w);
	json_member_str(&w, S("errorType"), runtime_api_error_type(r));
	json_member_str(&w, S("errorMessage"), r->body.n ? r->body : S("Unknown error"));
	json_end(&w);
	return buf_str(&b);
}

static int error(struct task *t, struct runtime_conn *c, struct api_request *r)
{
	struct outcome o = { .payload = runtime_api_document(t, r),
		.function_error = S("Unhandled"),
		.error_type = runtime_api_error_type(r) };

	return finish(t, c, r, &o);
}

static int init_error(struct task *t, struct runtime_conn *c, struct api_request *r)
{
	struct env *e = c->env;

	if (e->state != ENV_INIT)
		return runtime_api_bad_transition(t, c);
	TRY(runtime_api_accepted(t, c));
	TRY(runtime_api_flush(t, c));
	if (e->state == ENV_INIT)
		env_init_failed(e, runtime_api_document(t, r), runtime_api_error_type(r));
	return 0;
}

static int environment(struct task *t, struct runtime_conn *c, struct api_request *r)
{
	struct env *e = c->env;

	if (e->assign_conn)
		return runtime_api_bad_transition(t, c);
	e->assign_conn = c;
	if (e->spares)
		spares_warm(e->spares, e);
	runtime_api_assign(e);
	return 0;
}

static const struct {
	struct str method, before, after; /* the id of an invocation is between the two */
	int (*serve)(struct task *t, struct runtime_conn *c, struct api_request *r);
} routes[] = {
	{ S_INIT("GET"), S_INIT(PREFIX "invocation/next"), S_INIT(""), next },
	{ S_INIT("POST"), S_INIT(PREFIX "invocation/"), S_INIT("/response"), response },
	{ S_INIT("POST"), S_INIT(PREFIX "invocation/"), S_INIT("/error"), error },
	{ S_INIT("POST"), S_INIT(PREFIX "init/error"), S_INIT(""), init_error },
	{ S_INIT("GET"), S_INIT(PREFIX "restore/next"), S_INIT(""), snapshot_next },
	{ S_INIT("POST"), S_INIT(PREFIX "restore/error"), S_INIT(""), snapshot_restore_error },
	{ S_INIT("GET"), S_INIT("/_wolke/environment"), S_INIT(""), environment },
};

static bool route_matches(size_t i, struct api_request *r)
{
	struct str path = r->path;

	if (!str_eq(r->parser.method, routes[i].method) || !str_starts(path, routes[i].before) ||
	        !str_ends(path, routes[i].after) || path.n < routes[i].before.n + routes[i].after.n)
		return false;
	r->id = str_sub(path, routes[i].before.n, path.n - routes[i].before.n - routes[i].after.n);
	return routes[i].after.n ? r->id.n > 0 : r->id.n == 0;
}

static int route(struct task *t, struct runtime_conn *c, struct api_request *r)
{
	for (size_t i = 0; i < ARRAY_LEN(routes); i++)
		if (route_matches(i, r))
			return routes[i].serve(t, c, r);
	int bad;
	if (extensions_api_route(t, c, r, &bad))
		return bad;
	return runtime_api_answer(t, c, 404, S("404 page not found\n"));
}

/* ---- reading ---- */

int runtime_api_fill(struct task *t, struct runtime_conn *c)
{
	if (c->at) {
		memmove(c->in, c->in + c->at, c->n - c->at);
		c->n -= c->at;
		c->at = 0;
	}
	if (c->n == c->capacity) {
		c->capacity = MAX(c->capacity * 2, (size_t)BUFFER);
		c->in = mem_resize(c->in, c->capacity);
	}
	ssize_t got =
	        transport_read(t, &c->transport, c->in + c->n, c->capacity - c->n, TASK_FOREVER);
	if (got <= 0)
		return got < 0 ? (int)got : -ECONNRESET;
	c->n += (size_t)got;
	return 0;
}

struct str runtime_api_unread(const struct runtime_conn *c)
{
	return (struct str){ c->in + c->at, c->n - c->at };
}

/* Whole heads that came with the last bytes are served before anything is sent. */
static int read_head(struct task *t, struct runtime_conn *c, struct str *head)
{
	size_t n;

	while ((n = http_head_length(runtime_api_unread(c))) == 0) {
		if (c->n - c->at > HEAD_MAX)
			return -EMSGSIZE;
		/* A runtime that has asked for work gets it together with what is held. */
		if (c->env->next_conn != c)
			TRY(runtime_api_flush(t, c));
		TRY(runtime_api_fill(t, c));
	}
	*head = str_dup(task_arena(t), (struct str){ c->in + c->at, n });
	c->at += n;
	return 0;
}

static int read_sized(struct task *t, struct runtime_conn *c, struct api_request *r)
{
	size_t left = (size_t)MAX(r->parser.length, (int64_t)0);
	char *p;

	r->too_large = left > REPORT_RESPONSE_MAX;
	if (left > BODY_LIMIT)
		return -EMSGSIZE;
	p = r->too_large ? NULL : arena_bytes(task_arena(t), left + 1);
	r->body = (struct str){ p ? p : "", p ? left : 0 };
	while (left) {
		if (c->at == c->n)
			TRY(runtime_api_fill(t, c));
		struct str piece = str_sub(runtime_api_unread(c), 0, left);
		if (p)
			p = (char *)memcpy(p, piece.p, piece.n) + piece.n;
		c->at += piece.n;
		left -= piece.n;
	}
	return 0;
}

static int read_chunked(struct task *t, struct runtime_conn *c, struct api_request *r)
{
	struct buf b = buf_init(task_arena(t));
	size_t used, got, total = 0;

	while (!r->parser.complete) {
		if (c->at == c->n)
			TRY(runtime_api_fill(t, c));
		struct str in = runtime_api_unread(c);
		if (http_parse_chunked(&r->parser, in, buf_reserve(&b, in.n), &used, &got) != 0)
			return -EPROTO;
		c->at += used;
		total += got;
		if (total > BODY_LIMIT)
			return -EMSGSIZE;
		r->too_large |= total > REPORT_RESPONSE_MAX;
		if (!r->too_large)
			buf_commit(&b, got);
	}
	r->body = buf_str(&b);
	return 0;
}

static int read_request(struct task *t, struct runtime_conn *c, struct api_request *r)
{
	struct str head;

	TRY(read_head(t, c, &head));
	if (c->env->next_conn == c || c->env->assign_conn == c)
		return -EPROTO; /* asks before it has its answer */
	if (http_parse_head(&r->parser, task_arena(t), head, false, false, MAX_HEADERS) != 0)
		return -EPROTO;
	r->path = r->parser.target;
	if (r->parser.expect_continue)
		TRY(transport_write(
		        t, &c->transport, S("HTTP/1.1 100 Continue\r\n\r\n"), TASK_FOREVER));
	r->streams = runtime_api_is_stream(r);
	if (r->streams)
		return 0;
	return r->parser.chunked ? read_chunked(t, c, r) : read_sized(t, c, r);
}

static void shrink(struct runtime_conn *c)
{
	if (c->capacity <= BUFFER_KEEP || c->n > c->at)
		return;
	mem_free(c->in);
	c->in = NULL;
	c->at = c->n = c->capacity = 0;
}

static int serve(struct task *t, struct runtime_conn *c)
{
	for (;;) {
		struct api_request r = { 0 };
		TRY(read_request(t, c, &r));
		TRY(route(t, c, &r));
		if (!r.parser.keep_alive && c->env->next_conn != c && c->env->assign_conn != c)
			return runtime_api_flush(t, c);
		shrink(c);
		arena_reset(task_arena(t));
	}
}

/* ---- connections ---- */

static void forget(struct runtime_conn *c)
{
	struct env *e = c->env;

	if (e->assign_conn == c)
		e->assign_conn = NULL;
	if (e->next_conn != c)
		return;
	e->next_conn = NULL;
	/* Nobody listens there any more. */
	if (e->state == ENV_IDLE)
		env_stop(e);
}

static int conn_task(struct task *t, void *arg)
{
	struct runtime_conn *c = arg;

	(void)!serve(t, c);
	forget(c);
	list_remove(&c->node);
	transport_close(&c->transport);
	mem_free(c->in);
	env_unref(c->env);
	mem_free(c);
	return 0;
}

static void begin_conn(struct env *e, int fd)
{
	struct runtime_conn *c = mem_new(struct runtime_conn);

	if (loop_fd_init(&c->transport.fd, e->rt->loop, fd) != 0) {
		mem_free(c);
		return;
	}
	c->env = env_ref(e);
	list_push_back(&e->conns, &c->node);
	c->task = task_start(e->rt->loop, "runtime-conn", conn_task, c);
}

int runtime_api_accept_task(struct task *t, void *arg)
{
	struct env *e = arg;

	for (;;) {
		int fd = loop_fd_accept(t, &e->runtime_fd);
		if (fd < 0)
			break;
		begin_conn(e, fd);
	}
	env_unref(e);
	return 0;
}

struct endpoint_conn {
	struct list_node node;
	struct env *env;
	struct task *task;
	int fd;
};

static int endpoint_task(struct task *t, void *arg)
{
	struct endpoint_conn *c = arg;

	(void)!http_serve_connection(t, c->fd, &c->env->rt->endpoint);
	list_remove(&c->node);
	env_unref(c->env);
	mem_free(c);
	return 0;
}

int endpoint_accept_task(struct task *t, void *arg)
{
	struct env *e = arg;

	for (;;) {
		int fd = loop_fd_accept(t, &e->endpoint_fd);
		if (fd < 0)
			break;
		struct endpoint_conn *c = mem_new(struct endpoint_conn);
		c->env = env_ref(e);
		c->fd = fd;
		list_push_back(&e->endpoint_conns, &c->node);
		c->task = task_start(e->rt->loop, "endpoint-conn", endpoint_task, c);
	}
	env_unref(e);
	return 0;
}

void runtime_api_close(struct env *e)
{
	loop_fd_deinit(&e->runtime_fd);
	loop_fd_deinit(&e->endpoint_fd);
	list_for_each (n, &e->conns)
		task_cancel(CONTAINER_OF(n, struct runtime_conn, node)->task);
	list_for_each (n, &e->endpoint_conns)
		task_cancel(CONTAINER_OF(n, struct endpoint_conn, node)->task);
}

/* ---- what the platform sends ---- */

static int assign_task(struct task *t, void *arg)
{
	struct env *e = arg;
	struct runtime_conn *c = e->assign_conn;

	if (c) {
		struct str head = str_printf(task_arena(t),
		        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
		        "%zu\r\n\r\n",
		        e->environment.n);
		e->assign_conn = NULL;
		(void)!transport_write2(t, &c->transport, head, e->environment, TASK_FOREVER);
	}
	env_unref(e);
	return 0;
}

void runtime_api_assign(struct env *e)
{
	if (e->assign_conn && e->environment.p && e->state == ENV_INIT)
		task_start(e->rt->loop, "env-assign", assign_task, env_ref(e));
}

/* The time that functions see is the machine's, even when the services' clock is moved by hand. */
static int64_t wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void add_line(struct buf *b, struct str name, struct str value)
{
	if (!value.n)
		return;
	buf_add(b, name);
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] != '\r' && value.p[i] != '\n')
			buf_add_char(b, value.p[i]);
	buf_add(b, S("\r\n"));
}

static struct str head_of(const struct env *e, const struct waiter *w, const struct runtime_conn *c)
{
	const struct runtime_invocation *in = w->in;
	struct buf b = buf_init(w->arena);
	uint64_t spent_ms = (clock_mono_ns() - e->run.started_ns) / 1000000;

	buf_reserve(&b, 1024);
	buf_add(&b, (struct str){ c->held, c->held_n });
	buf_add(&b, S("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"));
	add_line(&b, S("Lambda-Runtime-Aws-Request-Id: "), in->request_id);
	add_line(&b, S("Lambda-Runtime-Invoked-Function-Arn: "), in->invoked_arn);
	add_line(&b, S("Lambda-Runtime-Trace-Id: "), in->trace_id);
	add_line(&b, S("Lambda-Runtime-Client-Context: "), in->client_context);
	add_line(&b, S("Lambda-Runtime-Cognito-Identity: "), in->cognito_identity);
	buf_add(&b, S("Lambda-Runtime-Deadline-Ms: "));
	buf_add_i64(&b, wall_ms() + e->pool->f.timeout_s * 1000ll - (int64_t)spent_ms);
	buf_add(&b, S("\r\nContent-Length: "));
	buf_add_u64(&b, in->payload.n);
	buf_add(&b, S("\r\n\r\n"));
	return buf_str(&b);
}

int runtime_api_deliver(struct task *t, struct env *e, const struct waiter *w)
{
	struct runtime_conn *c = e->next_conn;

	if (!c)
		return -EPIPE;
	struct str head = head_of(e, w, c);
	e->next_conn = NULL;
	c->held_n = 0;
	return transport_write2(t, &c->transport, head, w->in->payload, TASK_FOREVER);
}
