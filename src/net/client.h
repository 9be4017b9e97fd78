#pragma once
/*
 * client: outgoing HTTP/1.1, plain or TLS (system's trust store plus the local authority), with
 * kept-alive connections pooled per loop (LOOP_NET).
 *
 *	struct http_fetch f = { .method = S("POST"), .url = url, .body = body, .timeout_ms = 29000
 *}; TRY(http_fetch(t, &f)); use(f.status, f.response_headers, f.response_body);
 */
#include "net/http.h"

struct http_fetch {
	struct str method,
	        url; /* http://host[:port]/path?query; also http+unix:%2Fpath for sockets */
	struct http_headers headers; /* Host and Content-Length are added */
	struct str body;
	struct stream *body_stream; /* instead of body; length -1: chunked */
	uint64_t timeout_ms;        /* for all of it; 0: 60 s */
	size_t max_body;            /* 0: 16 MiB; more is -EMSGSIZE */
	bool insecure;              /* no certificate check */
	/* the answer */
	int status;
	struct http_headers response_headers;
	struct str response_body; /* when stream is not asked for */
	bool want_stream;
	struct stream *response_stream; /* the caller closes it */
};

/* 0 when an answer came, whatever its status; -ECONNREFUSED, -ETIMEDOUT, -EPROTO, -EHOSTUNREACH ...
 */
int http_fetch(struct task *t, struct http_fetch *f) MUST_USE;
/* Closes the loop's pooled connections; before loop_free. */
void http_client_close(struct loop *loop);
