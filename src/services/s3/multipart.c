/* CreateMultipartUpload, UploadPart, UploadPartCopy, AbortMultipartUpload */
#include "services/s3/copy_source.h"
#include "services/s3/upload.h"

#include "base/rand.h"

#define PARTS_MAX 10000

/* ---- creating ---- */

struct creating {
	struct s3_ref ref;
	struct str id;
	struct s3_upload_record upload;
};

static int create(struct kv_txn *txn, void *arg)
{
	const struct creating *c = arg;
	struct s3_bucket_record b;

	TRY(s3_bucket_read(txn, c->ref.bucket, &b));
	record_put(txn, s3_upload_key(kv_arena(txn), c->ref.bucket, c->ref.key, c->id),
	        &s3_shape_upload_record, &c->upload);
	return 0;
}

static int choose_checksum(
        struct task *t, const struct s3_create_multipart_upload_in *in, struct s3_upload_record *u)
{
	const struct s3_algorithm *a = in->checksum_algorithm.p
	                                       ? s3_algorithm_by_name(in->checksum_algorithm)
	                                       : s3_algorithm_default();

	if (!a)
		return fail(t, API_ERROR_NOT_IMPLEMENTED,
		        "A header you provided implies functionality that is not implemented");
	bool full = a->hash == HASH_CRC64NVME;
	struct str type = in->checksum_type.p ? in->checksum_type
	                  : full              ? S("FULL_OBJECT")
	                                      : S("COMPOSITE");
	if (in->checksum_type.p && !in->checksum_algorithm.p)
		return fail_named(t, "InvalidRequest", 400,
		        "The x-amz-checksum-type header can only be used with the "
		        "x-amz-checksum-algorithm header.");
	if (str_eq(type, S("FULL_OBJECT")) ? !a->polynomial : full)
		return fail_named(t, "InvalidRequest", 400,
		        "The %.*s checksum type cannot be used with the %.*s checksum algorithm.",
		        STR(type), STR(str_lower(task_arena(t), a->name)));
	u->object->checksum_algorithm = a->name;
	u->object->checksum_type = type;
	u->stated_checksum = opt_bool(in->checksum_algorithm.p != NULL);
	return 0;
}

/* Rises with time, so that uploads of a key are listed in their order. */
static struct str new_upload_id(struct task *t)
{
	struct arena *a = task_arena(t);

	return str_printf(a, "%012llx%.*s", (unsigned long long)call_of(t)->now_ms,
	        STR(rand_text(a, 52,
	                S("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._"))));
}

/* The account's own id stands for its root. */
static struct str initiator(struct task *t)
{
	const struct principal *p = &call_of(t)->principal;

	return p->type == PRINCIPAL_ROOT ? s3_owner_id(task_arena(t), p->account) : p->arn;
}

int s3_create_multipart_upload(struct task *t, const struct s3_create_multipart_upload_in *in,
        struct s3_create_multipart_upload_out *out)
{
	struct s3_object_record o = { 0 };
	struct creating c = { .ref = { in->bucket, in->key, { 0 } },
		.id = new_upload_id(t),
		.upload = { .initiated = opt_time(s3_second(call_of(t)->now_ms)),
		        .initiator = initiator(t),
		        .object = &o } };

	TRY(s3_reject_unsupported(t, in));
	TRY(s3_object_from_request(t, in, &o));
	TRY(choose_checksum(t, in, &c.upload));
	TRY(s3_object_failed(t, kv_update(t, create, &c), &c.ref, NULL));
	out->bucket = in->bucket;
	out->key = in->key;
	out->upload_id = c.id;
	out->server_side_encryption = S("AES256");
	if (c.upload.stated_checksum.v) {
		out->checksum_algorithm = o.checksum_algorithm;
		out->checksum_type = o.checksum_type;
	}
	return 0;
}

/* ---- parts ---- */

struct adding {
	struct s3_ref ref;
	struct str id;
	struct s3_upload_record upload;
	struct s3_part_record part;
	struct s3_received received;
};

static int look(struct kv_txn *txn, void *arg)
{
	struct adding *d = arg;

	return s3_upload_read(txn, d->ref.bucket, d->ref.key, d->id, &d->upload);
}

static int add(struct kv_txn *txn, void *arg)
{
	struct adding *d = arg;
	struct str key = s3_part_key(kv_arena(txn), d->id, (uint64_t)d->part.part_number.v);
	struct s3_part_record before = { 0 };

	TRY(look(txn, arg));
	int got = record_get(txn, key, &s3_shape_part_record, &before);
	if (got < 0)
		return got;
	if (got == 0)
		s3_data_drop(txn, before.data);
	s3_data_keep(txn, &d->received);
	record_put(txn, key, &s3_shape_part_record, &d->part);
	return 0;
}

static int begin(struct task *t, struct adding *d, struct opt_int number)
{
	if (number.v < 1 || number.v > PARTS_MAX)
		return s3_invalid_argument(t, "partNumber",
		        str_printf(task_arena(t), "%lld", (long long)number.v),
		        "Part number must be an integer between 1 and 10000, inclusive");
	d->part.part_number = number;
	return s3_upload_failed(t, kv_view(t, look, d), d->id, &d->ref);
}

static int keep(struct task *t, struct adding *d)
{
	const struct s3_received *r = &d->received;

	d->part.data = &d->received.data;
	d->part.e_tag = r->e_tag;
	d->part.checksum = r->checksum;
	d->part.last_modified = opt_time(s3_second(call_of(t)->now_ms));
	int bad = kv_update(t, add, d);
	if (bad)
		s3_received_discard(t, r);
	return s3_upload_failed(t, bad, d->id, &d->ref);
}

/* What the upload stores is computed anyway; what the part states is verified. */
static int choose_claims(struct task *t, const struct adding *d, struct s3_claims *claims)
{
	struct str name = d->upload.object->checksum_algorithm;
	struct arena *a = task_arena(t);

	claims->store = s3_algorithm_by_name(name);
	claims->as_blob = true;
	if (!claims->stated)
		claims->algorithm = claims->store;
	if (claims->algorithm == claims->store || !d->upload.stated_checksum.v)
		return 0;
	return fail_named(t, "InvalidRequest", 400,
	        "Checksum Type mismatch occurred, expected checksum Type: %.*s, actual checksum "
	        "Type: %.*s",
	        STR(str_lower(a, name)), STR(str_lower(a, claims->algorithm->name)));
}

int s3_upload_part(
        struct task *t, const struct s3_upload_part_in *in, struct s3_upload_part_out *out)
{
	struct adding d = { .ref = { in->bucket, in->key, { 0 } }, .id = in->upload_id };
	struct s3_claims claims;

	TRY(s3_reject_unsupported(t, in));
	TRY(begin(t, &d, in->part_number));
	TRY(s3_claims_read(t, in, &claims));
	if (call_of(t)->http && claims.length < 0)
		return s3_fail(t, NULL, "MissingContentLength", 411,
		        "You must provide the Content-Length HTTP header.");
	TRY(choose_claims(t, &d, &claims));
	TRY(s3_receive(t, in->body, &claims, &d.received));
	TRY(keep(t, &d));
	out->e_tag = d.part.e_tag;
	out->server_side_encryption = S("AES256");
	s3_checksum_show(&s3_shape_upload_part_output, out, claims.store->name, d.part.checksum);
	return 0;
}

static int copy_range(struct task *t, struct str text, int64_t size, int64_t *offset, int64_t *n)
{
	int64_t first, last;

	*offset = 0;
	*n = size;
	if (!text.p)
		return 0;
	struct str rest = str_sub(text, 6, text.n);
	struct str from = str_cut(&rest, '-');
	if (!str_starts(text, S("bytes=")) || !rest.p || !str_to_i64(from, &first) ||
	        !str_to_i64(rest, &last) || first < 0 || last < first)
		return s3_invalid_argument(t, "x-amz-copy-source-range", text,
		        "The x-amz-copy-source-range value must be of the form bytes=first-last "
		        "where first and last are the zero-based offsets of the first and last "
		        "bytes to copy");
	if (last >= size)
		return s3_invalid_argument(t, "x-amz-copy-source-range", text,
		        str_cstr(task_arena(t),
		                str_printf(task_arena(t),
		                        "Range specified is not valid for source object of size: "
		                        "%lld",
		                        (long long)size)));
	*offset = first;
	*n = last - first + 1;
	return 0;
}

static int receive_copy(
        struct task *t, const struct s3_copying *c, struct str range, struct adding *d)
{
	struct s3_claims claims =
	        s3_claims_none(s3_algorithm_by_name(d->upload.object->checksum_algorithm));
	int64_t offset, n;
	struct stream *s;

	claims.as_blob = true;
	TRY(copy_range(t, range, c->object.size.v, &offset, &n));
	TRY(s3_content_open(t, &c->content, offset, n, &s));
	int bad = s3_receive(t, s, &claims, &d->received);
	stream_close(s);
	return bad;
}

int s3_upload_part_copy(struct task *t, const struct s3_upload_part_copy_in *in,
        struct s3_upload_part_copy_out *out)
{
	struct adding d = { .ref = { in->bucket, in->key, { 0 } }, .id = in->upload_id };
	struct s3_copying *c = arena_new(task_arena(t), struct s3_copying);
	struct s3_copy_part_result *r = arena_new(task_arena(t), struct s3_copy_part_result);

	TRY(s3_reject_unsupported(t, in));
	TRY(begin(t, &d, in->part_number));
	TRY(s3_copy_source_find(t, in, c));
	TRY(receive_copy(t, c, in->copy_source_range, &d));
	TRY(keep(t, &d));
	r->e_tag = d.part.e_tag;
	r->last_modified = d.part.last_modified;
	s3_checksum_show(&s3_shape_copy_part_result, r, d.upload.object->checksum_algorithm,
	        d.part.checksum);
	out->copy_part_result = r;
	out->server_side_encryption = S("AES256");
	if (c->has_versions)
		out->copy_source_version_id = c->object.version_id;
	return 0;
}

/* ---- aborting ---- */

static int abort_upload(struct kv_txn *txn, void *arg)
{
	struct adding *d = arg;

	TRY(look(txn, arg));
	return s3_upload_drop(
	        txn, s3_upload_key(kv_arena(txn), d->ref.bucket, d->ref.key, d->id), d->id);
}

int s3_abort_multipart_upload(struct task *t, const struct s3_abort_multipart_upload_in *in,
        struct s3_abort_multipart_upload_out *out)
{
	struct adding d = { .ref = { in->bucket, in->key, { 0 } }, .id = in->upload_id };

	return s3_upload_failed(t, kv_update(t, abort_upload, &d), d.id, &d.ref);
}
