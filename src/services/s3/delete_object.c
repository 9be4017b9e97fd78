/* DeleteObject */
#include "services/s3/object.h"

static int delete (struct kv_txn *txn, void *arg)
{
	return s3_object_remove(txn, arg);
}

int s3_delete_object(
        struct task *t, const struct s3_delete_object_in *in, struct s3_delete_object_out *out)
{
	struct s3_removal r = { .ref = { in->bucket, in->key, in->version_id },
		.random = s3_version_random(task_arena(t)),
		.if_match = in->if_match,
		.now_ms = call_of(t)->now_ms };

	if (in->mfa.p)
		return fail(t, API_ERROR_NOT_IMPLEMENTED,
		        "A header you provided implies functionality that is not implemented");
	TRY(s3_object_failed(t, kv_update(t, delete, &r), &r.ref, r.failed));
	out->version_id = r.version_id;
	if (r.marker)
		out->delete_marker = opt_bool(true);
	return 0;
}
