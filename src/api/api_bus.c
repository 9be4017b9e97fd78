/*
 * api_bus: calls between services, through the same checks as calls from outside.
 */
#include "api/api_engine.h"

struct api_caller api_caller_service(
        struct str service_principal, struct str account, struct str region, struct str source_arn)
{
	return (struct api_caller){
		.principal = { .type = PRINCIPAL_SERVICE, .service = service_principal },
		.account = account,
		.region = region,
		.source_arn = source_arn,
		.source_account = account,
	};
}

struct api_caller api_caller_same(struct task *t)
{
	const struct call *c = call_of(t);

	return (struct api_caller){
		.principal = c->principal, .account = c->account, .region = c->region
	};
}

const struct api_failure *api_failure(struct task *t)
{
	return &call_of(t)->bus_failure;
}

static const struct shape_operation *operation_by_name(
        const struct shape_service *model, struct str name)
{
	for (uint32_t i = 0; i < model->n_operations; i++)
		if (str_eq(model->operations[i].name, name))
			return &model->operations[i];
	return NULL;
}

struct target {
	const struct api_service *service;
	const struct shape_operation *operation;
};

static int find(struct task *t, const char *service, const char *operation, struct target *target)
{
	target->service = api_service_by_id(api_of(t), str_of(service));
	if (!target->service)
		return -ENOSYS;
	target->operation = operation_by_name(target->service->model, str_of(operation));
	return target->operation ? 0 : -ENOSYS;
}

/* The call that a background task's calls hang below. */
static void ensure_call(struct task *t)
{
	if (!call_of(t))
		api_call_push(t, NULL, NULL);
}

static int run(struct task *t, const struct api_caller *who, const struct target *target,
        const void *in, void *out)
{
	struct call *parent = api_call_push(t, target->service, target->operation);
	struct call *c = call_of(t);

	c->principal = who->principal;
	c->account = who->account;
	c->region = who->region;
	c->source_arn = who->source_arn;
	c->source_account = who->source_account;
	int result = api_run(t, api_row_of(target->service, target->operation), in, out);
	parent->bus_failure = c->failure;
	task_local_set(t, parent);
	return result;
}

int api_call(struct task *t, const struct api_caller *who, const char *service,
        const char *operation, const void *in, void *out)
{
	struct target target;

	TRY(find(t, service, operation, &target));
	ensure_call(t);
	return run(t, who, &target, in, out);
}

int api_call_json(struct task *t, const struct api_caller *who, const char *service,
        const char *operation, struct str in, struct str *out)
{
	struct arena *a = task_arena(t);
	struct target target;

	TRY(find(t, service, operation, &target));
	ensure_call(t);
	const struct shape *in_shape = target.operation->in, *out_shape = target.operation->out;
	void *in_value = arena_alloc(a, in_shape ? MAX(in_shape->size, (uint32_t)1) : 1);
	void *out_value = arena_alloc(a, out_shape ? MAX(out_shape->size, (uint32_t)1) : 1);
	if (in_shape && wire_from_json(a, in_shape, in, in_value) != 0) {
		call_of(t)->bus_failure = (struct api_failure){ .code = API_ERROR_SERIALIZATION,
			.name = S("SerializationException"),
			.message = S("The input does not fit the operation"),
			.http_status = 400,
			.sender = true };
		return API_ERROR_SERIALIZATION;
	}
	TRY(run(t, who, &target, in_value, out_value));
	*out = out_shape ? wire_to_json(a, out_shape, out_value) : S("{}");
	return 0;
}
