/* AddLayerVersionPermission, RemoveLayerVersionPermission, GetLayerVersionPolicy */
#include "services/lambda/layer.h"
#include "services/lambda/policy_rows.h"

#include "codec/codec.h"

struct change {
	struct lambda_layer_ref ref;
	struct lambda_policy_statement_record statement;
	struct str revision_id, revision; /* wanted; after the change */
	struct lambda_refusal refusal;
};

static struct str statement_of(struct arena *a,
        const struct lambda_add_layer_version_permission_in *in, struct str resource)
{
	struct buf b = buf_init(a);
	struct json_writer w = json_writer(&b);

	json_object(&w);
	json_member_str(&w, S("Sid"), in->statement_id);
	json_member_str(&w, S("Effect"), S("Allow"));
	lambda_policy_principal(a, &w, in->principal);
	json_member_str(&w, S("Action"), in->action);
	json_member_str(&w, S("Resource"), resource);
	if (in->organization_id.p) {
		json_key(&w, S("Condition"));
		json_object(&w);
		json_key(&w, S("StringEquals"));
		json_object(&w);
		json_member_str(&w, S("aws:PrincipalOrgID"), in->organization_id);
		json_end(&w);
		json_end(&w);
	}
	json_end(&w);
	return buf_str(&b);
}

/* A policy is what it says: its revision is made of that, in the form of a UUID. */
static struct str revision_of(struct arena *a, struct str json)
{
	struct str hex = hash_sha256_hex(a, json.p ? json : S(""));

	return str_printf(a, "%.*s-%.*s-%.*s-%.*s-%.*s", 8, hex.p, 4, hex.p + 8, 4, hex.p + 12, 4,
	        hex.p + 16, 12, hex.p + 20);
}

static int begin(struct kv_txn *txn, struct change *c)
{
	struct arena *a = kv_arena(txn);
	struct str json;

	if (!kv_has(txn, lambda_layer_version_key(a, &c->ref)))
		return lambda_refuse(&c->refusal, LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION,
		        str_printf(a, "Layer version %.*s does not exist.",
		                STR(lambda_layer_arn(a, &c->ref))));
	TRY(lambda_policy_json(txn, lambda_layer_policy_key(a, &c->ref), &json));
	if (c->revision_id.p && !str_eq(c->revision_id, revision_of(a, json)))
		return lambda_refuse(&c->refusal, LAMBDA_PRECONDITION_FAILED_EXCEPTION,
		        S("The RevisionId provided does not match the latest RevisionId. Call the "
		          "GetLayerPolicy API to retrieve the latest Revision Id"));
	return 0;
}

static int finish(struct kv_txn *txn, struct change *c)
{
	struct str json;

	TRY(lambda_policy_json(txn, lambda_layer_policy_key(kv_arena(txn), &c->ref), &json));
	c->revision = revision_of(kv_arena(txn), json);
	return 0;
}

static int add(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;

	TRY(begin(txn, c));
	TRY(lambda_policy_add(
	        txn, lambda_layer_policy_key(kv_arena(txn), &c->ref), &c->statement, &c->refusal));
	return finish(txn, c);
}

static int remove_statement(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;

	TRY(begin(txn, c));
	return lambda_policy_remove(txn, lambda_layer_policy_key(kv_arena(txn), &c->ref),
	        c->statement.sid, &c->refusal);
}

int lambda_add_layer_version_permission(struct task *t,
        const struct lambda_add_layer_version_permission_in *in,
        struct lambda_add_layer_version_permission_out *out)
{
	struct change c = { .revision_id = in->revision_id };

	TRY(lambda_layer_ref_parse(t, in->layer_name, in->version_number, &c.ref));
	c.statement.sid = in->statement_id;
	c.statement.json = statement_of(task_arena(t), in, lambda_layer_arn(task_arena(t), &c.ref));
	TRY(lambda_refused(t, &c.refusal, kv_update(t, add, &c)));
	out->statement = c.statement.json;
	out->revision_id = c.revision;
	return 0;
}

int lambda_remove_layer_version_permission(struct task *t,
        const struct lambda_remove_layer_version_permission_in *in,
        struct lambda_remove_layer_version_permission_out *out)
{
	struct change c = { .statement.sid = in->statement_id, .revision_id = in->revision_id };

	TRY(lambda_layer_ref_parse(t, in->layer_name, in->version_number, &c.ref));
	return lambda_refused(t, &c.refusal, kv_update(t, remove_statement, &c));
}

static int view(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;

	TRY(begin(txn, c));
	return lambda_policy_json(
	        txn, lambda_layer_policy_key(kv_arena(txn), &c->ref), &c->statement.json);
}

int lambda_get_layer_version_policy(struct task *t,
        const struct lambda_get_layer_version_policy_in *in,
        struct lambda_get_layer_version_policy_out *out)
{
	struct change c = { 0 };

	TRY(lambda_layer_ref_parse(t, in->layer_name, in->version_number, &c.ref));
	TRY(lambda_refused(t, &c.refusal, kv_view(t, view, &c)));
	if (!c.statement.json.p)
		return fail(t, LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION,
		        "No policy is associated with the given resource.");
	out->policy = c.statement.json;
	out->revision_id = revision_of(task_arena(t), c.statement.json);
	return 0;
}
