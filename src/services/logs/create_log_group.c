/* CreateLogGroup */
#include "services/logs/group.h"

static int check(struct task *t, const struct logs_create_log_group_in *in)
{
	if (str_starts(in->log_group_name, S("aws/")))
		return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION,
		        "Log groups starting with AWS/ are reserved for AWS.");
	if (in->kms_key_id.p)
		return fail(t, API_ERROR_NOT_IMPLEMENTED, "KMS keys are not served here");
	if (in->deletion_protection_enabled.v)
		return fail(t, API_ERROR_NOT_IMPLEMENTED, "Deletion protection is not served here");
	return 0;
}

static int create(struct kv_txn *txn, void *arg)
{
	struct logs_group *g = arg;
	struct logs_group before = *g;
	int got = logs_group_load(txn, &before);

	if (got == 0)
		return LOGS_RESOURCE_ALREADY_EXISTS_EXCEPTION;
	if (got != LOGS_RESOURCE_NOT_FOUND_EXCEPTION)
		return got;
	g->r.id = opt_int((int64_t)kv_sequence_next(txn, S("logs")));
	logs_group_store(txn, g);
	return 0;
}

int logs_create_log_group(struct task *t, const struct logs_create_log_group_in *in,
        struct logs_create_log_group_out *out)
{
	struct logs_group g;

	TRY(check(t, in));
	TRY(logs_group_ref(t, in->log_group_name, (struct str){ 0 }, &g));
	g.r.creation_time = opt_int(call_of(t)->now_ms);
	g.r.log_group_class = in->log_group_class.p ? in->log_group_class : S("STANDARD");
	g.r.tags = in->tags;
	int bad = kv_update(t, create, &g);
	if (bad == LOGS_RESOURCE_ALREADY_EXISTS_EXCEPTION)
		return fail(t, bad, "The specified log group already exists");
	return bad;
}
