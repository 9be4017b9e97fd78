/*
 * SimulatePrincipalPolicy, SimulateCustomPolicy, GetContextKeysForPrincipalPolicy,
 * GetContextKeysForCustomPolicy: the evaluator, asked without doing.
 */
#include "services/iam/managed.h"
#include "services/iam/position.h"
#include "services/iam/sources.h"

#include "api/arn.h"

struct simulation {
	struct str account;
	struct iam_sources identity, boundary, resource;
	struct str caller_arn, resource_owner;
	const struct iam_action_name_list_type *actions;
	const struct iam_resource_name_list_type *resources;
	const struct iam_context_entry_list_type *context;
	struct policy_set set;
};

static void add_inputs(struct arena *a, struct iam_sources *s, const char *list,
        const struct iam_simulation_policy_list_type *documents)
{
	for (size_t i = 0; i < documents->n; i++)
		iam_sources_add(a, s,
		        (struct iam_source){ str_printf(a, "%s.%zu", list, i + 1), S("IAM Policy"),
		                documents->v[i] });
}

static int parse_sources(struct iam_work *w, const struct iam_sources *s, enum policy_kind kind,
        struct policy_source **v, size_t *n)
{
	struct str why = S("");

	*v = arena_new_n(w->arena, struct policy_source, s->n + 1);
	*n = s->n;
	for (size_t i = 0; i < s->n; i++) {
		(*v)[i].name = s->v[i].id;
		if (policy_parse(w->arena, s->v[i].document, kind, &(*v)[i].policy, &why) != 0)
			return iam_refuse(w, IAM_INVALID_INPUT_EXCEPTION,
			        "Invalid policy %.*s: %.*s", STR(s->v[i].id), STR(why));
	}
	return 0;
}

static int parse_all(struct iam_work *w, struct simulation *s)
{
	struct policy_set *set = &s->set;

	TRY(parse_sources(w, &s->identity, POLICY_IDENTITY, &set->identity, &set->n_identity));
	TRY(parse_sources(w, &s->boundary, POLICY_IDENTITY, &set->boundary, &set->n_boundary));
	return parse_sources(w, &s->resource, POLICY_RESOURCE, &set->resource, &set->n_resource);
}

/* ---- one action on one resource ---- */

static const struct iam_source *source_by_id(const struct simulation *s, struct str id)
{
	const struct iam_sources *all[] = { &s->identity, &s->boundary, &s->resource };

	for (size_t l = 0; l < ARRAY_LEN(all); l++)
		for (size_t i = 0; i < all[l]->n; i++)
			if (str_eq(all[l]->v[i].id, id))
				return &all[l]->v[i];
	return NULL;
}

static struct iam_position *position_of(struct arena *a, int64_t line, int64_t column)
{
	struct iam_position *p = arena_new(a, struct iam_position);

	p->line = opt_int(line);
	p->column = opt_int(column);
	return p;
}

/* The statements that decided: those that deny, or else those that allow. */
static struct iam_statement_list_type statements(
        struct arena *a, const struct simulation *s, const struct policy_result *result)
{
	struct iam_statement_list_type list = { .v = arena_new_n(a, struct iam_statement,
		                                        result->n_matches + 1) };
	bool denied = result->decision == POLICY_EXPLICIT_DENY;

	for (size_t i = 0; i < result->n_matches; i++) {
		const struct policy_match *m = &result->matches[i];
		const struct iam_source *source = source_by_id(s, m->source);
		struct iam_span span;
		if (!source || m->allow == denied)
			continue;
		struct iam_statement *to = &list.v[list.n++];
		to->source_policy_id = source->id;
		to->source_policy_type = S("IAM Policy");
		if (!iam_statement_span(source->document, m->statement, &span))
			continue;
		to->start_position = position_of(a, span.start_line, span.start_column);
		to->end_position = position_of(a, span.end_line, span.end_column);
	}
	return list;
}

static struct policy_request request_of(
        struct arena *a, const struct simulation *s, struct str action, struct str resource)
{
	const struct iam_context_entry_list_type *context = s->context;
	struct policy_key *keys = arena_new_n(a, struct policy_key, context->n + 1);
	struct arn arn;

	for (size_t i = 0; i < context->n; i++)
		keys[i] = (struct policy_key){
			.name = context->v[i].context_key_name,
			.values = context->v[i].context_key_values.v,
			.n_values = context->v[i].context_key_values.n,
			.multivalued = str_ends(context->v[i].context_key_type, S("List")),
		};
	struct policy_request r = {
		.principal_arn = s->caller_arn,
		.principal_account = arn_parse(s->caller_arn, &arn) ? arn.account : s->account,
		.action = action,
		.resource = resource,
		.resource_account = s->account,
		.keys = keys,
		.n_keys = context->n,
	};
	if (arn_parse(s->resource_owner, &arn))
		r.resource_account = arn.account;
	if (arn_parse(s->caller_arn, &arn) && str_starts(arn.resource, S("role/")))
		r.role_arn = s->caller_arn;
	return r;
}

static struct iam_permissions_boundary_decision_detail *boundary_detail(
        struct arena *a, const struct simulation *s, const struct policy_request *r)
{
	struct iam_permissions_boundary_decision_detail *d;
	struct policy_set set = { .identity = s->set.boundary, .n_identity = s->set.n_boundary };
	struct policy_result result = { 0 };

	if (!s->set.n_boundary)
		return NULL;
	policy_evaluate(a, r, &set, &result);
	d = arena_new(a, struct iam_permissions_boundary_decision_detail);
	d->allowed_by_permissions_boundary = opt_bool(result.decision == POLICY_ALLOWED);
	return d;
}

static void simulate_one(struct arena *a, const struct simulation *s, struct str action,
        struct str resource, struct iam_evaluation_result *to)
{
	static const struct str decisions[] = {
		[POLICY_ALLOWED] = S_INIT("allowed"),
		[POLICY_IMPLICIT_DENY] = S_INIT("implicitDeny"),
		[POLICY_EXPLICIT_DENY] = S_INIT("explicitDeny"),
	};
	struct policy_request r = request_of(a, s, action, resource);
	struct policy_result result = { 0 };

	policy_evaluate(a, &r, &s->set, &result);
	*to = (struct iam_evaluation_result){
		.eval_action_name = action,
		.eval_resource_name = resource,
		.eval_decision = decisions[result.decision],
		.matched_statements = statements(a, s, &result),
		.missing_context_values = { result.missing_keys, result.n_missing_keys },
		.permissions_boundary_decision_detail = boundary_detail(a, s, &r),
	};
	if (!to->missing_context_values.v)
		to->missing_context_values.v = arena_new(a, struct str);
}

static int simulate(struct iam_work *w, struct simulation *s, struct iam_page *page,
        struct iam_evaluation_results_list_type *results)
{
	size_t n_resources = MAX(s->resources->n, (size_t)1), from, to;

	for (size_t i = 0; i < s->actions->n; i++)
		if (str_find_char(s->actions->v[i], ':') < 1)
			return iam_refuse(w, IAM_INVALID_INPUT_EXCEPTION,
			        "Invalid Input Actions: %.*s", STR(s->actions->v[i]));
	TRY(parse_all(w, s));
	iam_walk_list(w, page, s->actions->n * n_resources, &from, &to);
	*results = (struct iam_evaluation_results_list_type){
		.v = arena_new_n(w->arena, struct iam_evaluation_result, to - from + 1)
	};
	for (size_t i = from; i < to; i++) {
		struct str resource = s->resources->n ? s->resources->v[i % n_resources] : S("*");
		simulate_one(w->arena, s, s->actions->v[i / n_resources], resource,
		        &results->v[results->n++]);
	}
	return 0;
}

static void set_resource_policy(struct arena *a, struct simulation *s, struct str document)
{
	if (document.p)
		iam_sources_add(a, &s->resource,
		        (struct iam_source){ S("ResourcePolicy"), S("IAM Policy"), document });
}

static int simulate_custom_policy(struct iam_work *w,
        const struct iam_simulate_custom_policy_in *in, struct iam_simulate_custom_policy_out *out)
{
	struct iam_page page = IAM_PAGE(in);
	struct simulation s = {
		.account = w->account,
		.caller_arn = in->caller_arn,
		.resource_owner = in->resource_owner,
		.actions = &in->action_names,
		.resources = &in->resource_arns,
		.context = &in->context_entries,
	};

	if (in->ordered_organization_policy_input_list.n)
		return iam_refuse(w, API_ERROR_NOT_IMPLEMENTED,
		        "Policies of organizations are not implemented here");
	if (in->resource_policy.p && !in->caller_arn.p)
		return iam_refuse(w, IAM_INVALID_INPUT_EXCEPTION,
		        "CallerArn must be specified when a ResourcePolicy is");
	if (!s.caller_arn.p)
		s.caller_arn = arn_make(w->arena, "iam", S(""), w->account, "user/simulated");
	add_inputs(w->arena, &s.identity, "PolicyInputList", &in->policy_input_list);
	add_inputs(w->arena, &s.boundary, "PermissionsBoundaryPolicyInputList",
	        &in->permissions_boundary_policy_input_list);
	set_resource_policy(w->arena, &s, in->resource_policy);
	TRY(simulate(w, &s, &page, &out->evaluation_results));
	IAM_PAGED(&page, out);
	return 0;
}
IAM_OPERATION(iam_view, simulate_custom_policy)

/* ---- what a user, group or role carries ---- */

static int sources_of_arn(struct iam_work *w, struct str text, struct iam_sources *s)
{
	struct arn arn;

	if (!arn_parse(text, &arn) || !str_eq(arn.service, S("iam")) ||
	        !str_eq(arn.account, w->account))
		return iam_refuse(
		        w, IAM_INVALID_INPUT_EXCEPTION, "Invalid Entity Arn: %.*s", STR(text));
	struct str rest = arn.resource, word = str_cut(&rest, '/');
	ptrdiff_t slash = rest.p ? str_rfind_char(rest, '/') : -1;
	struct str name = str_sub(rest, (size_t)(slash + 1), rest.n);
	for (enum iam_kind kind = IAM_USER; kind <= IAM_ROLE; kind++)
		if (str_eq(iam_kind_facts(kind)->row, word) && name.n)
			return iam_sources_of(w, kind, name, s);
	return iam_refuse(w, IAM_INVALID_INPUT_EXCEPTION, "Invalid Entity Arn: %.*s", STR(text));
}

static int simulate_principal_policy(struct iam_work *w,
        const struct iam_simulate_principal_policy_in *in,
        struct iam_simulate_principal_policy_out *out)
{
	struct iam_page page = IAM_PAGE(in);
	struct simulation s = {
		.account = w->account,
		.caller_arn = in->caller_arn.p ? in->caller_arn : in->policy_source_arn,
		.resource_owner = in->resource_owner,
		.actions = &in->action_names,
		.resources = &in->resource_arns,
		.context = &in->context_entries,
	};

	if (in->policy_exclusion_list.n)
		return iam_refuse(w, API_ERROR_NOT_IMPLEMENTED,
		        "PolicyExclusionList is not implemented here");
	TRY(sources_of_arn(w, in->policy_source_arn, &s.identity));
	if (s.identity.boundary.document.p)
		iam_sources_add(w->arena, &s.boundary, s.identity.boundary);
	/* One given takes the place of the entity's own. */
	if (in->permissions_boundary_policy_input_list.n)
		s.boundary = (struct iam_sources){ 0 };
	add_inputs(w->arena, &s.boundary, "PermissionsBoundaryPolicyInputList",
	        &in->permissions_boundary_policy_input_list);
	add_inputs(w->arena, &s.identity, "PolicyInputList", &in->policy_input_list);
	set_resource_policy(w->arena, &s, in->resource_policy);
	TRY(simulate(w, &s, &page, &out->evaluation_results));
	IAM_PAGED(&page, out);
	return 0;
}
IAM_OPERATION(iam_view, simulate_principal_policy)

/* ---- which context keys matter ---- */

static int context_keys(struct iam_work *w, const struct iam_sources *s,
        struct iam_context_key_names_result_list_type *names)
{
	struct iam_name_record_list all = { 0 };
	struct policy_source *v;
	struct str *keys;
	size_t n;

	TRY(parse_sources(w, s, POLICY_IDENTITY, &v, &n));
	for (size_t i = 0; i < n; i++) {
		size_t n_keys = policy_context_keys(w->arena, v[i].policy, &keys);
		for (size_t k = 0; k < n_keys; k++)
			iam_list_add(w->arena, &all, keys[k]);
	}
	if (!all.v)
		all.v = arena_new(w->arena, struct str);
	*names = (struct iam_context_key_names_result_list_type){ all.v, all.n };
	return 0;
}

static int get_context_keys_for_custom_policy(struct iam_work *w,
        const struct iam_get_context_keys_for_custom_policy_in *in,
        struct iam_get_context_keys_for_custom_policy_out *out)
{
	struct iam_sources s = { 0 };

	add_inputs(w->arena, &s, "PolicyInputList", &in->policy_input_list);
	return context_keys(w, &s, &out->context_key_names);
}
IAM_OPERATION(iam_view, get_context_keys_for_custom_policy)

static int get_context_keys_for_principal_policy(struct iam_work *w,
        const struct iam_get_context_keys_for_principal_policy_in *in,
        struct iam_get_context_keys_for_principal_policy_out *out)
{
	struct iam_sources s = { 0 };

	TRY(sources_of_arn(w, in->policy_source_arn, &s));
	add_inputs(w->arena, &s, "PolicyInputList", &in->policy_input_list);
	return context_keys(w, &s, &out->context_key_names);
}
IAM_OPERATION(iam_view, get_context_keys_for_principal_policy)
