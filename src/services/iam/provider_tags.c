/* Tags of identity providers. */
#include "services/iam/provider.h"

static int tag(struct iam_work *w, const struct iam_provider_kind *kind, struct str arn,
        const struct iam_tag_list_type *tags)
{
	struct iam_provider_record r;

	TRY(iam_provider_get(w, kind, arn, &r));
	TRY(iam_tags_merge(w, &r.tags, tags));
	iam_provider_put(w, kind, &r);
	return 0;
}

static int untag(struct iam_work *w, const struct iam_provider_kind *kind, struct str arn,
        const struct iam_tag_key_list_type *keys)
{
	struct iam_provider_record r;

	TRY(iam_provider_get(w, kind, arn, &r));
	iam_tags_remove(&r.tags, keys->v, keys->n);
	iam_provider_put(w, kind, &r);
	return 0;
}

#define TAGS(kind, lower)                                                                     \
	static int tag_##lower(struct iam_work *w, const struct iam_tag_##lower##_in *in,     \
	        struct iam_tag_##lower##_out *out)                                            \
	{                                                                                     \
		return tag(w, kind, in->lower##_arn, &in->tags);                              \
	}                                                                                     \
	IAM_OPERATION(iam_update, tag_##lower)                                                \
	static int untag_##lower(struct iam_work *w, const struct iam_untag_##lower##_in *in, \
	        struct iam_untag_##lower##_out *out)                                          \
	{                                                                                     \
		return untag(w, kind, in->lower##_arn, &in->tag_keys);                        \
	}                                                                                     \
	IAM_OPERATION(iam_update, untag_##lower)                                              \
	static int list_##lower##_tags(struct iam_work *w,                                    \
	        const struct iam_list_##lower##_tags_in *in,                                  \
	        struct iam_list_##lower##_tags_out *out)                                      \
	{                                                                                     \
		struct iam_page page = IAM_PAGE(in);                                          \
		struct iam_provider_record r;                                                 \
		TRY(iam_provider_get(w, kind, in->lower##_arn, &r));                          \
		out->tags = iam_tags_page(w, &page, &r.tags);                                 \
		IAM_PAGED(&page, out);                                                        \
		return 0;                                                                     \
	}                                                                                     \
	IAM_OPERATION(iam_view, list_##lower##_tags)
TAGS(&iam_oidc, open_id_connect_provider)
TAGS(&iam_saml, saml_provider)
