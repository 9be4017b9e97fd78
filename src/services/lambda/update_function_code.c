/* UpdateFunctionCode */
#include "services/lambda/package.h"
#include "services/lambda/settings.h"

#include "base/rand.h"

struct change {
	const struct lambda_update_function_code_in *in;
	struct lambda_ref ref;
	struct lambda_package package;
	struct lambda_function_record record;
	struct str modified, revision;
};

static int change(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;

	TRY(lambda_record_get(txn, &c->ref, &c->record));
	struct lambda_function_configuration *f = c->record.configuration;
	if (c->in->revision_id.p && !str_eq(c->in->revision_id, f->revision_id))
		return LAMBDA_PRECONDITION_FAILED_EXCEPTION;
	struct lambda_function_record before = c->record;
	c->record.code_blob = c->package.blob;
	c->record.directory = NULL;
	c->record.unpacked_size = opt_int(c->package.unpacked);
	c->record.generation = c->revision;
	f->code_size = opt_int(c->package.size);
	f->code_sha256 = c->package.sha256;
	f->last_modified = c->modified;
	f->revision_id = c->revision;
	if (c->in->architectures.n)
		f->architectures = c->in->architectures;
	if (c->in->dry_run.v)
		return 0;
	lambda_record_hold(txn, &c->record);
	lambda_record_release(txn, &before);
	lambda_record_put(txn, &c->ref, &c->record);
	return 0;
}

int lambda_update_function_code(struct task *t, const struct lambda_update_function_code_in *in,
        struct lambda_update_function_code_out *out)
{
	struct arena *a = task_arena(t);
	struct change c = {
		.in = in, .modified = lambda_time(a, call_of(t)->now_ms), .revision = rand_uuid(a)
	};
	struct lambda_source source = { in->zip_file, in->s3_bucket, in->s3_key,
		in->s3_object_version, in->image_uri };

	TRY(lambda_find(t, in->function_name, (struct str){ 0 }, &c.ref, &c.record));
	TRY(lambda_precondition(t, in->revision_id, &c.record));
	TRY(lambda_package_store(t, &source, &c.package));
	c.record.unpacked_size = opt_int(c.package.unpacked);
	TRY(lambda_layers_apply(t, (struct lambda_layer_list){ 0 }, &c.record));
	int bad = kv_update(t, change, &c);
	if (bad == KV_NOT_FOUND)
		return lambda_not_found(t, &c.ref);
	if (bad == LAMBDA_PRECONDITION_FAILED_EXCEPTION)
		return lambda_precondition(t, in->revision_id, &c.record);
	TRY(bad);
	*out = *c.record.configuration;
	if (in->dry_run.v)
		return 0;
	lambda_changed(t, &c.ref, &c.record);
	if (!in->publish.v)
		return 0;
	struct lambda_publish_version_in publish = { .function_name = in->function_name };
	return lambda_publish_version(t, &publish, out);
}
