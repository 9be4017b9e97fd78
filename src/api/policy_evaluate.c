/*
 * policy_evaluate: the decision, as documented in "Policy evaluation logic".
 *
 * Each set of documents is read once and gives a verdict: denied, and how far an allow reaches. The
 * verdicts are then combined. Why something was denied is worked out only when it was.
 */
#include "api/policy_internal.h"

/* ---- statements ---- */

static bool action_fits(const struct policy_request *r, const struct policy_statement *s)
{
	bool named = false;

	for (size_t i = 0; i < s->actions.n && !named; i++)
		named = policy_action_match(s->actions.v[i].text, r->action);
	return named != s->not_action;
}

static bool resource_fits(
        struct arena *a, const struct policy_request *r, const struct policy_statement *s)
{
	bool named = false, unresolved = false;

	if (s->resources.n == 0)
		return true;
	for (size_t i = 0; i < s->resources.n && !named; i++)
		named = policy_arn_match(a, r, r->resource, &s->resources.v[i], &unresolved);
	/* What must not be allowed is unknown: nothing is allowed. */
	if (s->not_resource && unresolved && s->allow)
		return false;
	return named != s->not_resource;
}

bool policy_statement_fits(struct arena *a, const struct policy_request *r,
        const struct policy *policy, const struct policy_statement *s, enum policy_grant *grant)
{
	*grant = POLICY_GRANT_DIRECT;
	if (!action_fits(r, s))
		return false;
	if (policy->kind != POLICY_IDENTITY) {
		*grant = policy_principal_match(r, s);
		if (*grant == POLICY_GRANT_NONE)
			return false;
	}
	return resource_fits(a, r, s);
}

static bool conditions_met(
        struct arena *a, const struct policy_request *r, const struct policy_statement *s)
{
	for (size_t i = 0; i < s->n_conditions; i++)
		if (!policy_condition_met(a, r, &s->conditions[i], NULL))
			return false;
	return true;
}

/* ---- sets of documents ---- */

static void add_match(struct policy_evaluation *e, const struct policy_source *source,
        const struct policy_statement *s)
{
	struct policy_result *result = e->result;

	if (result->n_matches == e->matches_capacity) {
		size_t capacity = MAX(e->matches_capacity * 2, (size_t)4);
		struct policy_match *v = arena_new_n(e->a, struct policy_match, capacity);
		if (result->n_matches)
			memcpy(v, result->matches, result->n_matches * sizeof *v);
		result->matches = v;
		e->matches_capacity = capacity;
	}
	result->matches[result->n_matches++] = (struct policy_match){
		.source = source->name,
		.sid = s->sid,
		.statement = (size_t)(s - source->policy->v),
		.allow = s->allow,
	};
}

static void read_document(struct policy_evaluation *e, const struct policy_source *source,
        struct policy_verdict *verdict)
{
	const struct policy *policy = source->policy;

	verdict->trust = verdict->trust || policy->kind == POLICY_TRUST;
	for (size_t i = 0; i < policy->n; i++) {
		const struct policy_statement *s = &policy->v[i];
		enum policy_grant grant;
		if (!policy_statement_fits(e->a, e->request, policy, s, &grant) ||
		        !conditions_met(e->a, e->request, s))
			continue;
		add_match(e, source, s);
		if (!s->allow)
			verdict->denied = true;
		else
			verdict->grant = MAX(verdict->grant, grant);
	}
}

static struct policy_verdict read_set(
        struct policy_evaluation *e, const struct policy_source *sources, size_t n)
{
	struct policy_verdict verdict = { 0 };

	for (size_t i = 0; i < n; i++)
		read_document(e, &sources[i], &verdict);
	return verdict;
}

/* ---- the decision ---- */

bool policy_is_cross_account(const struct policy_request *r)
{
	return r->principal_account.n && r->resource_account.n &&
	       !str_eq(r->principal_account, r->resource_account);
}

/* Services, anonymous and federated callers have no policies of their own. */
bool policy_has_identity(const struct policy_request *r)
{
	return r->principal_arn.n && r->principal_account.n && !r->principal_service.n;
}

/* Boundary and session policies cut what has been allowed; an empty set of them does not. */
static bool is_cut(const struct policy_evaluation *e)
{
	if (e->request->is_root)
		return false;
	return (e->set->n_boundary && !e->boundary.grant) ||
	       (e->set->n_session && !e->session.grant);
}

static bool is_allowed(const struct policy_evaluation *e)
{
	const struct policy_request *r = e->request;
	enum policy_grant grant = e->resource.grant;
	bool identity = (r->is_root || e->identity.grant) && !is_cut(e);

	if (!policy_has_identity(r))
		return grant == POLICY_GRANT_DIRECT;
	if (policy_is_cross_account(r))
		return identity && grant;
	if (grant == POLICY_GRANT_DIRECT)
		return true;
	/* A role must be trusted; elsewhere the identity's own policies are enough. */
	if (e->resource.trust && !grant)
		return false;
	return identity || (grant == POLICY_GRANT_ROLE && !is_cut(e));
}

void policy_evaluate(struct arena *a, const struct policy_request *request,
        const struct policy_set *set, struct policy_result *result)
{
	struct policy_evaluation e = { .a = a, .request = request, .set = set, .result = result };

	*result = (struct policy_result){ 0 };
	/* Read as an identity policy, a resource policy would be everyone's. */
	for (size_t i = 0; i < set->n_resource; i++)
		ensure(set->resource[i].policy->kind != POLICY_IDENTITY);
	e.identity = read_set(&e, set->identity, set->n_identity);
	e.boundary = read_set(&e, set->boundary, set->n_boundary);
	e.session = read_set(&e, set->session, set->n_session);
	e.resource = read_set(&e, set->resource, set->n_resource);
	if (e.identity.denied || e.boundary.denied || e.session.denied || e.resource.denied)
		result->decision = POLICY_EXPLICIT_DENY;
	else
		result->decision = is_allowed(&e) ? POLICY_ALLOWED : POLICY_IMPLICIT_DENY;
	if (result->decision != POLICY_ALLOWED)
		policy_explain(&e);
}
