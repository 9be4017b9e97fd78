#pragma once
/* provider: identity providers (OpenID Connect and SAML), one record for both. */
#include "services/iam/entity.h"

struct iam_provider_kind {
	struct str row;       /* "oidc-provider": in keys and ARNs */
	struct str not_found; /* before the ARN */
	int64_t quota;
};
extern const struct iam_provider_kind iam_oidc, iam_saml;

struct str iam_provider_arn(
        struct iam_work *w, const struct iam_provider_kind *kind, struct str name);
int iam_provider_get(struct iam_work *w, const struct iam_provider_kind *kind, struct str arn,
        struct iam_provider_record *r) MUST_USE;
void iam_provider_put(struct iam_work *w, const struct iam_provider_kind *kind,
        const struct iam_provider_record *r);
/* A new one; `exists` says which is there already. */
int iam_provider_create(struct iam_work *w, const struct iam_provider_kind *kind,
        struct iam_provider_record *r, struct str exists) MUST_USE;
int iam_provider_delete(
        struct iam_work *w, const struct iam_provider_kind *kind, struct str arn) MUST_USE;
/* All of the account: quotas keep them few. */
struct iam_providers {
	struct iam_provider_record *v;
	size_t n;
};
int iam_provider_all(struct iam_work *w, const struct iam_provider_kind *kind,
        struct iam_providers *all) MUST_USE;
