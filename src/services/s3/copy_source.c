/* copy_source: see copy_source.h. */
#include "services/s3/copy_source.h"

#include "services/s3/conditions.h"

#define COPY_MAX ((int64_t)5 << 30)

static int find(struct kv_txn *txn, void *arg)
{
	struct s3_copying *c = arg;
	struct s3_bucket_record b;

	TRY(s3_bucket_read(txn, c->ref.bucket, &b));
	c->has_versions = b.versioning.p != NULL;
	TRY(s3_object_find(txn, &c->ref, &c->object));
	return s3_content_find(txn, &c->object, &c->content);
}

static struct opt_time time_input(struct task *t, const void *in, struct str name)
{
	const struct shape *shape = call_of(t)->operation->in;

	for (uint32_t i = 0; i < shape->n_members; i++)
		if (str_eq(shape->members[i].name, name))
			return *(struct opt_time *)shape_member_at(&shape->members[i], in);
	return (struct opt_time){ 0 };
}

static int check_conditions(struct task *t, const void *in, const struct s3_copying *c)
{
	struct opt_time since = time_input(t, in, S("CopySourceIfModifiedSince"));
	struct opt_time until = time_input(t, in, S("CopySourceIfUnmodifiedSince"));
	const char *failed;
	struct s3_read_conditions conditions = {
		.if_match = s3_input(t, in, "CopySourceIfMatch"),
		.if_none_match = s3_input(t, in, "CopySourceIfNoneMatch"),
		.has_modified_since = since.set,
		.modified_since_ms = since.ms,
		.has_unmodified_since = until.set,
		.unmodified_since_ms = until.ms,
		.now_ms = call_of(t)->now_ms,
	};
	enum s3_verdict v =
	        s3_read_verdict(&conditions, c->object.e_tag, c->object.last_modified.ms, &failed);

	if (v == S3_READ)
		return 0;
	if (v == S3_READ_NOT_MODIFIED)
		failed = conditions.if_none_match.p ? "x-amz-copy-source-If-None-Match"
		                                    : "x-amz-copy-source-If-Modified-Since";
	else
		failed = conditions.if_match.p ? "x-amz-copy-source-If-Match"
		                               : "x-amz-copy-source-If-Unmodified-Since";
	return s3_object_failed(t, S3_PRECONDITION_FAILED, &c->ref, failed);
}

static int check_owner(struct task *t, const void *in, struct str bucket)
{
	struct str expected = s3_input(t, in, "ExpectedSourceBucketOwner");
	struct s3_bucket_record b;

	if (!expected.p)
		return 0;
	TRY(s3_bucket_load(t, bucket, &b));
	return str_eq(expected, b.account) ? 0 : fail(t, S3_ACCESS_DENIED, "Access Denied");
}

int s3_copy_source_find(struct task *t, const void *in, struct s3_copying *c)
{
	struct str text = s3_input(t, in, "CopySource");
	struct s3_copy_source source;

	if (!s3_copy_source_parse(task_arena(t), text, &source))
		return s3_invalid_argument(t, "x-amz-copy-source", text,
		        "Copy Source must mention the source bucket and key: "
		        "sourcebucket/sourcekey");
	TRY(s3_may_read(t, &source));
	TRY(check_owner(t, in, source.bucket));
	*c = (struct s3_copying){ .ref = { source.bucket, source.key, source.version_id } };
	int bad = kv_view(t, find, c);
	if (bad == S3_IS_MARKER && source.version_id.p)
		return fail_named(t, "InvalidRequest", 400,
		        "The source of a copy request may not specifically refer to a delete "
		        "marker by version id.");
	if (bad == S3_IS_MARKER)
		bad = S3_NO_SUCH_KEY;
	TRY(s3_object_failed(t, bad, &c->ref, NULL));
	if (c->object.size.v > COPY_MAX &&
	        call_of(t)->operation->out == &s3_shape_copy_object_output)
		return fail_named(t, "InvalidRequest", 400,
		        "The specified copy source is larger than the maximum allowable size for a "
		        "copy source: %lld",
		        (long long)COPY_MAX);
	return check_conditions(t, in, c);
}
