/* AddPermission, RemovePermission, GetPolicy: the resource policy of a function, version or alias.
 */
#include "services/lambda/policy_rows.h"

#include "base/rand.h"

struct change {
	struct lambda_ref ref;
	struct lambda_policy_statement_record statement;
	struct str revision_id, new_revision;
	struct lambda_refusal refusal;
};

static void write_operator(struct json_writer *w, struct str op, struct str key, struct str value)
{
	if (!value.p)
		return;
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

static void write_conditions(struct json_writer *w, const struct lambda_add_permission_in *in)
{
	bool by_url = in->invoked_via_function_url.v;

	if (!in->source_arn.p && !in->source_account.p && !in->event_source_token.p &&
	        !in->function_url_auth_type.p && !in->principal_org_id.p && !by_url)
		return;
	json_key(w, S("Condition"));
	json_object(w);
	write_string_conditions(w, in);
	write_operator(w, S("Bool"), S("lambda:InvokedViaFunctionUrl"),
	        by_url ? S("true") : (struct str){ 0 });
	write_operator(w, S("ArnLike"), S("AWS:SourceArn"), in->source_arn);
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
	lambda_policy_principal(a, &w, in->principal);
	json_member_str(&w, S("Action"), in->action);
	json_member_str(&w, S("Resource"), resource);
	write_conditions(&w, in);
	json_end(&w);
	return buf_str(&b);
}

/* The policy's revision is that of what it belongs to. */
static int begin(struct kv_txn *txn, struct change *c)
{
	struct str revision;

	TRY(lambda_revision(txn, &c->ref, &revision));
	if (c->revision_id.p && !str_eq(c->revision_id, revision))
		return lambda_refuse(&c->refusal, LAMBDA_PRECONDITION_FAILED_EXCEPTION,
		        S(LAMBDA_STALE_REVISION));
	return lambda_touch(txn, &c->ref, c->new_revision);
}

static int add(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;

	TRY(begin(txn, c));
	return lambda_policy_add(
	        txn, lambda_row_key(kv_arena(txn), &c->ref, "policy"), &c->statement, &c->refusal);
}

static int remove_statement(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;

	TRY(begin(txn, c));
	return lambda_policy_remove(txn, lambda_row_key(kv_arena(txn), &c->ref, "policy"),
	        c->statement.sid, &c->refusal);
}

static int apply(struct task *t, struct change *c, kv_fn *fn)
{
	int bad = kv_update(t, fn, c);

	return bad == KV_NOT_FOUND ? lambda_not_found(t, &c->ref)
	                           : lambda_refused(t, &c->refusal, bad);
}

static int prepare(struct task *t, struct change *c, struct str name, struct str qualifier)
{
	c->new_revision = rand_uuid(task_arena(t));
	TRY(lambda_ref_parse(t, name, qualifier, &c->ref));
	if (str_eq(c->ref.qualifier, S("$LATEST")))
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "We currently do not support adding policies for $LATEST.");
	return 0;
}

int lambda_add_permission(struct task *t, const struct lambda_add_permission_in *in,
        struct lambda_add_permission_out *out)
{
	struct arena *a = task_arena(t);
	struct change c = { .revision_id = in->revision_id };

	TRY(prepare(t, &c, in->function_name, in->qualifier));
	if (!lambda_policy_is_principal(in->principal))
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "The provided principal was invalid. Please check the principal and try "
		        "again.");
	c.statement.sid = in->statement_id;
	c.statement.json = statement_of(a, in, lambda_ref_arn(a, &c.ref));
	TRY(apply(t, &c, add));
	out->statement = c.statement.json;
	return 0;
}

int lambda_remove_permission(struct task *t, const struct lambda_remove_permission_in *in,
        struct lambda_remove_permission_out *out)
{
	struct change c = { .statement.sid = in->statement_id, .revision_id = in->revision_id };

	TRY(prepare(t, &c, in->function_name, in->qualifier));
	return apply(t, &c, remove_statement);
}

struct policy_view {
	struct lambda_ref ref;
	struct str json, revision;
};

static int view(struct kv_txn *txn, void *arg)
{
	struct policy_view *v = arg;

	TRY(lambda_revision(txn, &v->ref, &v->revision));
	return lambda_policy_json(txn, lambda_row_key(kv_arena(txn), &v->ref, "policy"), &v->json);
}

int lambda_get_policy(
        struct task *t, const struct lambda_get_policy_in *in, struct lambda_get_policy_out *out)
{
	struct policy_view v = { 0 };

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
