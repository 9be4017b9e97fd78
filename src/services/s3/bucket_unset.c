/*
 * What tools ask every bucket for and this store does not offer to set: the answer of a bucket that
 * has none of it, which is every bucket here; and the access control list that all have when ACLs
 * are off.
 */
#include "services/s3/object.h"

static int none(struct task *t, struct str bucket, const char *code, const char *message)
{
	struct s3_error_detail d = { .bucket_name = bucket };
	struct s3_bucket_record b;

	TRY(s3_bucket_load(t, bucket, &b));
	return s3_fail(t, &d, code, 404, message);
}

int s3_get_bucket_website(struct task *t, const struct s3_get_bucket_website_in *in,
        struct s3_get_bucket_website_out *out)
{
	return none(t, in->bucket, "NoSuchWebsiteConfiguration",
	        "The specified bucket does not have a website configuration");
}

int s3_get_bucket_lifecycle_configuration(struct task *t,
        const struct s3_get_bucket_lifecycle_configuration_in *in,
        struct s3_get_bucket_lifecycle_configuration_out *out)
{
	return none(t, in->bucket, "NoSuchLifecycleConfiguration",
	        "The lifecycle configuration does not exist");
}

int s3_get_bucket_replication(struct task *t, const struct s3_get_bucket_replication_in *in,
        struct s3_get_bucket_replication_out *out)
{
	return none(t, in->bucket, "ReplicationConfigurationNotFoundError",
	        "The replication configuration was not found");
}

int s3_get_object_lock_configuration(struct task *t,
        const struct s3_get_object_lock_configuration_in *in,
        struct s3_get_object_lock_configuration_out *out)
{
	return none(t, in->bucket, "ObjectLockConfigurationNotFoundError",
	        "Object Lock configuration does not exist for this bucket");
}

int s3_get_bucket_accelerate_configuration(struct task *t,
        const struct s3_get_bucket_accelerate_configuration_in *in,
        struct s3_get_bucket_accelerate_configuration_out *out)
{
	return 0;
}

int s3_get_bucket_logging(struct task *t, const struct s3_get_bucket_logging_in *in,
        struct s3_get_bucket_logging_out *out)
{
	return 0;
}

int s3_get_bucket_notification_configuration(struct task *t,
        const struct s3_get_bucket_notification_configuration_in *in,
        struct s3_get_bucket_notification_configuration_out *out)
{
	return 0;
}

int s3_get_bucket_request_payment(struct task *t, const struct s3_get_bucket_request_payment_in *in,
        struct s3_get_bucket_request_payment_out *out)
{
	out->payer = S("BucketOwner");
	return 0;
}

/* ---- access control lists ---- */

static void owner_only(
        struct arena *a, struct str account, struct s3_owner **owner, struct s3_grants *grants)
{
	struct s3_grantee *g = arena_new(a, struct s3_grantee);

	*owner = s3_owner_of(a, account);
	g->id = (*owner)->id;
	g->type = S("CanonicalUser");
	grants->v = arena_new(a, struct s3_grant);
	grants->v[0] = (struct s3_grant){ .grantee = g, .permission = S("FULL_CONTROL") };
	grants->n = 1;
}

int s3_get_bucket_acl(
        struct task *t, const struct s3_get_bucket_acl_in *in, struct s3_get_bucket_acl_out *out)
{
	struct s3_bucket_record b;

	TRY(s3_bucket_load(t, in->bucket, &b));
	owner_only(task_arena(t), b.account, &out->owner, &out->grants);
	return 0;
}

struct finding {
	struct s3_ref ref;
	struct s3_bucket_record bucket;
	struct s3_object_record object;
};

static int find(struct kv_txn *txn, void *arg)
{
	struct finding *f = arg;

	TRY(s3_bucket_read(txn, f->ref.bucket, &f->bucket));
	return s3_object_find(txn, &f->ref, &f->object);
}

int s3_get_object_acl(
        struct task *t, const struct s3_get_object_acl_in *in, struct s3_get_object_acl_out *out)
{
	struct finding f = { .ref = { in->bucket, in->key, in->version_id } };
	int bad = kv_view(t, find, &f);

	if (bad == S3_IS_MARKER && !in->version_id.p)
		bad = S3_NO_SUCH_KEY;
	TRY(s3_object_failed(t, bad, &f.ref, NULL));
	owner_only(task_arena(t), f.bucket.account, &out->owner, &out->grants);
	return 0;
}

/* ACLs are off: one that says what is so anyway is taken, all others are refused. */
static int refuse_acl(struct task *t, struct str acl)
{
	if (str_eq(acl, S("private")) || str_eq(acl, S("bucket-owner-full-control")))
		return 0;
	return s3_fail(
	        t, NULL, "AccessControlListNotSupported", 400, "The bucket does not allow ACLs");
}

int s3_put_bucket_acl(
        struct task *t, const struct s3_put_bucket_acl_in *in, struct s3_put_bucket_acl_out *out)
{
	return refuse_acl(t, in->acl);
}

int s3_put_object_acl(
        struct task *t, const struct s3_put_object_acl_in *in, struct s3_put_object_acl_out *out)
{
	return refuse_acl(t, in->acl);
}
