/* DeleteBucket */
#include "services/s3/bucket.h"

#include "kv/key.h"
#include "services/s3/upload.h"

enum { HAS_OBJECTS = 1, HAS_VERSIONS };

static bool has_rows(struct kv_txn *txn, struct str kind, struct str bucket)
{
	struct str key, value;
	CLEANUP(kv_scan_close)
	struct kv_scan *s = kv_scan_prefix(
	        txn, kv_key(kv_arena(txn), "sssss", S("s3"), S(""), S(""), kind, bucket), false);

	return kv_next(s, &key, &value);
}

static int delete (struct kv_txn *txn, void *arg)
{
	const struct str *name = arg;
	struct arena *a = kv_arena(txn);
	struct s3_bucket_record b;

	TRY(s3_bucket_read(txn, *name, &b));
	if (has_rows(txn, S("version"), *name))
		return HAS_VERSIONS;
	if (has_rows(txn, S("object"), *name))
		return b.versioning.p ? HAS_VERSIONS : HAS_OBJECTS;
	TRY(s3_uploads_drop(txn, *name));
	kv_del(txn, s3_bucket_key(a, *name));
	kv_del(txn, s3_owned_key(a, b.account, *name));
	return 0;
}

int s3_delete_bucket(
        struct task *t, const struct s3_delete_bucket_in *in, struct s3_delete_bucket_out *out)
{
	struct str name = in->bucket;
	struct s3_error_detail d = { .bucket_name = name };
	int bad = kv_update(t, delete, &name);

	switch (bad) {
	case S3_NO_SUCH_BUCKET:
		return s3_no_such_bucket(t, name);
	case HAS_OBJECTS:
		return s3_fail(t, &d, "BucketNotEmpty", 409,
		        "The bucket you tried to delete is not empty");
	case HAS_VERSIONS:
		return s3_fail(t, &d, "BucketNotEmpty", 409,
		        "The bucket you tried to delete is not empty. You must delete all "
		        "versions in the bucket.");
	default:
		return bad;
	}
}
