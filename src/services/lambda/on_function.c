/* on_function: what the table's rows ask for: the resource of a call. */
#include "services/lambda/policy_rows.h"

static struct str input_member(const struct shape *shape, const void *in, struct str name)
{
	for (uint32_t i = 0; i < shape->n_members; i++)
		if (str_eq(shape->members[i].name, name))
			return *(struct str *)shape_member_at(&shape->members[i], in);
	return (struct str){ 0 };
}

struct str lambda_input_member(struct task *t, const void *in, struct str name)
{
	return input_member(call_of(t)->operation->in, in, name);
}

struct policy_of {
	const struct lambda_ref *ref;
	struct str json;
};

static int get_policy(struct kv_txn *txn, void *arg)
{
	struct policy_of *p = arg;

	return lambda_policy_json(txn, lambda_row_key(kv_arena(txn), p->ref, "policy"), &p->json);
}

int lambda_on_function(struct task *t, const void *in, struct api_access *access)
{
	struct lambda_ref ref;
	struct policy_of p = { .ref = &ref };

	TRY(lambda_ref_parse(t, lambda_input_member(t, in, S("FunctionName")),
	        lambda_input_member(t, in, S("Qualifier")), &ref));
	access->resource = lambda_ref_arn(task_arena(t), &ref);
	access->resource_account = ref.account;
	TRY(kv_view(t, get_policy, &p));
	access->resource_policy = p.json;
	return 0;
}
