/*
 * GetRuntimeManagementConfig, PutRuntimeManagementConfig. The interpreters here are the host's: the
 * setting is kept for the tools that set it, and changes nothing.
 */
#include "services/lambda/function.h"

struct change {
	struct lambda_ref ref;
	struct str update_runtime_on, runtime_version_arn;
};

static int change(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;
	struct lambda_function_record r;

	TRY(lambda_record_get(txn, &c->ref, &r));
	r.update_runtime_on = c->update_runtime_on;
	r.runtime_version_arn = c->runtime_version_arn;
	lambda_record_put(txn, &c->ref, &r);
	return 0;
}

int lambda_put_runtime_management_config(struct task *t,
        const struct lambda_put_runtime_management_config_in *in,
        struct lambda_put_runtime_management_config_out *out)
{
	bool manual = str_eq(in->update_runtime_on, S("Manual"));
	struct change c = { .update_runtime_on = in->update_runtime_on,
		.runtime_version_arn = manual ? in->runtime_version_arn : (struct str){ 0 } };

	if (manual && !in->runtime_version_arn.n)
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "RuntimeVersionArn is required when UpdateRuntimeOn is Manual.");
	TRY(lambda_ref_parse(t, in->function_name, in->qualifier, &c.ref));
	int bad = kv_update(t, change, &c);
	if (bad == KV_NOT_FOUND)
		return lambda_not_found(t, &c.ref);
	TRY(bad);
	out->function_arn = lambda_ref_qualified_arn(task_arena(t), &c.ref);
	out->update_runtime_on = c.update_runtime_on;
	out->runtime_version_arn = c.runtime_version_arn;
	return 0;
}

int lambda_get_runtime_management_config(struct task *t,
        const struct lambda_get_runtime_management_config_in *in,
        struct lambda_get_runtime_management_config_out *out)
{
	struct lambda_ref ref;
	struct lambda_function_record r;

	TRY(lambda_find(t, in->function_name, in->qualifier, &ref, &r));
	out->function_arn = lambda_ref_qualified_arn(task_arena(t), &ref);
	out->update_runtime_on = r.update_runtime_on.n ? r.update_runtime_on : S("Auto");
	out->runtime_version_arn = r.runtime_version_arn;
	return 0;
}
