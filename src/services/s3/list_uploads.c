/* ListMultipartUploads, ListParts */
#include "services/s3/listing.h"

#include "kv/key.h"
#include "services/s3/upload.h"

struct page {
	struct s3_listing l;
	struct str bucket, encoding, id_marker, last_id;
	struct s3_owner *owner;
	struct s3_multipart_upload *v;
	size_t n;
};

static struct s3_initiator *initiator_of(struct arena *a, struct str arn, struct str owner)
{
	struct s3_initiator *i = arena_new(a, struct s3_initiator);

	i->id = arn.p ? arn : owner;
	return i;
}

static void add(struct page *p, struct arena *a, struct str key, struct str id,
        const struct s3_upload_record *u)
{
	p->last_id = id;
	p->v[p->n] = (struct s3_multipart_upload){ .upload_id = id,
		.key = s3_listing_text(a, p->encoding, key),
		.initiated = u->initiated,
		.storage_class = u->object->storage_class,
		.owner = p->owner,
		.initiator = initiator_of(a, u->initiator, p->owner->id) };
	if (u->stated_checksum.v) {
		p->v[p->n].checksum_algorithm = u->object->checksum_algorithm;
		p->v[p->n].checksum_type = u->object->checksum_type;
	}
	p->n++;
}

static int run(struct kv_txn *txn, struct page *p, struct str *from, struct str end)
{
	struct arena *a = kv_arena(txn);
	struct str key, value, name, id, skip;
	CLEANUP(kv_scan_close) struct kv_scan *s = kv_scan(txn, *from, end, false);

	*from = (struct str){ 0 };
	while (kv_next(s, &key, &value)) {
		struct s3_upload_record u = { 0 };
		if (!kv_key_read(a, key, "sssssss", &skip, &skip, &skip, &skip, &skip, &name, &id))
			return -EPROTO;
		struct str group = s3_listing_group(&p->l, name);
		if (group.p) {
			p->last_id = (struct str){ 0 };
			if (s3_listing_add_group(&p->l, a, group))
				*from = kv_key(a, "ssssss", S("s3"), S(""), S(""), S("upload"),
				        p->bucket, kv_prefix_end(a, group));
			return 0;
		}
		if (!s3_listing_add(&p->l, name))
			return 0;
		TRY(record_unpack(a, &s3_shape_upload_record, str_dup(a, value), &u));
		add(p, a, name, id, &u);
	}
	return 0;
}

static int list(struct kv_txn *txn, void *arg)
{
	struct page *p = arg;
	struct arena *a = kv_arena(txn);
	struct str prefix = kv_key(a, "sssss", S("s3"), S(""), S(""), S("upload"), p->bucket);
	struct s3_bucket_record b;
	struct str name, from, end;

	TRY(s3_bucket_read(txn, p->bucket, &b));
	p->owner = s3_owner_of(a, b.account);
	p->v = arena_new_n(a, struct s3_multipart_upload, p->l.max);
	if (p->l.max == 0 || !s3_listing_begin(&p->l, a, &name))
		return 0;
	from = kv_key(a, "ssssss", S("s3"), S(""), S(""), S("upload"), p->bucket, name);
	if (p->id_marker.n && p->l.after.p)
		from = str_concat(a, 2, s3_upload_key(a, p->bucket, p->l.after, p->id_marker),
		        (struct str){ "\0", 1 });
	end = p->l.prefix.n ? kv_key(a, "ssssss", S("s3"), S(""), S(""), S("upload"), p->bucket,
	                              kv_prefix_end(a, p->l.prefix))
	                    : kv_prefix_end(a, prefix);
	while (from.p && str_cmp(from, end) < 0)
		TRY(run(txn, p, &from, end));
	return 0;
}

static struct str present(struct str s)
{
	return s.p ? s : S("");
}

int s3_list_multipart_uploads(struct task *t, const struct s3_list_multipart_uploads_in *in,
        struct s3_list_multipart_uploads_out *out)
{
	struct arena *a = task_arena(t);
	struct page p = { .l = { .prefix = in->prefix,
		                  .delimiter = in->delimiter,
		                  .after = in->key_marker.n ? in->key_marker : (struct str){ 0 } },
		.bucket = in->bucket,
		.encoding = in->encoding_type,
		.id_marker = in->upload_id_marker };

	TRY(s3_listing_encoding(t, in->encoding_type));
	TRY(s3_listing_max(t, in->max_uploads, "max-uploads", &p.l.max));
	struct str group = p.l.after.p ? s3_listing_group(&p.l, p.l.after) : S("");
	p.l.after_group = group.n > 0 && str_eq(group, p.l.after);
	int bad = kv_view(t, list, &p);
	if (bad == S3_NO_SUCH_BUCKET)
		return s3_no_such_bucket(t, in->bucket);
	TRY(bad);
	for (size_t i = 0; i < p.l.n_groups; i++)
		p.l.groups[i].prefix = s3_listing_text(a, p.encoding, p.l.groups[i].prefix);
	out->bucket = in->bucket;
	out->prefix = s3_listing_text(a, p.encoding, present(in->prefix));
	out->delimiter = s3_listing_text(a, p.encoding, in->delimiter);
	out->key_marker = s3_listing_text(a, p.encoding, present(in->key_marker));
	out->upload_id_marker = present(in->upload_id_marker);
	out->encoding_type = in->encoding_type;
	out->max_uploads = opt_int((int64_t)p.l.max);
	out->is_truncated = opt_bool(p.l.more);
	out->uploads = (struct s3_multipart_upload_list){ p.v, p.n };
	out->common_prefixes = (struct s3_common_prefix_list){ p.l.groups, p.l.n_groups };
	if (p.l.more) {
		out->next_key_marker = s3_listing_text(a, p.encoding, p.l.last);
		out->next_upload_id_marker = p.last_id;
	}
	return 0;
}

/* ---- parts ---- */

struct parts_page {
	const struct s3_list_parts_in *in;
	size_t max;
	struct s3_upload_record upload;
	struct s3_part_record_list parts;
	struct s3_bucket_record bucket;
};

static int list_parts(struct kv_txn *txn, void *arg)
{
	struct parts_page *p = arg;
	const struct s3_list_parts_in *in = p->in;
	uint64_t after = in->part_number_marker.set ? (uint64_t)in->part_number_marker.v : 0;

	TRY(s3_bucket_read(txn, in->bucket, &p->bucket));
	TRY(s3_upload_read(txn, in->bucket, in->key, in->upload_id, &p->upload));
	return s3_upload_parts(txn, in->upload_id, after, p->max + 1, &p->parts);
}

static void show_parts(struct arena *a, struct parts_page *p, struct s3_list_parts_out *out)
{
	const struct s3_object_record *o = p->upload.object;
	size_t n = MIN(p->parts.n, p->max);

	out->parts.v = arena_new_n(a, struct s3_part, n);
	out->parts.n = n;
	for (size_t i = 0; i < n; i++) {
		const struct s3_part_record *r = &p->parts.v[i];
		out->parts.v[i] = (struct s3_part){ .part_number = r->part_number,
			.last_modified = r->last_modified,
			.e_tag = r->e_tag,
			.size = r->data->size };
		s3_checksum_show(
		        &s3_shape_part, &out->parts.v[i], o->checksum_algorithm, r->checksum);
	}
	out->is_truncated = opt_bool(p->parts.n > p->max);
	if (n > 0)
		out->next_part_number_marker = out->parts.v[n - 1].part_number;
	out->storage_class = o->storage_class;
	if (p->upload.stated_checksum.v) {
		out->checksum_algorithm = o->checksum_algorithm;
		out->checksum_type = o->checksum_type;
	}
}

int s3_list_parts(struct task *t, const struct s3_list_parts_in *in, struct s3_list_parts_out *out)
{
	struct arena *a = task_arena(t);
	struct parts_page *p = arena_new(a, struct parts_page);
	struct s3_ref ref = { in->bucket, in->key, { 0 } };

	p->in = in;
	TRY(s3_listing_max(t, in->max_parts, "max-parts", &p->max));
	TRY(s3_upload_failed(t, kv_view(t, list_parts, p), in->upload_id, &ref));
	out->bucket = in->bucket;
	out->key = in->key;
	out->upload_id = in->upload_id;
	out->max_parts = opt_int((int64_t)p->max);
	out->part_number_marker = in->part_number_marker.set ? in->part_number_marker : opt_int(0);
	out->owner = s3_owner_of(a, p->bucket.account);
	out->initiator = initiator_of(a, p->upload.initiator, out->owner->id);
	show_parts(a, p, out);
	return 0;
}
