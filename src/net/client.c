/*
 * client: one exchange over a pooled connection: connect, send, read the head, hand out the body.
 */
#include "net/client.h"

#include "base/clock.h"
#include "base/list.h"
#include "codec/codec.h"
#include "loop/pool.h"
#include "net/parser.h"
#include "net/tls_internal.h"

#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HEAD_MAX (64 * 1024)
#define IDLE_MAX 64
#define PIECE    (64 * 1024)

/* A kept-alive connection; in the loop's pool while nobody uses it. */
struct client_conn {
	struct list_node node;
	struct transport transport;
	char *key; /* "http host port" */
	char *in;
	size_t at, n;
	bool reused;
};

struct client_pool {
	struct list idle;
	size_t n;
};

struct fetching {
	struct http_fetch *f;
	struct uri uri;
	struct str key;
	struct client_conn *c;
	struct http_parser *parser;
	uint64_t end_ns;
	bool sent_all;
};

struct body_stream {
	struct stream stream;
	struct loop *loop;
	struct client_conn *c;
	struct http_parser *parser;
	uint64_t end_ns;
	int64_t left;
	bool done;
};

static uint64_t left_ms(uint64_t end_ns)
{
	uint64_t now = clock_mono_ns();

	return now >= end_ns ? 0 : (end_ns - now) / 1000000 + 1;
}

static void conn_free(struct client_conn *c)
{
	transport_close(&c->transport);
	mem_free(c->key);
	mem_free(c->in);
	mem_free(c);
}

static struct client_pool *pool_of(struct loop *loop)
{
	struct client_pool *pool = loop_get(loop, LOOP_NET);

	if (!pool) {
		pool = mem_new(struct client_pool);
		list_init(&pool->idle);
		loop_set(loop, LOOP_NET, pool);
	}
	return pool;
}

static struct client_conn *pool_take(struct loop *loop, struct str key)
{
	struct client_pool *pool = pool_of(loop);

	list_for_each_safe (n, &pool->idle) {
		struct client_conn *c = CONTAINER_OF(n, struct client_conn, node);
		char byte;
		if (!str_eq(str_of(c->key), key))
			continue;
		list_remove(n);
		pool->n--;
		/* Closed by the other side meanwhile? */
		if (c->transport.fd.hung_up ||
		        (!c->transport.ssl &&
		                recv(c->transport.fd.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0)) {
			conn_free(c);
			continue;
		}
		c->reused = true;
		return c;
	}
	return NULL;
}

static void pool_give(struct loop *loop, struct client_conn *c)
{
	struct client_pool *pool = pool_of(loop);

	list_push_front(&pool->idle, &c->node);
	if (++pool->n <= IDLE_MAX)
		return;
	struct client_conn *oldest = CONTAINER_OF(list_last(&pool->idle), struct client_conn, node);
	list_remove(&oldest->node);
	pool->n--;
	conn_free(oldest);
}

void http_client_close(struct loop *loop)
{
	struct client_pool *pool = loop_get(loop, LOOP_NET);
	struct list_node *n;

	if (!pool)
		return;
	while ((n = list_pop_front(&pool->idle)))
		conn_free(CONTAINER_OF(n, struct client_conn, node));
	mem_free(pool);
	loop_set(loop, LOOP_NET, NULL);
}

/* ---- connecting ---- */

struct resolving {
	const char *host, *port;
	struct addrinfo *found;
};

static int resolve(void *arg)
{
	struct resolving *r = arg;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };

	return getaddrinfo(r->host, r->port, &hints, &r->found) == 0 ? 0 : -EHOSTUNREACH;
}

static int connect_address(
        struct task *t, struct fetching *w, const struct sockaddr *sa, socklen_t n)
{
	int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1,
	    error = 0;
	socklen_t size = sizeof error;

	if (fd < 0)
		return -errno;
	if (sa->sa_family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	int started = connect(fd, sa, n);
	if (started != 0 && errno != EINPROGRESS) {
		error = -errno;
		close(fd);
		return error;
	}
	TRY(loop_fd_init(&w->c->transport.fd, task_loop(t), fd));
	if (started == 0)
		return 0;
	TRY(loop_fd_wait_writable(t, &w->c->transport.fd, left_ms(w->end_ns)));
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return -error;
}

static int connect_unix(struct task *t, struct fetching *w)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct str path;

	if (uri_decode(task_arena(t), w->uri.host, false, &path) != 0 ||
	        path.n >= sizeof un.sun_path)
		return -EINVAL;
	memcpy(un.sun_path, path.p, path.n);
	return connect_address(t, w, (struct sockaddr *)&un, sizeof un);
}

static bool is_local_name(struct str host)
{
	return str_eq(host, S("localhost")) || str_ends(host, S(".localhost"));
}

static int connect_host(struct task *t, struct fetching *w, bool tls)
{
	struct arena *a = task_arena(t);
	int port = w->uri.port ? w->uri.port : tls ? 443 : 80;
	struct resolving r = {
		.host = is_local_name(w->uri.host) ? "127.0.0.1" : str_cstr(a, w->uri.host),
		.port = str_cstr(a, str_printf(a, "%d", port)),
	};
	int bad = 0;

	TRY(strspn(r.host, "0123456789.") == strlen(r.host) ? resolve(&r)
	                                                    : pool_run(t, resolve, &r));
	for (struct addrinfo *ai = r.found; ai; ai = ai->ai_next) {
		bad = connect_address(t, w, ai->ai_addr, ai->ai_addrlen);
		if (bad == 0 || bad == -ECANCELED || bad == -ETIMEDOUT)
			break;
		loop_fd_deinit(&w->c->transport.fd);
	}
	freeaddrinfo(r.found);
	return bad;
}

static int connect_new(struct task *t, struct fetching *w)
{
	bool tls = str_eq(w->uri.scheme, S("https"));

	w->c = mem_new(struct client_conn);
	w->c->key = mem_alloc(w->key.n + 1);
	memcpy(w->c->key, w->key.p, w->key.n);
	w->c->in = mem_alloc(HEAD_MAX);
	if (str_eq(w->uri.scheme, S("http+unix")))
		return connect_unix(t, w);
	TRY(connect_host(t, w, tls));
	return tls ? tls_client_connect(
	                     t, &w->c->transport, w->uri.host, w->f->insecure, left_ms(w->end_ns))
	           : 0;
}

/* ---- sending ---- */

static bool is_ours(struct str name)
{
	return str_eq_nocase(name, S("host")) || str_eq_nocase(name, S("content-length")) ||
	       str_eq_nocase(name, S("transfer-encoding")) || str_eq_nocase(name, S("connection"));
}

static struct str request_head(struct arena *a, const struct fetching *w)
{
	const struct http_fetch *f = w->f;
	struct buf b = buf_init(a);
	struct str given = http_header_get(&f->headers, S("host"));

	buf_printf(&b, "%.*s %.*s%s%.*s HTTP/1.1\r\nHost: ", STR(f->method), STR(w->uri.path),
	        w->uri.query.p ? "?" : "", STR(w->uri.query));
	if (given.p)
		buf_add(&b, given);
	else if (w->uri.port)
		buf_printf(&b, "%.*s:%d", STR(w->uri.host), w->uri.port);
	else
		buf_add(&b, w->uri.host);
	buf_add(&b, S("\r\n"));
	for (size_t i = 0; i < f->headers.n; i++)
		if (!is_ours(f->headers.v[i].name))
			buf_printf(&b, "%.*s: %.*s\r\n", STR(f->headers.v[i].name),
			        STR(f->headers.v[i].value));
	if (f->body_stream && f->body_stream->length < 0)
		buf_add(&b, S("Transfer-Encoding: chunked\r\n"));
	else if (f->body_stream || f->body.p || !str_eq(f->method, S("GET")))
		buf_printf(&b, "Content-Length: %lld\r\n",
		        f->body_stream ? (long long)f->body_stream->length : (long long)f->body.n);
	buf_add(&b, S("\r\n"));
	return buf_str(&b);
}

static int send_stream(struct task *t, struct fetching *w)
{
	struct stream *s = w->f->body_stream;
	struct transport *c = &w->c->transport;
	char *p = arena_bytes(task_arena(t), PIECE), size[24];
	size_t got;

	for (;;) {
		TRY(stream_read(t, s, p, PIECE, &got));
		if (s->length < 0) {
			int n = snprintf(size, sizeof size, "%zx\r\n", got);
			TRY(transport_write(
			        t, c, (struct str){ size, (size_t)n }, left_ms(w->end_ns)));
		}
		TRY(transport_write(t, c, (struct str){ p, got }, left_ms(w->end_ns)));
		if (s->length < 0)
			TRY(transport_write(t, c, S("\r\n"), left_ms(w->end_ns)));
		if (got == 0)
			return 0;
	}
}

/* ---- receiving ---- */

static int fill(struct task *t, struct client_conn *c, uint64_t end_ns)
{
	if (c->n == HEAD_MAX)
		return -EMSGSIZE;
	ssize_t got =
	        transport_read(t, &c->transport, c->in + c->n, HEAD_MAX - c->n, left_ms(end_ns));
	if (got <= 0)
		return got < 0 ? (int)got : -ECONNRESET;
	c->n += (size_t)got;
	return 0;
}

static int read_head(struct task *t, struct fetching *w)
{
	struct client_conn *c = w->c;
	bool head_only = str_eq(w->f->method, S("HEAD"));
	size_t n;

	do {
		while ((n = http_head_length((struct str){ c->in + c->at, c->n - c->at })) == 0)
			TRY(fill(t, c, w->end_ns));
		/* The connection's buffer is used again for the body: the head is copied out. */
		struct str head = str_dup(task_arena(t), (struct str){ c->in + c->at, n });
		if (http_parse_head(w->parser, task_arena(t), head, true, head_only, 500) != 0)
			return -EPROTO;
		c->at += n;
	} while (w->parser->status / 100 == 1 && w->parser->status != 101);
	return 0;
}

static int take_buffered(struct client_conn *c, void *p, size_t n, size_t *got)
{
	*got = MIN(n, c->n - c->at);
	memcpy(p, c->in + c->at, *got);
	c->at += *got;
	return 0;
}

static int read_plain(struct task *t, struct body_stream *s, void *p, size_t n, size_t *got)
{
	struct client_conn *c = s->c;

	if (!s->parser->until_close)
		n = (size_t)MIN((int64_t)n, s->left);
	if (n == 0)
		return 0;
	if (c->at < c->n) {
		take_buffered(c, p, n, got);
	} else {
		ssize_t r = transport_read(t, &c->transport, p, n, left_ms(s->end_ns));
		if (r < 0 || (r == 0 && !s->parser->until_close))
			return r < 0 ? (int)r : -ECONNRESET;
		*got = (size_t)r;
	}
	s->left -= (int64_t)*got;
	return 0;
}

static int read_chunked(struct task *t, struct body_stream *s, void *p, size_t n, size_t *got)
{
	struct client_conn *c = s->c;

	while (*got == 0 && !s->parser->complete) {
		size_t used;
		if (c->at == c->n) {
			c->at = c->n = 0;
			TRY(fill(t, c, s->end_ns));
		}
		if (http_parse_chunked(s->parser,
		            (struct str){ c->in + c->at, MIN(n, c->n - c->at) }, p, &used,
		            got) != 0)
			return -EPROTO;
		c->at += used;
	}
	return 0;
}

static int body_read(struct task *t, struct stream *stream, void *p, size_t n, size_t *got)
{
	struct body_stream *s = (struct body_stream *)stream;

	*got = 0;
	TRY(s->parser->chunked ? read_chunked(t, s, p, n, got) : read_plain(t, s, p, n, got));
	s->done = *got == 0 || (!s->parser->chunked && !s->parser->until_close && s->left == 0);
	return 0;
}

static void body_close(struct stream *stream)
{
	struct body_stream *s = (struct body_stream *)stream;
	struct client_conn *c = s->c;

	s->c = NULL;
	if (!c)
		return;
	bool reusable =
	        s->done && s->parser->keep_alive && !s->parser->until_close && c->at == c->n;
	c->at = c->n = 0;
	if (reusable)
		pool_give(s->loop, c);
	else
		conn_free(c);
}

/* ---- all together ---- */

static int exchange(struct task *t, struct fetching *w)
{
	struct http_fetch *f = w->f;

	w->c = pool_take(task_loop(t), w->key);
	if (!w->c)
		TRY(connect_new(t, w));
	struct str body = f->body_stream ? S("") : f->body;
	TRY(transport_write2(
	        t, &w->c->transport, request_head(task_arena(t), w), body, left_ms(w->end_ns)));
	if (f->body_stream)
		TRY(send_stream(t, w));
	return read_head(t, w);
}

/* A pooled connection may have died between two requests: once more on a fresh one. */
static bool may_retry(const struct fetching *w, int bad)
{
	return w->c && w->c->reused && w->c->n == 0 && !w->f->body_stream &&
	       (bad == -ECONNRESET || bad == -EPIPE);
}

static int collect(struct task *t, struct http_fetch *f, struct body_stream *s)
{
	size_t max = f->max_body ? f->max_body : 16u << 20;
	int bad = stream_read_all(t, &s->stream, task_arena(t), max, &f->response_body);

	s->done = s->done || bad == 0;
	body_close(&s->stream);
	return bad;
}

int http_fetch(struct task *t, struct http_fetch *f)
{
	struct arena *a = task_arena(t);
	struct fetching w = { .f = f, .parser = arena_new(a, struct http_parser) };
	int bad;

	if (uri_parse(f->url, &w.uri) != 0)
		return -EINVAL;
	w.end_ns = clock_mono_ns() + (f->timeout_ms ? f->timeout_ms : 60000) * 1000000;
	w.key = str_printf(
	        a, "%.*s %.*s %d %d", STR(w.uri.scheme), STR(w.uri.host), w.uri.port, f->insecure);
	while ((bad = exchange(t, &w)) != 0) {
		bool again = may_retry(&w, bad);
		if (w.c)
			conn_free(w.c);
		w.c = NULL;
		if (!again)
			return bad;
	}
	f->status = w.parser->status;
	f->response_headers = w.parser->headers;
	struct body_stream *s = arena_new(a, struct body_stream);
	*s = (struct body_stream){
		.stream = { .read = body_read, .close = body_close, .length = w.parser->length },
		.loop = task_loop(t),
		.c = w.c,
		.parser = w.parser,
		.end_ns = w.end_ns,
		.left = MAX(w.parser->length, (int64_t)0)
	};
	s->done = w.parser->length == 0;
	if (!f->want_stream)
		return collect(t, f, s);
	f->response_stream = &s->stream;
	return 0;
}
