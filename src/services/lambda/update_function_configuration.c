/* UpdateFunctionConfiguration */
#include "services/lambda/settings.h"

#include "base/rand.h"

struct change {
	const struct lambda_update_function_configuration_in *in;
	struct lambda_ref ref;
	struct lambda_settings settings;
	struct lambda_function_record record, layered; /* layered: with the new layers */
	struct str modified, revision;
};

static int change(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;

	TRY(lambda_record_get(txn, &c->ref, &c->record));
	struct lambda_function_configuration *f = c->record.configuration;
	struct lambda_function_record before = c->record;
	if (c->in->revision_id.p && !str_eq(c->in->revision_id, f->revision_id))
		return LAMBDA_PRECONDITION_FAILED_EXCEPTION;
	lambda_settings_apply(kv_arena(txn), &c->settings, f);
	f->last_modified = c->modified;
	f->revision_id = c->revision;
	c->record.generation = c->revision;
	if (c->settings.layers.v) {
		c->record.layer_blobs = c->layered.layer_blobs;
		c->record.layers_unpacked_size = c->layered.layers_unpacked_size;
		f->layers = c->layered.configuration->layers;
	}
	lambda_record_hold(txn, &c->record);
	lambda_record_release(txn, &before);
	lambda_record_put(txn, &c->ref, &c->record);
	return 0;
}

static struct lambda_settings settings_of(const struct lambda_update_function_configuration_in *in)
{
	return (struct lambda_settings){
		.role = in->role,
		.handler = in->handler,
		.description = in->description,
		.runtime = in->runtime,
		.kms_key_arn = in->kms_key_arn,
		.timeout = in->timeout,
		.memory_size = in->memory_size,
		.vpc_config = in->vpc_config,
		.environment = in->environment,
		.dead_letter_config = in->dead_letter_config,
		.tracing_config = in->tracing_config,
		.ephemeral_storage = in->ephemeral_storage,
		.logging_config = in->logging_config,
		.snap_start = in->snap_start,
		.layers = in->layers,
		.file_system_configs = in->file_system_configs,
	};
}

int lambda_update_function_configuration(struct task *t,
        const struct lambda_update_function_configuration_in *in,
        struct lambda_update_function_configuration_out *out)
{
	struct arena *a = task_arena(t);
	struct change c = { .in = in,
		.settings = settings_of(in),
		.modified = lambda_time(a, call_of(t)->now_ms),
		.revision = rand_uuid(a) };

	TRY(lambda_find(t, in->function_name, (struct str){ 0 }, &c.ref, &c.record));
	TRY(lambda_precondition(t, in->revision_id, &c.record));
	TRY(lambda_settings_check(t, &c.settings));
	c.layered = c.record;
	TRY(lambda_layers_apply(t, in->layers, &c.layered));
	int bad = kv_update(t, change, &c);
	if (bad == KV_NOT_FOUND)
		return lambda_not_found(t, &c.ref);
	if (bad == LAMBDA_PRECONDITION_FAILED_EXCEPTION)
		return lambda_precondition(t, in->revision_id, &c.record);
	TRY(bad);
	*out = *c.record.configuration;
	lambda_changed(t, &c.ref, &c.record);
	return 0;
}
