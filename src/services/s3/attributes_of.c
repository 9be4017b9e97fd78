/* GetObjectAttributes */
#include "services/s3/listing.h"
#include "services/s3/object.h"

struct reading {
	struct s3_ref ref;
	struct s3_object_record object;
	struct s3_content content;
	bool has_versions;
};

static int find(struct kv_txn *txn, void *arg)
{
	struct reading *r = arg;
	struct s3_bucket_record b;

	TRY(s3_bucket_read(txn, r->ref.bucket, &b));
	r->has_versions = b.versioning.p != NULL;
	TRY(s3_object_find(txn, &r->ref, &r->object));
	return r->object.parts.p ? s3_content_find(txn, &r->object, &r->content) : 0;
}

static bool is_asked(const struct s3_get_object_attributes_in *in, struct str name)
{
	for (size_t i = 0; i < in->object_attributes.n; i++)
		if (str_eq(in->object_attributes.v[i], name))
			return true;
	return false;
}

static int check(struct task *t, const struct s3_get_object_attributes_in *in)
{
	static const struct str known[] = { S_INIT("ETag"), S_INIT("Checksum"),
		S_INIT("ObjectParts"), S_INIT("StorageClass"), S_INIT("ObjectSize") };

	for (size_t i = 0; i < in->object_attributes.n; i++) {
		size_t k = 0;
		while (k < ARRAY_LEN(known) && !str_eq(known[k], in->object_attributes.v[i]))
			k++;
		if (k == ARRAY_LEN(known))
			return s3_invalid_argument(t, "x-amz-object-attributes",
			        in->object_attributes.v[i], "Invalid attribute name specified.");
	}
	return in->object_attributes.n
	               ? 0
	               : s3_invalid_argument(t, "x-amz-object-attributes", S(""),
	                         "The x-amz-object-attributes header specifying the attributes "
	                         "to be retrieved is either missing or empty");
}

/* The parts themselves are listed for composite checksums only. */
static struct s3_get_object_attributes_parts *show_parts(struct arena *a,
        const struct s3_get_object_attributes_in *in, const struct reading *r, size_t max)
{
	struct s3_get_object_attributes_parts *p =
	        arena_new(a, struct s3_get_object_attributes_parts);
	const struct s3_part_record_list *parts = &r->content.parts.parts;
	int64_t after = in->part_number_marker.set ? in->part_number_marker.v : 0;

	p->total_parts_count = r->object.parts_count;
	if (!str_eq(r->object.checksum_type, S("COMPOSITE")))
		return p;
	p->parts.v = arena_new_n(a, struct s3_object_part, MIN(parts->n, max) + 1);
	p->part_number_marker = opt_int(after);
	p->max_parts = opt_int((int64_t)max);
	p->is_truncated = opt_bool(false);
	for (size_t i = 0; i < parts->n; i++) {
		const struct s3_part_record *part = &parts->v[i];
		if (part->part_number.v <= after)
			continue;
		if (p->parts.n == max) {
			p->is_truncated = opt_bool(true);
			break;
		}
		struct s3_object_part *shown = &p->parts.v[p->parts.n++];
		*shown = (struct s3_object_part){ .part_number = part->part_number,
			.size = part->data->size };
		s3_checksum_show(
		        &s3_shape_object_part, shown, r->object.checksum_algorithm, part->checksum);
		p->next_part_number_marker = part->part_number;
	}
	return p;
}

static void show(struct arena *a, const struct s3_get_object_attributes_in *in,
        const struct reading *r, struct s3_get_object_attributes_out *out)
{
	const struct s3_object_record *o = &r->object;

	out->last_modified = o->last_modified;
	if (r->has_versions)
		out->version_id = o->version_id;
	if (is_asked(in, S("ETag")))
		out->e_tag = str_sub(o->e_tag, 1, o->e_tag.n - 2);
	if (is_asked(in, S("StorageClass")))
		out->storage_class = o->storage_class;
	if (is_asked(in, S("ObjectSize")))
		out->object_size = o->size;
	if (is_asked(in, S("Checksum"))) {
		out->checksum = arena_new(a, struct s3_checksum);
		out->checksum->checksum_type = o->checksum_type;
		s3_checksum_show(
		        &s3_shape_checksum, out->checksum, o->checksum_algorithm, o->checksum);
	}
}

int s3_get_object_attributes(struct task *t, const struct s3_get_object_attributes_in *in,
        struct s3_get_object_attributes_out *out)
{
	struct reading r = { .ref = { in->bucket, in->key, in->version_id } };
	size_t max;

	TRY(s3_reject_unsupported(t, in));
	TRY(check(t, in));
	TRY(s3_listing_max(t, in->max_parts, "x-amz-max-parts", &max));
	int bad = kv_view(t, find, &r);
	if (bad == S3_IS_MARKER && !in->version_id.p)
		bad = S3_NO_SUCH_KEY;
	TRY(s3_object_failed(t, bad, &r.ref, NULL));
	show(task_arena(t), in, &r, out);
	if (is_asked(in, S("ObjectParts")) && r.object.parts.p)
		out->object_parts = show_parts(task_arena(t), in, &r, max);
	return 0;
}
