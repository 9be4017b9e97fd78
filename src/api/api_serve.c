/*
 * api_serve: a request's way through the engine, step by step.
 */
#include "api/api_engine.h"

#include "base/clock.h"
#include "base/log.h"

#define MAX_BODY (10u << 20)

/* What the steps hand to each other. */
struct serving {
	struct http_exchange *x;
	struct call *call;
	struct sigv4 sig;
	struct str body;
	struct wire_request wire;
	const struct api_row *row;
	void *out;
};

/* Bodies of REST operations may stream, so these are routed before the body is read. */
static int step_body(struct task *t, struct serving *s, const struct api_service *service)
{
	struct http_request *r = &s->x->request;
	size_t limit = service->max_body_bytes ? service->max_body_bytes : MAX_BODY;

	if (s->body.p)
		return 0;
	if (r->body->length > (int64_t)limit)
		return fail(t, API_ERROR_TOO_LARGE,
		        "Request must be smaller than %zu bytes for the %.*s operation", limit,
		        STR(s->call->operation ? s->call->operation->name : S("requested")));
	int bad = stream_read_all(t, r->body, task_arena(t), limit, &s->body);
	if (bad == -EMSGSIZE)
		return fail(
		        t, API_ERROR_TOO_LARGE, "Request must be smaller than %zu bytes", limit);
	s->call->body = s->body;
	return bad;
}

static bool routes_by_body(const struct api_service *service)
{
	uint8_t p = service->model->protocol;

	return p == WIRE_QUERY || p == WIRE_EC2;
}

/* Queries name what they want in their form, the others in the request line. */
static int unknown_operation(struct task *t, const struct serving *s)
{
	const struct http_request *r = &s->x->request;
	struct str form = s->body.n ? s->body : r->query;
	struct uri_params q = { 0 };

	if (!routes_by_body(s->call->service))
		return fail(t, API_ERROR_UNKNOWN_OPERATION, "Unknown operation: %.*s %.*s",
		        STR(r->method), STR(r->path));
	if (uri_query_parse(task_arena(t), form, &q) != 0 || !uri_params_get(&q, S("Action")).n)
		return fail_named(t, "MissingAction", 400,
		        "The request is missing an action or a required parameter.");
	return fail_named(t, "InvalidAction", 400, "Could not find operation %.*s for version %.*s",
	        STR(uri_params_get(&q, S("Action"))), STR(uri_params_get(&q, S("Version"))));
}

static int step_route(struct task *t, struct serving *s)
{
	struct http_request *r = &s->x->request;
	struct arena *a = task_arena(t);
	const struct api_service **candidates = api_select(a, api_of(t), r, &s->sig);
	struct http_request as_sent = *r;

	for (; *candidates; candidates++) {
		s->call->service = *candidates;
		*r = as_sent;
		if ((*candidates)->prepare)
			(*candidates)->prepare(a, r);
		if (routes_by_body(*candidates))
			TRY(step_body(t, s, *candidates));
		s->wire = (struct wire_request){ .service = (*candidates)->model, .http = r };
		if (wire_route(a, s->wire.service, r, s->body, &s->wire.operation, &s->wire.labels,
		            &s->wire.n_labels) == 0) {
			s->call->operation = s->wire.operation;
			s->row = api_row_of(*candidates, s->wire.operation);
			s->call->request_id = api_request_id(a, *candidates);
			return 0;
		}
	}
	if (!s->call->service)
		return fail(t, API_ERROR_NOT_IMPLEMENTED, "No service is served here for %.*s",
		        STR(r->host));
	return unknown_operation(t, s);
}

/* Wraps or reads the body, and gives its hash to the signature. */
static int step_authenticate(struct task *t, struct serving *s)
{
	struct arena *a = task_arena(t);
	struct str hash = S("");
	bool streaming = s->wire.operation->streaming_in;
	bool s3 = s->wire.service->protocol == WIRE_REST_XML;

	if (!streaming) {
		TRY(step_body(t, s, s->call->service));
		hash = hash_sha256_hex(a, s->body);
		if (s3 && s->sig.payload_hash.n == 64 && !str_eq(hash, s->sig.payload_hash))
			return fail_named(t, "XAmzContentSHA256Mismatch", 400,
			        "The provided 'x-amz-content-sha256' header does not match what "
			        "was computed.");
		if (!s3)
			s->sig.payload_hash = (struct str){ 0 };
	}
	return api_authenticate(t, s->call, &s->sig, hash);
}

/* Streaming uploads in aws-chunked coding are decoded on their way to the handler. */
static void step_unwrap(struct task *t, struct serving *s)
{
	struct http_request *r = &s->x->request;

	if (s->wire.operation->streaming_in && str_starts(s->sig.payload_hash, S("STREAMING-")))
		r->body = sigv4_chunked(task_arena(t), r->body, &s->sig, r, &r->headers);
}

int api_run(struct task *t, const struct api_row *row, const void *in, void *out)
{
	struct call *c = call_of(t);

	if (!row->handler)
		return fail(t, API_ERROR_NOT_IMPLEMENTED,
		        "%.*s %.*s is not implemented here (docs/support.md lists what is)",
		        STR(c->service->model->service_id), STR(c->operation->name));
	if (c->operation->in)
		TRY(wire_validate(t, c->service->model, c->operation->in, in));
	TRY(api_authorize_row(t, row, in));
	return row->handler(t, in, out);
}

static void *new_struct(struct arena *a, const struct shape *shape)
{
	return arena_alloc(a, shape ? MAX(shape->size, (uint32_t)1) : 1);
}

static int step_run(struct task *t, struct serving *s)
{
	struct arena *a = task_arena(t);
	const struct shape_operation *op = s->wire.operation;
	void *in = new_struct(a, op->in);

	s->out = new_struct(a, op->out);
	if (!s->row->handler)
		return api_run(t, s->row, in, s->out);
	s->wire.body = s->body;
	if (op->in)
		TRY(wire_decode(t, &s->wire, in));
	return api_run(t, s->row, in, s->out);
}

/* The answer to HEAD tells the length of the body that GET would have. */
static int answer_head(struct task *t, struct serving *s, const struct wire_response *response)
{
	struct str length = http_header_get(&response->headers, S("Content-Length"));
	int64_t n;

	if (!str_to_i64(length, &n))
		n = (int64_t)response->body.n;
	TRY(http_respond_begin(t, s->x, response->status, &response->headers, n));
	return http_respond_end(t, s->x);
}

static int answer(struct task *t, struct serving *s, int result)
{
	struct call *c = s->call;
	struct wire_response response = { 0 };

	if (c->events_begun)
		return result ? result : api_events_end(t, c);
	if (result < 0 && http_body_failed(s->x))
		return result;
	if (result < 0) {
		log_error("%.*s %.*s: %s (request %.*s)",
		        STR(c->service ? c->service->model->id : S("-")),
		        STR(c->operation ? c->operation->name : S("-")), strerror(-result),
		        STR(c->request_id));
		fail(t, API_ERROR_INTERNAL, "An internal error occurred.");
	}
	if (result == 0)
		wire_encode(t, c, s->out, &response);
	else
		wire_encode_error(t, c, &response);
	if (str_eq(s->x->request.method, S("HEAD")))
		return answer_head(t, s, &response);
	if (response.stream)
		return http_respond_stream(
		        t, s->x, response.status, &response.headers, response.stream);
	return http_respond(t, s->x, response.status, &response.headers, response.body);
}

static void access_log(struct task *t, const struct serving *s)
{
	const struct api_options *o = api_options_of(t);
	const struct call *c = s->call;
	const struct http_request *r = &s->x->request;

	if (!o->access_log)
		return;
	struct str line = str_printf(task_arena(t), "%.*s %.*s.%.*s %d %.3fms %lldB %.*s %.*s %.*s",
	        STR(r->peer_ip), STR(c->service ? c->service->model->id : S("-")),
	        STR(c->operation ? c->operation->name : S("-")), s->x->status,
	        (double)(clock_mono_ns() - s->x->started_ns) / 1e6, (long long)s->x->sent_bytes,
	        STR(c->principal.arn), STR(c->request_id), STR(c->failure.name));
	o->access_log(str_cstr(task_arena(t), line));
}

static int steps(struct task *t, struct serving *s)
{
	struct str why = S("");
	int bad = sigv4_parse(task_arena(t), &s->x->request, &s->sig, &why);
	if (bad < 0)
		return bad;
	/* Each service has its own way of saying what is wrong with a signature: it comes first. */
	int routed = step_route(t, s);
	if (bad > 0)
		return api_signature_failed(t, &s->sig, bad, why);
	TRY(routed);
	TRY(step_authenticate(t, s));
	step_unwrap(t, s);
	return step_run(t, s);
}

static const struct api_route *find_route(const struct api *api, const struct http_request *r)
{
	for (const struct api_service *const *s = api->options.services; *s; s++)
		for (size_t i = 0; i < (*s)->n_routes; i++)
			if ((*s)->routes[i].match(r))
				return &(*s)->routes[i];
	return NULL;
}

int api_serve(struct task *t, struct http_exchange *x)
{
	struct serving s = { .x = x };

	task_local_set(t, NULL);
	api_call_push(t, NULL, NULL);
	s.call = call_of(t);
	s.call->http = x;
	s.call->source_ip = x->request.peer_ip;
	s.call->user_agent = http_header_get(&x->request.headers, S("user-agent"));
	s.call->account = api_options_of(t)->default_account;
	s.call->region = api_options_of(t)->default_region;

	const struct api_route *route = find_route(api_of(t), &x->request);
	int result = route ? route->serve(t, x) : answer(t, &s, steps(t, &s));
	access_log(t, &s);
	task_local_set(t, NULL);
	return result;
}
