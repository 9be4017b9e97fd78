/* UpdateFunctionCode */
#include "services/lambda/package.h"

#include "base/rand.h"
#include "kv/blobs.h"

struct change {
	struct task *task;
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
	f->code_size = opt_int(c->package.size);
	f->code_sha256 = c->package.sha256;
	f->last_modified = c->modified;
	f->revision_id = c->revision;
	if (c->in->architectures.n)
		f->architectures = c->in->architectures;
	if (c->in->dry_run.v)
		return 0;
	kv_blob_unref(txn, c->record.code_blob);
	kv_blob_ref(txn, c->package.blob);
	c->record.code_blob = c->package.blob;
	record_put(txn, lambda_function_key(kv_arena(txn), &c->ref), &lambda_shape_function_record,
	        &c->record);
	return 0;
}

int lambda_update_function_code(struct task *t, const struct lambda_update_function_code_in *in,
        struct lambda_update_function_code_out *out)
{
	struct arena *a = task_arena(t);
	struct change c = { .task = t,
		.in = in,
		.modified = lambda_time(a, call_of(t)->now_ms),
		.revision = rand_uuid(a) };
	struct lambda_source source = { in->zip_file, in->s3_bucket, in->s3_key,
		in->s3_object_version, in->image_uri };
	struct runtime_function f;

	TRY(lambda_find(t, in->function_name, (struct str){ 0 }, &c.ref, &c.record));
	TRY(lambda_precondition(t, in->revision_id, &c.record));
	TRY(lambda_package_store(t, &source, &c.package));
	int bad = kv_update(t, change, &c);
	if (bad == KV_NOT_FOUND)
		return lambda_not_found(t, &c.ref);
	if (bad == LAMBDA_PRECONDITION_FAILED_EXCEPTION)
		return lambda_precondition(t, in->revision_id, &c.record);
	TRY(bad);
	*out = *c.record.configuration;
	lambda_runnable(a, &c.ref, &c.record, &f);
	runtime_retire(task_loop(t), f.arn, f.key);
	runtime_prepare(task_loop(t), &f);
	if (!in->publish.v)
		return 0;
	struct lambda_publish_version_in publish = { .function_name = in->function_name };
	return lambda_publish_version(t, &publish, out);
}
