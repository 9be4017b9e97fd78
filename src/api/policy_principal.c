/*
 * policy_principal: does a statement's Principal name the caller, and how?
 *
 * As documented in "Policy evaluation logic": a user, a session, a service or everyone is named
 * directly; a role is named for its sessions; an account is named to let its own policies decide.
 */
#include "api/policy_internal.h"

static struct str root_arn_account(struct str value)
{
	struct str prefix = S("arn:aws:iam::");

	if (value.n == prefix.n + 12 + 5 && str_starts(value, prefix) &&
	        str_ends(value, S(":root")))
		return str_sub(value, prefix.n, 12);
	return value;
}

static enum policy_grant match_aws(const struct policy_request *r, struct str value)
{
	if (r->principal_arn.n && str_eq(value, r->principal_arn))
		return POLICY_GRANT_DIRECT;
	if (r->role_arn.n && str_eq(value, r->role_arn))
		return POLICY_GRANT_ROLE;
	if (r->principal_account.n && str_eq(root_arn_account(value), r->principal_account))
		return r->is_root ? POLICY_GRANT_DIRECT : POLICY_GRANT_ACCOUNT;
	return POLICY_GRANT_NONE;
}

/* Services are also named with a region: logs.eu-west-1.amazonaws.com. */
static bool match_service(const struct policy_request *r, struct str value)
{
	struct str suffix = S(".amazonaws.com"), rest = value, name;

	if (r->principal_service.n == 0)
		return false;
	if (str_eq_nocase(value, r->principal_service))
		return true;
	if (!str_ends(value, suffix) || !str_ends(r->principal_service, suffix))
		return false;
	rest.n -= suffix.n;
	name = str_cut(&rest, '.');
	return rest.n && str_find_char(rest, '.') < 0 && str_find_char(rest, '-') > 0 &&
	       str_eq_nocase(
	               name, str_sub(r->principal_service, 0, r->principal_service.n - suffix.n));
}

static enum policy_grant match_one(const struct policy_request *r, const struct policy_principal *p)
{
	switch (p->type) {
	case POLICY_PRINCIPAL_ANY:
		return POLICY_GRANT_DIRECT;
	case POLICY_PRINCIPAL_AWS:
		return match_aws(r, p->value);
	case POLICY_PRINCIPAL_SERVICE:
		return match_service(r, p->value) ? POLICY_GRANT_DIRECT : POLICY_GRANT_NONE;
	case POLICY_PRINCIPAL_FEDERATED:
		return r->federated.n && str_eq(r->federated, p->value) ? POLICY_GRANT_DIRECT
		                                                        : POLICY_GRANT_NONE;
	case POLICY_PRINCIPAL_CANONICAL:
		break;
	}
	return POLICY_GRANT_NONE;
}

enum policy_grant policy_principal_match(
        const struct policy_request *r, const struct policy_statement *s)
{
	enum policy_grant best = POLICY_GRANT_NONE;

	for (size_t i = 0; i < s->n_principals; i++)
		best = MAX(best, match_one(r, &s->principals[i]));
	if (!s->not_principal)
		return best;
	/* Naming the account alone excepts nobody in it: the user or role must be named too. */
	return best > POLICY_GRANT_ACCOUNT ? POLICY_GRANT_NONE : POLICY_GRANT_DIRECT;
}
