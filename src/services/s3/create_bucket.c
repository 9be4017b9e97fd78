/* CreateBucket, HeadBucket, GetBucketLocation */
#include "services/s3/bucket.h"

#include "services/s3/object.h"
#include "services/s3/tags.h"

enum { OWNED = 1, TAKEN };

static int create(struct kv_txn *txn, void *arg)
{
	const struct s3_bucket_record *b = arg;
	struct arena *a = kv_arena(txn);
	struct s3_bucket_record before;
	int got = s3_bucket_read(txn, b->name, &before);

	if (got < 0)
		return got;
	if (got == 0)
		return str_eq(before.account, b->account) ? OWNED : TAKEN;
	record_put(txn, s3_bucket_key(a, b->name), &s3_shape_bucket_record, b);
	kv_put(txn, s3_owned_key(a, b->account, b->name), S(""));
	return 0;
}

static bool is_region(struct str name)
{
	const struct shape *s = &s3_shape_bucket_location_constraint;

	for (uint32_t i = 0; i < s->n_values; i++)
		if (str_eq(s->values[i], name))
			return true;
	return false;
}

static int illegal_location(struct task *t, struct str constraint)
{
	return fail_named(t, "IllegalLocationConstraintException", 400,
	        "The %.*s location constraint is incompatible for the region specific endpoint "
	        "this request was sent to.",
	        STR(constraint.p ? constraint : S("unspecified")));
}

/* us-east-1 is where everything may be created, and is never named. */
static int choose_region(
        struct task *t, const struct s3_create_bucket_configuration *c, struct str *region)
{
	struct str constraint = c ? c->location_constraint : (struct str){ 0 };
	struct str here = call_of(t)->region;

	*region = here;
	if (!constraint.p)
		return str_eq(here, S("us-east-1")) ? 0 : illegal_location(t, constraint);
	*region = str_eq(constraint, S("EU")) ? S("eu-west-1") : constraint;
	if (!is_region(constraint)) {
		struct s3_error_detail d = { .location_constraint = constraint };
		return s3_fail(t, &d, "InvalidLocationConstraint", 400,
		        "The specified location-constraint is not valid");
	}
	if (!str_eq(here, S("us-east-1")) && !str_eq(here, *region))
		return illegal_location(t, constraint);
	return 0;
}

static int report(struct task *t, int bad, const struct s3_bucket_record *b)
{
	struct s3_error_detail d = { .bucket_name = b->name };

	if (bad == OWNED && str_eq(b->region, S("us-east-1")))
		return 0;
	if (bad == OWNED)
		return s3_fail(t, &d, "BucketAlreadyOwnedByYou", 409,
		        "Your previous request to create the named bucket succeeded and you "
		        "already own it.");
	if (bad == TAKEN)
		return s3_fail(t, &d, "BucketAlreadyExists", 409,
		        "The requested bucket name is not available. The bucket namespace is "
		        "shared by all users of the system. Please select a different name and "
		        "try again.");
	return bad;
}

static int check(struct task *t, const struct s3_create_bucket_in *in)
{
	struct s3_error_detail d = { .bucket_name = in->bucket };

	if (!s3_bucket_name_is_valid(in->bucket))
		return s3_fail(
		        t, &d, "InvalidBucketName", 400, "The specified bucket is not valid.");
	if (in->acl.p && !str_eq(in->acl, S("private")))
		return s3_fail(t, NULL, "InvalidBucketAclWithObjectOwnership", 400,
		        "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced "
		        "setting");
	if (in->object_ownership.p && !str_eq(in->object_ownership, S("BucketOwnerEnforced")))
		return fail(t, API_ERROR_NOT_IMPLEMENTED,
		        "Access control lists are not served here: object ownership is "
		        "BucketOwnerEnforced");
	if (in->create_bucket_configuration)
		TRY(s3_tags_check(t, &in->create_bucket_configuration->tags, 50));
	return s3_reject_unsupported(t, in);
}

int s3_create_bucket(
        struct task *t, const struct s3_create_bucket_in *in, struct s3_create_bucket_out *out)
{
	struct arena *a = task_arena(t);
	const struct call *c = call_of(t);
	struct s3_public_access_block_configuration block = { opt_bool(true), opt_bool(true),
		opt_bool(true), opt_bool(true) };
	struct s3_bucket_record b = { .name = in->bucket,
		.account = c->account,
		.creation_date = opt_time(s3_second(c->now_ms)),
		.public_access_block = &block };

	TRY(check(t, in));
	TRY(choose_region(t, in->create_bucket_configuration, &b.region));
	if (in->create_bucket_configuration)
		b.tag_set = in->create_bucket_configuration->tags;
	TRY(report(t, kv_update(t, create, &b), &b));
	out->location = str_eq(b.region, S("us-east-1"))
	                        ? str_concat(a, 2, S("/"), b.name)
	                        : str_concat(a, 3, S("http://"), b.name, S(".s3.amazonaws.com/"));
	out->bucket_arn = s3_bucket_arn(a, b.name);
	return 0;
}

int s3_head_bucket(
        struct task *t, const struct s3_head_bucket_in *in, struct s3_head_bucket_out *out)
{
	struct s3_bucket_record b;

	TRY(s3_bucket_load(t, in->bucket, &b));
	out->bucket_region = b.region;
	out->bucket_arn = s3_bucket_arn(task_arena(t), b.name);
	out->access_point_alias = opt_bool(false);
	return 0;
}

int s3_get_bucket_location(struct task *t, const struct s3_get_bucket_location_in *in,
        struct s3_get_bucket_location_out *out)
{
	struct s3_bucket_record b;

	TRY(s3_bucket_load(t, in->bucket, &b));
	if (!str_eq(b.region, S("us-east-1")))
		out->location_constraint = b.region;
	return 0;
}
