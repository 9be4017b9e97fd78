/* provider: rows of identity providers. */
#include "services/iam/provider.h"

#include "api/arn.h"

const struct iam_provider_kind iam_oidc = {
	.row = S_INIT("oidc-provider"),
	.not_found = S_INIT("OpenIDConnect Provider not found for arn"),
	.quota = 100,
};
const struct iam_provider_kind iam_saml = {
	.row = S_INIT("saml-provider"),
	.not_found = S_INIT("Manifest not found for arn"),
	.quota = 100,
};

struct str iam_provider_arn(
        struct iam_work *w, const struct iam_provider_kind *kind, struct str name)
{
	return arn_make(w->arena, "iam", S(""), w->account, "%.*s/%.*s", STR(kind->row), STR(name));
}

int iam_provider_get(struct iam_work *w, const struct iam_provider_kind *kind, struct str arn,
        struct iam_provider_record *r)
{
	struct str before = iam_provider_arn(w, kind, S(""));
	int got = KV_NOT_FOUND;

	*r = (struct iam_provider_record){ 0 };
	if (str_starts(arn, before))
		got = record_get(w->txn, iam_key1(w, kind->row, str_sub(arn, before.n, arn.n)),
		        &iam_shape_provider_record, r);
	if (got != KV_NOT_FOUND)
		return got;
	return iam_refuse(
	        w, IAM_NO_SUCH_ENTITY_EXCEPTION, "%.*s %.*s", STR(kind->not_found), STR(arn));
}

void iam_provider_put(struct iam_work *w, const struct iam_provider_kind *kind,
        const struct iam_provider_record *r)
{
	record_put(w->txn, iam_key1(w, kind->row, r->name), &iam_shape_provider_record, r);
}

int iam_provider_create(struct iam_work *w, const struct iam_provider_kind *kind,
        struct iam_provider_record *r, struct str exists)
{
	struct iam_tag_list_type tags = r->tags;
	struct iam_providers all;

	if (kv_has(w->txn, iam_key1(w, kind->row, r->name)))
		return iam_refuse(w, IAM_ENTITY_ALREADY_EXISTS_EXCEPTION, "%.*s", STR(exists));
	TRY(iam_provider_all(w, kind, &all));
	if ((int64_t)all.n >= kind->quota)
		return iam_refuse(w, IAM_LIMIT_EXCEEDED_EXCEPTION,
		        "Cannot exceed quota for IdentityProvidersPerAccount: %lld",
		        (long long)kind->quota);
	r->created = opt_time(w->now_ms / 1000 * 1000);
	r->tags = (struct iam_tag_list_type){ 0 };
	TRY(iam_tags_merge(w, &r->tags, &tags));
	iam_provider_put(w, kind, r);
	return iam_count(w, S("Providers"), 1, INT64_MAX);
}

int iam_provider_delete(struct iam_work *w, const struct iam_provider_kind *kind, struct str arn)
{
	struct iam_provider_record r;

	TRY(iam_provider_get(w, kind, arn, &r));
	kv_del(w->txn, iam_key1(w, kind->row, r.name));
	return iam_count(w, S("Providers"), -1, 0);
}

int iam_provider_all(
        struct iam_work *w, const struct iam_provider_kind *kind, struct iam_providers *all)
{
	CLEANUP(kv_scan_close)
	struct kv_scan *s =
	        kv_scan_prefix(w->txn, iam_key1(w, kind->row, (struct str){ 0 }), false);
	struct str key, value;

	*all = (struct iam_providers){ .v = arena_new_n(
		                               w->arena, struct iam_provider_record, kind->quota) };
	while ((int64_t)all->n < kind->quota && kv_next(s, &key, &value))
		TRY(record_unpack(w->arena, &iam_shape_provider_record, str_dup(w->arena, value),
		        &all->v[all->n++]));
	return 0;
}
