/* route: from an HTTP request to an exchange, through the steps, and the answer back. */
#include "services/apigateway/route.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "codec/codec.h"
#include "services/apigateway/exchange.h"

struct address {
	struct str api_id, stage, path; /* path: behind the stage, at least "/" */
};

static struct str rest_path(struct str rest)
{
	return rest.p ? (struct str){ rest.p - 1, rest.n + 1 } : S("/");
}

/* "abc.execute-api.localhost" with "/prod/pets" */
static bool by_host(const struct http_request *r, struct address *at)
{
	struct str host = r->host, rest = str_sub(r->path, 1, r->path.n);

	at->api_id = str_cut(&host, '.');
	if (!host.p || !at->api_id.n || !str_eq(str_cut(&host, '.'), S("execute-api")) || !host.p)
		return false;
	at->stage = str_cut(&rest, '/');
	at->path = rest_path(rest);
	return true;
}

static bool by_path(const struct http_request *r, struct address *at)
{
	struct str rest = r->path;

	if (!str_starts(rest, S("/restapis/")))
		return false;
	rest = str_sub(rest, 10, rest.n);
	at->api_id = str_cut(&rest, '/');
	if (!rest.p)
		return false;
	at->stage = str_cut(&rest, '/');
	if (!rest.p || !str_eq(str_cut(&rest, '/'), S("_user_request_")))
		return false;
	at->path = rest_path(rest);
	return true;
}

bool apigw_route_match(const struct http_request *r)
{
	struct address at;

	return by_host(r, &at) || by_path(r, &at);
}

/* ---- what came ---- */

/* Header fields that belong to the connection, not to the message. */
static bool is_hop(struct str name)
{
	static const struct str names[] = { S_INIT("connection"), S_INIT("keep-alive"),
		S_INIT("content-length"), S_INIT("transfer-encoding"), S_INIT("expect"),
		S_INIT("te"), S_INIT("trailer"), S_INIT("upgrade"), S_INIT("proxy-connection"),
		S_INIT("proxy-authorization") };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq_nocase(names[i], name))
			return true;
	return false;
}

static void add_forwarded(struct exchange *e)
{
	const struct http_request *r = e->request;
	struct str before = http_header_get(&e->headers, S("x-forwarded-for"));
	struct str chain =
	        before.n ? str_concat(e->arena, 3, before, S(", "), r->peer_ip) : r->peer_ip;
	struct str proto = r->tls ? S("https") : S("http");

	http_header_set(e->arena, &e->headers, S("X-Forwarded-For"), chain);
	http_header_set(e->arena, &e->headers, S("X-Forwarded-Port"), r->tls ? S("443") : S("80"));
	http_header_set(e->arena, &e->headers, S("X-Forwarded-Proto"), proto);
	http_header_set(e->arena, &e->headers, S("X-Amzn-Trace-Id"), e->trace_id);
}

static int take_query(struct exchange *e)
{
	struct uri_params params;

	if (!e->request->query.n)
		return 0;
	if (uri_query_parse(e->arena, e->request->query, &params) != 0)
		return CODEC_BAD;
	for (size_t i = 0; i < params.n; i++)
		http_header_add(e->arena, &e->query, params.v[i].name,
		        params.v[i].value.p ? params.v[i].value : S(""));
	return 0;
}

static void take_ids(struct exchange *e, const struct call *c)
{
	struct str sent = http_header_get(&e->request->headers, S("x-amzn-trace-id"));

	e->request_id = c->request_id;
	e->extended_id = str_concat(e->arena, 2,
	        rand_text(e->arena, 15,
	                S("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")),
	        S("="));
	e->trace_id = sent.n ? sent
	                     : str_printf(e->arena, "Root=1-%08llx-%.*s",
	                               (unsigned long long)(e->now_ms / 1000),
	                               STR(rand_text(e->arena, 24, S("0123456789abcdef"))));
}

static void begin(struct task *t, struct exchange *e, struct http_exchange *x)
{
	const struct call *c = call_of(t);
	struct address at = { 0 };

	*e = (struct exchange){ .http = x,
		.request = &x->request,
		.arena = task_arena(t),
		.now_ms = c->now_ms,
		.started_ns = clock_mono_ns(),
		.principal = { .type = PRINCIPAL_ANONYMOUS } };
	if (!by_host(e->request, &at))
		ensure(by_path(e->request, &at));
	e->api_id = at.api_id;
	e->stage_name = at.stage;
	e->path = at.path;
	e->full_path = str_concat(e->arena, 3, S("/"), at.stage, at.path);
	e->log = buf_init(e->arena);
	take_ids(e, c);
	for (size_t i = 0; i < x->request.headers.n; i++)
		if (!is_hop(x->request.headers.v[i].name))
			http_header_add(e->arena, &e->headers, x->request.headers.v[i].name,
			        x->request.headers.v[i].value);
	add_forwarded(e);
}

static int take_body(struct task *t, struct exchange *e)
{
	int bad = stream_read_all(t, e->request->body, e->arena, EXCHANGE_MAX_BODY, &e->body);

	if (bad == -EMSGSIZE)
		return exchange_refuse(e, REFUSE_TOO_LARGE, (struct str){ 0 });
	return bad;
}

/* ---- steps ---- */

static void note_call(struct task *t, struct exchange *e)
{
	struct call *c = call_of(t);

	c->account = e->account;
	c->region = e->region;
	e->domain = str_find(e->request->host, S(".execute-api.")) > 0
	                    ? e->request->host
	                    : str_printf(e->arena, "%.*s.execute-api.%.*s.amazonaws.com",
	                              STR(e->api_id), STR(e->region));
	e->binary = exchange_is_binary_type(e, http_header_get(&e->headers, S("content-type")));
}

static int steps(struct task *t, struct exchange *e)
{
	if (take_query(e) != 0)
		return exchange_refuse(e, REFUSE_BAD_PARAMETERS, S("Bad Request"));
	TRY(exchange_load(t, e));
	note_call(t, e);
	exchange_log(e, "Extended Request Id: %.*s", STR(e->extended_id));
	TRY(take_body(t, e));
	TRY(exchange_authorize(t, e));
	TRY(exchange_check_key(t, e));
	exchange_log(e, "Starting execution for request: %.*s", STR(e->request_id));
	exchange_log(
	        e, "HTTP Method: %.*s, Resource Path: %.*s", STR(e->request->method), STR(e->path));
	TRY(exchange_validate(t, e));
	return exchange_integrate(t, e);
}

static int respond(struct task *t, struct exchange *e)
{
	struct http_headers all = { 0 };
	bool typed = http_header_get(&e->answer, S("content-type")).p != NULL;

	if (!typed)
		http_header_add(e->arena, &all, S("Content-Type"), S("application/json"));
	http_header_add(e->arena, &all, S("x-amzn-RequestId"), e->request_id);
	http_header_add(e->arena, &all, S("x-amz-apigw-id"), e->extended_id);
	if (!e->error_type.p)
		http_header_add(e->arena, &all, S("X-Amzn-Trace-Id"), e->trace_id);
	for (size_t i = 0; i < e->answer.n; i++)
		if (!is_hop(e->answer.v[i].name))
			http_header_add(e->arena, &all, e->answer.v[i].name, e->answer.v[i].value);
	return http_respond(t, e->http, e->status, &all, e->answer_body);
}

int apigw_route_serve(struct task *t, struct http_exchange *x)
{
	struct exchange *e = arena_new(task_arena(t), struct exchange);

	begin(t, e, x);
	int result = steps(t, e);
	if (result == -ECANCELED)
		return result;
	if (result < 0) {
		log_error("apigateway %.*s %.*s: %s (request %.*s)", STR(e->api_id),
		        STR(e->full_path), strerror(-result), STR(e->request_id));
		exchange_refuse(e, REFUSE_API_CONFIGURATION, (struct str){ 0 });
	}
	exchange_log(e, "Method completed with status: %d", e->status);
	result = respond(t, e);
	exchange_log_flush(t, e);
	return result;
}
