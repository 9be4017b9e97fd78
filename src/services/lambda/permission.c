/* AddPermission, RemovePermission, GetPolicy: the function's resource policy. */
#include "services/lambda/function.h"

#include "api/arn.h"
#include "base/rand.h"
#include "codec/json.h"

#define POLICY_MAX 20480

struct change {
	struct lambda_ref ref;
	struct lambda_policy_record policy;
	struct str sid, json, revision_id, new_revision;
};

static bool is_account(struct str s)
{
	uint64_t n;

	return s.n == 12 && str_to_u64(s, &n);
}

static void write_principal(struct json_writer *w, struct arena *a, struct str principal)
{
	json_key(w, S("Principal"));
	if (str_eq(principal, S("*"))) {
		json_str(w, principal);
		return;
	}
	json_object(w);
	if (is_account(principal))
		json_member_str(
		        w, S("AWS"), str_printf(a, "arn:aws:iam::%.*s:root", STR(principal)));
	else if (str_starts(principal, S("arn:")))
		json_member_str(w, S("AWS"), principal);
	else
		json_member_str(w, S("Service"), principal);
	json_end(w);
}

static void write_operator(struct json_writer *w, struct str op, struct str key, struct str value)
{
	json_key(w, op);
	json_object(w);
	json_member_str(w, key, value);
	json_end(w);
}

static void write_string_conditions(
        struct json_writer *w, const struct lambda_add_permission_in *in)
{
	if (!in->source_account.p && !in->event_source_token.p && !in->function_url_auth_type.p &&
	        !in->principal_org_id.p)
		return;
	json_key(w, S("StringEquals"));
	json_object(w);
	json_member_str(w, S("AWS:SourceAccount"), in->source_account);
	json_member_str(w, S("lambda:EventSourceToken"), in->event_source_token);
	json_member_str(w, S("lambda:FunctionUrlAuthType"), in->function_url_auth_type);
	json_member_str(w, S("aws:PrincipalOrgID"), in->principal_org_id);
	json_end(w);
}

static struct str statement_of(
        struct arena *a, const struct lambda_add_permission_in *in, struct str resource)
{
	struct buf b = buf_init(a);
	struct json_writer w = json_writer(&b);

	json_object(&w);
	json_member_str(&w, S("Sid"), in->statement_id);
	json_member_str(&w, S("Effect"), S("Allow"));
	write_principal(&w, a, in->principal);
	json_member_str(&w, S("Action"), in->action);
	json_member_str(&w, S("Resource"), resource);
	if (in->source_arn.p || in->source_account.p || in->event_source_token.p ||
	        in->function_url_auth_type.p || in->principal_org_id.p) {
		json_key(&w, S("Condition"));
		json_object(&w);
		write_string_conditions(&w, in);
		if (in->source_arn.p)
			write_operator(&w, S("ArnLike"), S("AWS:SourceArn"), in->source_arn);
		json_end(&w);
	}
	json_end(&w);
	return buf_str(&b);
}

static int load(struct kv_txn *txn, struct change *c)
{
	struct lambda_function_record r;
	int got;

	if (lambda_record_get(txn, &c->ref, &r) != 0)
		return KV_NOT_FOUND;
	got = record_get(txn, lambda_policy_key(kv_arena(txn), &c->ref),
	        &lambda_shape_policy_record, &c->policy);
	if (got != 0 && got != KV_NOT_FOUND)
		return got;
	if (c->revision_id.p && !str_eq(c->revision_id, c->policy.revision_id))
		return LAMBDA_PRECONDITION_FAILED_EXCEPTION;
	c->policy.revision_id = c->new_revision;
	return 0;
}

static int add(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;
	struct arena *a = kv_arena(txn);
	struct lambda_policy_statement_record_list *old = &c->policy.statements;
	size_t total = c->json.n;

	TRY(load(txn, c));
	struct lambda_policy_statement_record *v =
	        arena_new_n(a, struct lambda_policy_statement_record, old->n + 1);
	for (size_t i = 0; i < old->n; i++) {
		if (str_eq(old->v[i].sid, c->sid))
			return LAMBDA_RESOURCE_CONFLICT_EXCEPTION;
		v[i] = old->v[i];
		total += v[i].json.n;
	}
	if (total > POLICY_MAX)
		return LAMBDA_POLICY_LENGTH_EXCEEDED_EXCEPTION;
	v[old->n] = (struct lambda_policy_statement_record){ c->sid, c->json };
	*old = (struct lambda_policy_statement_record_list){ v, old->n + 1 };
	record_put(txn, lambda_policy_key(a, &c->ref), &lambda_shape_policy_record, &c->policy);
	return 0;
}

static int remove_statement(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;
	struct lambda_policy_statement_record_list *l = &c->policy.statements;
	size_t kept = 0;

	TRY(load(txn, c));
	for (size_t i = 0; i < l->n; i++)
		if (!str_eq(l->v[i].sid, c->sid))
			l->v[kept++] = l->v[i];
	if (kept == l->n)
		return LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION;
	l->n = kept;
	struct str key = lambda_policy_key(kv_arena(txn), &c->ref);
	if (kept)
		record_put(txn, key, &lambda_shape_policy_record, &c->policy);
	else
		kv_del(txn, key);
	return 0;
}

static int report(struct task *t, const struct change *c, int bad)
{
	switch (bad) {
	case KV_NOT_FOUND:
		return lambda_not_found(t, &c->ref);
	case LAMBDA_RESOURCE_CONFLICT_EXCEPTION:
		return fail(t, bad,
		        "The statement id (%.*s) provided already exists. Please provide a new "
		        "statement id, or remove the existing statement.",
		        STR(c->sid));
	case LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION:
		return fail(t, bad, "Statement %.*s is not found in resource policy.", STR(c->sid));
	case LAMBDA_POLICY_LENGTH_EXCEEDED_EXCEPTION:
		return fail(
		        t, bad, "The final policy size is bigger than the limit (%d).", POLICY_MAX);
	case LAMBDA_PRECONDITION_FAILED_EXCEPTION:
		return fail(t, bad,
		        "The RevisionId provided does not match the latest RevisionId. Call the "
		        "GetPolicy API to retrieve the latest RevisionId");
	default:
		return bad;
	}
}

int lambda_add_permission(struct task *t, const struct lambda_add_permission_in *in,
        struct lambda_add_permission_out *out)
{
	struct arena *a = task_arena(t);
	struct change c = { .sid = in->statement_id,
		.revision_id = in->revision_id,
		.new_revision = rand_uuid(a) };

	TRY(lambda_ref_parse(t, in->function_name, in->qualifier, &c.ref));
	if (!str_eq(in->principal, S("*")) && !is_account(in->principal) &&
	        !str_starts(in->principal, S("arn:")) && str_find_char(in->principal, '.') < 0)
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "The provided principal was invalid. Please check the principal and try "
		        "again.");
	c.json = statement_of(a, in, lambda_ref_arn(a, &c.ref));
	TRY(report(t, &c, kv_update(t, add, &c)));
	out->statement = c.json;
	return 0;
}

int lambda_remove_permission(struct task *t, const struct lambda_remove_permission_in *in,
        struct lambda_remove_permission_out *out)
{
	struct change c = { .sid = in->statement_id,
		.revision_id = in->revision_id,
		.new_revision = rand_uuid(task_arena(t)) };

	TRY(lambda_ref_parse(t, in->function_name, in->qualifier, &c.ref));
	return report(t, &c, kv_update(t, remove_statement, &c));
}

struct policy_view {
	struct lambda_ref ref;
	struct str json, revision;
};

static int view(struct kv_txn *txn, void *arg)
{
	struct policy_view *v = arg;
	struct lambda_function_record r;

	TRY(lambda_record_get(txn, &v->ref, &r));
	return lambda_policy_json(txn, &v->ref, &v->json, &v->revision);
}

int lambda_get_policy(
        struct task *t, const struct lambda_get_policy_in *in, struct lambda_get_policy_out *out)
{
	struct policy_view v;

	TRY(lambda_ref_parse(t, in->function_name, in->qualifier, &v.ref));
	int bad = kv_view(t, view, &v);
	if (bad == KV_NOT_FOUND)
		return lambda_not_found(t, &v.ref);
	TRY(bad);
	if (!v.json.p)
		return fail(t, LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION,
		        "The resource you requested does not exist.");
	out->policy = v.json;
	out->revision_id = v.revision;
	return 0;
}
