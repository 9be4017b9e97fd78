/* GetObject, HeadObject */
#include "services/s3/conditions.h"
#include "services/s3/object.h"

#define TRIES 5

struct reading {
	struct s3_ref ref;
	struct s3_object_record object;
	struct s3_content content;
	bool has_versions;
	bool with_parts; /* HEAD needs no list of parts unless it asks for one */
	/* what of it */
	bool is_range;
	int64_t offset, n;
	const struct s3_part_record *part;
};

static int find(struct kv_txn *txn, void *arg)
{
	struct reading *r = arg;
	struct s3_bucket_record b;

	TRY(s3_bucket_read(txn, r->ref.bucket, &b));
	r->has_versions = b.versioning.p != NULL;
	TRY(s3_object_find(txn, &r->ref, &r->object));
	if (!r->with_parts)
		return 0;
	return s3_content_find(txn, &r->object, &r->content);
}

/* Who may not list the bucket does not learn that a key is not there. */
static int missing(struct task *t, const struct s3_ref *ref)
{
	struct call *c = call_of(t);
	struct api_access access = { .action = S("s3:ListBucket") };
	struct policy_result result = { .decision = POLICY_ALLOWED };
	enum api_iam_mode mode = api_options_of(t)->iam;
	bool asked = mode == API_IAM_ENFORCE ||
	             (mode == API_IAM_WARN && c->principal.type == PRINCIPAL_ANONYMOUS);
	struct s3_bucket_record b;

	if (asked) {
		TRY(s3_bucket_load(t, ref->bucket, &b));
		access.resource = s3_bucket_arn(task_arena(t), ref->bucket);
		access.resource_account = b.account;
		access.resource_policy = b.policy;
		TRY(api_decide(t, &c->principal, &access, &result));
	}
	if (result.decision != POLICY_ALLOWED)
		return fail(t, S3_ACCESS_DENIED, "Access Denied");
	return s3_object_failed(t, S3_NO_SUCH_KEY, ref, NULL);
}

static int marker_found(struct task *t, const struct reading *r)
{
	struct arena *a = task_arena(t);

	api_header(t, S("x-amz-delete-marker"), S("true"));
	api_header(t, S("x-amz-version-id"), r->object.version_id);
	if (!r->ref.version_id.p)
		return missing(t, &r->ref);
	api_header(t, S("Allow"), S("DELETE"));
	api_header(t, S("Last-Modified"), time_rfc822(a, r->object.last_modified.ms));
	return s3_object_failed(t, S3_IS_MARKER, &r->ref, NULL);
}

static int load(struct task *t, struct reading *r)
{
	int bad = kv_view(t, find, r);

	if (bad == S3_IS_MARKER)
		return marker_found(t, r);
	if (bad == S3_NO_SUCH_KEY)
		return missing(t, &r->ref);
	return s3_object_failed(t, bad, &r->ref, NULL);
}

/* ---- conditions and ranges ---- */

static int check_conditions(
        struct task *t, const struct s3_get_object_in *in, const struct reading *r)
{
	struct call *c = call_of(t);
	const char *failed;
	struct s3_read_conditions conditions = {
		.if_match = in->if_match,
		.if_none_match = in->if_none_match,
		.has_modified_since = in->if_modified_since.set,
		.modified_since_ms = in->if_modified_since.ms,
		.has_unmodified_since = in->if_unmodified_since.set,
		.unmodified_since_ms = in->if_unmodified_since.ms,
		.now_ms = c->now_ms,
	};

	switch (s3_read_verdict(
	        &conditions, r->object.e_tag, r->object.last_modified.ms, &failed)) {
	case S3_READ_FAILED:
		return s3_object_failed(t, S3_PRECONDITION_FAILED, &r->ref, failed);
	case S3_READ_NOT_MODIFIED:
		api_header(t, S("ETag"), r->object.e_tag);
		api_header(t, S("Last-Modified"),
		        time_rfc822(task_arena(t), r->object.last_modified.ms));
		return s3_fail(t, NULL, "NotModified", 304, "Not Modified");
	default:
		return 0;
	}
}

static int bad_range(struct task *t, const struct reading *r, struct str asked)
{
	struct s3_error_detail d = { .range_requested = asked,
		.actual_object_size =
		        str_printf(task_arena(t), "%lld", (long long)r->object.size.v) };

	return s3_fail(t, &d, "InvalidRange", 416, "The requested range is not satisfiable");
}

static int choose_part(struct task *t, int64_t number, struct reading *r)
{
	const struct s3_part_record_list *parts = &r->content.parts.parts;

	r->is_range = true;
	r->offset = 0;
	if (!r->object.parts.p && number == 1)
		return 0;
	for (size_t i = 0; i < parts->n; i++) {
		const struct s3_part_record *p = &parts->v[i];
		r->n = p->data->size.v;
		r->part = p;
		if ((int64_t)i + 1 == number)
			return 0;
		r->offset += r->n;
	}
	return s3_fail(
	        t, NULL, "InvalidPartNumber", 416, "The requested partnumber is not satisfiable");
}

static int choose_range(struct task *t, const struct s3_get_object_in *in, struct reading *r)
{
	r->offset = 0;
	r->n = r->object.size.v;
	if (in->part_number.set && in->range.p)
		return fail_named(t, "InvalidRequest", 400,
		        "Cannot specify both Range header and partNumber query parameter");
	if (in->part_number.set)
		return choose_part(t, in->part_number.v, r);
	if (!in->range.p)
		return 0;
	switch (s3_range_parse(in->range, r->object.size.v, &r->offset, &r->n)) {
	case S3_RANGE_UNSATISFIABLE:
		return bad_range(t, r, in->range);
	case S3_RANGE_PART:
		r->is_range = true;
		return 0;
	default:
		r->offset = 0;
		r->n = r->object.size.v;
		return 0;
	}
}

/* ---- the answer ---- */

static void show_checksum(struct task *t, const struct reading *r, struct s3_get_object_out *out)
{
	const struct s3_object_record *o = &r->object;
	struct str value = r->part ? r->part->checksum : o->checksum;

	if (!value.p || (r->is_range && !r->part && r->n != o->size.v))
		return;
	s3_checksum_show(&s3_shape_get_object_output, out, o->checksum_algorithm, value);
	out->checksum_type = o->checksum_type;
}

static void show(struct task *t, const struct s3_get_object_in *in, const struct reading *r,
        struct s3_get_object_out *out)
{
	const struct s3_object_record *o = &r->object;

	s3_copy_attributes(&s3_shape_get_object_output, out, &s3_shape_object_record, o);
	out->accept_ranges = S("bytes");
	out->e_tag = o->e_tag;
	out->last_modified = o->last_modified;
	out->content_length = opt_int(r->n);
	out->server_side_encryption = S("AES256");
	if (!str_eq(o->storage_class, S("STANDARD")))
		out->storage_class = o->storage_class;
	if (r->has_versions)
		out->version_id = o->version_id;
	if (o->tag_set.n)
		out->tag_count = opt_int((int64_t)o->tag_set.n);
	if (str_eq(in->checksum_mode, S("ENABLED")))
		show_checksum(t, r, out);
	if (in->part_number.set && o->parts.p)
		out->parts_count = o->parts_count;
	if (!r->is_range)
		return;
	call_of(t)->status = 206;
	if (r->n > 0)
		out->content_range =
		        str_printf(task_arena(t), "bytes %lld-%lld/%lld", (long long)r->offset,
		                (long long)(r->offset + r->n - 1), (long long)o->size.v);
}

/* response-content-type and its like. */
static int override(
        struct task *t, const struct s3_get_object_in *in, struct s3_get_object_out *out)
{
	const struct {
		struct str asked, *member;
	} texts[] = {
		{ in->response_cache_control, &out->cache_control },
		{ in->response_content_disposition, &out->content_disposition },
		{ in->response_content_encoding, &out->content_encoding },
		{ in->response_content_language, &out->content_language },
		{ in->response_content_type, &out->content_type },
	};
	bool any = in->response_expires.set;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i].asked.p) {
			*texts[i].member = texts[i].asked;
			any = true;
		}
	if (in->response_expires.set)
		out->expires = in->response_expires;
	if (any && call_of(t)->principal.type == PRINCIPAL_ANONYMOUS)
		return fail_named(t, "InvalidRequest", 400,
		        "Request specific response headers cannot be used for anonymous GET "
		        "requests.");
	return 0;
}

static int look(struct task *t, const struct s3_get_object_in *in, struct reading *r)
{
	TRY(load(t, r));
	TRY(check_conditions(t, in, r));
	return choose_range(t, in, r);
}

int s3_get_object(struct task *t, const struct s3_get_object_in *in, struct s3_get_object_out *out)
{
	struct reading r;
	int bad = -ENOENT;

	TRY(s3_reject_unsupported(t, in));
	/* Between the look and the opening, an overwritten object's blob may go: look again. */
	for (int i = 0; i < TRIES && bad == -ENOENT; i++) {
		r = (struct reading){ .ref = { in->bucket, in->key, in->version_id },
			.with_parts = true };
		TRY(look(t, in, &r));
		bad = s3_content_open(t, &r.content, r.offset, r.n, &out->body);
	}
	TRY(bad);
	show(t, in, &r, out);
	bad = override(t, in, out);
	if (bad)
		stream_close(out->body);
	return bad;
}

/* HeadObject's answer is GetObject's without the body. */
static void copy_answer(const struct s3_get_object_out *from, struct s3_head_object_out *to)
{
	const struct shape *f = &s3_shape_get_object_output, *w = &s3_shape_head_object_output;

	for (uint32_t i = 0; i < w->n_members; i++)
		for (uint32_t j = 0; j < f->n_members; j++)
			if (str_eq(w->members[i].name, f->members[j].name))
				memcpy(shape_member_at(&w->members[i], to),
				        shape_member_at(&f->members[j], from),
				        w->members[i].shape->size);
}

int s3_head_object(
        struct task *t, const struct s3_head_object_in *in, struct s3_head_object_out *out)
{
	struct s3_get_object_out full = { 0 };
	struct s3_get_object_in get = { .bucket = in->bucket,
		.key = in->key,
		.version_id = in->version_id,
		.if_match = in->if_match,
		.if_none_match = in->if_none_match,
		.if_modified_since = in->if_modified_since,
		.if_unmodified_since = in->if_unmodified_since,
		.range = in->range,
		.part_number = in->part_number,
		.checksum_mode = in->checksum_mode,
		.response_cache_control = in->response_cache_control,
		.response_content_disposition = in->response_content_disposition,
		.response_content_encoding = in->response_content_encoding,
		.response_content_language = in->response_content_language,
		.response_content_type = in->response_content_type,
		.response_expires = in->response_expires };
	struct reading r = { .ref = { in->bucket, in->key, in->version_id },
		.with_parts = in->part_number.set };

	TRY(s3_reject_unsupported(t, in));
	TRY(look(t, &get, &r));
	show(t, &get, &r, &full);
	TRY(override(t, &get, &full));
	copy_answer(&full, out);
	return 0;
}
