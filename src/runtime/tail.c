/* tail: a bounded buffer per onlooker, filled on loop 0. */
#include "runtime/tail.h"

#include "base/clock.h"
#include "codec/json.h"
#include "runtime/develop.h"
#include "runtime/logs.h"

#define TAIL_MAX (1 << 20)

struct runtime_tail {
	struct list_node node; /* of runtime->tails */
	struct runtime *rt;
	struct arena *arena;
	struct str account, region, name;
	char *bytes;
	size_t n, capacity, n_missed;
	struct task *reader;
	bool ended;
};

/* ---- filling ---- */

static void put(struct runtime_tail *tail, struct str line)
{
	if (tail->n + line.n > TAIL_MAX) {
		tail->n_missed++;
		return;
	}
	if (tail->n + line.n > tail->capacity) {
		tail->capacity = MAX(tail->capacity * 2, tail->n + line.n + 4096);
		tail->bytes = mem_resize(tail->bytes, tail->capacity);
	}
	memcpy(tail->bytes + tail->n, line.p, line.n);
	tail->n += line.n;
	if (tail->reader)
		task_wake(tail->reader, 0);
}

static bool looks_at(
        const struct runtime_tail *tail, struct str account, struct str region, struct str name)
{
	return str_eq(tail->name, name) && str_eq(tail->account, account) &&
	       str_eq(tail->region, region);
}

static struct str object(struct arena *a, struct str stream, struct str key, struct str text)
{
	struct buf b = buf_init(a);
	struct json_writer w = json_writer(&b);

	json_object(&w);
	json_member_i64(&w, S("time"), clock_now_ms());
	json_member_str(&w, S("stream"), stream);
	json_member_str(&w, key, text);
	json_end(&w);
	buf_add_char(&b, '\n');
	return buf_str(&b);
}

void tails_line(struct runtime *rt, const struct env_log *l, struct str text)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct str line = object(a, l->stream, S("message"), text);

	list_for_each (n, &rt->tails) {
		struct runtime_tail *tail = CONTAINER_OF(n, struct runtime_tail, node);
		if (looks_at(tail, l->account, l->region, l->function_name))
			put(tail, line);
	}
}

void tails_changed(struct runtime *rt, const struct runtime_function *f, struct str what)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct str line = object(a, (struct str){ 0 }, S("changed"), what);

	list_for_each (n, &rt->tails) {
		struct runtime_tail *tail = CONTAINER_OF(n, struct runtime_tail, node);
		if (looks_at(tail, f->account, f->region, f->name))
			put(tail, line);
	}
}

/* ---- opening, reading, closing: on loop 0 ---- */

static int open_here(struct task *t, void *arg)
{
	struct runtime_tail *tail = arg;
	struct runtime *rt = runtime_of(t);

	if (!rt || rt->tails_ended)
		return -ECANCELED;
	tail->rt = rt;
	list_push_back(&rt->tails, &tail->node);
	return 0;
}

static void tail_free(struct runtime_tail *tail)
{
	mem_free(tail->bytes);
	arena_destroy(tail->arena);
	mem_free(tail);
}

static int on_loop_0(struct task *t, task_fn *fn, void *arg)
{
	struct runtime *rt = runtime_of(t);

	if (!rt)
		return -ECANCELED;
	return rt->loop == task_loop(t) ? fn(t, arg) : loop_call(t, rt->loop, fn, arg);
}

int runtime_tail_open(struct task *t, struct str account, struct str region, struct str name,
        struct runtime_tail **opened)
{
	struct runtime_tail *tail = mem_new(struct runtime_tail);

	tail->arena = arena_create();
	tail->account = str_dup(tail->arena, account);
	tail->region = str_dup(tail->arena, region);
	tail->name = str_dup(tail->arena, name);
	int bad = on_loop_0(t, open_here, tail);
	if (bad)
		tail_free(tail);
	else
		*opened = tail;
	return bad;
}

struct reading {
	struct runtime_tail *tail;
	uint64_t limit_ms;
	struct arena *arena;
	struct str lines;
};

static int read_here(struct task *t, void *arg)
{
	struct reading *r = arg;
	struct runtime_tail *tail = r->tail;
	struct buf b = buf_init(r->arena);

	if (!tail->n && !tail->ended) {
		tail->reader = t;
		int bad = task_park(t, r->limit_ms);
		tail->reader = NULL;
		if (bad && bad != -ETIMEDOUT)
			return bad;
	}
	if (tail->ended && !tail->n)
		return -ECANCELED;
	buf_add(&b, (struct str){ tail->bytes, tail->n });
	if (tail->n_missed)
		buf_printf(&b, "{\"time\":%lld,\"missed\":%zu}\n", (long long)clock_now_ms(),
		        tail->n_missed);
	tail->n = tail->n_missed = 0;
	r->lines = buf_str(&b);
	return 0;
}

int runtime_tail_read(struct task *t, struct runtime_tail *tail, uint64_t limit_ms, struct arena *a,
        struct str *lines)
{
	struct reading r = { .tail = tail, .limit_ms = limit_ms, .arena = a };
	int bad = on_loop_0(t, read_here, &r);

	*lines = bad ? S("") : r.lines;
	return bad;
}

void runtime_tails_end(struct loop *loop)
{
	struct runtime *rt = loop_get(loop, LOOP_RUNTIME);

	if (!rt)
		return;
	rt->tails_ended = true;
	list_for_each (n, &rt->tails) {
		struct runtime_tail *tail = CONTAINER_OF(n, struct runtime_tail, node);
		tail->ended = true;
		if (tail->reader)
			task_wake(tail->reader, 0);
	}
}

struct closing {
	struct loop_post post;
	struct runtime_tail *tail;
};

static void close_here(struct loop_post *post)
{
	struct closing *c = CONTAINER_OF(post, struct closing, post);

	list_remove(&c->tail->node);
	tail_free(c->tail);
	mem_free(c);
}

/* Also in a task that was cancelled: a post needs no wait. */
void runtime_tail_close(struct task *t, struct runtime_tail *tail)
{
	if (!tail)
		return;
	struct closing *c = mem_new(struct closing);
	struct loop *loop = tail->rt->loop;

	c->tail = tail;
	c->post.fn = close_here;
	loop_post(loop, &c->post);
}
