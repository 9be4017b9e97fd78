/* Tags of users and roles. */
#include "services/iam/entity.h"

static int tag(struct iam_work *w, enum iam_kind kind, struct str name,
        const struct iam_tag_list_type *tags)
{
	struct iam_entity_record r;

	TRY(iam_entity_get(w, kind, name, &r));
	TRY(iam_tags_merge(w, &r.tags, tags));
	iam_entity_put(w, kind, &r);
	return 0;
}

static int untag(struct iam_work *w, enum iam_kind kind, struct str name,
        const struct iam_tag_key_list_type *keys)
{
	struct iam_entity_record r;

	TRY(iam_entity_get(w, kind, name, &r));
	iam_tags_remove(&r.tags, keys->v, keys->n);
	iam_entity_put(w, kind, &r);
	return 0;
}

#define TAGS(kind, lower)                                                                     \
	static int tag_##lower(struct iam_work *w, const struct iam_tag_##lower##_in *in,     \
	        struct iam_tag_##lower##_out *out)                                            \
	{                                                                                     \
		return tag(w, kind, in->lower##_name, &in->tags);                             \
	}                                                                                     \
	IAM_OPERATION(iam_update, tag_##lower)                                                \
	static int untag_##lower(struct iam_work *w, const struct iam_untag_##lower##_in *in, \
	        struct iam_untag_##lower##_out *out)                                          \
	{                                                                                     \
		return untag(w, kind, in->lower##_name, &in->tag_keys);                       \
	}                                                                                     \
	IAM_OPERATION(iam_update, untag_##lower)                                              \
	static int list_##lower##_tags(struct iam_work *w,                                    \
	        const struct iam_list_##lower##_tags_in *in,                                  \
	        struct iam_list_##lower##_tags_out *out)                                      \
	{                                                                                     \
		struct iam_page page = IAM_PAGE(in);                                          \
		struct iam_entity_record r;                                                   \
		TRY(iam_entity_get(w, kind, in->lower##_name, &r));                           \
		out->tags = iam_tags_page(w, &page, &r.tags);                                 \
		IAM_PAGED(&page, out);                                                        \
		return 0;                                                                     \
	}                                                                                     \
	IAM_OPERATION(iam_view, list_##lower##_tags)
TAGS(IAM_USER, user)
TAGS(IAM_ROLE, role)
