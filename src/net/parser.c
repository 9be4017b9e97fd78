/* parser: llhttp's callbacks. */
#include "net/parser.h"

static int on_method(llhttp_t *l, const char *at, size_t n)
{
	struct http_parser *p = l->data;

	p->method = (struct str){ at, n };
	return 0;
}

static int on_url(llhttp_t *l, const char *at, size_t n)
{
	struct http_parser *p = l->data;

	p->target = (struct str){ at, n };
	return 0;
}

static int on_header_field(llhttp_t *l, const char *at, size_t n)
{
	struct http_parser *p = l->data;

	if (p->complete || p->headers.n >= p->max_headers) {
		p->error = 431;
		return HPE_USER;
	}
	http_header_add(p->arena, &p->headers, (struct str){ at, n }, S(""));
	p->in_value = false;
	return 0;
}

static int on_header_value(llhttp_t *l, const char *at, size_t n)
{
	struct http_parser *p = l->data;

	/* A second piece would be a folded line. */
	if (p->in_value || p->headers.n == 0)
		return HPE_USER;
	p->in_value = true;
	p->headers.v[p->headers.n - 1].value = str_trim((struct str){ at, n });
	return 0;
}

static int on_headers_complete(llhttp_t *l)
{
	return HPE_PAUSED;
}

static int on_body(llhttp_t *l, const char *at, size_t n)
{
	struct http_parser *p = l->data;

	if (n)
		memcpy(p->out + p->out_n, at, n);
	p->out_n += n;
	return 0;
}

static int on_message_complete(llhttp_t *l)
{
	struct http_parser *p = l->data;

	p->complete = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
	.on_method = on_method,
	.on_url = on_url,
	.on_header_field = on_header_field,
	.on_header_value = on_header_value,
	.on_headers_complete = on_headers_complete,
	.on_body = on_body,
	.on_message_complete = on_message_complete,
};

size_t http_head_length(struct str bytes)
{
	ptrdiff_t end = str_find(bytes, S("\r\n\r\n"));

	return end < 0 ? 0 : (size_t)end + 4;
}

/* Is what comes before the first space a method's name at all? */
static bool names_method(struct str head)
{
	size_t n = 0;

	while (n < head.n && ((head.p[n] >= 'A' && head.p[n] <= 'Z') || head.p[n] == '-'))
		n++;
	return n > 0 && n < head.n && head.p[n] == ' ';
}

static int status_of(const struct http_parser *p, struct str head, llhttp_errno_t error)
{
	if (p->error)
		return p->error;
	if (error == HPE_INVALID_METHOD)
		return names_method(head) ? 501 : 400;
	return error == HPE_INVALID_VERSION ? 505 : 400;
}

static bool has_no_body(const struct http_parser *p, bool head_only)
{
	if (!p->response)
		return false;
	return head_only || p->status == 204 || p->status == 304 || p->status / 100 == 1;
}

/* HTTP/1.1 asks for exactly one Host; and how long a body is must be told by its last coding. */
static bool is_proper_request(const struct http_parser *p)
{
	size_t hosts = 0;

	for (size_t i = 0; i < p->headers.n; i++)
		hosts += str_eq_nocase(p->headers.v[i].name, S("host"));
	if (hosts > 1 || (hosts == 0 && p->minor >= 1))
		return false;
	return !(p->llhttp.flags & F_TRANSFER_ENCODING) || (p->llhttp.flags & F_CHUNKED);
}

static void body_length(struct http_parser *p, bool head_only)
{
	bool has_length = p->llhttp.flags & F_CONTENT_LENGTH;

	p->chunked = p->llhttp.flags & F_CHUNKED;
	p->length = has_length ? (int64_t)p->llhttp.content_length : 0;
	if (p->chunked)
		p->length = -1;
	if (p->response && !has_length && !p->chunked) {
		p->length = -1;
		p->until_close = true;
	}
	if (has_no_body(p, head_only)) {
		p->length = 0;
		p->chunked = p->until_close = false;
	}
}

int http_parse_head(struct http_parser *p, struct arena *a, struct str head, bool response,
        bool head_only, size_t max_headers)
{
	memset(p, 0, sizeof *p);
	p->arena = a;
	p->response = response;
	p->max_headers = max_headers;
	llhttp_init(&p->llhttp, response ? HTTP_RESPONSE : HTTP_REQUEST, &settings);
	p->llhttp.data = p;
	llhttp_errno_t got = llhttp_execute(&p->llhttp, head.p, head.n);
	bool all = got == HPE_PAUSED && llhttp_get_error_pos(&p->llhttp) >= head.p + head.n - 1;
	if (!all)
		return p->error = status_of(p, head, got);
	if (p->llhttp.http_major != 1 || memchr(head.p, 0, head.n))
		return p->error = p->llhttp.http_major == 1 ? 400 : 505;
	p->minor = p->llhttp.http_minor;
	if (!response && !is_proper_request(p))
		return p->error = 400;
	p->status = p->llhttp.status_code;
	p->keep_alive = llhttp_should_keep_alive(&p->llhttp);
	p->expect_continue =
	        str_eq_nocase(http_header_get(&p->headers, S("expect")), S("100-continue"));
	struct str connection = str_lower(a, http_header_get(&p->headers, S("connection")));
	p->upgrade = str_find(connection, S("upgrade")) >= 0 && connection.n;
	p->keep_alive = str_find(connection, S("close")) < 0 &&
	                (p->minor >= 1 || str_find(connection, S("keep-alive")) >= 0);
	if (connection.n == 0)
		p->keep_alive = p->minor >= 1;
	body_length(p, head_only);
	return 0;
}

int http_parse_chunked(struct http_parser *p, struct str in, char *out, size_t *used, size_t *n)
{
	p->out = out;
	p->out_n = 0;
	if (llhttp_get_errno(&p->llhttp) == HPE_PAUSED)
		llhttp_resume(&p->llhttp);
	/* Trailers after the body are read and dropped. */
	llhttp_errno_t got = llhttp_execute(&p->llhttp, in.p, in.n);
	*n = p->out_n;
	*used = in.n;
	if (got == HPE_OK)
		return 0;
	if (got != HPE_PAUSED || !p->complete)
		return p->error = 400;
	*used = (size_t)(llhttp_get_error_pos(&p->llhttp) - in.p);
	return 0;
}
