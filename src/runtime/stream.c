/* stream: see stream.h; and runtime_stream_*, which carry each step to loop 0. */
#include "runtime/stream.h"

#define ROOM 65536

struct runtime_stream {
	struct arena *arena;
	struct runtime_function f;
	struct runtime_invocation in;
	struct runtime_result result;
	unsigned refs;
	struct cond changed;
	struct str rest; /* of an answer that came in one piece */
	char *bytes;     /* a ring of ROOM */
	size_t at, n;
	char type[256];
	bool begun, closed, done;
	int bad; /* what runtime_invoke would have returned */
};

struct runtime_stream *stream_ref(struct runtime_stream *s)
{
	s->refs++;
	return s;
}

void stream_unref(struct runtime_stream *s)
{
	if (!s || --s->refs > 0)
		return;
	mem_free(s->bytes);
	arena_destroy(s->arena);
	mem_free(s);
}

void stream_begin(struct runtime_stream *s, struct str type)
{
	size_t n = MIN(type.n, sizeof s->type - 1);

	if (n)
		memcpy(s->type, type.p, n);
	s->type[n] = 0;
	s->begun = true;
	cond_broadcast(&s->changed);
}

static size_t put_some(struct runtime_stream *s, struct str piece)
{
	size_t end = (s->at + s->n) % ROOM;
	size_t n = MIN(MIN(piece.n, ROOM - s->n), ROOM - end);

	if (!s->bytes)
		s->bytes = mem_alloc(ROOM);
	memcpy(s->bytes + end, piece.p, n);
	s->n += n;
	return n;
}

int stream_put(struct task *t, struct runtime_stream *s, struct str piece)
{
	while (piece.n && !s->closed) {
		if (s->n == ROOM) {
			TRY(cond_wait(t, &s->changed, TASK_FOREVER));
			continue;
		}
		size_t n = put_some(s, piece);
		piece = str_sub(piece, n, piece.n);
		cond_broadcast(&s->changed);
	}
	return 0;
}

/* ---- the invocation ---- */

static int run_task(struct task *t, void *arg)
{
	struct runtime_stream *s = arg;

	s->bad = runtime_invoke(t, &s->f, &s->in, &s->result);
	s->result.payload = str_dup(s->arena, s->result.payload);
	s->result.function_error = s->result.function_error.p
	                                   ? str_dup(s->arena, s->result.function_error)
	                                   : (struct str){ 0 };
	s->result.error_type = str_dup(s->arena, s->result.error_type);
	s->result.log_tail = str_dup(s->arena, s->result.log_tail);
	s->result.env_id = str_dup(s->arena, s->result.env_id);
	s->result.log_stream = str_dup(s->arena, s->result.log_stream);
	if (!s->begun && !s->bad && !s->result.function_error.p)
		s->rest = s->result.payload;
	s->done = true;
	cond_broadcast(&s->changed);
	stream_unref(s);
	return 0;
}

static void copy_invocation(struct runtime_stream *s, const struct runtime_invocation *in)
{
	s->in = *in;
	struct str *const strings[] = { &s->in.request_id, &s->in.payload, &s->in.client_context,
		&s->in.cognito_identity, &s->in.trace_id, &s->in.invoked_arn };

	for (size_t i = 0; i < ARRAY_LEN(strings); i++)
		if (strings[i]->p)
			*strings[i] = str_dup(s->arena, *strings[i]);
	s->in.stream = s;
}

/* ---- steps on loop 0 ---- */

struct step {
	const struct runtime_function *f;
	const struct runtime_invocation *in;
	struct runtime_stream *s;
	char *p;
	size_t n, got;
};

static int open_step(struct task *t, void *arg)
{
	struct step *x = arg;
	struct runtime_stream *s = mem_new(struct runtime_stream);

	s->arena = arena_create();
	s->refs = 2;
	cond_init(&s->changed);
	function_copy(s->arena, x->f, &s->f);
	copy_invocation(s, x->in);
	x->s = s;
	task_start(task_loop(t), "stream", run_task, s);
	while (!s->begun && !s->done)
		TRY(cond_wait(t, &s->changed, TASK_FOREVER));
	return s->begun ? 0 : s->bad;
}

static size_t take_some(struct runtime_stream *s, char *p, size_t size)
{
	size_t n = MIN(MIN(s->n, size), ROOM - s->at);

	if (!s->n) {
		n = MIN(s->rest.n, size);
		if (n)
			memcpy(p, s->rest.p, n);
		s->rest = str_sub(s->rest, n, s->rest.n);
		return n;
	}
	memcpy(p, s->bytes + s->at, n);
	s->at = (s->at + n) % ROOM;
	s->n -= n;
	cond_broadcast(&s->changed);
	return n;
}

static int read_step(struct task *t, void *arg)
{
	struct step *x = arg;
	struct runtime_stream *s = x->s;

	while (!s->n && !s->rest.n && !s->done)
		TRY(cond_wait(t, &s->changed, TASK_FOREVER));
	x->got = take_some(s, x->p, x->n);
	return 0;
}

static int close_step(struct task *t, void *arg)
{
	struct step *x = arg;

	x->s->closed = true;
	cond_broadcast(&x->s->changed);
	stream_unref(x->s);
	return 0;
}

static int on_home(struct task *t, task_fn *fn, struct step *x)
{
	struct runtime *rt = runtime_of(t);

	if (!rt)
		return -ECANCELED;
	return rt->loop == task_loop(t) ? fn(t, x) : loop_call(t, rt->loop, fn, x);
}

/* ---- for services ---- */

int runtime_stream_open(struct task *t, const struct runtime_function *f,
        const struct runtime_invocation *in, struct runtime_stream **s)
{
	struct step x = { .f = f, .in = in };
	int bad = on_home(t, open_step, &x);

	*s = x.s;
	return bad;
}

int runtime_stream_read(struct task *t, struct runtime_stream *s, void *p, size_t n, size_t *got)
{
	struct step x = { .s = s, .p = p, .n = n };
	int bad = on_home(t, read_step, &x);

	*got = x.got;
	return bad;
}

struct str runtime_stream_type(const struct runtime_stream *s)
{
	return s->begun ? str_of(s->type) : (struct str){ 0 };
}

const struct runtime_result *runtime_stream_result(const struct runtime_stream *s)
{
	return &s->result;
}

void runtime_stream_close(struct task *t, struct runtime_stream *s)
{
	struct step x = { .s = s };

	if (s)
		(void)!on_home(t, close_step, &x);
}
