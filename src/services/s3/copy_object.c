/* CopyObject */
#include "services/s3/copy_source.h"

#include "base/rand.h"
#include "kv/blobs.h"
#include "services/s3/tags.h"

#define TRIES 5

enum { SOURCE_CHANGED = 2000 };

struct copying {
	struct s3_copying source;
	struct s3_placing placing;
	struct s3_object_record object;
	struct s3_data_record data;
	struct s3_received received;
	bool shares; /* the source's blob, or a copy of its row: nothing is read */
};

/* A source that is one piece with the checksum that is wanted needs no reading. */
static bool can_share(const struct s3_copying *c, const struct s3_algorithm *wanted)
{
	return !c->object.parts.p && str_eq(c->object.checksum_algorithm, wanted->name);
}

static int place(struct kv_txn *txn, void *arg)
{
	struct copying *c = arg;
	struct s3_object_record now;

	if (c->shares && c->data.blob.p) {
		int got = s3_object_find(txn, &c->source.ref, &now);
		if (got < 0)
			return got;
		if (got || !now.data || !str_eq(now.data->blob, c->data.blob))
			return SOURCE_CHANGED;
		kv_blob_ref(txn, c->data.blob);
	} else {
		s3_data_keep(txn, &c->received);
	}
	return s3_object_place(txn, &c->placing);
}

static void share(struct task *t, struct copying *c)
{
	const struct s3_object_record *from = &c->source.object;

	c->shares = true;
	if (from->data)
		c->data = *from->data;
	if (c->data.row.p)
		c->data.row =
		        rand_text(task_arena(t), 24, S("0123456789abcdefghijklmnopqrstuvwxyz"));
	c->received = (struct s3_received){ .data = c->data, .bytes = c->source.content.bytes };
	c->object.e_tag = from->e_tag;
	c->object.checksum = from->checksum;
}

static int read_all(struct task *t, const struct s3_algorithm *algorithm, struct copying *c)
{
	struct s3_claims claims = s3_claims_none(algorithm);
	struct stream *s;

	TRY(s3_content_open(t, &c->source.content, 0, c->source.object.size.v, &s));
	int bad = s3_receive(t, s, &claims, &c->received);
	stream_close(s);
	TRY(bad);
	c->data = c->received.data;
	c->object.e_tag = c->received.e_tag;
	c->object.checksum = c->received.checksum;
	return 0;
}

static bool is_replaced(struct str directive)
{
	return str_eq(directive, S("REPLACE"));
}

static int check(struct task *t, const struct s3_copy_object_in *in, const struct s3_copying *c)
{
	const struct str directives[] = { in->metadata_directive, in->tagging_directive };

	for (size_t i = 0; i < ARRAY_LEN(directives); i++)
		if (directives[i].p && !is_replaced(directives[i]) &&
		        !str_eq(directives[i], S("COPY")))
			return s3_invalid_argument(t,
			        i == 0 ? "x-amz-metadata-directive" : "x-amz-tagging-directive",
			        directives[i],
			        i == 0 ? "Unknown metadata directive."
			               : "Unknown tagging directive.");
	bool same = str_eq(c->ref.bucket, in->bucket) && str_eq(c->ref.key, in->key) &&
	            !c->ref.version_id.p;
	bool changes = is_replaced(in->metadata_directive) || in->storage_class.p ||
	               in->website_redirect_location.p || in->server_side_encryption.p ||
	               in->checksum_algorithm.p;
	if (same && !changes)
		return fail_named(t, "InvalidRequest", 400,
		        "This copy request is illegal because it is trying to copy an object to "
		        "itself without changing the object's metadata, storage class, website "
		        "redirect location or encryption attributes.");
	return 0;
}

static int choose_attributes(struct task *t, const struct s3_copy_object_in *in, struct copying *c)
{
	const struct s3_object_record *from = &c->source.object;
	struct s3_object_record *o = &c->object;

	TRY(s3_object_from_request(t, in, o));
	if (!is_replaced(in->metadata_directive)) {
		struct str redirect = o->website_redirect_location;
		s3_copy_attributes(&s3_shape_object_record, o, &s3_shape_object_record, from);
		o->website_redirect_location = redirect;
	}
	if (!is_replaced(in->tagging_directive))
		o->tag_set = from->tag_set;
	return 0;
}

static int choose_algorithm(struct task *t, const struct s3_copy_object_in *in,
        const struct s3_copying *c, const struct s3_algorithm **algorithm)
{
	struct str name =
	        in->checksum_algorithm.p ? in->checksum_algorithm : c->object.checksum_algorithm;

	*algorithm = s3_algorithm_by_name(name);
	if (!*algorithm)
		return fail(t, API_ERROR_NOT_IMPLEMENTED,
		        "A header you provided implies functionality that is not implemented");
	return 0;
}

static int attempt(struct task *t, const struct s3_copy_object_in *in, struct copying *c)
{
	const struct s3_algorithm *algorithm;

	*c = (struct copying){ 0 };
	TRY(s3_copy_source_find(t, in, &c->source));
	TRY(check(t, in, &c->source));
	TRY(choose_attributes(t, in, c));
	TRY(choose_algorithm(t, in, &c->source, &algorithm));
	if (can_share(&c->source, algorithm))
		share(t, c);
	else
		TRY(read_all(t, algorithm, c));
	c->object.data = &c->data;
	c->object.size = c->source.object.size;
	c->object.checksum_algorithm = algorithm->name;
	c->object.checksum_type = S("FULL_OBJECT");
	c->placing = (struct s3_placing){ .ref = { in->bucket, in->key, { 0 } },
		.object = &c->object,
		.random = s3_version_random(task_arena(t)),
		.conditions = { in->if_match, in->if_none_match, NULL } };
	int bad = kv_update(t, place, c);
	if (bad && !c->shares)
		s3_received_discard(t, &c->received);
	return bad;
}

static void show(struct task *t, const struct copying *c, struct s3_copy_object_out *out)
{
	const struct s3_object_record *o = &c->object;
	struct s3_copy_object_result *r = arena_new(task_arena(t), struct s3_copy_object_result);

	r->e_tag = o->e_tag;
	r->last_modified = o->last_modified;
	r->checksum_type = o->checksum_type;
	s3_checksum_show(&s3_shape_copy_object_result, r, o->checksum_algorithm, o->checksum);
	out->copy_object_result = r;
	out->server_side_encryption = S("AES256");
	if (c->placing.has_versions)
		out->version_id = o->version_id;
	if (c->source.has_versions)
		out->copy_source_version_id = c->source.object.version_id;
}

int s3_copy_object(
        struct task *t, const struct s3_copy_object_in *in, struct s3_copy_object_out *out)
{
	struct copying *c = arena_new(task_arena(t), struct copying);
	int bad = SOURCE_CHANGED;

	TRY(s3_reject_unsupported(t, in));
	for (int i = 0; i < TRIES && (bad == SOURCE_CHANGED || bad == -ENOENT); i++)
		bad = attempt(t, in, c);
	if (bad == SOURCE_CHANGED)
		return fail(t, API_ERROR_THROTTLING, "Please reduce your request rate.");
	if (call_of(t)->failure.code)
		return bad;
	TRY(s3_object_failed(t, bad, &c->placing.ref, c->placing.conditions.failed));
	show(t, c, out);
	return 0;
}
