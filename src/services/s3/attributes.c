/* attributes: what an object keeps as its writer gave it, and what a writer may not ask for. */
#include "services/s3/object.h"
#include "services/s3/tags.h"

#define METADATA_MAX 2048

static const struct shape_member *member(const struct shape *shape, struct str name)
{
	for (uint32_t i = 0; i < shape->n_members; i++)
		if (str_eq(shape->members[i].name, name))
			return &shape->members[i];
	return NULL;
}

static size_t size_of(const struct shape *shape)
{
	switch ((enum shape_type)shape->type) {
	case SHAPE_TIMESTAMP:
		return sizeof(struct opt_time);
	case SHAPE_MAP:
		return sizeof(struct s3_metadata);
	default:
		return sizeof(struct str);
	}
}

void s3_copy_attributes(
        const struct shape *to_shape, void *to, const struct shape *from_shape, const void *from)
{
	static const struct str names[] = { S_INIT("ContentType"), S_INIT("CacheControl"),
		S_INIT("ContentDisposition"), S_INIT("ContentEncoding"), S_INIT("ContentLanguage"),
		S_INIT("Expires"), S_INIT("WebsiteRedirectLocation"), S_INIT("Metadata") };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct shape_member *w = member(to_shape, names[i]);
		const struct shape_member *r = member(from_shape, names[i]);
		if (w && r)
			memcpy(shape_member_at(w, to), shape_member_at(r, from), size_of(r->shape));
	}
}

/* "aws-chunked" is how the body travelled, not how it is stored. */
static struct str without_chunked(struct arena *a, struct str encoding)
{
	struct buf b = buf_init(a);

	while (encoding.p) {
		struct str one = str_trim(str_cut(&encoding, ','));
		if (one.n == 0 || str_eq_nocase(one, S("aws-chunked")))
			continue;
		if (b.n)
			buf_add(&b, S(","));
		buf_add(&b, one);
	}
	return b.n ? buf_str(&b) : (struct str){ 0 };
}

static int check_metadata(struct task *t, const struct s3_metadata *m)
{
	size_t total = 0;

	for (size_t i = 0; i < m->n; i++)
		total += m->v[i].key.n + m->v[i].value.n;
	if (total <= METADATA_MAX)
		return 0;
	struct s3_error_detail d = { .size = str_printf(task_arena(t), "%zu", total),
		.max_size_allowed = str_printf(task_arena(t), "%d", METADATA_MAX) };
	return s3_fail(t, &d, "MetadataTooLarge", 400,
	        "Your metadata headers exceed the maximum allowed metadata size");
}

static bool is_one_of(struct str s, const struct str *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(s, v[i]))
			return true;
	return false;
}

static int not_implemented(struct task *t)
{
	return fail(t, API_ERROR_NOT_IMPLEMENTED,
	        "A header you provided implies functionality that is not implemented");
}

/* Classes that are read without being restored first. */
static int check_class(struct task *t, struct str name)
{
	static const struct str served[] = { S_INIT("STANDARD"), S_INIT("REDUCED_REDUNDANCY"),
		S_INIT("STANDARD_IA"), S_INIT("ONEZONE_IA"), S_INIT("INTELLIGENT_TIERING"),
		S_INIT("GLACIER_IR") };
	static const struct str others[] = { S_INIT("GLACIER"), S_INIT("DEEP_ARCHIVE"),
		S_INIT("OUTPOSTS"), S_INIT("SNOW"), S_INIT("EXPRESS_ONEZONE"),
		S_INIT("FSX_OPENZFS"), S_INIT("FSX_ONTAP") };

	if (!name.p || is_one_of(name, served, ARRAY_LEN(served)))
		return 0;
	if (is_one_of(name, others, ARRAY_LEN(others)))
		return not_implemented(t);
	struct s3_error_detail d = { .storage_class_requested = name };
	return s3_fail(
	        t, &d, "InvalidStorageClass", 400, "The storage class you specified is not valid");
}

static bool is_set(const struct shape_member *m, const void *in)
{
	switch ((enum shape_type)m->shape->type) {
	case SHAPE_STRING:
		return ((const struct str *)shape_member_at(m, in))->p != NULL;
	case SHAPE_BOOLEAN:
		return ((const struct opt_bool *)shape_member_at(m, in))->v;
	case SHAPE_TIMESTAMP:
		return ((const struct opt_time *)shape_member_at(m, in))->set;
	default:
		return ((const struct opt_int *)shape_member_at(m, in))->set;
	}
}

static int reject_members(struct task *t, const void *in)
{
	static const struct str refused[] = { S_INIT("SSECustomerAlgorithm"),
		S_INIT("SSECustomerKey"), S_INIT("SSEKMSKeyId"), S_INIT("SSEKMSEncryptionContext"),
		S_INIT("CopySourceSSECustomerAlgorithm"), S_INIT("BucketKeyEnabled"),
		S_INIT("ObjectLockMode"), S_INIT("ObjectLockRetainUntilDate"),
		S_INIT("ObjectLockLegalHoldStatus"), S_INIT("ObjectLockEventHold"),
		S_INIT("WriteOffsetBytes"), S_INIT("ObjectLockEnabledForBucket") };
	const struct shape *shape = call_of(t)->operation->in;

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		const struct shape_member *m = member(shape, refused[i]);
		if (m && is_set(m, in))
			return not_implemented(t);
	}
	return 0;
}

int s3_reject_unsupported(struct task *t, const void *in)
{
	static const char *const grants[] = { "GrantFullControl", "GrantRead", "GrantReadACP",
		"GrantWriteACP", "GrantWrite" };
	struct str sse = s3_input(t, in, "ServerSideEncryption");
	struct str acl = s3_input(t, in, "ACL");

	TRY(reject_members(t, in));
	if (sse.p && !str_eq(sse, S("AES256")))
		return str_starts(sse, S("aws:"))
		               ? not_implemented(t)
		               : s3_invalid_argument(t, "x-amz-server-side-encryption", sse,
		                         "The encryption method specified is not supported");
	bool bad_acl =
	        acl.p && !str_eq(acl, S("private")) && !str_eq(acl, S("bucket-owner-full-control"));
	for (size_t i = 0; i < ARRAY_LEN(grants); i++)
		bad_acl = bad_acl || s3_input(t, in, grants[i]).p;
	if (bad_acl)
		return s3_fail(t, NULL, "AccessControlListNotSupported", 400,
		        "The bucket does not allow ACLs");
	return check_class(t, s3_input(t, in, "StorageClass"));
}

int s3_object_from_request(struct task *t, const void *in, struct s3_object_record *o)
{
	struct str class = s3_input(t, in, "StorageClass");

	s3_copy_attributes(&s3_shape_object_record, o, call_of(t)->operation->in, in);
	TRY(check_metadata(t, &o->metadata));
	o->content_encoding = without_chunked(task_arena(t), o->content_encoding);
	if (!o->content_type.n)
		o->content_type = S("binary/octet-stream");
	o->storage_class = class.p ? class : S("STANDARD");
	o->last_modified = opt_time(s3_second(call_of(t)->now_ms));
	return s3_tags_from_header(t, s3_input(t, in, "Tagging"), &o->tag_set);
}
