/* ListObjectsV2, ListObjects */
#include "services/s3/listing.h"

#include "kv/key.h"
#include "services/s3/object.h"

struct page {
	struct s3_listing l;
	struct str bucket, encoding;
	bool with_owner;
	struct s3_owner *owner;
	struct s3_object *v;
	size_t n, capacity;
};

static void add(struct page *p, struct arena *a, struct str key, const struct s3_object_record *o)
{
	if (p->n == p->capacity) {
		size_t capacity = MAX((size_t)32, 2 * p->capacity);
		struct s3_object *v = arena_new_n(a, struct s3_object, capacity);
		if (p->n)
			memcpy(v, p->v, p->n * sizeof *v);
		p->v = v;
		p->capacity = capacity;
	}
	struct s3_object *shown = &p->v[p->n++];
	*shown = (struct s3_object){ .key = s3_listing_text(a, p->encoding, key),
		.last_modified = o->last_modified,
		.e_tag = o->e_tag,
		.size = o->size,
		.checksum_type = o->checksum_type,
		.storage_class = o->storage_class,
		.owner = p->with_owner ? p->owner : NULL };
	if (o->checksum_algorithm.p) {
		shown->checksum_algorithm.v = arena_new(a, struct str);
		shown->checksum_algorithm.v[0] = o->checksum_algorithm;
		shown->checksum_algorithm.n = 1;
	}
}

/* Reads names until a group is met or the page is full. *from becomes where to go on; absent: done.
 */
static int run(struct kv_txn *txn, struct page *p, struct str *from, struct str end)
{
	struct arena *a = kv_arena(txn);
	struct str key, value, name, skip;
	CLEANUP(kv_scan_close) struct kv_scan *s = kv_scan(txn, *from, end, false);

	*from = (struct str){ 0 };
	while (kv_next(s, &key, &value)) {
		struct s3_object_record o = { 0 };
		if (!kv_key_read(a, key, "ssssss", &skip, &skip, &skip, &skip, &skip, &name))
			return -EPROTO;
		struct str group = s3_listing_group(&p->l, name);
		if (group.p) {
			if (s3_listing_add_group(&p->l, a, group))
				*from = s3_object_key(a, p->bucket, kv_prefix_end(a, group));
			return 0;
		}
		if (!s3_listing_add(&p->l, name))
			return 0;
		TRY(record_unpack(a, &s3_shape_object_record, str_dup(a, value), &o));
		add(p, a, name, &o);
	}
	return 0;
}

static int list(struct kv_txn *txn, void *arg)
{
	struct page *p = arg;
	struct arena *a = kv_arena(txn);
	struct s3_bucket_record b;
	struct str name, from, end;

	TRY(s3_bucket_read(txn, p->bucket, &b));
	p->owner = s3_owner_of(a, b.account);
	if (p->l.max == 0 || !s3_listing_begin(&p->l, a, &name))
		return 0;
	from = s3_object_key(a, p->bucket, name);
	end = p->l.prefix.n ? s3_object_key(a, p->bucket, kv_prefix_end(a, p->l.prefix))
	                    : kv_prefix_end(a, kv_key(a, "sssss", S("s3"), S(""), S(""),
	                                               S("object"), p->bucket));
	while (from.p && str_cmp(from, end) < 0)
		TRY(run(txn, p, &from, end));
	return 0;
}

static int load(struct task *t, struct page *p)
{
	struct arena *a = task_arena(t);
	int bad = kv_view(t, list, p);

	if (bad == S3_NO_SUCH_BUCKET)
		return s3_no_such_bucket(t, p->bucket);
	TRY(bad);
	for (size_t i = 0; i < p->l.n_groups; i++)
		p->l.groups[i].prefix = s3_listing_text(a, p->encoding, p->l.groups[i].prefix);
	return 0;
}

static struct str present(struct str s)
{
	return s.p ? s : S("");
}

/* A position: 'g' or 'k' for group or key, then the name. */
static int open_token(struct task *t, struct str token, struct s3_listing *l)
{
	struct str position;

	if (!api_token_open(t, token, &position) || position.n < 1)
		return s3_invalid_argument(t, "continuation-token", token,
		        "The continuation token provided is incorrect");
	l->after_group = position.p[0] == 'g';
	l->after = str_sub(position, 1, position.n);
	return 0;
}

int s3_list_objects_v2(
        struct task *t, const struct s3_list_objects_v2_in *in, struct s3_list_objects_v2_out *out)
{
	struct arena *a = task_arena(t);
	struct page p = { .l = { .prefix = in->prefix,
		                  .delimiter = in->delimiter,
		                  .after =
		                          in->start_after.n ? in->start_after : (struct str){ 0 } },
		.bucket = in->bucket,
		.encoding = in->encoding_type,
		.with_owner = in->fetch_owner.v };

	TRY(s3_listing_encoding(t, in->encoding_type));
	TRY(s3_listing_max(t, in->max_keys, "maxKeys", &p.l.max));
	if (in->continuation_token.p)
		TRY(open_token(t, in->continuation_token, &p.l));
	TRY(load(t, &p));
	out->name = in->bucket;
	out->prefix = s3_listing_text(a, p.encoding, present(in->prefix));
	out->delimiter = s3_listing_text(a, p.encoding, in->delimiter);
	out->start_after = s3_listing_text(a, p.encoding, in->start_after);
	out->encoding_type = in->encoding_type;
	out->max_keys = opt_int((int64_t)p.l.max);
	out->key_count = opt_int((int64_t)p.l.n);
	out->is_truncated = opt_bool(p.l.more);
	out->continuation_token = in->continuation_token;
	out->contents = (struct s3_object_list){ p.v, p.n };
	out->common_prefixes = (struct s3_common_prefix_list){ p.l.groups, p.l.n_groups };
	if (p.l.more)
		out->next_continuation_token = api_token_seal(
		        t, str_concat(a, 2, p.l.last_is_group ? S("g") : S("k"), p.l.last));
	return 0;
}

int s3_list_objects(
        struct task *t, const struct s3_list_objects_in *in, struct s3_list_objects_out *out)
{
	struct arena *a = task_arena(t);
	struct page p = { .l = { .prefix = in->prefix,
		                  .delimiter = in->delimiter,
		                  .after = in->marker.n ? in->marker : (struct str){ 0 } },
		.bucket = in->bucket,
		.encoding = in->encoding_type,
		.with_owner = true };

	TRY(s3_listing_encoding(t, in->encoding_type));
	TRY(s3_listing_max(t, in->max_keys, "maxKeys", &p.l.max));
	/* A marker that is a common prefix was shown as one. */
	struct str group = p.l.after.p ? s3_listing_group(&p.l, p.l.after) : S("");
	p.l.after_group = group.n > 0 && str_eq(group, p.l.after);
	TRY(load(t, &p));
	out->name = in->bucket;
	out->prefix = s3_listing_text(a, p.encoding, present(in->prefix));
	out->marker = s3_listing_text(a, p.encoding, present(in->marker));
	out->delimiter = s3_listing_text(a, p.encoding, in->delimiter);
	out->encoding_type = in->encoding_type;
	out->max_keys = opt_int((int64_t)p.l.max);
	out->is_truncated = opt_bool(p.l.more);
	out->contents = (struct s3_object_list){ p.v, p.n };
	out->common_prefixes = (struct s3_common_prefix_list){ p.l.groups, p.l.n_groups };
	if (p.l.more && in->delimiter.n)
		out->next_marker = s3_listing_text(a, p.encoding, p.l.last);
	return 0;
}
