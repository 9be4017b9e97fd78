/* admin: what wolke tells about itself below /_wolke/, for the command line, the console and tests.
 */
#include "main/server.h"

#include "base/clock.h"
#include "codec/json.h"
#include "kv/timers.h"
#include "runtime/runtime.h"

bool admin_matches(const struct http_request *r)
{
	/* What a service tells about itself is a route of the service. */
	return str_starts(r->path, S("/_wolke/")) && !str_starts(r->path, S("/_wolke/lambda/"));
}

static int answer_json(struct task *t, struct http_exchange *x, int status, struct str json)
{
	struct http_headers headers = { 0 };

	http_header_add(task_arena(t), &headers, S("Content-Type"), S("application/json"));
	return http_respond(t, x, status, &headers, json);
}

static int serve_health(struct task *t, struct http_exchange *x)
{
	struct buf b = buf_init(task_arena(t));
	struct json_writer w = json_writer(&b);

	json_object(&w);
	json_member_str(&w, S("status"), S("running"));
	json_member_str(&w, S("version"), S(WOLKE_VERSION));
	json_key(&w, S("services"));
	json_array(&w);
	for (const struct api_service *const *s = server_services; *s; s++)
		json_str(&w, (*s)->model->id);
	json_end(&w);
	json_end(&w);
	return answer_json(t, x, 200, buf_str(&b));
}

static int serve_clock_get(struct task *t, struct http_exchange *x)
{
	struct buf b = buf_init(task_arena(t));
	struct json_writer w = json_writer(&b);

	json_object(&w);
	json_member_i64(&w, S("now_ms"), clock_now_ms());
	json_member_bool(&w, S("manual"), clock_is_manual());
	json_end(&w);
	return answer_json(t, x, 200, buf_str(&b));
}

/* {"now_ms": 1769860800000} or {"advance_ms": 60000}; answers when all that is then due has run. */
static int serve_clock_set(struct task *t, struct http_exchange *x)
{
	struct str body;
	yyjson_val *root;

	TRY(stream_read_all(t, x->request.body, task_arena(t), 4096, &body));
	if (!clock_is_manual())
		return answer_json(t, x, 409,
		        S("{\"message\":\"the clock is the system's: start with "
		          "--clock=manual\"}"));
	if (json_parse(task_arena(t), body, &root) != 0)
		return answer_json(t, x, 400, S("{\"message\":\"not JSON\"}"));
	int64_t now = json_get_i64(root, "now_ms", clock_now_ms());
	clock_manual_set(now + json_get_i64(root, "advance_ms", 0));
	TRY(kv_timers_settle(t, loop_get(task_loop(t), LOOP_KV)));
	return serve_clock_get(t, x);
}

static int serve_environments(struct task *t, struct http_exchange *x)
{
	struct arena *a = task_arena(t);
	struct runtime_env_info *v;
	size_t n;
	struct buf b = buf_init(a);
	struct json_writer w = json_writer(&b);

	runtime_list(a, task_loop(t), &v, &n);
	json_array(&w);
	for (size_t i = 0; i < n; i++) {
		json_object(&w);
		json_member_str(&w, S("id"), v[i].id);
		json_member_str(&w, S("function"), v[i].function_arn);
		json_member_str(&w, S("version"), v[i].version);
		json_member_str(&w, S("state"), v[i].state);
		json_member_i64(&w, S("pid"), v[i].pid);
		json_member_i64(&w, S("invocations"), (int64_t)v[i].invocations);
		json_member_i64(&w, S("idle_ms"), v[i].idle_ms);
		json_end(&w);
	}
	json_end(&w);
	return answer_json(t, x, 200, buf_str(&b));
}

static void add_line(void *arg, const char *text)
{
	buf_add(arg, str_of(text));
	buf_add_char(arg, '\n');
}

static int serve_tasks(struct task *t, struct http_exchange *x)
{
	struct buf b = buf_init(task_arena(t));

	task_list(task_loop(t), add_line, &b);
	return http_respond(t, x, 200, NULL, buf_str(&b));
}

static const struct {
	struct str method, path;
	http_handler *serve;
} routes[] = {
	{ S_INIT("GET"), S_INIT("/_wolke/health"), serve_health },
	{ S_INIT("GET"), S_INIT("/_wolke/clock"), serve_clock_get },
	{ S_INIT("POST"), S_INIT("/_wolke/clock"), serve_clock_set },
	{ S_INIT("GET"), S_INIT("/_wolke/environments"), serve_environments },
	{ S_INIT("GET"), S_INIT("/_wolke/tasks"), serve_tasks },
};

int admin_serve(struct task *t, struct http_exchange *x)
{
	for (size_t i = 0; i < ARRAY_LEN(routes); i++)
		if (str_eq(routes[i].method, x->request.method) &&
		        str_eq(routes[i].path, x->request.path))
			return routes[i].serve(t, x);
	return answer_json(t, x, 404, S("{\"message\":\"no such path below /_wolke/\"}"));
}
