/* bucket: rows, errors, and the authorization of every operation. */
#include "services/s3/bucket.h"

#include "codec/codec.h"
#include "kv/key.h"
#include "services/s3/checksum.h"
#include "services/s3/cors.h"
#include "services/s3/public.h"

#define KEYS_MAX 16

struct str s3_bucket_key(struct arena *a, struct str bucket)
{
	return kv_key(a, "sssss", S("s3"), S(""), S(""), S("bucket"), bucket);
}

struct str s3_owned_key(struct arena *a, struct str account, struct str bucket)
{
	return kv_key(a, "sssss", S("s3"), account, S(""), S("owned"), bucket);
}

struct str s3_bucket_arn(struct arena *a, struct str bucket)
{
	return str_concat(a, 2, S("arn:aws:s3:::"), bucket);
}

struct str s3_owner_id(struct arena *a, struct str account)
{
	return hash_sha256_hex(a, str_concat(a, 2, S("canonical user of "), account));
}

struct s3_owner *s3_owner_of(struct arena *a, struct str account)
{
	struct s3_owner *o = arena_new(a, struct s3_owner);

	o->id = s3_owner_id(a, account);
	return o;
}

int s3_bucket_read(struct kv_txn *txn, struct str name, struct s3_bucket_record *b)
{
	*b = (struct s3_bucket_record){ 0 };
	int got = record_get(txn, s3_bucket_key(kv_arena(txn), name), &s3_shape_bucket_record, b);
	return got == KV_NOT_FOUND ? S3_NO_SUCH_BUCKET : got;
}

int s3_fail(struct task *t, const struct s3_error_detail *detail, const char *code, int status,
        const char *message)
{
	int result = fail_named(t, code, status, "%s", message);
	struct api_failure *f = &call_of(t)->failure;

	if (detail) {
		struct s3_error_detail *copy = arena_new(task_arena(t), struct s3_error_detail);
		*copy = *detail;
		f->shape = &s3_shape_error_detail;
		f->detail = copy;
	}
	return result;
}

int s3_invalid_argument(struct task *t, const char *name, struct str value, const char *message)
{
	struct s3_error_detail d = { .argument_name = str_of(name), .argument_value = value };

	return s3_fail(t, &d, "InvalidArgument", 400, message);
}

int s3_no_such_bucket(struct task *t, struct str name)
{
	struct s3_error_detail d = { .bucket_name = name };

	return s3_fail(t, &d, "NoSuchBucket", 404, "The specified bucket does not exist");
}

struct loading {
	struct str name;
	struct s3_bucket_record *record;
};

static int load(struct kv_txn *txn, void *arg)
{
	struct loading *l = arg;

	return s3_bucket_read(txn, l->name, l->record);
}

int s3_bucket_load(struct task *t, struct str name, struct s3_bucket_record *b)
{
	struct loading l = { name, b };
	int got = kv_view(t, load, &l);

	return got == S3_NO_SUCH_BUCKET ? s3_no_such_bucket(t, name) : got;
}

struct changing {
	struct str name;
	void (*fn)(struct s3_bucket_record *b, const void *arg);
	const void *arg;
};

static int change(struct kv_txn *txn, void *arg)
{
	const struct changing *c = arg;
	struct s3_bucket_record b;

	TRY(s3_bucket_read(txn, c->name, &b));
	c->fn(&b, c->arg);
	record_put(txn, s3_bucket_key(kv_arena(txn), c->name), &s3_shape_bucket_record, &b);
	return 0;
}

int s3_bucket_change(struct task *t, struct str name,
        void (*fn)(struct s3_bucket_record *b, const void *arg), const void *arg)
{
	struct changing c = { name, fn, arg };
	int got = kv_update(t, change, &c);

	return got == S3_NO_SUCH_BUCKET ? s3_no_such_bucket(t, name) : got;
}

/* ---- authorization ---- */

static const struct shape_member *find_member(const struct shape *shape, struct str name)
{
	for (uint32_t i = 0; shape && i < shape->n_members; i++)
		if (str_eq(shape->members[i].name, name))
			return &shape->members[i];
	return NULL;
}

struct str s3_input(struct task *t, const void *in, const char *name)
{
	const struct shape_member *m = find_member(call_of(t)->operation->in, str_of(name));

	if (!m || m->shape->type != SHAPE_STRING)
		return (struct str){ 0 };
	return *(struct str *)shape_member_at(m, in);
}

static void add_key(struct arena *a, struct api_access *access, struct str name, struct str value)
{
	if (!value.p)
		return;
	ensure(access->n_keys < KEYS_MAX);
	struct str *values = arena_new(a, struct str);
	*values = value;
	access->keys[access->n_keys++] =
	        (struct policy_key){ .name = name, .values = values, .n_values = 1 };
}

/* Condition keys that say what a member of the request says. */
static const struct {
	struct str key;
	const char *member;
} member_keys[] = {
	{ S_INIT("s3:prefix"), "Prefix" },
	{ S_INIT("s3:delimiter"), "Delimiter" },
	{ S_INIT("s3:VersionId"), "VersionId" },
	{ S_INIT("s3:x-amz-acl"), "ACL" },
	{ S_INIT("s3:x-amz-copy-source"), "CopySource" },
	{ S_INIT("s3:x-amz-metadata-directive"), "MetadataDirective" },
	{ S_INIT("s3:x-amz-server-side-encryption"), "ServerSideEncryption" },
	{ S_INIT("s3:x-amz-storage-class"), "StorageClass" },
	{ S_INIT("s3:if-none-match"), "IfNoneMatch" },
	{ S_INIT("s3:if-match"), "IfMatch" },
};

static void add_keys(struct task *t, const void *in, struct api_access *access)
{
	struct arena *a = task_arena(t);
	const struct call *c = call_of(t);
	const struct shape_member *max = find_member(c->operation->in, S("MaxKeys"));

	access->keys = arena_new_n(a, struct policy_key, KEYS_MAX);
	for (size_t i = 0; i < ARRAY_LEN(member_keys); i++)
		add_key(a, access, member_keys[i].key, s3_input(t, in, member_keys[i].member));
	if (max) {
		const struct opt_int *n = shape_member_at(max, in);
		if (n->set)
			add_key(a, access, S("s3:max-keys"),
			        str_printf(a, "%lld", (long long)n->v));
	}
	if (c->http)
		add_key(a, access, S("s3:x-amz-content-sha256"),
		        http_header_get(&c->http->request.headers, S("x-amz-content-sha256")));
}

/* Nobody without a name may do what no bucket policy allows, in warn mode neither: a bucket that
 * is private on AWS is not readable here. */
int s3_check_anonymous(struct task *t, const struct api_access *access)
{
	struct call *c = call_of(t);
	struct policy_result result;

	if (c->principal.type != PRINCIPAL_ANONYMOUS || api_options_of(t)->iam == API_IAM_OFF)
		return 0;
	TRY(api_decide(t, &c->principal, access, &result));
	return result.decision == POLICY_ALLOWED ? 0 : fail(t, S3_ACCESS_DENIED, "Access Denied");
}

/* RestrictPublicBuckets: a public policy serves only the owner's account and services. */
static int check_restricted(struct task *t, const struct s3_bucket_record *b)
{
	const struct principal *p = &call_of(t)->principal;
	const struct s3_public_access_block_configuration *block = b->public_access_block;

	if (!block || !block->restrict_public_buckets.v || !b->policy.p)
		return 0;
	if (p->type == PRINCIPAL_SERVICE || str_eq(p->account, b->account))
		return 0;
	if (!s3_policy_is_public(task_arena(t), b->policy))
		return 0;
	return fail(t, S3_ACCESS_DENIED, "Access Denied");
}

static int on_bucket_record(
        struct task *t, const struct s3_bucket_record *b, struct api_access *access)
{
	access->resource_account = b->account;
	access->resource_policy = b->policy;
	return check_restricted(t, b);
}

static struct str resource_of(struct arena *a, struct str bucket, struct str key)
{
	struct str arn = s3_bucket_arn(a, bucket);

	return key.p ? str_concat(a, 3, arn, S("/"), key) : arn;
}

static int check_expected_owner(struct task *t, const void *in, struct str owner)
{
	struct str expected = s3_input(t, in, "ExpectedBucketOwner");

	if (!expected.p || str_eq(expected, owner))
		return 0;
	return fail(t, S3_ACCESS_DENIED, "Access Denied");
}

/* Versions have actions of their own. */
static void name_action(struct task *t, const void *in, struct api_access *access)
{
	static const struct str versioned[][2] = {
		{ S_INIT("s3:GetObject"), S_INIT("s3:GetObjectVersion") },
		{ S_INIT("s3:DeleteObject"), S_INIT("s3:DeleteObjectVersion") },
		{ S_INIT("s3:GetObjectTagging"), S_INIT("s3:GetObjectVersionTagging") },
		{ S_INIT("s3:PutObjectTagging"), S_INIT("s3:PutObjectVersionTagging") },
		{ S_INIT("s3:DeleteObjectTagging"), S_INIT("s3:DeleteObjectVersionTagging") },
		{ S_INIT("s3:GetObjectAttributes"), S_INIT("s3:GetObjectVersionAttributes") },
	};

	if (!s3_input(t, in, "VersionId").p)
		return;
	for (size_t i = 0; i < ARRAY_LEN(versioned); i++)
		if (str_eq(access->action, versioned[i][0])) {
			access->action = versioned[i][1];
			return;
		}
}

static int on(struct task *t, const void *in, struct str key, struct api_access *access)
{
	struct str bucket = s3_input(t, in, "Bucket");
	struct s3_bucket_record b;

	add_keys(t, in, access);
	name_action(t, in, access);
	access->resource = resource_of(task_arena(t), bucket, key);
	TRY(s3_bucket_load(t, bucket, &b));
	s3_cors_headers(t, &b);
	TRY(on_bucket_record(t, &b, access));
	TRY(check_expected_owner(t, in, b.account));
	if (!call_of(t)->operation->streaming_in)
		TRY(s3_body_check(t, false));
	return s3_check_anonymous(t, access);
}

int s3_on_bucket(struct task *t, const void *in, struct api_access *access)
{
	return on(t, in, (struct str){ 0 }, access);
}

int s3_on_object(struct task *t, const void *in, struct api_access *access)
{
	struct str key = s3_input(t, in, "Key");

	if (key.n > S3_KEY_MAX) {
		struct s3_error_detail d = { .size = str_printf(task_arena(t), "%zu", key.n),
			.max_size_allowed = S("1024") };
		return s3_fail(t, &d, "KeyTooLongError", 400, "Your key is too long");
	}
	if (!s3_utf8_is_valid(key))
		return s3_fail(t, NULL, "InvalidURI", 400, "Couldn't parse the specified URI.");
	return on(t, in, key, access);
}

int s3_on_nothing(struct task *t, const void *in, struct api_access *access)
{
	struct str bucket = s3_input(t, in, "Bucket");

	add_keys(t, in, access);
	if (bucket.p)
		access->resource = s3_bucket_arn(task_arena(t), bucket);
	return s3_check_anonymous(t, access);
}

int s3_access_of(struct task *t, const void *in, struct api_access *access)
{
	struct str bucket = s3_input(t, in, "Bucket");
	struct s3_bucket_record b;

	TRY(s3_bucket_load(t, bucket, &b));
	s3_cors_headers(t, &b);
	TRY(on_bucket_record(t, &b, access));
	return check_expected_owner(t, in, b.account);
}

int s3_may_read(struct task *t, const struct s3_copy_source *source)
{
	struct api_access access = { .action = source->version_id.p ? S("s3:GetObjectVersion")
		                                                    : S("s3:GetObject"),
		.resource = resource_of(task_arena(t), source->bucket, source->key) };
	struct s3_bucket_record b;

	TRY(s3_bucket_load(t, source->bucket, &b));
	TRY(on_bucket_record(t, &b, &access));
	TRY(s3_check_anonymous(t, &access));
	return api_authorize(t, &access);
}

int s3_malformed_xml(struct task *t)
{
	return s3_fail(t, NULL, "MalformedXML", 400,
	        "The XML you provided was not well-formed or did not validate against our "
	        "published schema");
}
