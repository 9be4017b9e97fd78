/* GetCallerIdentity, GetAccessKeyInfo */
#include "services/sts/session.h"

#include "api/access_key.h"

int sts_get_caller_identity(struct task *t, const struct sts_get_caller_identity_in *in,
        struct sts_get_caller_identity_out *out)
{
	const struct principal *p = &call_of(t)->principal;

	out->user_id = p->id;
	out->account = p->account;
	out->arn = p->arn;
	return 0;
}

int sts_get_access_key_info(struct task *t, const struct sts_get_access_key_info_in *in,
        struct sts_get_access_key_info_out *out)
{
	uint64_t number;

	if (in->access_key_id.n == 12 && str_to_u64(in->access_key_id, &number))
		out->account = in->access_key_id;
	else if (!access_key_account(task_arena(t), in->access_key_id, &out->account))
		return fail(t, API_ERROR_VALIDATION, "Invalid Access Key Id: %.*s",
		        STR(in->access_key_id));
	return 0;
}
