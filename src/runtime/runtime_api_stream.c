/*
 * runtime_api_stream: a response that a runtime sends in chunks while the function still runs.
 * Each piece goes to the caller's stream at once; errors on the way come as trailers.
 *
 * Lambda Developer Guide, "Building a custom runtime", response streaming.
 */
#include "codec/codec.h"
#include "codec/json.h"
#include "runtime/runtime_api.h"
#include "runtime/stream.h"

#define LINE_MAX_STREAM (2 << 20) /* a trailer may carry a whole error document */
#define COLLECT_MAX     REPORT_RESPONSE_MAX

struct reading {
	struct runtime_stream *stream; /* NULL: the caller wants it in one piece */
	struct buf whole;
	uint64_t total;
	bool too_large;
	struct str error_type, error_body;
};

bool runtime_api_is_stream(const struct api_request *r)
{
	struct str mode =
	        http_header_get(&r->parser.headers, S("lambda-runtime-function-response-mode"));

	return r->parser.chunked && str_eq_nocase(mode, S("streaming")) &&
	       str_ends(r->path, S("/response"));
}

/* Up to its line end, which is taken but not part of it. In the task's arena. */
static int read_line(struct task *t, struct runtime_conn *c, struct arena *a, struct str *line)
{
	ptrdiff_t end;

	while ((end = str_find_char(runtime_api_unread(c), '\n')) < 0) {
		if (runtime_api_unread(c).n > LINE_MAX_STREAM)
			return -EMSGSIZE;
		TRY(runtime_api_fill(t, c));
	}
	*line = str_dup(a, str_trim(str_sub(runtime_api_unread(c), 0, (size_t)end)));
	c->at += (size_t)end + 1;
	return 0;
}

static int chunk_length(struct str line, uint64_t *n)
{
	struct str digits = str_trim(str_cut(&line, ';'));

	*n = 0;
	if (!digits.n || digits.n > 15)
		return -EPROTO;
	for (size_t i = 0; i < digits.n; i++) {
		char d = digits.p[i];
		bool letter = (d | 32) >= 'a' && (d | 32) <= 'f';
		if (!letter && (d < '0' || d > '9'))
			return -EPROTO;
		*n = *n * 16 + (uint64_t)(letter ? (d | 32) - 'a' + 10 : d - '0');
	}
	return 0;
}

static int take(struct task *t, struct env *e, struct reading *x, struct str piece)
{
	x->total += piece.n;
	if (!x->stream) {
		x->too_large |= x->total > COLLECT_MAX;
		if (!x->too_large)
			buf_add(&x->whole, piece);
		return 0;
	}
	/* Beyond the limit, and after the invocation's end, the rest is only read. */
	x->too_large |= x->total > STREAM_MAX;
	return x->too_large ? 0 : stream_put(t, x->stream, piece);
}

static void finish_too_large(struct env *e, const struct reading *x)
{
	struct outcome o = {
		.payload = x->stream ? report_stream_too_large() : report_too_large(),
		.function_error = S("Unhandled"),
		.error_type = S("Function.ResponseSizeTooLarge"),
	};

	if (runtime_api_is_running(e))
		env_finish(e, &o);
}

static int read_piece(struct task *t, struct runtime_conn *c, struct reading *x, uint64_t left)
{
	while (left) {
		if (!runtime_api_unread(c).n)
			TRY(runtime_api_fill(t, c));
		struct str piece = str_sub(runtime_api_unread(c), 0, left);
		bool before = x->too_large;
		TRY(take(t, c->env, x, piece));
		c->at += piece.n;
		left -= piece.n;
		if (x->too_large && !before)
			finish_too_large(c->env, x);
	}
	return 0;
}

static void take_trailer(struct reading *x, struct str line)
{
	struct str name = str_cut(&line, ':'), value = str_trim(line);

	if (str_eq_nocase(name, S("lambda-runtime-function-error-type")))
		x->error_type = value;
	else if (str_eq_nocase(name, S("lambda-runtime-function-error-body")))
		x->error_body = value;
}

static int read_trailers(struct task *t, struct runtime_conn *c, struct reading *x)
{
	struct str line;

	do {
		TRY(read_line(t, c, task_arena(t), &line));
		take_trailer(x, line);
	} while (line.n);
	return 0;
}

static int read_all(struct task *t, struct runtime_conn *c, struct reading *x)
{
	/* Lines of chunks, without end: their own memory. */
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct str line;
	uint64_t n;

	for (;;) {
		arena_reset(a);
		TRY(read_line(t, c, a, &line));
		TRY(chunk_length(line, &n));
		if (n == 0)
			return read_trailers(t, c, x);
		TRY(read_piece(t, c, x, n));
		TRY(read_line(t, c, a, &line));
		if (line.n)
			return -EPROTO;
	}
}

static struct str error_document(struct arena *a, const struct reading *x)
{
	struct str body;
	struct buf b = buf_init(a);
	struct json_writer w = json_writer(&b);

	if (x->error_body.n && base64_decode(a, x->error_body, &body) == 0 && json_is_valid(body))
		return body;
	json_object(&w);
	json_member_str(&w, S("errorType"), x->error_type);
	json_member_str(&w, S("errorMessage"), x->error_body.n ? x->error_body : S(""));
	json_end(&w);
	return buf_str(&b);
}

static void finish(struct task *t, struct env *e, struct reading *x)
{
	struct outcome o = { .payload = x->stream ? S("") : buf_str(&x->whole) };

	if (x->error_type.n) {
		o.payload = error_document(task_arena(t), x);
		o.function_error = S("Unhandled");
		o.error_type = str_sub(x->error_type, 0, 128);
	}
	env_finish(e, &o);
}

static struct runtime_stream *stream_of(struct env *e, const struct api_request *r)
{
	struct str type = http_header_get(&r->parser.headers, S("content-type"));

	if (!e->invoker || !e->invoker->in->stream)
		return NULL;
	stream_begin(e->invoker->in->stream, type);
	return stream_ref(e->invoker->in->stream);
}

int runtime_api_stream(struct task *t, struct runtime_conn *c, struct api_request *r)
{
	struct env *e = c->env;
	bool current = runtime_api_is_current(e, r->id), running = runtime_api_is_running(e);
	struct reading x = { .whole = buf_init(task_arena(t)) };

	if (current && running)
		x.stream = stream_of(e, r);
	int bad = read_all(t, c, &x);
	bool still = runtime_api_is_current(e, r->id) && runtime_api_is_running(e);
	if (bad == 0 && current && running && still && !x.too_large)
		finish(t, e, &x);
	stream_unref(x.stream);
	TRY(bad);
	if (!current)
		return runtime_api_bad_id(t, c);
	if (!running)
		return runtime_api_bad_transition(t, c);
	return runtime_api_accepted(t, c);
}
