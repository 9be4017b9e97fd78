/* telemetry: see telemetry.h. Buffers per subscriber; one task each posts what has come together.
 */
#include "runtime/telemetry.h"

#include "base/clock.h"
#include "codec/codec.h"
#include "codec/json.h"
#include "net/parser.h"

#include <sys/socket.h>

#define EARLY_MAX  (256 * 1024)
#define UNSENT_MAX (4 << 20)
#define POST_MS    5000
#define ANSWER_MAX 65536
#define RETRY_MS   100
#define TRIES      5

struct subscription {
	struct list_node node;
	struct telemetry *owner;
	struct extension *extension;
	struct telemetry_wish wish;
	struct arena *arena; /* of unsent */
	struct buf unsent;   /* events, separated by commas */
	uint32_t n_unsent, n_dropped;
	uint64_t dropped_bytes;
	struct timer timer;
	bool sending;
};

struct telemetry {
	struct env *env;
	struct list all;
	struct arena *arena; /* events of the init phase */
	struct list early;
	size_t early_bytes;
	bool init_over;
};

struct early {
	struct list_node node;
	unsigned type;
	struct str name, json;
};

struct telemetry *telemetry_new(struct env *e)
{
	struct telemetry *m = mem_new(struct telemetry);

	m->env = e;
	m->arena = arena_create();
	list_init(&m->all);
	list_init(&m->early);
	return m;
}

static void subscription_free(struct subscription *s)
{
	list_remove(&s->node);
	timer_cancel(&s->timer);
	arena_destroy(s->arena);
	mem_free(s);
}

void telemetry_free(struct telemetry *m)
{
	list_for_each_safe (n, &m->all)
		subscription_free(CONTAINER_OF(n, struct subscription, node));
	arena_destroy(m->arena);
	mem_free(m);
}

/* ---- posting ---- */

static int connect_inside(struct task *t, struct env *e, uint16_t port, struct loop_fd *fd)
{
	struct sandbox_message m = { .type = SANDBOX_CONNECT, .id = str_of(e->id) }, reply;

	m.spec.runtime_port = port;
	TRY(sandbox_client_call(t, &e->rt->sandbox, &m, &reply));
	TRY(loop_fd_init(fd, e->rt->loop, fd_take(&reply.fds[SANDBOX_FD_RUNTIME])));
	int error = 0;
	socklen_t size = sizeof error;
	TRY(loop_fd_wait_writable(t, fd, POST_MS));
	getsockopt(fd->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return -error;
}

static int read_status(struct task *t, struct transport *c, int *status)
{
	char *text = arena_bytes(task_arena(t), ANSWER_MAX);
	struct http_parser p;
	size_t n = 0, head;

	while (!(head = http_head_length((struct str){ text, n }))) {
		if (n == ANSWER_MAX)
			return -EMSGSIZE;
		ssize_t got = transport_read(t, c, text + n, ANSWER_MAX - n, POST_MS);
		if (got <= 0)
			return got < 0 ? (int)got : -ECONNRESET;
		n += (size_t)got;
	}
	if (http_parse_head(&p, task_arena(t), (struct str){ text, head }, true, false, 100) != 0)
		return -EPROTO;
	*status = p.status;
	return 0;
}

static int post_on(struct task *t, struct subscription *s, struct transport *c, struct str body)
{
	int status = 0;

	TRY(connect_inside(t, s->owner->env, s->wish.port, &c->fd));
	struct str head = str_printf(task_arena(t),
	        "POST %.*s HTTP/1.1\r\nHost: sandbox.localdomain:%u\r\nContent-Type: "
	        "application/json\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
	        STR(s->wish.path), s->wish.port, body.n);
	TRY(transport_write2(t, c, head, body, POST_MS));
	TRY(read_status(t, c, &status));
	return status / 100 == 2 ? 0 : -EREMOTEIO;
}

static int post(struct task *t, struct subscription *s, struct str body)
{
	int bad = 0;

	for (int i = 0; i < TRIES; i++) {
		struct transport c = { .fd = { .fd = -1 } };
		bad = post_on(t, s, &c, body);
		transport_close(&c);
		if (!bad || bad == -ECANCELED || s->owner->env->state == ENV_GONE)
			break;
		TRY(task_sleep(t, RETRY_MS));
	}
	return bad;
}

static struct str take_batch(struct arena *a, struct subscription *s)
{
	struct str batch = str_concat(a, 3, S("["), buf_str(&s->unsent), S("]"));

	arena_reset(s->arena);
	s->unsent = buf_init(s->arena);
	s->n_unsent = 0;
	return batch;
}

static int post_task(struct task *t, void *arg)
{
	struct subscription *s = arg;
	struct env *e = s->owner->env;
	int bad = 0;

	while (!bad && s->n_unsent && e->state != ENV_GONE) {
		arena_reset(task_arena(t));
		bad = post(t, s, take_batch(task_arena(t), s));
	}
	s->sending = false;
	env_unref(e);
	return 0;
}

static void start_post(struct subscription *s)
{
	struct env *e = s->owner->env;

	timer_cancel(&s->timer);
	/* Who is frozen does not answer: with the next event. */
	if (s->sending || !s->n_unsent || e->frozen || e->state == ENV_GONE)
		return;
	s->sending = true;
	env_ref(e);
	task_start(e->rt->loop, "telemetry", post_task, s);
}

static void on_timer(struct timer *timer)
{
	start_post(CONTAINER_OF(timer, struct subscription, timer));
}

/* ---- collecting ---- */

static void put(struct subscription *s, struct str json)
{
	if (s->unsent.n + json.n > UNSENT_MAX) {
		s->n_dropped++;
		s->dropped_bytes += json.n;
		return;
	}
	if (s->n_unsent++)
		buf_add_char(&s->unsent, ',');
	buf_add(&s->unsent, json);
	if (s->n_unsent >= s->wish.max_items || s->unsent.n >= s->wish.max_bytes)
		start_post(s);
	else if (!s->sending && s->timer.node.at == 0)
		timer_set(&s->timer, s->owner->env->rt->loop, s->wish.timeout_ms, on_timer);
}

static struct str dropped_event(struct arena *a, const struct subscription *s)
{
	struct buf b = buf_init(a);
	struct json_writer w = json_writer(&b);

	json_object(&w);
	json_member_str(&w, S("time"), time_iso8601(a, clock_now_ms(), true));
	json_member_str(&w, S("type"), S("platform.logsDropped"));
	json_key(&w, S("record"));
	json_object(&w);
	json_member_str(&w, S("reason"),
	        S("Consumer seems to have fallen behind as it has not "
	          "acknowledged receipt of logs."));
	json_member_i64(&w, S("droppedRecords"), s->n_dropped);
	json_member_i64(&w, S("droppedBytes"), (int64_t)s->dropped_bytes);
	json_end(&w);
	json_end(&w);
	return buf_str(&b);
}

/* The Logs API knows fewer events. */
static bool is_known(const struct subscription *s, struct str name)
{
	static const struct str newer[] = { S_INIT("platform.init"), S_INIT("platform.restore"),
		S_INIT("platform.telemetry") };

	if (!s->wish.logs_api)
		return !str_eq(name, S("platform.end"));
	if (str_eq(name, S("platform.runtimeDone")))
		return str_eq(s->wish.schema, S("2021-03-18"));
	for (size_t i = 0; i < ARRAY_LEN(newer); i++)
		if (str_starts(name, newer[i]))
			return false;
	return true;
}

static void offer(struct subscription *s, unsigned type, struct str name, struct str json)
{
	if (!(s->wish.types & type) || !is_known(s, name))
		return;
	if (s->n_dropped && s->unsent.n < UNSENT_MAX / 2) {
		CLEANUP(arena_destroyp) struct arena *a = arena_create();
		struct str dropped = dropped_event(a, s);
		s->n_dropped = 0;
		s->dropped_bytes = 0;
		put(s, dropped);
	}
	put(s, json);
}

static void keep_early(struct telemetry *m, unsigned type, struct str name, struct str json)
{
	if (m->init_over || m->early_bytes + json.n > EARLY_MAX)
		return;
	struct early *x = arena_new(m->arena, struct early);
	x->type = type;
	x->name = str_dup(m->arena, name);
	x->json = str_dup(m->arena, json);
	m->early_bytes += json.n;
	list_push_back(&m->early, &x->node);
}

static void add(struct env *e, unsigned type, struct str name, struct str json)
{
	struct telemetry *m = e->extensions->telemetry;

	keep_early(m, type, name, json);
	list_for_each (n, &m->all)
		offer(CONTAINER_OF(n, struct subscription, node), type, name, json);
}

void telemetry_platform(struct env *e, struct str name, struct str json)
{
	if (e->extensions)
		add(e, TELEMETRY_PLATFORM, name, str_trim(json));
}

void telemetry_line(struct env *e, enum telemetry_type type, struct str line)
{
	if (!e->extensions)
		return;
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct str name = type == TELEMETRY_FUNCTION ? S("function") : S("extension");
	struct buf b = buf_init(a);
	struct json_writer w = json_writer(&b);
	struct str trimmed = str_trim(line);

	json_object(&w);
	json_member_str(&w, S("time"), time_iso8601(a, clock_now_ms(), true));
	json_member_str(&w, S("type"), name);
	json_key(&w, S("record"));
	if (e->pool->f.log_json && str_starts(trimmed, S("{")) && json_is_valid(trimmed))
		json_raw(&w, trimmed);
	else
		json_str(&w, line);
	json_end(&w);
	add(e, type, name, buf_str(&b));
}

void telemetry_flush(struct env *e)
{
	if (!e->extensions)
		return;
	list_for_each (n, &e->extensions->telemetry->all)
		start_post(CONTAINER_OF(n, struct subscription, node));
}

bool telemetry_is_pending(const struct env *e)
{
	if (!e->extensions)
		return false;
	list_for_each (n, &e->extensions->telemetry->all) {
		const struct subscription *s = CONTAINER_OF(n, struct subscription, node);
		if (s->sending || s->n_unsent)
			return true;
	}
	return false;
}

/* ---- subscribers ---- */

static struct subscription *find(struct telemetry *m, const struct extension *x)
{
	list_for_each (n, &m->all) {
		struct subscription *s = CONTAINER_OF(n, struct subscription, node);
		if (s->extension == x)
			return s;
	}
	return NULL;
}

static struct str types_of(struct arena *a, unsigned types)
{
	static const char *const names[] = { "platform", "function", "extension" };
	struct buf b = buf_init(a);

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (types & (1u << i))
			buf_printf(&b, "%s%s", b.n ? "," : "", names[i]);
	return buf_str(&b);
}

static void say_subscribed(struct subscription *s)
{
	struct env *e = s->owner->env;
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct buf b = buf_init(a);
	struct report_subscription r = { .logs_api = s->wish.logs_api,
		.name = s->extension->name,
		.state = S("Subscribed"),
		.types = types_of(a, s->wish.types) };

	report_subscription(&b, e->pool->f.log_json, clock_now_ms(), &r);
	if (e->log)
		env_log_event(e->log, buf_str(&b));
	buf_clear(&b);
	report_subscription(&b, true, clock_now_ms(), &r);
	telemetry_platform(e,
	        r.logs_api ? S("platform.logsSubscription") : S("platform.telemetrySubscription"),
	        buf_str(&b));
}

void telemetry_subscribe(struct extension *x, const struct telemetry_wish *wish)
{
	struct telemetry *m = x->env->extensions->telemetry;
	struct subscription *s = find(m, x);
	bool again = s != NULL;

	if (!again) {
		s = mem_new(struct subscription);
		s->owner = m;
		s->extension = x;
		s->arena = arena_create();
		s->unsent = buf_init(s->arena);
		list_push_back(&m->all, &s->node);
	}
	s->wish = *wish;
	s->wish.path = str_dup(x->env->arena, wish->path);
	s->wish.schema = str_dup(x->env->arena, wish->schema);
	if (!again)
		list_for_each (n, &m->early) {
			const struct early *y = CONTAINER_OF(n, struct early, node);
			offer(s, y->type, y->name, y->json);
		}
	say_subscribed(s);
}

void telemetry_end_init(struct env *e)
{
	struct telemetry *m = e->extensions->telemetry;

	m->init_over = true;
	list_init(&m->early);
	arena_reset(m->arena);
}
