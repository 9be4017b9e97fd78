/* logs: collecting, and sending in batches as the function's own role. */
#include "runtime/logs.h"

#include "runtime/telemetry.h"

#include "base/clock.h"
#include "base/log.h"
#include "logs_gen.h"
#include "runtime/develop.h"

#include <stdio.h>
#include <time.h>

#define FLUSH_MS       200
#define FLUSH_BYTES    (256 * 1024)
#define PENDING_MAX    (4 << 20)
#define BATCH_EVENTS   10000
#define BATCH_BYTES    1048576
#define EVENT_OVERHEAD 26
#define MAX_FLUSHES    32
#define MAX_FAILURES   5

/* ---- collecting ---- */

static void batch_add(struct log_batch *b, int64_t time_ms, struct str text)
{
	if (b->n_bytes + text.n > b->bytes_capacity) {
		b->bytes_capacity = MAX(b->bytes_capacity * 2, b->n_bytes + text.n + 1024);
		b->bytes = mem_resize(b->bytes, b->bytes_capacity);
	}
	if (b->n == b->capacity) {
		b->capacity = MAX(b->capacity * 2, (size_t)16);
		b->v = mem_resize(b->v, b->capacity * sizeof *b->v);
	}
	b->v[b->n++] = (struct log_event){ time_ms, b->n_bytes, text.n };
	memcpy(b->bytes + b->n_bytes, text.p, text.n);
	b->n_bytes += text.n;
}

static void batch_free(struct log_batch *b)
{
	mem_free(b->bytes);
	mem_free(b->v);
	*b = (struct log_batch){ 0 };
}

static int flush_task(struct task *t, void *arg);
static int flusher_task(struct task *t, void *arg);

static void start_flush(struct env_log *l)
{
	list_remove(&l->dirty);
	l->flushing = true;
	l->rt->n_flushes++;
	task_start(l->rt->loop, "log-flush", flush_task, env_log_ref(l));
}

static void mark_dirty(struct env_log *l)
{
	if (l->flushing || l->refused)
		return;
	if (!list_is_linked(&l->dirty))
		list_push_back(&l->rt->logs, &l->dirty);
	if (l->pending.n_bytes >= FLUSH_BYTES && l->rt->n_flushes < MAX_FLUSHES)
		start_flush(l);
	else if (!l->rt->log_flusher)
		l->rt->log_flusher = task_start(l->rt->loop, "log-flusher", flusher_task, l->rt);
}

static void note_dropped(struct env_log *l)
{
	char text[96];
	int n = snprintf(text, sizeof text,
	        "[wolke] %llu log lines were dropped here: written faster than stored\n",
	        (unsigned long long)l->n_dropped);

	l->n_dropped = 0;
	batch_add(&l->pending, clock_now_ms(), (struct str){ text, (size_t)n });
}

static void add_to_tail(struct env_log *l, struct str s)
{
	if (s.n > TAIL_BYTES) {
		l->tail_n += s.n - TAIL_BYTES;
		s = str_sub(s, s.n - TAIL_BYTES, TAIL_BYTES);
	}
	size_t at = l->tail_n % TAIL_BYTES, first = MIN(s.n, TAIL_BYTES - at);

	memcpy(l->tail + at, s.p, first);
	memcpy(l->tail, s.p + first, s.n - first);
	l->tail_n += s.n;
}

static void add(struct env_log *l, struct str text)
{
	if (l->want_tail)
		add_to_tail(l, text);
	if (!list_is_empty(&l->rt->tails))
		tails_line(l->rt, l, text);
	if (l->refused)
		return;
	if (l->n_dropped)
		note_dropped(l);
	batch_add(&l->pending, clock_now_ms(), text);
	mark_dirty(l);
}

/* Runtimes write the line ends within an event as carriage returns. */
static struct str with_line_ends(struct arena *a, struct str text)
{
	char *p = arena_bytes(a, text.n);

	for (size_t i = 0; i < text.n; i++) {
		bool last = i + 2 == text.n && text.p[i + 1] == '\n';
		p[i] = text.p[i] == '\r' && !last ? '\n' : text.p[i];
	}
	return (struct str){ p, text.n };
}

static void add_plain(struct env_log *l, struct str text);

/* A line of the function's own. */
static void add_line(void *arg, struct str text)
{
	if (str_find_char(text, '\r') < 0) {
		add_plain(arg, text);
		return;
	}
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	add_plain(arg, with_line_ends(a, text));
}

static void add_plain(struct env_log *l, struct str text)
{
	if (l->tap)
		telemetry_line(l->tap, TELEMETRY_FUNCTION, text);
	if (l->pending.n_bytes + text.n <= PENDING_MAX) {
		add(l, text);
		return;
	}
	if (l->want_tail)
		add_to_tail(l, text);
	l->n_dropped++;
}

void env_log_event(struct env_log *l, struct str text)
{
	add(l, text);
}

void env_log_line(struct env_log *l, struct str line)
{
	struct env *tap = l->tap;

	l->tap = NULL;
	add_line(l, line);
	l->tap = tap;
}

void env_log_write(struct env_log *l, struct str bytes)
{
	lines_feed(&l->lines, bytes, add_line, l);
}

void env_log_end_line(struct env_log *l)
{
	lines_end(&l->lines, add_line, l);
}

void env_log_begin(struct env_log *l, bool want_tail)
{
	l->want_tail = want_tail;
	l->tail_n = 0;
}

struct str env_log_tail(struct arena *a, const struct env_log *l)
{
	size_t n = MIN(l->tail_n, (size_t)TAIL_BYTES), from = l->tail_n - n;
	char *p = arena_bytes(a, n + 1);

	for (size_t i = 0; i < n; i++)
		p[i] = l->tail[(from + i) % TAIL_BYTES];
	return (struct str){ p, n };
}

/* ---- sending ---- */

static struct api_caller caller_of(struct arena *a, const struct env_log *l)
{
	ptrdiff_t slash = str_rfind_char(l->role_arn, '/');
	struct str role = str_sub(l->role_arn, (size_t)(slash + 1), l->role_arn.n);
	struct api_caller who = {
		.account = l->account,
		.region = l->region,
		.principal = { .type = PRINCIPAL_ROLE,
		        .account = l->account,
		        .role_arn = l->role_arn,
		        .arn = str_printf(a, "arn:aws:sts::%.*s:assumed-role/%.*s/%.*s",
		                STR(l->account), STR(role), STR(l->function_name)) },
	};

	/* A function without a role cannot be refused what every function may have. */
	if (!l->role_arn.n)
		who.principal = (struct principal){ .type = PRINCIPAL_SERVICE,
			.service = S("lambda.amazonaws.com") };
	return who;
}

static bool failed_with(struct task *t, int bad, struct str name)
{
	return bad > 0 && str_eq(api_failure(t)->name, name);
}

static int create(struct task *t, const struct api_caller *who, const struct env_log *l)
{
	struct logs_create_log_group_in group = { .log_group_name = l->group };
	struct logs_create_log_stream_in stream = { .log_group_name = l->group,
		.log_stream_name = l->stream };
	struct logs_create_log_group_out group_out = { 0 };
	struct logs_create_log_stream_out stream_out = { 0 };
	int bad = api_call(t, who, "logs", "CreateLogStream", &stream, &stream_out);

	if (failed_with(t, bad, S("ResourceNotFoundException"))) {
		bad = api_call(t, who, "logs", "CreateLogGroup", &group, &group_out);
		if (bad && !failed_with(t, bad, S("ResourceAlreadyExistsException")))
			return bad;
		bad = api_call(t, who, "logs", "CreateLogStream", &stream, &stream_out);
	}
	return failed_with(t, bad, S("ResourceAlreadyExistsException")) ? 0 : bad;
}

/* As many events from at on as one call takes. */
static size_t fill(const struct log_batch *b, size_t at, struct logs_input_log_event *v)
{
	size_t n = 0, bytes = 0;

	while (at + n < b->n && n < BATCH_EVENTS) {
		const struct log_event *e = &b->v[at + n];
		if (bytes + e->n + EVENT_OVERHEAD > BATCH_BYTES)
			break;
		bytes += e->n + EVENT_OVERHEAD;
		v[n++] = (struct logs_input_log_event){ opt_int(e->time_ms),
			{ b->bytes + e->at, e->n } };
	}
	return n;
}

static int put(struct task *t, const struct api_caller *who, struct env_log *l,
        const struct log_batch *b, size_t at, size_t *n)
{
	struct logs_put_log_events_in in = { .log_group_name = l->group,
		.log_stream_name = l->stream };
	struct logs_put_log_events_out out = { 0 };
	size_t most = MIN(b->n - at, (size_t)BATCH_EVENTS);

	in.log_events.v = arena_new_n(task_arena(t), struct logs_input_log_event, most);
	in.log_events.n = *n = fill(b, at, in.log_events.v);
	return api_call(t, who, "logs", "PutLogEvents", &in, &out);
}

static int send_batch(struct task *t, struct env_log *l, const struct log_batch *b)
{
	size_t at = 0, n;

	while (at < b->n) {
		arena_reset(task_arena(t));
		task_local_set(t, NULL);
		struct api_caller who = caller_of(task_arena(t), l);
		if (!l->created) {
			TRY(create(t, &who, l));
			l->created = true;
		}
		int bad = put(t, &who, l, b, at, &n);
		if (failed_with(t, bad, S("ResourceNotFoundException"))) {
			TRY(create(t, &who, l));
			bad = put(t, &who, l, b, at, &n);
		}
		TRY(bad);
		at += n;
	}
	return 0;
}

/* The service is not there, or forbids it: this stream is given up, said once. */
static void give_up(struct task *t, struct env_log *l, int bad)
{
	struct runtime *rt = l->rt;
	bool refused = bad > 0 || bad == -ENOSYS;

	if (++l->failures >= MAX_FAILURES || refused)
		l->refused = true;
	if (rt->said_no_logs)
		return;
	rt->said_no_logs = true;
	if (bad > 0)
		log_warn("the log of %.*s is not kept in %.*s: %.*s: %.*s", STR(l->function_name),
		        STR(l->group), STR(api_failure(t)->name), STR(api_failure(t)->message));
	else
		log_warn("the log of %.*s is not kept in %.*s: %s", STR(l->function_name),
		        STR(l->group), strerror(-bad));
}

static int flush_task(struct task *t, void *arg)
{
	struct env_log *l = arg;
	struct log_batch b = l->pending;

	l->pending = (struct log_batch){ 0 };
	int bad = send_batch(t, l, &b);
	if (bad && bad != -ECANCELED)
		give_up(t, l, bad);
	else
		l->failures = 0;
	batch_free(&b);
	l->flushing = false;
	l->rt->n_flushes--;
	if (l->pending.n)
		mark_dirty(l);
	env_log_unref(l);
	return 0;
}

static int flusher_task(struct task *t, void *arg)
{
	struct runtime *rt = arg;

	while (!list_is_empty(&rt->logs)) {
		int bad = task_sleep(t, FLUSH_MS);
		while (!list_is_empty(&rt->logs) && rt->n_flushes < MAX_FLUSHES)
			start_flush(CONTAINER_OF(list_first(&rt->logs), struct env_log, dirty));
		if (bad)
			break;
	}
	rt->log_flusher = NULL;
	return 0;
}

int logs_settle(struct task *t, struct runtime *rt, uint64_t limit_ms)
{
	uint64_t end = clock_mono_ns() + limit_ms * 1000000;

	while ((rt->n_flushes || !list_is_empty(&rt->logs)) && clock_mono_ns() < end) {
		while (!list_is_empty(&rt->logs) && rt->n_flushes < MAX_FLUSHES)
			start_flush(CONTAINER_OF(list_first(&rt->logs), struct env_log, dirty));
		TRY(task_sleep(t, 2));
	}
	return 0;
}

/* ---- the stream ---- */

static struct str stream_name(struct arena *a, const struct runtime_function *f, const char *id)
{
	time_t now = (time_t)(clock_now_ms() / 1000);
	struct tm tm;

	gmtime_r(&now, &tm);
	return str_printf(a, "%04d/%02d/%02d/[%.*s]%s", tm.tm_year + 1900, tm.tm_mon + 1,
	        tm.tm_mday, STR(f->version), id);
}

struct env_log *env_log_new(struct runtime *rt, const struct runtime_function *f, const char *id)
{
	struct env_log *l = mem_new(struct env_log);

	l->rt = rt;
	l->refs = 1;
	l->arena = arena_create();
	l->group = str_dup(l->arena, f->log_group.n
	                                     ? f->log_group
	                                     : str_concat(l->arena, 2, S("/aws/lambda/"), f->name));
	l->stream = stream_name(l->arena, f, id);
	l->account = str_dup(l->arena, f->account);
	l->region = str_dup(l->arena, f->region);
	l->role_arn = str_dup(l->arena, f->role_arn);
	l->function_name = str_dup(l->arena, f->name);
	return l;
}

struct env_log *env_log_ref(struct env_log *l)
{
	l->refs++;
	return l;
}

/* What is pending holds it, too: the flush task takes a reference of its own. */
void env_log_unref(struct env_log *l)
{
	if (!l || --l->refs > 0)
		return;
	if (l->pending.n && !l->refused && !l->rt->stopping) {
		start_flush(l);
		return;
	}
	list_remove(&l->dirty);
	batch_free(&l->pending);
	lines_deinit(&l->lines);
	arena_destroy(l->arena);
	mem_free(l);
}
