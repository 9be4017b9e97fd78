/* PutObjectTagging, GetObjectTagging, DeleteObjectTagging */
#include "services/s3/object.h"
#include "services/s3/tags.h"

struct tagging {
	struct s3_ref ref;
	const struct s3_tag_set *tags; /* to set; NULL: only read */
	struct s3_object_record object;
	bool has_versions;
};

static int run(struct kv_txn *txn, void *arg)
{
	struct tagging *g = arg;
	struct s3_bucket_record b;

	TRY(s3_bucket_read(txn, g->ref.bucket, &b));
	g->has_versions = b.versioning.p != NULL;
	TRY(s3_object_find(txn, &g->ref, &g->object));
	if (!g->tags)
		return 0;
	g->object.tag_set = *g->tags;
	s3_object_rewrite(txn, &g->ref, &g->object);
	return 0;
}

static int finish(struct task *t, int bad, const struct tagging *g, struct str *version_id)
{
	if (bad == S3_IS_MARKER && !g->ref.version_id.p)
		bad = S3_NO_SUCH_KEY;
	TRY(s3_object_failed(t, bad, &g->ref, NULL));
	if (g->has_versions)
		*version_id = g->object.version_id;
	return 0;
}

int s3_put_object_tagging(struct task *t, const struct s3_put_object_tagging_in *in,
        struct s3_put_object_tagging_out *out)
{
	struct tagging g = { .ref = { in->bucket, in->key, in->version_id } };

	if (!in->tagging)
		return s3_malformed_xml(t);
	g.tags = &in->tagging->tag_set;
	TRY(s3_tags_check(t, g.tags, 10));
	return finish(t, kv_update(t, run, &g), &g, &out->version_id);
}

int s3_get_object_tagging(struct task *t, const struct s3_get_object_tagging_in *in,
        struct s3_get_object_tagging_out *out)
{
	struct tagging g = { .ref = { in->bucket, in->key, in->version_id } };

	TRY(finish(t, kv_view(t, run, &g), &g, &out->version_id));
	out->tag_set = g.object.tag_set;
	if (!out->tag_set.v)
		out->tag_set.v = arena_new(task_arena(t), struct s3_tag);
	return 0;
}

int s3_delete_object_tagging(struct task *t, const struct s3_delete_object_tagging_in *in,
        struct s3_delete_object_tagging_out *out)
{
	struct s3_tag_set none = { 0 };
	struct tagging g = { .ref = { in->bucket, in->key, in->version_id }, .tags = &none };

	return finish(t, kv_update(t, run, &g), &g, &out->version_id);
}
