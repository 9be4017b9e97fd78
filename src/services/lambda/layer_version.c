/* PublishLayerVersion, GetLayerVersion, GetLayerVersionByArn, DeleteLayerVersion */
#include "services/lambda/layer.h"
#include "services/lambda/package.h"
#include "services/lambda/route.h"

#include "kv/blobs.h"

struct publication {
	struct lambda_layer_ref ref;
	struct lambda_layer_version_record version;
};

static int publish(struct kv_txn *txn, void *arg)
{
	struct publication *p = arg;
	struct arena *a = kv_arena(txn);
	struct lambda_layer_record layer = { 0 };
	int got = record_get(txn, lambda_layer_key(a, &p->ref), &lambda_shape_layer_record, &layer);

	if (got && got != KV_NOT_FOUND)
		return got;
	layer.last_version = opt_int(layer.last_version.v + 1);
	record_put(txn, lambda_layer_key(a, &p->ref), &lambda_shape_layer_record, &layer);
	p->ref.version = (uint64_t)layer.last_version.v;
	p->version.item->version = layer.last_version;
	p->version.item->layer_version_arn = lambda_layer_arn(a, &p->ref);
	kv_blob_ref(txn, p->version.code_blob);
	record_put(txn, lambda_layer_version_key(a, &p->ref), &lambda_shape_layer_version_record,
	        &p->version);
	return 0;
}

static void show(struct task *t, const struct lambda_layer_ref *ref,
        const struct lambda_layer_version_record *r, struct lambda_get_layer_version_response *out)
{
	struct arena *a = task_arena(t);
	struct lambda_layer_ref layer = { ref->account, ref->region, ref->name, 0 };

	out->content = arena_new(a, struct lambda_layer_version_content_output);
	out->content->location = lambda_package_link(t, r->code_blob);
	out->content->code_sha256 = r->code_sha256;
	out->content->code_size = r->code_size;
	out->layer_arn = lambda_layer_arn(a, &layer);
	out->layer_version_arn = lambda_layer_arn(a, ref);
	out->description = r->item->description;
	out->created_date = r->item->created_date;
	out->version = r->item->version;
	out->compatible_architectures = r->item->compatible_architectures;
	out->compatible_runtimes = r->item->compatible_runtimes;
	out->license_info = r->item->license_info;
}

static struct lambda_layer_versions_list_item *item_of(
        struct task *t, const struct lambda_publish_layer_version_in *in)
{
	struct lambda_layer_versions_list_item *item =
	        arena_new(task_arena(t), struct lambda_layer_versions_list_item);

	item->description = in->description.p ? in->description : S("");
	item->created_date = lambda_time(task_arena(t), call_of(t)->now_ms);
	item->compatible_architectures = in->compatible_architectures;
	item->compatible_runtimes = in->compatible_runtimes;
	item->license_info = in->license_info;
	return item;
}

int lambda_publish_layer_version(struct task *t, const struct lambda_publish_layer_version_in *in,
        struct lambda_publish_layer_version_out *out)
{
	const struct lambda_layer_version_content_input *content = in->content;
	struct lambda_source source = { .zip_file = content->zip_file,
		.s3_bucket = content->s3_bucket,
		.s3_key = content->s3_key,
		.s3_version = content->s3_object_version };
	struct lambda_get_layer_version_response shown = { 0 };
	struct lambda_package package = { 0 };
	struct publication p = { 0 };

	TRY(lambda_layer_ref_parse(t, in->layer_name, (struct opt_int){ 0 }, &p.ref));
	TRY(lambda_package_store(t, &source, &package));
	p.version = (struct lambda_layer_version_record){ .item = item_of(t, in),
		.code_blob = package.blob,
		.code_sha256 = package.sha256,
		.code_size = opt_int(package.size),
		.unpacked_size = opt_int(package.unpacked) };
	TRY(kv_update(t, publish, &p));
	show(t, &p.ref, &p.version, &shown);
	*out = (struct lambda_publish_layer_version_out){ shown.content, shown.layer_arn,
		shown.layer_version_arn, shown.description, shown.created_date, shown.version,
		shown.compatible_architectures, shown.compatible_runtimes, shown.license_info };
	return 0;
}

static int get(struct task *t, const struct lambda_layer_ref *ref,
        struct lambda_get_layer_version_response *out)
{
	struct lambda_layer_version_record r;
	int got = lambda_layer_load(t, ref, &r);

	if (got == KV_NOT_FOUND)
		return fail(t, LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION,
		        "The resource you requested does not exist.");
	TRY(got);
	show(t, ref, &r, out);
	return 0;
}

int lambda_get_layer_version(struct task *t, const struct lambda_get_layer_version_in *in,
        struct lambda_get_layer_version_out *out)
{
	struct lambda_layer_ref ref;

	TRY(lambda_layer_ref_parse(t, in->layer_name, in->version_number, &ref));
	return get(t, &ref, out);
}

int lambda_get_layer_version_by_arn(struct task *t,
        const struct lambda_get_layer_version_by_arn_in *in,
        struct lambda_get_layer_version_by_arn_out *out)
{
	struct lambda_layer_ref ref;

	if (!lambda_layer_arn_parse(in->arn, &ref))
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION, "Invalid layer ARN");
	return get(t, &ref, out);
}

static int drop(struct kv_txn *txn, void *arg)
{
	const struct lambda_layer_ref *ref = arg;
	struct arena *a = kv_arena(txn);
	struct lambda_layer_version_record r = { 0 };
	int got = record_get(
	        txn, lambda_layer_version_key(a, ref), &lambda_shape_layer_version_record, &r);

	if (got)
		return got == KV_NOT_FOUND ? 0 : got;
	kv_blob_unref(txn, r.code_blob);
	kv_del(txn, lambda_layer_version_key(a, ref));
	kv_del(txn, lambda_layer_policy_key(a, ref));
	return 0;
}

int lambda_delete_layer_version(struct task *t, const struct lambda_delete_layer_version_in *in,
        struct lambda_delete_layer_version_out *out)
{
	struct lambda_layer_ref ref;

	TRY(lambda_layer_ref_parse(t, in->layer_name, in->version_number, &ref));
	return kv_update(t, drop, &ref);
}
