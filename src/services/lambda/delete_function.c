/* DeleteFunction */
#include "services/lambda/function.h"

#include "kv/blobs.h"
#include "kv/key.h"

static int drop_row(struct kv_txn *txn, struct str key)
{
	struct lambda_function_record r = { 0 };

	TRY(record_get(txn, key, &lambda_shape_function_record, &r));
	kv_blob_unref(txn, r.code_blob);
	kv_del(txn, key);
	return 0;
}

static int drop_versions(struct kv_txn *txn, const struct lambda_ref *ref, int64_t last)
{
	for (int64_t n = 1; n <= last; n++) {
		int bad = drop_row(txn, lambda_version_key(kv_arena(txn), ref, (uint64_t)n));
		if (bad && bad != KV_NOT_FOUND)
			return bad;
	}
	return 0;
}

static int drop(struct kv_txn *txn, void *arg)
{
	const struct lambda_ref *ref = arg;
	struct arena *a = kv_arena(txn);
	struct lambda_function_record r;
	uint64_t version;

	if (ref->qualifier.n) {
		if (!str_to_u64(ref->qualifier, &version))
			return KV_NOT_FOUND;
		kv_del(txn, lambda_policy_key(a, ref));
		return drop_row(txn, lambda_version_key(a, ref, version));
	}
	TRY(lambda_record_get(txn, ref, &r));
	TRY(drop_versions(txn, ref, r.last_version.v));
	kv_del_prefix(txn,
	        kv_key(a, "sssss", S("lambda"), ref->account, ref->region, S("policy"), ref->name));
	return drop_row(txn, lambda_function_key(a, ref));
}

int lambda_delete_function(struct task *t, const struct lambda_delete_function_in *in,
        struct lambda_delete_function_out *out)
{
	struct lambda_ref ref;

	TRY(lambda_ref_parse(t, in->function_name, in->qualifier, &ref));
	if (str_eq(ref.qualifier, S("$LATEST")))
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "$LATEST version cannot be deleted without deleting the function.");
	int bad = kv_update(t, drop, &ref);
	if (bad == KV_NOT_FOUND)
		return lambda_not_found(t, &ref);
	TRY(bad);
	runtime_retire(task_loop(t), lambda_ref_unqualified_arn(task_arena(t), &ref), S(""));
	return 0;
}
