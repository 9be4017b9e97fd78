/* api: the engine's own state, and what is looked up in it. */
#include "api/api_engine.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"

int api_new(const struct api_options *options, struct api **api)
{
	struct api *fresh = mem_new(struct api);

	fresh->options = *options;
	pthread_mutex_init(&fresh->warned_lock, NULL);
	*api = fresh;
	return 0;
}

void api_free(struct api *api)
{
	if (!api)
		return;
	map_deinit(&api->warned);
	pthread_mutex_destroy(&api->warned_lock);
	mem_free(api);
}

struct api *api_of(struct task *t)
{
	return loop_get(task_loop(t), LOOP_API);
}

const struct api_options *api_options_of(struct task *t)
{
	return &api_of(t)->options;
}

int api_start(struct task *t)
{
	const struct api_service *const *s = api_of(t)->options.services;

	for (; *s; s++)
		if ((*s)->start)
			TRY((*s)->start(t));
	return 0;
}

const struct api_service *api_service_by_id(const struct api *api, struct str id)
{
	for (const struct api_service *const *s = api->options.services; *s; s++)
		if (str_eq((*s)->model->id, id))
			return *s;
	return NULL;
}

const struct api_row *api_row_of(
        const struct api_service *service, const struct shape_operation *op)
{
	static const struct api_row none;
	size_t i = (size_t)(op - service->model->operations);

	return i < service->n_rows ? &service->rows[i] : &none;
}

/* S3's request ids are sixteen characters, everyone else's are UUIDs. */
struct str api_request_id(struct arena *a, const struct api_service *service)
{
	if (service && service->model->protocol == WIRE_REST_XML)
		return rand_text(a, 16, S("0123456789ABCDEFGHJKMNPQRSTVWXYZ"));
	return rand_uuid(a);
}

struct call *api_call_push(
        struct task *t, const struct api_service *service, const struct shape_operation *op)
{
	struct call *parent = call_of(t);
	struct call *c = arena_new(task_arena(t), struct call);

	c->service = service;
	c->operation = op;
	c->caller = parent;
	c->now_ms = clock_now_ms();
	c->request_id = api_request_id(task_arena(t), service);
	task_local_set(t, c);
	return parent;
}

void api_header(struct task *t, struct str name, struct str value)
{
	http_header_add(task_arena(t), &call_of(t)->headers, name, value);
}
