/* ListBuckets */
#include "services/s3/bucket.h"

#include "kv/key.h"

#define BUCKETS_MAX 10000

struct listing {
	struct str account, prefix, region, after;
	size_t max;
	struct s3_bucket *v;
	size_t n, capacity;
	struct str last;
	bool more;
};

static void add(struct listing *l, struct arena *a, const struct s3_bucket_record *b)
{
	if (l->n == l->capacity) {
		size_t capacity = MAX((size_t)16, 2 * l->capacity);
		struct s3_bucket *v = arena_new_n(a, struct s3_bucket, capacity);
		if (l->n)
			memcpy(v, l->v, l->n * sizeof *v);
		l->v = v;
		l->capacity = capacity;
	}
	l->v[l->n++] = (struct s3_bucket){ .name = b->name,
		.creation_date = b->creation_date,
		.bucket_region = b->region,
		.bucket_arn = s3_bucket_arn(a, b->name) };
	l->last = b->name;
}

static int list(struct kv_txn *txn, void *arg)
{
	struct listing *l = arg;
	struct arena *a = kv_arena(txn);
	struct str all = kv_key(a, "ssss", S("s3"), l->account, S(""), S("owned"));
	struct str from = s3_owned_key(a, l->account, l->prefix.p ? l->prefix : S(""));
	struct str key, value, name, skip;

	if (l->after.p && str_cmp(l->after, l->prefix) >= 0)
		from = str_concat(
		        a, 2, s3_owned_key(a, l->account, l->after), (struct str){ "\0", 1 });
	CLEANUP(kv_scan_close)
	struct kv_scan *s = kv_scan(txn, from, kv_prefix_end(a, all), false);
	l->n = 0;
	while (kv_next(s, &key, &value)) {
		struct s3_bucket_record b;
		if (!kv_key_read(a, key, "sssss", &skip, &skip, &skip, &skip, &name))
			return -EPROTO;
		if (l->prefix.p && !str_starts(name, l->prefix))
			break;
		TRY(s3_bucket_read(txn, name, &b));
		if (l->region.p && !str_eq(b.region, l->region))
			continue;
		l->more = l->n == l->max;
		if (l->more)
			break;
		add(l, a, &b);
	}
	return 0;
}

int s3_list_buckets(
        struct task *t, const struct s3_list_buckets_in *in, struct s3_list_buckets_out *out)
{
	struct listing l = { .account = call_of(t)->account,
		.prefix = in->prefix,
		.region = in->bucket_region,
		.max = BUCKETS_MAX };

	if (in->max_buckets.set) {
		if (in->max_buckets.v < 1 || in->max_buckets.v > BUCKETS_MAX)
			return s3_invalid_argument(t, "max-buckets",
			        str_printf(task_arena(t), "%lld", (long long)in->max_buckets.v),
			        "Argument max-buckets must be an integer between 1 and 10000");
		l.max = (size_t)in->max_buckets.v;
	}
	if (in->continuation_token.p && !api_token_open(t, in->continuation_token, &l.after))
		return s3_invalid_argument(t, "continuation-token", in->continuation_token,
		        "The continuation token provided is incorrect");
	TRY(kv_view(t, list, &l));
	out->buckets.v = l.v ? l.v : arena_new(task_arena(t), struct s3_bucket);
	out->buckets.n = l.n;
	out->owner = s3_owner_of(task_arena(t), l.account);
	out->prefix = in->prefix;
	if (l.more)
		out->continuation_token = api_token_seal(t, l.last);
	return 0;
}
