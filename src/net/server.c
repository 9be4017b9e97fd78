/* server: accepting, and each connection's task. */
#include "net/conn.h"
#include "net/tls_internal.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

#define BUFFER     (16 * 1024)
#define DRAIN_MAX  (256 * 1024)
#define ROOM       4096 /* behind the head, for chunks */
#define NO_REQUEST 1    /* the client has gone, or was idle too long */

static uint64_t or_default(uint64_t v, uint64_t otherwise)
{
	return v ? v : otherwise;
}

/* ---- reading ---- */

static int fill(struct task *t, struct http_conn *c, uint64_t limit_ms)
{
	ssize_t got = transport_read(t, &c->transport, c->in + c->n, c->capacity - c->n, limit_ms);

	if (got <= 0)
		return got < 0 ? (int)got : -ECONNRESET;
	c->n += (size_t)got;
	return 0;
}

static void grow(struct http_conn *c, size_t max)
{
	c->capacity = MIN(c->capacity * 2, max);
	c->in = mem_resize(c->in, c->capacity);
}

/* Reads until the head is complete. NO_REQUEST, -errno, or the status of a refusal (408, 431). */
static int read_head(struct task *t, struct http_conn *c)
{
	size_t max = or_default(c->options->max_head_bytes, 64 * 1024);
	uint64_t limit = or_default(c->options->head_timeout_ms, 20000);
	uint64_t end = clock_mono_ns() + limit * 1000000;

	/* Empty lines before a request are skipped, as RFC 9112 asks. */
	for (;;) {
		size_t skip = 0;
		while (skip < c->n && (c->in[skip] == '\r' || c->in[skip] == '\n'))
			skip++;
		if (skip) {
			memmove(c->in, c->in + skip, c->n - skip);
			c->n -= skip;
		}
		c->head_n = http_head_length((struct str){ c->in, c->n });
		if (c->head_n)
			return c->head_n > max ? 431 : 0;
		if (c->n >= max)
			return memchr(c->in, '\n', c->n) ? 431 : 414;
		if (str_find((struct str){ c->in, c->n }, S("\n\n")) >= 0)
			return 400;
		if (c->n == c->capacity)
			grow(c, max);
		uint64_t now = clock_mono_ns();
		int bad = now >= end ? -ETIMEDOUT : fill(t, c, (end - now) / 1000000 + 1);
		if (bad == -ETIMEDOUT)
			return c->n ? 408 : NO_REQUEST;
		if (bad)
			return bad;
	}
}

static int send_continue(struct task *t, struct http_conn *c)
{
	if (!c->continue_due)
		return 0;
	c->continue_due = false;
	return transport_write(
	        t, &c->transport, S("HTTP/1.1 100 Continue\r\n\r\n"), conn_body_limit_ms(c));
}

static int read_sized(struct task *t, struct http_conn *c, void *p, size_t n, size_t *got)
{
	size_t buffered = c->n - c->at;

	n = (size_t)MIN((int64_t)n, c->body_left);
	*got = 0;
	if (n == 0)
		return 0;
	if (buffered > 0) {
		*got = MIN(n, buffered);
		memcpy(p, c->in + c->at, *got);
		c->at += *got;
	} else {
		TRY(send_continue(t, c));
		ssize_t r = transport_read(t, &c->transport, p, n, conn_body_limit_ms(c));
		if (r <= 0)
			return r < 0 ? (int)r : -ECONNRESET;
		*got = (size_t)r;
	}
	c->body_left -= (int64_t)*got;
	return 0;
}

static int read_chunked(struct task *t, struct http_conn *c, void *p, size_t n, size_t *got)
{
	*got = 0;
	while (*got == 0 && !c->parser.complete) {
		size_t used;
		if (c->at == c->n) {
			c->at = c->n = c->head_n;
			TRY(send_continue(t, c));
			TRY(fill(t, c, conn_body_limit_ms(c)));
		}
		struct str in = str_sub((struct str){ c->in + c->at, c->n - c->at }, 0, n);
		if (http_parse_chunked(&c->parser, in, p, &used, got) != 0) {
			c->close_after = true;
			return -EPROTO;
		}
		c->at += used;
	}
	return 0;
}

static int body_read(struct task *t, struct stream *s, void *p, size_t n, size_t *got)
{
	struct http_conn *c = CONTAINER_OF(s, struct http_conn, body);

	int bad = c->parser.chunked ? read_chunked(t, c, p, n, got) : read_sized(t, c, p, n, got);
	if (bad)
		c->body_error = bad;
	return bad;
}

bool http_body_failed(const struct http_exchange *x)
{
	return x->conn->body_error != 0;
}

int http_upgrade_read(struct task *t, struct http_exchange *x, void *p, size_t n, size_t *got)
{
	struct http_conn *c = x->conn;
	size_t buffered = c->n - c->at;

	c->close_after = true;
	if (buffered > 0) {
		*got = MIN(n, buffered);
		memcpy(p, c->in + c->at, *got);
		c->at += *got;
		return 0;
	}
	ssize_t r = transport_read(t, &c->transport, p, n, TASK_FOREVER);
	*got = r > 0 ? (size_t)r : 0;
	return r < 0 ? (int)r : 0;
}

/* ---- one exchange ---- */

static int refuse(struct task *t, struct http_conn *c, int status)
{
	struct http_exchange x = { .conn = c };
	struct str text =
	        str_printf(task_arena(t), "%d %.*s\n", status, STR(http_status_text(status)));

	c->close_after = true;
	c->parser.minor = 1;
	return http_respond(t, &x, status, NULL, text);
}

/* "http://host/path" as some clients send it: the path and query. */
static struct str origin_form(struct str target)
{
	ptrdiff_t scheme = str_find(target, S("://"));

	if (target.n == 0 || target.p[0] == '/' || scheme < 0)
		return target;
	struct str rest = str_sub(target, (size_t)scheme + 3, target.n);
	ptrdiff_t slash = str_find_char(rest, '/');
	return slash < 0 ? S("/") : str_sub(rest, (size_t)slash, rest.n);
}

static struct str host_name(struct arena *a, struct str host)
{
	ptrdiff_t colon = str_rfind_char(host, ':');

	if (colon > 0 && host.p[host.n - 1] != ']')
		host = str_sub(host, 0, (size_t)colon);
	return str_lower(a, host);
}

static void make_request(struct task *t, struct http_conn *c, struct http_request *r)
{
	struct http_parser *p = &c->parser;
	struct str rest = origin_form(p->target);

	r->method = p->method;
	r->target = rest;
	r->path = str_cut(&rest, '?');
	r->query = rest;
	r->headers = p->headers;
	r->host = host_name(task_arena(t), http_header_get(&p->headers, S("host")));
	c->body = (struct stream){ .read = body_read, .length = p->length };
	r->body = &c->body;
	r->peer_ip = c->peer_ip;
	r->peer_port = c->peer_port;
	r->tls = c->transport.ssl != NULL;
}

/* Reads and drops what the handler left of the body, when it is little; else the connection ends.
 */
static int drain(struct task *t, struct http_conn *c)
{
	char *p = arena_bytes(task_arena(t), 8192);
	size_t got, total = 0;

	if (c->close_after || c->continue_due)
		return 0;
	if (!c->parser.chunked && c->body_left > DRAIN_MAX) {
		c->close_after = true;
		return 0;
	}
	do {
		TRY(body_read(t, &c->body, p, 8192, &got));
		total += got;
	} while (got > 0 && total <= DRAIN_MAX);
	if (got > 0)
		c->close_after = true;
	return 0;
}

static void reset_exchange(struct http_conn *c)
{
	c->body_left = MAX(c->parser.length, (int64_t)0);
	c->at = c->head_n;
	c->close_after = !c->parser.keep_alive || (c->server && c->server->stopping);
	c->continue_due = c->parser.expect_continue && c->parser.length != 0 && c->at == c->n;
	c->head_method = str_eq(c->parser.method, S("HEAD"));
	c->began = c->ended = c->chunked_out = false;
	c->body_error = 0;
}

/* What is parsed points into the buffer, which stays where it is until the exchange ends. */
static void make_room(struct http_conn *c)
{
	if (c->capacity - c->head_n >= ROOM)
		return;
	c->capacity += ROOM;
	c->in = mem_resize(c->in, c->capacity);
}

static int exchange(struct task *t, struct http_conn *c)
{
	size_t max_headers = or_default(c->options->max_headers, 200);
	struct http_exchange x = { .conn = c, .arg = c->options->arg };

	make_room(c);
	int refused = http_parse_head(&c->parser, task_arena(t), (struct str){ c->in, c->head_n },
	        false, false, max_headers);

	if (refused)
		return refuse(t, c, refused);
	reset_exchange(c);
	x.started_ns = clock_mono_ns();
	make_request(t, c, &x.request);
	int bad = c->options->handler(t, &x);
	if (!c->began) {
		bad = c->body_error ? c->body_error : bad;
		int status = bad == -EPROTO      ? 400
		             : bad == -EMSGSIZE  ? 413
		             : bad == -ETIMEDOUT ? 408
		                                 : 500;
		return bad == -ECANCELED || bad == -ECONNRESET ? bad : refuse(t, c, status);
	}
	if (bad || !c->ended)
		return bad ? bad : -EIO;
	return drain(t, c);
}

/* ---- the connection ---- */

static int wait_for_request(struct task *t, struct http_conn *c)
{
	uint64_t limit = or_default(c->options->idle_timeout_ms, 350000);

	if (c->n > 0)
		return 0;
	/* Idle connections hold no buffer. */
	if (!c->transport.fd.readable && !c->transport.ssl) {
		mem_free(c->in);
		c->in = NULL;
		c->capacity = 0;
		c->idle = true;
		if (c->server) {
			list_remove(&c->node);
			list_push_back(&c->server->conns, &c->node);
		}
		int bad = loop_fd_wait_readable(t, &c->transport.fd, limit);
		c->idle = false;
		TRY(bad);
	}
	if (!c->in) {
		c->capacity = BUFFER;
		c->in = mem_alloc(BUFFER);
	}
	c->idle = true;
	int bad = fill(t, c, limit);
	c->idle = false;
	return bad;
}

static void keep_rest(struct http_conn *c)
{
	size_t rest = c->n - c->at;

	if (rest)
		memmove(c->in, c->in + c->at, rest);
	c->n = rest;
	c->at = 0;
}

static int start_tls(struct task *t, struct http_conn *c)
{
	unsigned char first;

	if (!c->options->tls)
		return 0;
	TRY(loop_fd_wait_readable(
	        t, &c->transport.fd, or_default(c->options->idle_timeout_ms, 350000)));
	ssize_t n = recv(c->transport.fd.fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);
	if (n != 1 || first != 0x16)
		return n == 0 ? -ECONNRESET : 0;
	TRY(tls_server_accept(t, c->options->tls, &c->transport));
	return transport_handshake(t, &c->transport, 20000);
}

static int serve_loop(struct task *t, struct http_conn *c)
{
	TRY(start_tls(t, c));
	while (!c->close_after) {
		TRY(wait_for_request(t, c));
		int refused = read_head(t, c);
		if (refused < 0 || refused == NO_REQUEST)
			return refused;
		TRY(refused ? refuse(t, c, refused) : exchange(t, c));
		keep_rest(c);
		arena_reset(task_arena(t));
	}
	return 0;
}

static void find_peer(struct http_conn *c, int fd)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof ss;
	int one = 1;

	c->peer_ip = S("");
	if (getpeername(fd, (struct sockaddr *)&ss, &n) != 0)
		return;
	if (ss.ss_family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)&ss;
		inet_ntop(AF_INET, &in->sin_addr, c->peer_text, sizeof c->peer_text);
		c->peer_port = ntohs(in->sin_port);
	} else if (ss.ss_family == AF_INET6) {
		struct sockaddr_in6 *in = (struct sockaddr_in6 *)&ss;
		inet_ntop(AF_INET6, &in->sin6_addr, c->peer_text, sizeof c->peer_text);
		c->peer_port = ntohs(in->sin6_port);
	} else {
		return;
	}
	c->peer_ip = str_of(c->peer_text);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* A refused client may still be sending: what it sent is read for a moment, so that our answer is
 * not lost to a reset. */
static void linger(struct task *t, struct http_conn *c)
{
	char *p = arena_bytes(task_arena(t), 4096);
	uint64_t end = clock_mono_ns() + 500000000;

	if (c->transport.fd.fd < 0 || c->transport.ssl || task_is_cancelled(t))
		return;
	if (!c->began || (c->body_left == 0 && !c->parser.chunked && c->parser.error == 0))
		return;
	shutdown(c->transport.fd.fd, SHUT_WR);
	while (clock_mono_ns() < end && loop_fd_read(t, &c->transport.fd, p, 4096, 200) > 0)
		;
}

static int serve(struct task *t, struct http_conn *c, int fd)
{
	find_peer(c, fd);
	TRY(loop_fd_init(&c->transport.fd, task_loop(t), fd));
	int bad = serve_loop(t, c);
	linger(t, c);
	transport_close(&c->transport);
	mem_free(c->in);
	return bad;
}

int http_serve_connection(struct task *t, int fd, const struct http_server_options *options)
{
	struct http_conn *c = mem_new(struct http_conn);

	c->options = options;
	c->task = t;
	int bad = serve(t, c, fd);
	mem_free(c);
	return bad == NO_REQUEST || bad == -ECONNRESET ? 0 : bad;
}

static int connection_task(struct task *t, void *arg)
{
	struct http_conn *c = arg;
	struct http_server *s = c->server;
	int fd = c->transport.fd.fd;

	c->task = t;
	(void)serve(t, c, fd);
	list_remove(&c->node);
	s->n_conns--;
	mem_free(c);
	return 0;
}

static void close_longest_idle(struct http_server *s)
{
	list_for_each (n, &s->conns) {
		struct http_conn *c = CONTAINER_OF(n, struct http_conn, node);
		if (c->idle && !task_is_cancelled(c->task)) {
			task_cancel(c->task);
			return;
		}
	}
}

static int accept_task(struct task *t, void *arg)
{
	struct http_server *s = arg;
	size_t max = or_default(s->options.max_connections, 20000);

	for (;;) {
		int fd = loop_fd_accept(t, &s->listener);
		if (fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS || fd == -ENOMEM) {
			close_longest_idle(s);
			TRY(task_sleep(t, 10));
			continue;
		}
		if (fd < 0)
			return fd;
		if (s->n_conns >= max)
			close_longest_idle(s);
		struct http_conn *c = mem_new(struct http_conn);
		c->server = s;
		c->options = &s->options;
		c->transport.fd.fd = fd;
		list_push_back(&s->conns, &c->node);
		s->n_conns++;
		c->task = task_start(s->loop, "connection", connection_task, c);
	}
}

int http_server_start(struct loop *loop, int listen_fd, const struct http_server_options *options,
        struct http_server **server)
{
	struct http_server *s = mem_new(struct http_server);

	s->loop = loop;
	s->options = *options;
	list_init(&s->conns);
	int bad = loop_fd_init(&s->listener, loop, listen_fd);
	if (bad) {
		mem_free(s);
		return bad;
	}
	s->acceptor = task_start(loop, "accept", accept_task, s);
	*server = s;
	return 0;
}

static void cancel_conns(struct http_server *s, bool idle_only)
{
	list_for_each (n, &s->conns) {
		struct http_conn *c = CONTAINER_OF(n, struct http_conn, node);
		if (c->idle || !idle_only)
			task_cancel(c->task);
	}
}

int http_server_stop(struct task *t, struct http_server *s, uint64_t grace_ms)
{
	uint64_t end = clock_mono_ns() + grace_ms * 1000000;

	s->stopping = true;
	loop_fd_deinit(&s->listener);
	cancel_conns(s, true);
	while (s->n_conns > 0 && clock_mono_ns() < end)
		TRY(task_sleep(t, 5));
	cancel_conns(s, false);
	for (int i = 0; i < 200 && s->n_conns > 0; i++)
		TRY(task_sleep(t, 5));
	if (s->n_conns == 0)
		mem_free(s);
	return 0;
}

size_t http_server_connections(const struct http_server *server)
{
	return server->n_conns;
}

int http_listen(struct str host, int port)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	bool v6 = str_find_char(host, ':') >= 0;
	const char *text = str_cstr(a, host);
	int one = 1;

	if (inet_pton(v6 ? AF_INET6 : AF_INET, text,
	            v6 ? (void *)&in6.sin6_addr : (void *)&in.sin_addr) != 1)
		return -EINVAL;
	CLEANUP(fd_closep)
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	struct sockaddr *sa = v6 ? (struct sockaddr *)&in6 : (struct sockaddr *)&in;
	if (bind(fd, sa, v6 ? sizeof in6 : sizeof in) != 0 || listen(fd, 1024) != 0)
		return -errno;
	return fd_take(&fd);
}
