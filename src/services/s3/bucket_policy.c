/* PutBucketPolicy, GetBucketPolicy, DeleteBucketPolicy, GetBucketPolicyStatus */
#include "services/s3/bucket.h"

#include "codec/json.h"
#include "services/s3/public.h"

#define POLICY_MAX 20480

static void set(struct s3_bucket_record *b, const void *arg)
{
	b->policy = *(const struct str *)arg;
}

static int malformed(struct task *t, const char *why)
{
	return s3_fail(t, NULL, "MalformedPolicy", 400, why);
}

/* Statements of a bucket's policy speak of the bucket and its objects. */
static bool names_bucket(struct str resource, struct str arn)
{
	if (!str_starts(resource, arn))
		return false;
	return resource.n == arn.n || resource.p[arn.n] == '/' || resource.p[arn.n] == '*';
}

static bool all_name_bucket(yyjson_val *v, struct str arn)
{
	size_t i, n;
	yyjson_val *item;

	if (yyjson_is_str(v))
		return names_bucket(json_str_of(v), arn);
	yyjson_arr_foreach(v, i, n, item)
	{
		if (!all_name_bucket(item, arn))
			return false;
	}
	return yyjson_is_arr(v);
}

static bool all_are_s3(yyjson_val *v)
{
	size_t i, n;
	yyjson_val *item;
	struct str s = json_str_of(v);

	if (yyjson_is_str(v))
		return str_eq(s, S("*")) || str_eq_nocase(str_sub(s, 0, 3), S("s3:"));
	yyjson_arr_foreach(v, i, n, item)
	{
		if (!all_are_s3(item))
			return false;
	}
	return yyjson_is_arr(v);
}

static int check_statement(struct task *t, yyjson_val *s, struct str arn)
{
	yyjson_val *resource = json_get(s, "Resource");
	yyjson_val *action = json_get(s, "Action");

	if (!json_get(s, "Principal") && !json_get(s, "NotPrincipal"))
		return malformed(t, "Missing required field Principal");
	if (!action && !json_get(s, "NotAction"))
		return malformed(t, "Missing required field Action");
	if (!resource && !json_get(s, "NotResource"))
		return malformed(t, "Missing required field Resource");
	if (action && !all_are_s3(action))
		return malformed(t, "Policy has invalid action");
	if (resource && !all_name_bucket(resource, arn))
		return malformed(t, "Policy has invalid resource");
	return 0;
}

static int check_statements(struct task *t, yyjson_val *root, struct str arn)
{
	yyjson_val *statements = json_get(root, "Statement"), *item;
	size_t i, n;

	if (!statements)
		return malformed(t, "Missing required field Statement");
	if (yyjson_is_obj(statements))
		return check_statement(t, statements, arn);
	yyjson_arr_foreach(statements, i, n, item)
	{
		TRY(check_statement(t, item, arn));
	}
	return 0;
}

static int check(struct task *t, struct str bucket, struct str policy)
{
	struct arena *a = task_arena(t);
	const struct policy *parsed;
	struct str why = S("");
	yyjson_val *root;

	if (policy.n > POLICY_MAX)
		return malformed(t, "Normalized policy document exceeds the maximum allowed size "
		                    "of 20480 bytes.");
	if (json_parse(a, policy, &root) != 0 || !yyjson_is_obj(root))
		return malformed(t, "Policies must be valid JSON and the first byte must be '{'");
	TRY(check_statements(t, root, s3_bucket_arn(a, bucket)));
	if (policy_parse(a, policy, POLICY_RESOURCE, &parsed, &why) != 0)
		return malformed(t, str_cstr(a, why));
	return 0;
}

int s3_put_bucket_policy(struct task *t, const struct s3_put_bucket_policy_in *in,
        struct s3_put_bucket_policy_out *out)
{
	struct s3_bucket_record b;

	TRY(check(t, in->bucket, in->policy));
	TRY(s3_bucket_load(t, in->bucket, &b));
	if (b.public_access_block && b.public_access_block->block_public_policy.v &&
	        s3_policy_is_public(task_arena(t), in->policy))
		return fail(t, S3_ACCESS_DENIED,
		        "User: %.*s is not authorized to perform: s3:PutBucketPolicy on resource: "
		        "\"%.*s\" because public policies are prevented by the BlockPublicPolicy "
		        "setting in S3 Block Public Access.",
		        STR(call_of(t)->principal.arn),
		        STR(s3_bucket_arn(task_arena(t), in->bucket)));
	call_of(t)->status = 204;
	return s3_bucket_change(t, in->bucket, set, &in->policy);
}

int s3_delete_bucket_policy(struct task *t, const struct s3_delete_bucket_policy_in *in,
        struct s3_delete_bucket_policy_out *out)
{
	struct str none = { 0 };

	return s3_bucket_change(t, in->bucket, set, &none);
}

static int load(struct task *t, struct str bucket, struct s3_bucket_record *b)
{
	struct s3_error_detail d = { .bucket_name = bucket };

	TRY(s3_bucket_load(t, bucket, b));
	return b->policy.p ? 0
	                   : s3_fail(t, &d, "NoSuchBucketPolicy", 404,
	                             "The bucket policy does not exist");
}

int s3_get_bucket_policy(struct task *t, const struct s3_get_bucket_policy_in *in,
        struct s3_get_bucket_policy_out *out)
{
	struct s3_bucket_record b;

	TRY(load(t, in->bucket, &b));
	out->policy = b.policy;
	api_header(t, S("Content-Type"), S("application/json"));
	return 0;
}

int s3_get_bucket_policy_status(struct task *t, const struct s3_get_bucket_policy_status_in *in,
        struct s3_get_bucket_policy_status_out *out)
{
	struct s3_bucket_record b;

	TRY(load(t, in->bucket, &b));
	out->policy_status = arena_new(task_arena(t), struct s3_policy_status);
	out->policy_status->is_public = opt_bool(s3_policy_is_public(task_arena(t), b.policy));
	return 0;
}
