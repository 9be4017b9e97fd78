/* http: headers and status texts. */
#include "net/http.h"

struct str http_header_get(const struct http_headers *h, struct str name)
{
	for (size_t i = 0; i < h->n; i++)
		if (str_eq_nocase(h->v[i].name, name))
			return h->v[i].value;
	return (struct str){ 0 };
}

void http_header_add(struct arena *a, struct http_headers *h, struct str name, struct str value)
{
	if (h->n == h->capacity) {
		size_t capacity = h->capacity ? h->capacity * 2 : 16;
		struct http_header *v = arena_new_n(a, struct http_header, capacity);
		if (h->n)
			memcpy(v, h->v, h->n * sizeof *v);
		h->v = v;
		h->capacity = capacity;
	}
	h->v[h->n++] = (struct http_header){ name, value };
}

void http_header_set(struct arena *a, struct http_headers *h, struct str name, struct str value)
{
	size_t kept = 0;

	for (size_t i = 0; i < h->n; i++)
		if (!str_eq_nocase(h->v[i].name, name))
			h->v[kept++] = h->v[i];
	h->n = kept;
	http_header_add(a, h, name, value);
}

static const struct {
	int status;
	struct str text;
} texts[] = {
	{ 100, S_INIT("Continue") },
	{ 101, S_INIT("Switching Protocols") },
	{ 200, S_INIT("OK") },
	{ 201, S_INIT("Created") },
	{ 202, S_INIT("Accepted") },
	{ 204, S_INIT("No Content") },
	{ 206, S_INIT("Partial Content") },
	{ 301, S_INIT("Moved Permanently") },
	{ 302, S_INIT("Found") },
	{ 303, S_INIT("See Other") },
	{ 304, S_INIT("Not Modified") },
	{ 307, S_INIT("Temporary Redirect") },
	{ 308, S_INIT("Permanent Redirect") },
	{ 400, S_INIT("Bad Request") },
	{ 401, S_INIT("Unauthorized") },
	{ 403, S_INIT("Forbidden") },
	{ 404, S_INIT("Not Found") },
	{ 405, S_INIT("Method Not Allowed") },
	{ 408, S_INIT("Request Timeout") },
	{ 409, S_INIT("Conflict") },
	{ 411, S_INIT("Length Required") },
	{ 412, S_INIT("Precondition Failed") },
	{ 413, S_INIT("Request Entity Too Large") },
	{ 414, S_INIT("URI Too Long") },
	{ 415, S_INIT("Unsupported Media Type") },
	{ 416, S_INIT("Requested Range Not Satisfiable") },
	{ 429, S_INIT("Too Many Requests") },
	{ 431, S_INIT("Request Header Fields Too Large") },
	{ 500, S_INIT("Internal Server Error") },
	{ 501, S_INIT("Not Implemented") },
	{ 502, S_INIT("Bad Gateway") },
	{ 503, S_INIT("Service Unavailable") },
	{ 504, S_INIT("Gateway Timeout") },
	{ 505, S_INIT("HTTP Version Not Supported") },
};

struct str http_status_text(int status)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i].status == status)
			return texts[i].text;
	return status < 400 ? S("OK") : S("Error");
}
