#pragma once
/*
 * http: what requests and responses are, for server and client alike.
 */
#include "base/buf.h"
#include "loop/stream.h"

struct http_header {
	struct str name, value; /* name as written; compare with http_header_get */
};

struct http_headers {
	struct http_header *v;
	size_t n, capacity;
};

/* First with this name, case-insensitive; p == NULL: absent. */
struct str http_header_get(const struct http_headers *h, struct str name);
void http_header_add(struct arena *a, struct http_headers *h, struct str name, struct str value);
/* Replaces all of that name. */
void http_header_set(struct arena *a, struct http_headers *h, struct str name, struct str value);
struct str http_status_text(int status);
