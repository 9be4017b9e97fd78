/*
 * url_stream: function URLs in the RESPONSE_STREAM mode. A body of the type below begins with JSON
 * that has the status, headers and cookies, and eight zero bytes.
 */
#include "services/lambda/url_request.h"

#define PIECE        32768
#define PRELUDE_MAX  65536
#define PRELUDE_TYPE "application/vnd.awslambda.http-integration-response"

static const char separator[8];

/* Reads up to the separator; what follows it is the beginning of the body. */
static int read_prelude(struct task *t, struct url_request *r)
{
	struct buf b = buf_init(r->arena);
	struct str end = { separator, sizeof separator };
	ptrdiff_t at;
	size_t n;

	while ((at = str_find(buf_str(&b), end)) < 0) {
		if (b.n > PRELUDE_MAX)
			return -EMSGSIZE;
		TRY(runtime_stream_read(t, r->stream, buf_reserve(&b, PIECE), PIECE, &n));
		if (!n)
			return -EPROTO;
		buf_commit(&b, n);
	}
	r->answer = str_sub(buf_str(&b), (size_t)at + sizeof separator, b.n);
	return url_take_prelude(r, str_sub(buf_str(&b), 0, (size_t)at)) ? 0 : -EPROTO;
}

static int take_head(struct task *t, struct url_request *r)
{
	struct str type = runtime_stream_type(r->stream);

	if (str_eq_nocase(type, S(PRELUDE_TYPE)))
		return read_prelude(t, r);
	if (!type.p && runtime_stream_result(r->stream)->function_error.p)
		return -EPROTO;
	r->status = 200;
	http_header_set(r->arena, &r->headers, S("Content-Type"),
	        type.n ? str_dup(r->arena, type) : S("application/octet-stream"));
	return 0;
}

static int refuse(struct task *t, struct url_request *r)
{
	runtime_stream_close(t, r->stream);
	r->stream = NULL;
	r->headers.n = 0;
	http_header_add(r->arena, &r->headers, S("Content-Type"), S("application/json"));
	r->status = 502;
	r->answer = S("Internal Server Error");
	return 0;
}

int url_stream_open(struct task *t, struct url_request *r, struct runtime_invocation *in)
{
	struct runtime_function f;

	TRY(lambda_run_prepare(t, &r->ref, &r->function, in, &f));
	int bad = runtime_stream_open(t, &f, in, &r->stream);
	if (bad) {
		bad = lambda_run_failed(
		        t, bad, r->stream ? runtime_stream_result(r->stream)->payload : S(""));
		(void)!refuse(t, r);
		return bad;
	}
	bad = take_head(t, r);
	return bad == -EPROTO || bad == -EMSGSIZE ? refuse(t, r) : bad;
}

static int send_rest(struct task *t, struct url_request *r)
{
	char *piece = arena_bytes(r->arena, PIECE);
	size_t n;

	TRY(http_respond_begin(t, r->x, r->status, &r->headers, -1));
	if (r->answer.n)
		TRY(http_respond_write(t, r->x, r->answer));
	for (;;) {
		TRY(runtime_stream_read(t, r->stream, piece, PIECE, &n));
		if (!n)
			break;
		TRY(http_respond_write(t, r->x, (struct str){ piece, n }));
	}
	/* The client has its status: only a body without its end can still tell. */
	return runtime_stream_result(r->stream)->function_error.p ? -ECONNABORTED
	                                                          : http_respond_end(t, r->x);
}

int url_stream_respond(struct task *t, struct url_request *r)
{
	int bad = send_rest(t, r);

	runtime_stream_close(t, r->stream);
	return bad;
}
