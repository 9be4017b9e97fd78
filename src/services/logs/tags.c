/* Tags of log groups: TagLogGroup and TagResource with their counterparts. */
#include "services/logs/group.h"

#define TAGS_MAX 50

struct change {
	struct logs_group g;
	struct logs_tags add;
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

	TRY(logs_group_load(txn, &c->g));
	const struct logs_tags *old = &c->g.r.tags;
	struct logs_tags_entry *v =
	        arena_new_n(kv_arena(txn), struct logs_tags_entry, old->n + c->add.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < old->n; i++)
		if (!is_removed(c, old->v[i].key))
			v[n++] = old->v[i];
	for (size_t i = 0; i < c->add.n; i++)
		v[n++] = c->add.v[i];
	if (n > TAGS_MAX)
		return LOGS_TOO_MANY_TAGS_EXCEPTION;
	c->g.r.tags = (struct logs_tags){ v, n };
	logs_group_store(txn, &c->g);
	return 0;
}

static int apply(struct task *t, struct change *c, int too_many)
{
	int bad = kv_update(t, change, c);

	if (bad == LOGS_RESOURCE_NOT_FOUND_EXCEPTION)
		return logs_group_missing(t);
	if (bad == LOGS_TOO_MANY_TAGS_EXCEPTION)
		return fail(t, too_many, "A log group can have up to %d tags.", TAGS_MAX);
	return bad;
}

/* An ARN: nothing else is a resource with tags here. */
static int of_arn(struct task *t, struct str arn, struct logs_group *g)
{
	if (!str_starts(arn, S("arn:")))
		return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION,
		        "The specified resource ARN is not valid.");
	return logs_group_ref(t, (struct str){ 0 }, arn, g);
}

int logs_tag_log_group(
        struct task *t, const struct logs_tag_log_group_in *in, struct logs_tag_log_group_out *out)
{
	struct change c = { .add = in->tags };

	TRY(logs_group_ref(t, in->log_group_name, (struct str){ 0 }, &c.g));
	return apply(t, &c, LOGS_INVALID_PARAMETER_EXCEPTION);
}

int logs_untag_log_group(struct task *t, const struct logs_untag_log_group_in *in,
        struct logs_untag_log_group_out *out)
{
	struct change c = { .remove = in->tags.v, .n_remove = in->tags.n };

	TRY(logs_group_ref(t, in->log_group_name, (struct str){ 0 }, &c.g));
	return apply(t, &c, LOGS_INVALID_PARAMETER_EXCEPTION);
}

int logs_tag_resource(
        struct task *t, const struct logs_tag_resource_in *in, struct logs_tag_resource_out *out)
{
	struct change c = { .add = in->tags };

	TRY(of_arn(t, in->resource_arn, &c.g));
	return apply(t, &c, LOGS_TOO_MANY_TAGS_EXCEPTION);
}

int logs_untag_resource(struct task *t, const struct logs_untag_resource_in *in,
        struct logs_untag_resource_out *out)
{
	struct change c = { .remove = in->tag_keys.v, .n_remove = in->tag_keys.n };

	TRY(of_arn(t, in->resource_arn, &c.g));
	return apply(t, &c, LOGS_TOO_MANY_TAGS_EXCEPTION);
}

/* Present even when there are none, as AWS shows them. */
static struct logs_tags shown(struct arena *a, const struct logs_group *g)
{
	struct logs_tags tags = g->r.tags;

	if (!tags.v)
		tags.v = arena_new(a, struct logs_tags_entry);
	return tags;
}

int logs_list_tags_log_group(struct task *t, const struct logs_list_tags_log_group_in *in,
        struct logs_list_tags_log_group_out *out)
{
	struct logs_group g;

	TRY(logs_group_find(t, in->log_group_name, (struct str){ 0 }, &g));
	out->tags = shown(task_arena(t), &g);
	return 0;
}

int logs_list_tags_for_resource(struct task *t, const struct logs_list_tags_for_resource_in *in,
        struct logs_list_tags_for_resource_out *out)
{
	struct logs_group g;

	TRY(of_arn(t, in->resource_arn, &g));
	TRY(logs_group_find(t, g.name, (struct str){ 0 }, &g));
	out->tags = shown(task_arena(t), &g);
	return 0;
}
