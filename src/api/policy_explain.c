/*
 * policy_explain: why a request was denied, in AWS's words, and the statement that would allow it.
 */
#include "api/policy_internal.h"
#include "codec/json.h"

/* Where a denial came from. */
enum layer { LAYER_IDENTITY, LAYER_BOUNDARY, LAYER_SESSION, LAYER_RESOURCE, LAYER_TRUST };

static const struct {
	struct str denied, missing;
} words[] = {
	[LAYER_IDENTITY] = { S_INIT("an identity-based policy"), S_INIT("identity-based policy") },
	[LAYER_BOUNDARY] = { S_INIT("a permissions boundary"), S_INIT("permissions boundary") },
	[LAYER_SESSION] = { S_INIT("a session policy"), S_INIT("session policy") },
	[LAYER_RESOURCE] = { S_INIT("a resource-based policy"), S_INIT("resource-based policy") },
	[LAYER_TRUST] = { S_INIT("the role trust policy"), S_INIT("role trust policy") },
};

static enum layer resource_layer(const struct policy_evaluation *e)
{
	return e->resource.trust ? LAYER_TRUST : LAYER_RESOURCE;
}

static enum layer denying_layer(const struct policy_evaluation *e)
{
	if (e->identity.denied)
		return LAYER_IDENTITY;
	if (e->resource.denied)
		return resource_layer(e);
	return e->boundary.denied ? LAYER_BOUNDARY : LAYER_SESSION;
}

/* The first layer, in the order AWS names them, that lacks an allow. */
static enum layer lacking_layer(const struct policy_evaluation *e)
{
	const struct policy_request *r = e->request;
	bool by_role = !policy_is_cross_account(r) && e->resource.grant == POLICY_GRANT_ROLE;

	if (!policy_has_identity(r))
		return resource_layer(e);
	if (e->resource.trust && !e->resource.grant)
		return LAYER_TRUST;
	if (!r->is_root && !e->identity.grant && !by_role)
		return LAYER_IDENTITY;
	if (!r->is_root && e->set->n_boundary && !e->boundary.grant)
		return LAYER_BOUNDARY;
	if (!r->is_root && e->set->n_session && !e->session.grant)
		return LAYER_SESSION;
	return resource_layer(e);
}

/* ---- the statement ---- */

static void write_principal(struct json_writer *w, const struct policy_request *r)
{
	json_key(w, S("Principal"));
	if (!r->principal_service.n && !r->principal_arn.n && !r->federated.n) {
		json_str(w, S("*"));
		return;
	}
	json_object(w);
	if (r->principal_service.n)
		json_member_str(w, S("Service"), r->principal_service);
	else if (r->federated.n && !r->principal_arn.n)
		json_member_str(w, S("Federated"), r->federated);
	else
		json_member_str(w, S("AWS"), r->role_arn.n ? r->role_arn : r->principal_arn);
	json_end(w);
}

/* A service is let in for the one resource that it works for. */
static void write_source(struct json_writer *w, const struct policy_request *r)
{
	const struct policy_key *k = policy_key_find(r, S("aws:SourceArn"));

	if (!r->principal_service.n || !k || k->n_values != 1)
		return;
	json_key(w, S("Condition"));
	json_object(w);
	json_key(w, S("ArnLike"));
	json_object(w);
	json_member_str(w, S("aws:SourceArn"), k->values[0]);
	json_end(w);
	json_end(w);
}

static struct str statement(const struct policy_evaluation *e, enum layer layer)
{
	const struct policy_request *r = e->request;
	struct buf b = buf_init(e->a);
	struct json_writer w = json_writer(&b);

	json_object(&w);
	json_member_str(&w, S("Effect"), S("Allow"));
	if (layer == LAYER_RESOURCE || layer == LAYER_TRUST)
		write_principal(&w, r);
	json_member_str(&w, S("Action"), r->action);
	if (layer != LAYER_TRUST)
		json_member_str(&w, S("Resource"), r->resource.n ? r->resource : S("*"));
	if (layer == LAYER_RESOURCE)
		write_source(&w, r);
	json_end(&w);
	return buf_str(&b);
}

static struct str place(const struct policy_evaluation *e, enum layer layer)
{
	const struct policy_request *r = e->request;

	switch (layer) {
	case LAYER_IDENTITY:
		if (r->role_arn.n)
			return str_printf(e->a, "a policy of the role %.*s", STR(r->role_arn));
		return str_printf(e->a, "a policy of %.*s", STR(r->principal_arn));
	case LAYER_BOUNDARY:
		return S("the permissions boundary");
	case LAYER_SESSION:
		return S("the session policy");
	case LAYER_TRUST:
		return str_printf(e->a, "the trust policy of %.*s", STR(r->resource));
	case LAYER_RESOURCE:
		break;
	}
	return str_printf(e->a, "the resource policy of %.*s", STR(r->resource));
}

/* ---- keys that were asked for ---- */

static void add_missing_key(struct policy_result *result, struct str *keys, struct str key)
{
	for (size_t i = 0; i < result->n_missing_keys; i++)
		if (str_eq_nocase(result->missing_keys[i], key))
			return;
	keys[result->n_missing_keys++] = key;
	result->missing_keys = keys;
}

static size_t count_conditions(const struct policy_source *sources, size_t n)
{
	size_t total = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < sources[i].policy->n; k++)
			total += sources[i].policy->v[k].n_conditions;
	return total;
}

static void missing_keys(
        const struct policy_evaluation *e, const struct policy_source *sources, size_t n)
{
	size_t total = e->result->n_missing_keys + count_conditions(sources, n);
	struct str *keys = arena_new_n(e->a, struct str, total + 1);
	enum policy_grant grant;

	if (e->result->n_missing_keys)
		memcpy(keys, e->result->missing_keys, e->result->n_missing_keys * sizeof *keys);
	for (size_t i = 0; i < n; i++) {
		const struct policy *p = sources[i].policy;
		for (size_t k = 0; k < p->n; k++) {
			const struct policy_statement *s = &p->v[k];
			if (!s->allow || !policy_statement_fits(e->a, e->request, p, s, &grant))
				continue;
			for (size_t c = 0; c < s->n_conditions; c++) {
				struct str missing = { 0 };
				if (!policy_condition_met(
				            e->a, e->request, &s->conditions[c], &missing) &&
				        missing.p)
					add_missing_key(e->result, keys, missing);
			}
		}
	}
}

void policy_explain(const struct policy_evaluation *e)
{
	struct policy_result *result = e->result;
	const struct policy_set *set = e->set;

	if (result->decision == POLICY_EXPLICIT_DENY) {
		result->because = str_printf(
		        e->a, "with an explicit deny in %.*s", STR(words[denying_layer(e)].denied));
		return;
	}
	enum layer layer = lacking_layer(e);
	result->because = str_printf(e->a, "because no %.*s allows the %.*s action",
	        STR(words[layer].missing), STR(e->request->action));
	result->missing_statement = statement(e, layer);
	result->missing_place = place(e, layer);
	missing_keys(e, set->identity, set->n_identity);
	missing_keys(e, set->boundary, set->n_boundary);
	missing_keys(e, set->session, set->n_session);
	missing_keys(e, set->resource, set->n_resource);
}
