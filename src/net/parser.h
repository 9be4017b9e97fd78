#pragma once
/*
 * parser: message heads and chunked bodies, by llhttp in its strict mode. Pure: no descriptor, no
 * task. A head is parsed when all of it is there; slices point into the caller's bytes.
 */
#include "net/http.h"

#include <llhttp.h>

struct http_parser {
	llhttp_t llhttp;
	struct arena *arena;
	bool response;
	size_t max_headers;
	/* the head */
	struct str method, target;
	int status, minor;
	struct http_headers headers;
	bool keep_alive, chunked, expect_continue, upgrade;
	int64_t length; /* of the body; -1: chunked, or until the connection ends */
	bool until_close;
	/* the chunked body */
	char *out;
	size_t out_n;
	bool complete;
	/* what is wrong, as the status to answer */
	int error;
	bool in_value;
};

/* Length of the head at the start of bytes with its empty line; 0: not all there yet. */
size_t http_head_length(struct str bytes);
/* 0, or p->error (400, 431, 501, 505) as positive result. head_only: a response to HEAD. */
int http_parse_head(struct http_parser *p, struct arena *a, struct str head, bool response,
        bool head_only, size_t max_headers) MUST_USE;
/* Decodes chunked bytes into out, which has room for in.n bytes. *used of in were taken, *n came
 * out; p->complete at the end. 0 or 400. */
int http_parse_chunked(
        struct http_parser *p, struct str in, char *out, size_t *used, size_t *n) MUST_USE;
