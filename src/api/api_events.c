/*
 * api_events: answers that are event streams: the head goes out with the first event, each event
 * as soon as the handler has it.
 */
#include "api/api_engine.h"

static const struct shape_member *event_member(const struct shape *out)
{
	for (uint32_t i = 0; out && i < out->n_members; i++)
		if (out->members[i].shape->type == SHAPE_EVENTS)
			return &out->members[i];
	return NULL;
}

static bool sends_initial_response(const struct call *c)
{
	uint8_t p = c->service->model->protocol;

	return p == WIRE_JSON_1_0 || p == WIRE_JSON_1_1;
}

static int begin(struct task *t, struct call *c)
{
	struct http_headers headers = c->headers;
	struct buf b = buf_init(task_arena(t));

	http_header_set(task_arena(t), &headers, S("Content-Type"),
	        S("application/vnd.amazon.eventstream"));
	http_header_set(task_arena(t), &headers, S("x-amzn-RequestId"), c->request_id);
	c->events_begun = true;
	TRY(http_respond_begin(t, c->http, c->status ? c->status : 200, &headers, -1));
	if (!sends_initial_response(c))
		return 0;
	wire_event(&b, S("initial-response"), S("application/x-amz-json-1.1"), S("{}"));
	return http_respond_write(t, c->http, buf_str(&b));
}

int api_event_send(struct task *t, const char *member, const void *event)
{
	struct call *c = call_of(t);
	const struct shape_member *m = event_member(c->operation->out);
	/* Its own arena: a stream may send without end. */
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct buf b = buf_init(a);

	ensure(m != NULL);
	if (!c->http)
		return -ENOTSUP;
	if (!c->events_begun)
		TRY(begin(t, c));
	wire_event_encode(&b, c->service->model, m->shape, member, event, a);
	return http_respond_write(t, c->http, buf_str(&b));
}

int api_events_end(struct task *t, struct call *c)
{
	return http_respond_end(t, c->http);
}
