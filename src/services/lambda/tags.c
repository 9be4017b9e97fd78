/* TagResource, UntagResource, ListTags */
#include "services/lambda/function.h"

#define TAGS_MAX 50

struct change {
	struct lambda_ref ref;
	struct lambda_tags add;
	const struct str *remove;
	size_t n_remove;
};

static bool is_removed(const struct change *c, struct str key)
{
	for (size_t i = 0; i < c->n_remove; i++)
		if (str_eq(c->remove[i], key))
			return true;
	for (size_t i = 0; i < c->add.n; i++)
		if (str_eq(c->add.v[i].key, key))
			return true;
	return false;
}

static int change(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;
	struct arena *a = kv_arena(txn);
	struct lambda_function_record r;
	size_t n = 0;

	TRY(lambda_record_get(txn, &c->ref, &r));
	struct lambda_tags_entry *v =
	        arena_new_n(a, struct lambda_tags_entry, r.tags.n + c->add.n + 1);
	for (size_t i = 0; i < r.tags.n; i++)
		if (!is_removed(c, r.tags.v[i].key))
			v[n++] = r.tags.v[i];
	for (size_t i = 0; i < c->add.n; i++)
		v[n++] = c->add.v[i];
	if (n > TAGS_MAX)
		return LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION;
	r.tags = (struct lambda_tags){ v, n };
	record_put(txn, lambda_function_key(a, &c->ref), &lambda_shape_function_record, &r);
	return 0;
}

static int apply(struct task *t, struct change *c)
{
	int bad = kv_update(t, change, c);

	if (bad == KV_NOT_FOUND)
		return lambda_not_found(t, &c->ref);
	if (bad == LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION)
		return fail(t, bad, "Tag count exceeds the limit of %d.", TAGS_MAX);
	return bad;
}

int lambda_tag_resource(struct task *t, const struct lambda_tag_resource_in *in,
        struct lambda_tag_resource_out *out)
{
	struct change c = { .add = in->tags };

	TRY(lambda_ref_parse(t, in->resource, (struct str){ 0 }, &c.ref));
	return apply(t, &c);
}

int lambda_untag_resource(struct task *t, const struct lambda_untag_resource_in *in,
        struct lambda_untag_resource_out *out)
{
	struct change c = { .remove = in->tag_keys.v, .n_remove = in->tag_keys.n };

	TRY(lambda_ref_parse(t, in->resource, (struct str){ 0 }, &c.ref));
	return apply(t, &c);
}

int lambda_list_tags(
        struct task *t, const struct lambda_list_tags_in *in, struct lambda_list_tags_out *out)
{
	struct lambda_ref ref;
	struct lambda_function_record r;

	TRY(lambda_find(t, in->resource, (struct str){ 0 }, &ref, &r));
	out->tags = r.tags;
	return 0;
}
