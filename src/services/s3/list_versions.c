/* ListObjectVersions: the current objects' rows and the other versions' rows, merged by key. */
#include "services/s3/listing.h"

#include "kv/key.h"
#include "services/s3/object.h"

/* One of the two ranges, at its next row. */
struct rows {
	struct kv_scan *scan;
	struct str kind, name;
	struct s3_object_record object;
	bool has;
};

struct page {
	struct s3_listing l;
	struct str bucket, encoding, version_marker;
	struct s3_owner *owner;
	struct s3_object_version *versions;
	struct s3_delete_marker_entry *markers;
	size_t n_versions, n_markers;
	struct str last_version;
	struct str seen; /* the key whose latest version was passed */
};

static struct str kind_prefix(struct arena *a, struct str kind, struct str bucket)
{
	return kv_key(a, "sssss", S("s3"), S(""), S(""), kind, bucket);
}

static int advance(struct kv_txn *txn, struct rows *r)
{
	struct arena *a = kv_arena(txn);
	struct str key, value, skip;

	r->has = kv_next(r->scan, &key, &value);
	if (!r->has)
		return 0;
	if (!kv_key_read(a, key, "ssssss", &skip, &skip, &skip, &skip, &skip, &r->name))
		return -EPROTO;
	r->object = (struct s3_object_record){ 0 };
	return record_unpack(a, &s3_shape_object_record, str_dup(a, value), &r->object);
}

static int open_rows(struct kv_txn *txn, const struct page *p, struct str from, struct rows *r)
{
	struct arena *a = kv_arena(txn);
	struct str prefix = kind_prefix(a, r->kind, p->bucket);
	struct str end = p->l.prefix.n ? kv_key(a, "ssssss", S("s3"), S(""), S(""), r->kind,
	                                         p->bucket, kv_prefix_end(a, p->l.prefix))
	                               : kv_prefix_end(a, prefix);

	kv_scan_close(&r->scan);
	r->scan = kv_scan(txn, from, end, false);
	return advance(txn, r);
}

static struct str row_key(struct arena *a, struct str kind, struct str bucket, struct str name)
{
	return kv_key(a, "ssssss", S("s3"), S(""), S(""), kind, bucket, name);
}

static void add(struct page *p, struct arena *a, const struct rows *r, bool latest)
{
	const struct s3_object_record *o = &r->object;
	struct str key = s3_listing_text(a, p->encoding, r->name);

	p->last_version = o->version_id;
	if (o->delete_marker.v) {
		p->markers[p->n_markers++] = (struct s3_delete_marker_entry){ .owner = p->owner,
			.key = key,
			.version_id = o->version_id,
			.is_latest = opt_bool(latest),
			.last_modified = o->last_modified };
		return;
	}
	struct s3_object_version *v = &p->versions[p->n_versions++];
	*v = (struct s3_object_version){ .e_tag = o->e_tag,
		.checksum_type = o->checksum_type,
		.size = o->size,
		.storage_class = o->storage_class,
		.key = key,
		.version_id = o->version_id,
		.is_latest = opt_bool(latest),
		.last_modified = o->last_modified,
		.owner = p->owner };
	if (o->checksum_algorithm.p) {
		v->checksum_algorithm.v = arena_new(a, struct str);
		v->checksum_algorithm.v[0] = o->checksum_algorithm;
		v->checksum_algorithm.n = 1;
	}
}

/* Of two rows the one that comes first; of the same key, the current version. */
static struct rows *choose(struct rows *current, struct rows *old)
{
	if (!current->has || !old->has)
		return current->has ? current : old->has ? old : NULL;
	return str_cmp(current->name, old->name) <= 0 ? current : old;
}

static int walk(struct kv_txn *txn, struct page *p, struct rows *current, struct rows *old)
{
	struct arena *a = kv_arena(txn);
	struct rows *r;

	while ((r = choose(current, old))) {
		struct str group = s3_listing_group(&p->l, r->name);
		if (group.p) {
			if (!s3_listing_add_group(&p->l, a, group))
				return 0;
			struct str next = kv_prefix_end(a, group);
			p->last_version = (struct str){ 0 };
			TRY(open_rows(txn, p, row_key(a, current->kind, p->bucket, next), current));
			TRY(open_rows(txn, p, row_key(a, old->kind, p->bucket, next), old));
			continue;
		}
		if (!s3_listing_add(&p->l, r->name))
			return 0;
		add(p, a, r, !p->seen.p || !str_eq(p->seen, r->name));
		p->seen = r->name;
		TRY(advance(txn, r));
	}
	return 0;
}

/* Behind a version of the marker's key: the older ones of that key come first. */
static int begin_inside(struct kv_txn *txn, struct page *p, struct rows *current, struct rows *old)
{
	struct arena *a = kv_arena(txn);
	struct s3_ref ref = { p->bucket, p->l.after, p->version_marker };
	uint64_t age;
	int got = s3_object_age(txn, &ref, &age);

	if (got < 0)
		return got;
	struct str from = got ? row_key(a, old->kind, p->bucket, p->l.after)
	                      : s3_version_key(a, p->bucket, p->l.after, age + 1);
	p->seen = p->l.after;
	TRY(open_rows(txn, p, from, old));
	struct str next = str_concat(a, 2, p->l.after, (struct str){ "\0", 1 });
	return open_rows(txn, p, row_key(a, current->kind, p->bucket, next), current);
}

static int list(struct kv_txn *txn, void *arg)
{
	struct page *p = arg;
	struct arena *a = kv_arena(txn);
	struct rows current = { .kind = S("object") }, old = { .kind = S("version") };
	struct s3_bucket_record b;
	struct str name;
	int bad;

	TRY(s3_bucket_read(txn, p->bucket, &b));
	p->owner = s3_owner_of(a, b.account);
	if (p->l.max == 0 || !s3_listing_begin(&p->l, a, &name))
		return 0;
	p->versions = arena_new_n(a, struct s3_object_version, p->l.max);
	p->markers = arena_new_n(a, struct s3_delete_marker_entry, p->l.max);
	if (p->version_marker.n) {
		bad = begin_inside(txn, p, &current, &old);
	} else {
		bad = open_rows(txn, p, row_key(a, current.kind, p->bucket, name), &current);
		if (!bad)
			bad = open_rows(txn, p, row_key(a, old.kind, p->bucket, name), &old);
	}
	if (!bad)
		bad = walk(txn, p, &current, &old);
	kv_scan_close(&current.scan);
	kv_scan_close(&old.scan);
	return bad;
}

static struct str present(struct str s)
{
	return s.p ? s : S("");
}

static void show(struct arena *a, const struct s3_list_object_versions_in *in, struct page *p,
        struct s3_list_object_versions_out *out)
{
	for (size_t i = 0; i < p->l.n_groups; i++)
		p->l.groups[i].prefix = s3_listing_text(a, p->encoding, p->l.groups[i].prefix);
	out->name = in->bucket;
	out->prefix = s3_listing_text(a, p->encoding, present(in->prefix));
	out->delimiter = s3_listing_text(a, p->encoding, in->delimiter);
	out->key_marker = s3_listing_text(a, p->encoding, present(in->key_marker));
	out->version_id_marker = present(in->version_id_marker);
	out->encoding_type = in->encoding_type;
	out->max_keys = opt_int((int64_t)p->l.max);
	out->is_truncated = opt_bool(p->l.more);
	out->versions = (struct s3_object_version_list){ p->versions, p->n_versions };
	out->delete_markers = (struct s3_delete_markers){ p->markers, p->n_markers };
	out->common_prefixes = (struct s3_common_prefix_list){ p->l.groups, p->l.n_groups };
	if (!p->l.more)
		return;
	out->next_key_marker = s3_listing_text(a, p->encoding, p->l.last);
	if (!p->l.last_is_group)
		out->next_version_id_marker = p->last_version;
}

int s3_list_object_versions(struct task *t, const struct s3_list_object_versions_in *in,
        struct s3_list_object_versions_out *out)
{
	struct page p = { .l = { .prefix = in->prefix,
		                  .delimiter = in->delimiter,
		                  .after = in->key_marker.n ? in->key_marker : (struct str){ 0 } },
		.bucket = in->bucket,
		.encoding = in->encoding_type,
		.version_marker = in->version_id_marker };

	TRY(s3_listing_encoding(t, in->encoding_type));
	TRY(s3_listing_max(t, in->max_keys, "maxKeys", &p.l.max));
	if (in->version_id_marker.p && !in->key_marker.n)
		return s3_invalid_argument(t, "version-id-marker", in->version_id_marker,
		        "A version-id marker cannot be specified without a key marker.");
	struct str group = p.l.after.p ? s3_listing_group(&p.l, p.l.after) : S("");
	p.l.after_group = group.n > 0 && str_eq(group, p.l.after);
	int bad = kv_view(t, list, &p);
	if (bad == S3_NO_SUCH_BUCKET)
		return s3_no_such_bucket(t, in->bucket);
	TRY(bad);
	show(task_arena(t), in, &p, out);
	return 0;
}
