/* sts: the service's table. */
#include "services/sts/sts.h"

#include "api/arn.h"
#include "sts_gen.h"

static int on_federated_user(struct task *t, const void *in, struct api_access *access)
{
	const struct sts_get_federation_token_in *request = in;

	access->resource = arn_make(task_arena(t), "sts", S(""), call_of(t)->account,
	        "federated-user/%.*s", STR(request->name));
	return 0;
}

/* Who may assume a role is said by the role: the handlers decide. */
#define OPEN .action = ""

static const struct api_row rows[] = {
	API_ROW(sts, ASSUME_ROLE, assume_role, OPEN),
	API_ROW(sts, GET_ACCESS_KEY_INFO, get_access_key_info),
	API_ROW(sts, GET_CALLER_IDENTITY, get_caller_identity, OPEN),
	API_ROW(sts, GET_FEDERATION_TOKEN, get_federation_token, .authorize = on_federated_user),
	API_ROW(sts, GET_SESSION_TOKEN, get_session_token, OPEN),
};

const struct api_service sts_service = {
	.model = &sts_model,
	.iam_prefix = "sts",
	.rows = rows,
	.n_rows = ARRAY_LEN(rows),
};
