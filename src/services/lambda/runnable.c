/* runnable: a stored function as the runtime wants it. */
#include "services/lambda/directory.h"

static void add_environment(
        struct arena *a, const struct lambda_environment_response *e, struct runtime_function *f)
{
	if (!e || e->variables.n == 0)
		return;
	f->env = arena_new_n(a, struct str, e->variables.n);
	for (size_t i = 0; i < e->variables.n; i++)
		f->env[f->n_env++] =
		        str_concat(a, 3, e->variables.v[i].key, S("="), e->variables.v[i].value);
}

static void add_logging(
        struct arena *a, const struct lambda_function_configuration *c, struct runtime_function *f)
{
	const struct lambda_logging_config *l = c->logging_config;

	f->log_group = l && l->log_group.n ? l->log_group
	                                   : str_concat(a, 2, S("/aws/lambda/"), c->function_name);
	if (!l)
		return;
	f->log_json = str_eq(l->log_format, S("JSON"));
	f->application_log_level = l->application_log_level;
	f->system_log_level = l->system_log_level;
}

/* AWS has no setting for it but a VPC without a way out. */
static void add_network(const struct lambda_tags *tags, struct runtime_function *f)
{
	for (size_t i = 0; i < tags->n; i++) {
		if (!str_eq(tags->v[i].key, S("wolke:network")))
			continue;
		if (str_eq(tags->v[i].value, S("on")))
			f->network = RUNTIME_NETWORK_ON;
		else if (str_eq(tags->v[i].value, S("off")))
			f->network = RUNTIME_NETWORK_OFF;
	}
}

void lambda_runnable(struct arena *a, const struct lambda_ref *ref,
        const struct lambda_function_record *r, struct runtime_function *f)
{
	const struct lambda_function_configuration *c = r->configuration;

	*f = (struct runtime_function){
		.account = ref->account,
		.region = ref->region,
		.name = c->function_name,
		.version = c->version,
		.arn = lambda_ref_unqualified_arn(a, ref),
		.runtime = c->runtime,
		.handler = c->handler,
		.memory_mib = (uint32_t)c->memory_size.v,
		.timeout_s = (uint32_t)c->timeout.v,
		.tmp_mib = c->ephemeral_storage ? (uint32_t)c->ephemeral_storage->size.v : 512,
		.code_blob = r->code_blob,
		.code_sha256 = c->code_sha256,
		.role_arn = c->role,
		.tracing_active = c->tracing_config && str_eq(c->tracing_config->mode, S("Active")),
		.reserved_concurrency =
		        r->reserved_concurrency.set ? (int32_t)r->reserved_concurrency.v : -1,
		.layer_blobs = r->layer_blobs.v,
		.n_layers = r->layer_blobs.n,
		.snap_start = c->snap_start && str_eq(c->snap_start->optimization_status, S("On")),
		.max_async_age_s = 21600,
	};
	add_network(&r->tags, f);
	f->key = str_printf(a, "%.*s:%.*s:%.*s:%d", STR(f->arn), STR(f->version),
	        STR(r->generation), (int)f->network);
	f->arm64 = c->architectures.n && str_eq(c->architectures.v[0], S("arm64"));
	add_environment(a, c->environment, f);
	add_logging(a, c, f);
	lambda_directory_runnable(a, r, f);
}

void lambda_changed(
        struct task *t, const struct lambda_ref *ref, const struct lambda_function_record *r)
{
	struct runtime_function f;

	lambda_runnable(task_arena(t), ref, r, &f);
	runtime_retire(task_loop(t), f.arn, f.key);
	runtime_prepare(task_loop(t), &f);
}
