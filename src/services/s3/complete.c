/* CompleteMultipartUpload */
#include "services/s3/upload.h"

#define PART_MIN ((int64_t)5 << 20)

enum { INVALID_PART = 3000, TOO_SMALL, DONE_BEFORE, WRONG_CHECKSUM, WRONG_SIZE };

struct completing {
	const struct s3_complete_multipart_upload_in *in;
	struct s3_placing placing;
	struct s3_upload_record upload;
	struct s3_object_record object;
	const struct s3_algorithm *algorithm;
	struct s3_part_record_list have;
	struct s3_parts_record chosen;
	const struct s3_part_record *bad_part;
};

static struct str unquoted(struct str s)
{
	s = str_trim(s);
	if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		return str_sub(s, 1, s.n - 2);
	return s;
}

static const struct s3_part_record *find_part(
        const struct s3_part_record_list *parts, int64_t number)
{
	size_t low = 0, high = parts->n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		if (parts->v[mid].part_number.v == number)
			return &parts->v[mid];
		if (parts->v[mid].part_number.v < number)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static int choose(struct kv_txn *txn, struct completing *c)
{
	const struct s3_completed_part_list *asked = &c->in->multipart_upload->parts;
	struct s3_part_record_list *chosen = &c->chosen.parts;

	*chosen = (struct s3_part_record_list){
		arena_new_n(kv_arena(txn), struct s3_part_record, asked->n), 0
	};
	for (size_t i = 0; i < asked->n; i++) {
		const struct s3_completed_part *p = &asked->v[i];
		const struct s3_part_record *have = find_part(&c->have, p->part_number.v);
		struct str checksum = s3_checksum_in(&s3_shape_completed_part, p, c->algorithm);
		if (!have || !str_eq(unquoted(p->e_tag), unquoted(have->e_tag)) ||
		        (checksum.p && !str_eq(checksum, have->checksum)))
			return INVALID_PART;
		c->bad_part = have;
		if (i + 1 < asked->n && have->data->size.v < PART_MIN)
			return TOO_SMALL;
		chosen->v[chosen->n++] = *have;
	}
	return 0;
}

/* Parts that were uploaded and not named go. */
static void drop_others(struct kv_txn *txn, const struct completing *c)
{
	for (size_t i = 0; i < c->have.n; i++)
		if (!find_part(&c->chosen.parts, c->have.v[i].part_number.v))
			s3_data_drop(txn, c->have.v[i].data);
}

static struct str raw_digests(struct arena *a, const struct completing *c, bool md5)
{
	struct buf b = buf_init(a);
	struct str raw;

	for (size_t i = 0; i < c->chosen.parts.n; i++) {
		const struct s3_part_record *p = &c->chosen.parts.v[i];
		int bad = md5 ? hex_decode(a, unquoted(p->e_tag), &raw)
		              : base64_decode(a, p->checksum, &raw);
		ensure(bad == 0);
		buf_add(&b, raw);
	}
	return buf_str(&b);
}

static struct str composite(struct arena *a, const struct completing *c)
{
	struct hash *h = hash_new(c->algorithm->hash);

	hash_add(h, raw_digests(a, c, false));
	struct str text = base64_encode(a, hash_take(h, a));
	return str_printf(a, "%.*s-%zu", STR(text), c->chosen.parts.n);
}

static struct str full(struct arena *a, const struct completing *c)
{
	uint64_t crc = 0;
	struct str raw;

	for (size_t i = 0; i < c->chosen.parts.n; i++) {
		const struct s3_part_record *p = &c->chosen.parts.v[i];
		ensure(base64_decode(a, p->checksum, &raw) == 0);
		uint64_t next = s3_crc_read(raw);
		crc = i ? s3_crc_combine(c->algorithm, crc, next, (uint64_t)p->data->size.v) : next;
	}
	return base64_encode(a, s3_crc_write(a, c->algorithm, crc));
}

static void describe(struct arena *a, struct completing *c)
{
	struct s3_object_record *o = &c->object;
	size_t n = c->chosen.parts.n;

	o->size = opt_int(0);
	for (size_t i = 0; i < n; i++)
		o->size.v += c->chosen.parts.v[i].data->size.v;
	struct str md5 = hash_md5(a, raw_digests(a, c, true));
	o->e_tag = str_printf(a, "\"%.*s-%zu\"", STR(hex_encode(a, md5)), n);
	o->parts = o->upload_id = c->in->upload_id;
	o->parts_count = opt_int((int64_t)n);
	o->checksum = str_eq(o->checksum_type, S("COMPOSITE")) ? composite(a, c) : full(a, c);
}

static int check_claims(const struct completing *c)
{
	struct str stated =
	        s3_checksum_in(&s3_shape_complete_multipart_upload_request, c->in, c->algorithm);

	if (c->in->mpu_object_size.set && c->in->mpu_object_size.v != c->object.size.v)
		return WRONG_SIZE;
	if (!stated.p || str_eq(stated, c->object.checksum))
		return 0;
	/* A composite may be stated without its number of parts. */
	ptrdiff_t dash = str_find_char(c->object.checksum, '-');
	bool bare = dash > 0 && str_eq(stated, str_sub(c->object.checksum, 0, (size_t)dash));
	return bare ? 0 : WRONG_CHECKSUM;
}

/* The answer to a completion may have been lost: asked again, it is given again. */
static int was_done(struct kv_txn *txn, struct completing *c)
{
	int got = s3_object_find(txn, &c->placing.ref, &c->object);
	struct s3_bucket_record b;

	if (got < 0)
		return got;
	if (got || !str_eq(c->object.upload_id, c->in->upload_id))
		return S3_NO_SUCH_UPLOAD;
	TRY(s3_bucket_read(txn, c->placing.ref.bucket, &b));
	c->placing.has_versions = b.versioning.p != NULL;
	return DONE_BEFORE;
}

static int complete(struct kv_txn *txn, void *arg)
{
	struct completing *c = arg;
	const struct s3_ref *ref = &c->placing.ref;
	struct arena *a = kv_arena(txn);
	struct str id = c->in->upload_id;
	int got = s3_upload_read(txn, ref->bucket, ref->key, id, &c->upload);

	if (got == S3_NO_SUCH_UPLOAD)
		return was_done(txn, c);
	TRY(got);
	c->object = *c->upload.object;
	c->object.last_modified = opt_time(s3_second(c->upload.initiated.ms));
	c->algorithm = s3_algorithm_by_name(c->object.checksum_algorithm);
	TRY(s3_upload_parts(txn, id, 0, SIZE_MAX, &c->have));
	TRY(choose(txn, c));
	describe(a, c);
	TRY(check_claims(c));
	TRY(s3_object_place(txn, &c->placing));
	drop_others(txn, c);
	record_put(txn, s3_parts_key(a, id), &s3_shape_parts_record, &c->chosen);
	s3_upload_forget(txn, s3_upload_key(a, ref->bucket, ref->key, id), id);
	return 0;
}

/* ---- checks and answers ---- */

static int check_order(struct task *t, const struct s3_complete_multipart_upload_in *in)
{
	const struct s3_completed_multipart_upload *m = in->multipart_upload;

	if (!m || m->parts.n == 0)
		return s3_malformed_xml(t);
	for (size_t i = 1; i < m->parts.n; i++)
		if (m->parts.v[i].part_number.v <= m->parts.v[i - 1].part_number.v)
			return s3_fail(t, NULL, "InvalidPartOrder", 400,
			        "The list of parts was not in ascending order. Parts must be "
			        "ordered by part number.");
	if (in->if_none_match.p && !str_eq(in->if_none_match, S("*")))
		return s3_fail(t, NULL, "NotImplemented", 501,
		        "A header you provided implies functionality that is not implemented");
	return 0;
}

static int too_small(struct task *t, const struct s3_part_record *p)
{
	struct arena *a = task_arena(t);
	struct s3_error_detail d = {
		.proposed_size = str_printf(a, "%lld", (long long)p->data->size.v),
		.min_size_allowed = str_printf(a, "%lld", (long long)PART_MIN),
		.part_number = str_printf(a, "%lld", (long long)p->part_number.v),
		.e_tag = unquoted(p->e_tag),
	};

	return s3_fail(t, &d, "EntityTooSmall", 400,
	        "Your proposed upload is smaller than the minimum allowed size");
}

static int report(struct task *t, int bad, const struct completing *c)
{
	switch (bad) {
	case DONE_BEFORE:
		return 0;
	case INVALID_PART:
		return s3_fail(t, NULL, "InvalidPart", 400,
		        "One or more of the specified parts could not be found.  The part may not "
		        "have been uploaded, or the specified entity tag may not match the part's "
		        "entity tag.");
	case TOO_SMALL:
		return too_small(t, c->bad_part);
	case WRONG_SIZE:
		return fail_named(t, "InvalidRequest", 400,
		        "The provided 'x-amz-mp-object-size' header value %lld does not match "
		        "what was computed: %lld",
		        (long long)c->in->mpu_object_size.v, (long long)c->object.size.v);
	case WRONG_CHECKSUM:
		return fail_named(t, "BadDigest", 400,
		        "The %.*s you specified did not match the calculated checksum.",
		        STR(str_lower(task_arena(t), c->algorithm->name)));
	case S3_NO_SUCH_UPLOAD:
		return s3_upload_failed(t, bad, c->in->upload_id, &c->placing.ref);
	default:
		return s3_object_failed(t, bad, &c->placing.ref, c->placing.conditions.failed);
	}
}

static struct str location(struct task *t, struct str bucket, struct str key)
{
	struct arena *a = task_arena(t);
	const struct call *c = call_of(t);
	struct str host = c->http ? http_header_get(&c->http->request.headers, S("host"))
	                          : S("s3.amazonaws.com");

	return str_printf(a, "http%s://%.*s/%.*s/%.*s", c->http && c->http->request.tls ? "s" : "",
	        STR(host), STR(bucket), STR(uri_encode(a, key, false)));
}

int s3_complete_multipart_upload(struct task *t, const struct s3_complete_multipart_upload_in *in,
        struct s3_complete_multipart_upload_out *out)
{
	struct completing *c = arena_new(task_arena(t), struct completing);

	TRY(check_order(t, in));
	*c = (struct completing){ .in = in,
		.placing = { .ref = { in->bucket, in->key, { 0 } },
		        .object = &c->object,
		        .random = s3_version_random(task_arena(t)),
		        .conditions = { in->if_match, in->if_none_match, NULL } } };
	TRY(report(t, kv_update(t, complete, c), c));
	out->bucket = in->bucket;
	out->key = in->key;
	out->location = location(t, in->bucket, in->key);
	out->e_tag = c->object.e_tag;
	out->server_side_encryption = S("AES256");
	out->checksum_type = c->object.checksum_type;
	s3_checksum_show(&s3_shape_complete_multipart_upload_output, out,
	        c->object.checksum_algorithm, c->object.checksum);
	if (c->placing.has_versions)
		out->version_id = c->object.version_id;
	return 0;
}
