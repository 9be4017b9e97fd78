/* respond: answers, whole and in pieces. */
#include "base/clock.h"
#include "net/conn.h"

#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

uint64_t conn_body_limit_ms(const struct http_conn *c)
{
	return c->options->body_timeout_ms ? c->options->body_timeout_ms : 60000;
}

/* The Date header's line, made once a second per thread. */
static struct str date_line(void)
{
	static _Thread_local char line[64];
	static _Thread_local time_t made;
	static _Thread_local size_t n;
	time_t now = (time_t)(clock_now_ms() / 1000);
	struct tm tm;

	if (now != made) {
		gmtime_r(&now, &tm);
		n = strftime(line, sizeof line, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
		made = now;
	}
	return (struct str){ line, n };
}

static bool has_body(const struct http_exchange *x, int status)
{
	return !x->conn->head_method && status != 204 && status != 304 && status / 100 != 1;
}

/* No header injection: what holds a line break is cut there. */
static struct str one_line(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == 0)
			return str_sub(s, 0, i);
	return s;
}

static bool is_ours(struct str name)
{
	return str_eq_nocase(name, S("content-length")) ||
	       str_eq_nocase(name, S("transfer-encoding")) ||
	       str_eq_nocase(name, S("connection")) || str_eq_nocase(name, S("date"));
}

static void add_header(struct buf *b, struct str name, struct str value)
{
	buf_add(b, one_line(name));
	buf_add(b, S(": "));
	buf_add(b, one_line(value));
	buf_add(b, S("\r\n"));
}

static void write_head(struct buf *b, const struct http_exchange *x, int status,
        const struct http_headers *headers, int64_t length)
{
	buf_add(b, S("HTTP/1.1 "));
	buf_add_u64(b, (uint64_t)status);
	buf_add_char(b, ' ');
	buf_add(b, http_status_text(status));
	buf_add(b, S("\r\n"));
	for (size_t i = 0; headers && i < headers->n; i++)
		if (!is_ours(headers->v[i].name))
			add_header(b, headers->v[i].name, headers->v[i].value);
	buf_add(b, date_line());
	if (length >= 0 && status != 204 && status / 100 != 1) {
		buf_add(b, S("Content-Length: "));
		buf_add_i64(b, length);
		buf_add(b, S("\r\n"));
	} else if (length < 0 && x->conn->chunked_out) {
		buf_add(b, S("Transfer-Encoding: chunked\r\n"));
	}
	buf_add(b, x->conn->close_after ? S("Connection: close\r\n\r\n") : S("\r\n"));
}

static void begin(struct http_exchange *x, int status, int64_t length)
{
	struct http_conn *c = x->conn;

	ensure(x->status == 0);
	x->status = status;
	c->began = true;
	c->chunked_out = length < 0 && c->parser.minor >= 1 && has_body(x, status);
	/* To HTTP/1.0 the end of the connection ends the body. */
	if (length < 0 && !c->chunked_out)
		c->close_after = true;
	/* A body that the client still holds back was not asked for: it may come or not. */
	if (c->continue_due)
		c->close_after = true;
}

int http_respond(struct task *t, struct http_exchange *x, int status,
        const struct http_headers *headers, struct str body)
{
	struct http_conn *c = x->conn;
	struct buf b = buf_init(task_arena(t));

	begin(x, status, (int64_t)body.n);
	buf_reserve(&b, 512);
	write_head(&b, x, status, headers, (int64_t)body.n);
	c->ended = true;
	x->sent_bytes = (int64_t)body.n;
	return transport_write2(t, &c->transport, buf_str(&b), has_body(x, status) ? body : S(""),
	        conn_body_limit_ms(c));
}

int http_respond_begin(struct task *t, struct http_exchange *x, int status,
        const struct http_headers *headers, int64_t length)
{
	struct buf b = buf_init(task_arena(t));

	begin(x, status, length);
	write_head(&b, x, status, headers, length);
	return transport_write(t, &x->conn->transport, buf_str(&b), conn_body_limit_ms(x->conn));
}

int http_respond_write(struct task *t, struct http_exchange *x, struct str bytes)
{
	struct http_conn *c = x->conn;
	char size[24];

	x->sent_bytes += (int64_t)bytes.n;
	if (bytes.n == 0 || !has_body(x, x->status))
		return 0;
	if (!c->chunked_out)
		return transport_write(t, &c->transport, bytes, conn_body_limit_ms(c));
	int n = snprintf(size, sizeof size, "%zx\r\n", bytes.n);
	TRY(transport_write2(
	        t, &c->transport, (struct str){ size, (size_t)n }, bytes, conn_body_limit_ms(c)));
	return transport_write(t, &c->transport, S("\r\n"), conn_body_limit_ms(c));
}

int http_respond_end(struct task *t, struct http_exchange *x)
{
	struct http_conn *c = x->conn;

	c->ended = true;
	if (!c->chunked_out)
		return 0;
	return transport_write(t, &c->transport, S("0\r\n\r\n"), conn_body_limit_ms(c));
}

static int send_stream(struct task *t, struct http_exchange *x, struct stream *s)
{
	enum { PIECE = 64 * 1024 };
	char *p = arena_bytes(task_arena(t), PIECE);
	size_t got;

	for (;;) {
		TRY(stream_read(t, s, p, PIECE, &got));
		if (got == 0)
			return http_respond_end(t, x);
		TRY(http_respond_write(t, x, (struct str){ p, got }));
	}
}

int http_respond_stream(struct task *t, struct http_exchange *x, int status,
        const struct http_headers *headers, struct stream *s)
{
	int bad = http_respond_begin(t, x, status, headers, s->length);

	if (!bad && has_body(x, status))
		bad = send_stream(t, x, s);
	else if (!bad)
		x->conn->ended = true;
	stream_close(s);
	/* Half a body cannot be taken back: the connection's end tells. */
	if (bad > 0)
		bad = -EIO;
	return bad;
}

bool http_client_gone(const struct http_exchange *x)
{
	char byte;

	return recv(x->conn->transport.fd.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

int http_upgrade_write(struct task *t, struct http_exchange *x, struct str bytes)
{
	return transport_write(t, &x->conn->transport, bytes, TASK_FOREVER);
}
