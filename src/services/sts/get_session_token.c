/* GetSessionToken, GetFederationToken: sessions of users */
#include "services/sts/session.h"

#include "api/arn.h"

#define TWELVE_HOURS 43200

/* The caller's session, or the error that a session cannot make another. */
static int begin(struct task *t, const char *operation, struct iam_session_record *s)
{
	const struct principal *p = &call_of(t)->principal;
	bool user = p->type == PRINCIPAL_USER;

	if ((!user && p->type != PRINCIPAL_ROOT) || p->role_arn.n ||
	        str_starts(p->access_key_id, S("ASIA")))
		return fail(t, API_ERROR_ACCESS_DENIED, "Cannot call %s with session credentials",
		        operation);
	*s = (struct iam_session_record){ .account = p->account };
	if (user) {
		s->entity_name =
		        str_sub(p->arn, (size_t)(str_rfind_char(p->arn, '/') + 1), p->arn.n);
		s->entity_id = p->id;
	}
	return 0;
}

static int64_t duration(const struct principal *p, struct opt_int asked)
{
	int64_t seconds = asked.set ? asked.v : TWELVE_HOURS;

	return p->type == PRINCIPAL_ROOT ? MIN(seconds, (int64_t)STS_HOUR) : seconds;
}

int sts_get_session_token(struct task *t, const struct sts_get_session_token_in *in,
        struct sts_get_session_token_out *out)
{
	struct iam_session_record s;

	TRY(begin(t, "GetSessionToken", &s));
	TRY(sts_no_mfa(t, in->serial_number, in->token_code));
	s.kind = S("user");
	out->credentials =
	        sts_session_issue(t, &s, duration(&call_of(t)->principal, in->duration_seconds));
	return 0;
}

/* Without a policy the session may nothing but what resources allow it. */
static struct iam_name_record_list nothing(struct arena *a)
{
	struct str *v = arena_new(a, struct str);

	*v = S("{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":"
	       "\"none:Nothing\",\"Resource\":\"*\"}]}");
	return (struct iam_name_record_list){ v, 1 };
}

int sts_get_federation_token(struct task *t, const struct sts_get_federation_token_in *in,
        struct sts_get_federation_token_out *out)
{
	struct arena *a = task_arena(t);
	struct sts_session_policies given = { in->policy, in->policy_arns, in->tags,
		call_of(t)->account };
	struct iam_session_record s;

	TRY(begin(t, "GetFederationToken", &s));
	TRY(sts_session_limit(t, &given, &s, &out->packed_policy_size));
	s.kind = S("federated");
	s.session_name = in->name;
	if (s.policies.n + s.policy_arns.n == 0)
		s.policies = nothing(a);
	out->credentials =
	        sts_session_issue(t, &s, duration(&call_of(t)->principal, in->duration_seconds));
	out->federated_user = arena_new(a, struct sts_federated_user);
	out->federated_user->federated_user_id = str_concat(a, 3, s.account, S(":"), in->name);
	out->federated_user->arn =
	        arn_make(a, "sts", S(""), s.account, "federated-user/%.*s", STR(in->name));
	return 0;
}
