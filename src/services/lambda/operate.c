/* operate: the table of paths, and who may. */
#include "services/lambda/operate.h"

#include "base/clock.h"
#include "services/lambda/lambda.h"

#define BODY_MAX (8 << 20)

static const struct {
	struct str method, path; /* one * at most */
	lambda_operate_fn *run;
} table[] = {
	{ S_INIT("PUT"), S_INIT("functions/*/directory"), lambda_put_directory },
	{ S_INIT("DELETE"), S_INIT("functions/*/directory"), lambda_delete_directory },
	{ S_INIT("GET"), S_INIT("functions/*/tail"), lambda_tail },
	{ S_INIT("PUT"), S_INIT("functions/*/debugger"), lambda_put_debugger },
	{ S_INIT("PUT"), S_INIT("functions/*/recording"), lambda_put_recording },
	{ S_INIT("GET"), S_INIT("recordings"), lambda_recordings },
	{ S_INIT("POST"), S_INIT("recordings/*/replay"), lambda_replay },
	{ S_INIT("GET"), S_INIT("bill"), lambda_bill },
};

bool lambda_operate_match(const struct http_request *r)
{
	return str_starts(r->path, S(LAMBDA_OPERATE_PATH));
}

static bool matches(struct str pattern, struct str path, struct str *name)
{
	struct str rest = pattern, before = str_cut(&rest, '*');

	*name = (struct str){ 0 };
	if (!rest.p)
		return str_eq(pattern, path);
	if (path.n <= before.n + rest.n || !str_starts(path, before) || !str_ends(path, rest))
		return false;
	*name = str_sub(path, before.n, path.n - before.n - rest.n);
	return str_find_char(*name, '/') < 0;
}

static int read_request(struct task *t, struct operating *o)
{
	struct arena *a = task_arena(t);
	struct http_request *r = &o->http->request;
	struct str body;

	TRY(stream_read_all(t, r->body, a, BODY_MAX, &body));
	TRY(api_authenticate_http(t, body));
	if (call_of(t)->principal.type != PRINCIPAL_ROOT)
		return fail(
		        t, API_ERROR_ACCESS_DENIED, "Only the account's root user operates wolke");
	if (body.n && json_parse(a, body, &o->body) != 0)
		return fail(t, API_ERROR_SERIALIZATION, "The body is not JSON");
	return r->query.n && uri_query_parse(a, r->query, &o->query) != 0
	               ? fail(t, API_ERROR_VALIDATION, "The query cannot be read")
	               : 0;
}

static int run(struct task *t, struct operating *o)
{
	const struct http_request *r = &o->http->request;
	struct str path = str_sub(r->path, sizeof LAMBDA_OPERATE_PATH - 1, r->path.n), name;

	TRY(read_request(t, o));
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (!str_eq(table[i].method, r->method) || !matches(table[i].path, path, &name))
			continue;
		if (name.n && uri_decode(task_arena(t), name, false, &o->name) != 0)
			return fail(t, API_ERROR_VALIDATION, "The path cannot be read");
		return table[i].run(t, o);
	}
	return fail(t, API_ERROR_UNKNOWN_OPERATION, "No such path below " LAMBDA_OPERATE_PATH);
}

static int answer(struct task *t, struct operating *o, int bad)
{
	struct arena *a = task_arena(t);
	struct http_headers headers = { 0 };
	const struct api_failure *f = &call_of(t)->failure;
	struct buf b = buf_init(a);
	struct json_writer w = json_writer(&b);

	http_header_add(a, &headers, S("Content-Type"), S("application/json"));
	if (!bad)
		return http_respond(
		        t, o->http, 200, &headers, o->answer.n ? buf_str(&o->answer) : S("{}"));
	json_object(&w);
	json_member_str(&w, S("error"), bad < 0 ? S("InternalServerError") : f->name);
	json_member_str(&w, S("message"), bad < 0 ? str_of(strerror(-bad)) : f->message);
	json_end(&w);
	return http_respond(t, o->http, bad < 0 ? 500 : f->http_status, &headers, buf_str(&b));
}

int lambda_operate_serve(struct task *t, struct http_exchange *x)
{
	struct operating o = { .http = x, .answer = buf_init(task_arena(t)) };

	o.w = json_writer(&o.answer);
	call_of(t)->service = &lambda_service;
	call_of(t)->now_ms = call_of(t)->now_ms ? call_of(t)->now_ms : clock_now_ms();
	int bad = run(t, &o);
	return o.answered ? bad : answer(t, &o, bad);
}

int lambda_operate_find(struct task *t, const struct operating *o, struct lambda_ref *ref,
        struct lambda_function_record *r)
{
	TRY(lambda_ref_parse(t, o->name, (struct str){ 0 }, ref));
	return lambda_load(t, ref, r);
}
