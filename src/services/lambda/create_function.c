/* CreateFunction */
#include "services/lambda/package.h"
#include "services/lambda/settings.h"

#include "base/rand.h"
#include "kv/blobs.h"

#define NAME_MAX_BYTES 64

struct creation {
	struct lambda_ref ref;
	struct lambda_function_record record;
};

static int check(struct task *t, const struct lambda_create_function_in *in, struct str name)
{
	if (name.n > NAME_MAX_BYTES)
		return fail(t, API_ERROR_VALIDATION,
		        "1 validation error detected: Value '%.*s' at 'functionName' failed to "
		        "satisfy constraint: Member must have length less than or equal to %d",
		        STR(name), NAME_MAX_BYTES);
	if (in->package_type.p && str_eq(in->package_type, S("Image")))
		return fail(t, API_ERROR_NOT_IMPLEMENTED, "Container images are not run here");
	if (!in->runtime.p || !in->handler.p)
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "Runtime and Handler are mandatory parameters for functions created with "
		        "deployment packages.");
	return 0;
}

static struct lambda_settings settings_of(const struct lambda_create_function_in *in)
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

static struct lambda_architectures_list architectures(
        struct arena *a, struct lambda_architectures_list chosen)
{
	if (chosen.n)
		return chosen;
	struct str *v = arena_new(a, struct str);
	*v = S("x86_64");
	return (struct lambda_architectures_list){ v, 1 };
}

static void set_defaults(struct task *t, const struct lambda_create_function_in *in,
        struct lambda_function_configuration *c)
{
	struct arena *a = task_arena(t);

	c->timeout = opt_int(3);
	c->memory_size = opt_int(128);
	c->description = S("");
	c->version = S("$LATEST");
	c->package_type = S("Zip");
	c->state = S("Active");
	c->last_update_status = S("Successful");
	c->last_modified = lambda_time(a, call_of(t)->now_ms);
	c->revision_id = rand_uuid(a);
	c->architectures = architectures(a, in->architectures);
	c->tracing_config = arena_new(a, struct lambda_tracing_config_response);
	c->tracing_config->mode = S("PassThrough");
	c->ephemeral_storage = arena_new(a, struct lambda_ephemeral_storage);
	c->ephemeral_storage->size = opt_int(512);
	c->snap_start = arena_new(a, struct lambda_snap_start_response);
	c->snap_start->apply_on = S("None");
	c->snap_start->optimization_status = S("Off");
}

static int create(struct kv_txn *txn, void *arg)
{
	struct creation *n = arg;
	struct str key = lambda_function_key(kv_arena(txn), &n->ref);

	if (kv_has(txn, key))
		return LAMBDA_RESOURCE_CONFLICT_EXCEPTION;
	lambda_record_hold(txn, &n->record);
	record_put(txn, key, &lambda_shape_function_record, &n->record);
	return 0;
}

static int publish(
        struct task *t, const struct lambda_ref *ref, struct lambda_function_configuration *out)
{
	struct lambda_publish_version_in in = { .function_name = ref->name };

	return lambda_publish_version(t, &in, out);
}

int lambda_create_function(struct task *t, const struct lambda_create_function_in *in,
        struct lambda_create_function_out *out)
{
	struct arena *a = task_arena(t);
	struct creation n = { 0 };
	struct lambda_settings settings = settings_of(in);
	struct lambda_package package = { 0 };
	struct lambda_source source = { in->code->zip_file, in->code->s3_bucket, in->code->s3_key,
		in->code->s3_object_version, in->code->image_uri };

	TRY(lambda_ref_parse(t, in->function_name, (struct str){ 0 }, &n.ref));
	TRY(check(t, in, n.ref.name));
	TRY(lambda_settings_check(t, &settings));
	TRY(lambda_package_store(t, &source, &package));
	out->function_name = n.ref.name;
	out->function_arn = lambda_ref_unqualified_arn(a, &n.ref);
	set_defaults(t, in, out);
	lambda_settings_apply(a, &settings, out);
	out->code_size = opt_int(package.size);
	out->code_sha256 = package.sha256;
	n.record = (struct lambda_function_record){ .configuration = out,
		.code_blob = package.blob,
		.tags = in->tags,
		.unpacked_size = opt_int(package.unpacked),
		.generation = out->revision_id };
	TRY(lambda_layers_apply(t, in->layers, &n.record));
	*out = *n.record.configuration;
	int bad = kv_update(t, create, &n);
	if (bad == LAMBDA_RESOURCE_CONFLICT_EXCEPTION)
		return fail(t, bad, "Function already exist: %.*s", STR(n.ref.name));
	TRY(bad);
	lambda_changed(t, &n.ref, &n.record);
	return in->publish.v ? publish(t, &n.ref, out) : 0;
}
