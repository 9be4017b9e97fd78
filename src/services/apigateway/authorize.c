/*
 * authorize: may this caller call this method? The API's resource policy, IAM, or a Lambda
 * authorizer.
 */
#include "services/apigateway/authorize.h"

/* ---- IAM and the resource policy ---- */

static void keep_place(struct call *c, const struct exchange *e)
{
	c->account = e->account;
	c->region = e->region;
}

static int signature_refused(struct task *t, struct exchange *e)
{
	const struct api_failure *f = &call_of(t)->failure;
	struct str message = f->message;

	switch (f->code) {
	case API_ERROR_EXPIRED_TOKEN:
		return exchange_refuse(e, REFUSE_EXPIRED_TOKEN, message);
	case API_ERROR_MISSING_AUTH:
	case API_ERROR_INCOMPLETE_SIGNATURE:
		return exchange_refuse(e, REFUSE_MISSING_AUTHENTICATION_TOKEN, message);
	default:
		return exchange_refuse(e, REFUSE_INVALID_SIGNATURE, message);
	}
}

static struct str mask(struct arena *a, struct str arn, struct str account)
{
	ptrdiff_t at = str_find(arn, account);

	if (at < 0 || account.n != 12)
		return arn;
	return str_concat(a, 4, str_sub(arn, 0, (size_t)at), S("********"), str_sub(account, 8, 4),
	        str_sub(arn, (size_t)at + 12, arn.n));
}

static int denied(struct exchange *e, const struct policy_result *result)
{
	bool explicit_deny = result->decision == POLICY_EXPLICIT_DENY;
	struct str who = e->principal.arn.n ? e->principal.arn : S("anonymous");
	struct str message = str_printf(e->arena,
	        "User: %.*s is not authorized to perform: execute-api:Invoke on resource: %.*s%s",
	        STR(who), STR(mask(e->arena, exchange_method_arn(e), e->account)),
	        explicit_deny ? " with an explicit deny" : "");

	return exchange_refuse(e, REFUSE_ACCESS_DENIED, message);
}

/* The policy may name its resource "execute-api:/stage/GET/path". */
static struct str full_policy(struct exchange *e)
{
	struct str policy = e->snapshot->api->policy, short_form = S("\"execute-api:/");
	struct buf b = buf_init(e->arena);
	ptrdiff_t at;

	while ((at = str_find(policy, short_form)) >= 0) {
		buf_add(&b, str_sub(policy, 0, (size_t)at));
		buf_printf(&b, "\"arn:aws:execute-api:%.*s:%.*s:%.*s/", STR(e->region),
		        STR(e->account), STR(e->api_id));
		policy = str_sub(policy, (size_t)at + short_form.n, policy.n);
	}
	buf_add(&b, policy);
	return buf_str(&b);
}

static int decide(struct task *t, struct exchange *e)
{
	struct api_access access = { .action = S("execute-api:Invoke"),
		.resource = exchange_method_arn(e),
		.resource_account = e->account };
	struct policy_result result;

	if (e->snapshot->api->policy.n)
		access.resource_policy = full_policy(e);
	if (str_eq(e->method->authorization_type, S("AWS_IAM")) &&
	        api_options_of(t)->iam == API_IAM_WARN && !access.resource_policy.p)
		return api_authorize(t, &access) < 0 ? -EIO : 0;
	TRY(api_decide(t, &e->principal, &access, &result));
	return result.decision == POLICY_ALLOWED ? 0 : denied(e, &result);
}

static int authorize_iam(struct task *t, struct exchange *e)
{
	struct call *c = call_of(t);
	int bad = api_authenticate_http(t, e->body);

	e->principal = c->principal;
	keep_place(c, e);
	if (bad < 0)
		return bad;
	if (bad)
		return signature_refused(t, e);
	if (e->principal.type == PRINCIPAL_ANONYMOUS)
		return exchange_refuse(e, REFUSE_MISSING_AUTHENTICATION_TOKEN, (struct str){ 0 });
	return decide(t, e);
}

int exchange_authorize(struct task *t, struct exchange *e)
{
	if (str_eq(e->method->authorization_type, S("AWS_IAM")))
		return authorize_iam(t, e);
	if (e->snapshot->api->policy.n)
		TRY(decide(t, e));
	if (str_eq(e->method->authorization_type, S("CUSTOM")))
		return authorize_by_function(t, e);
	return 0;
}
