#pragma once
/*
 * server: HTTP/1.1 (llhttp) and TLS (OpenSSL) on one port: the first byte tells. Each connection is
 * one task; the handler runs in it for each request, straight through:
 *
 *	static int hello(struct task *t, struct http_exchange *x)
 *	{
 *		return http_respond(t, x, 200, NULL, S("hello\n"));
 *	}
 *
 * Keep-alive, pipelining, chunked bodies both ways, Expect: 100-continue (sent when the handler
 * first reads the body). Malformed or too large input gets 400, 408, 413, 414, 431 or 501 and the
 * connection closes. The task's arena is reset after each exchange.
 */
#include "loop/loop.h"
#include "net/http.h"

struct http_conn;
struct http_server;

struct http_request {
	struct str method; /* "GET" */
	struct str target; /* as sent; an absolute-form target is cut to its path and query */
	struct str path;   /* of the target, still escaped */
	struct str query;  /* behind '?', still escaped; p == NULL: none */
	struct str host;   /* Host header, lower case, without port */
	struct http_headers headers;
	struct stream *body; /* never NULL; length 0 when there is none, -1 when chunked */
	struct str peer_ip;  /* "127.0.0.1" */
	int peer_port;
	bool tls;
};

struct http_exchange {
	struct http_request request;
	struct http_conn *conn;
	void *arg;           /* of the options */
	int status;          /* set by http_respond...; 0: nothing answered yet */
	int64_t sent_bytes;  /* of the response's body */
	uint64_t started_ns; /* monotonic, when the head was complete */
};

typedef int http_handler(struct task *t, struct http_exchange *x);

/* The whole answer at once: Content-Length, Connection and Date are added. headers may be NULL. */
int http_respond(struct task *t, struct http_exchange *x, int status,
        const struct http_headers *headers, struct str body) MUST_USE;
/* An answer in pieces. length -1: chunked. For HEAD and 204/304 the body is not sent but counted.
 */
int http_respond_begin(struct task *t, struct http_exchange *x, int status,
        const struct http_headers *headers, int64_t length) MUST_USE;
int http_respond_write(struct task *t, struct http_exchange *x, struct str bytes) MUST_USE;
int http_respond_end(struct task *t, struct http_exchange *x) MUST_USE;
/* Sends a whole stream; closes it. */
int http_respond_stream(struct task *t, struct http_exchange *x, int status,
        const struct http_headers *headers, struct stream *s) MUST_USE;
/* True when the body could not be read: it was malformed, came too slowly or broke off. A handler
 * that then returns the error without an answer leaves the refusal to the server. */
bool http_body_failed(const struct http_exchange *x);
/* True when the client has closed its side (checked without blocking). */
bool http_client_gone(const struct http_exchange *x);
/* Hands the raw connection to the handler (WebSocket, debugger tunnels): bytes read beyond the head
 * come first. The connection closes when the handler returns. */
int http_upgrade_read(
        struct task *t, struct http_exchange *x, void *p, size_t n, size_t *got) MUST_USE;
int http_upgrade_write(struct task *t, struct http_exchange *x, struct str bytes) MUST_USE;

struct tls_server; /* net/tls.h */

struct http_server_options {
	http_handler *handler;
	void *arg;
	struct tls_server *tls;   /* NULL: plain only */
	size_t max_head_bytes;    /* 0: 64 KiB */
	size_t max_headers;       /* 0: 200 */
	uint64_t head_timeout_ms; /* 0: 20 s from its first byte to the head's end */
	uint64_t body_timeout_ms; /* 0: 60 s without a byte of the body or of progress in writing */
	uint64_t idle_timeout_ms; /* 0: 350 s between requests */
	size_t max_connections;   /* 0: 20,000; beyond, the longest idle is closed */
};

/* Serves on a listening socket (owned from here on) until http_server_stop. */
int http_server_start(struct loop *loop, int listen_fd, const struct http_server_options *options,
        struct http_server **server) MUST_USE;
/* Stops accepting, lets running exchanges finish for at most grace_ms, closes the rest. Frees. */
int http_server_stop(struct task *t, struct http_server *server, uint64_t grace_ms) MUST_USE;
size_t http_server_connections(const struct http_server *server);
/* Serves one already accepted connection (owned) in the calling task until it ends. */
int http_serve_connection(
        struct task *t, int fd, const struct http_server_options *options) MUST_USE;

/* A bound and listening TCP socket (non-blocking, close-on-exec), or -errno. host: an IP address.
 */
int http_listen(struct str host, int port);
