/*
 * api_authenticate: who signed the request.
 *
 * An access key that is an account number is that account's root, with the installation's root
 * secret. Keys that IAM or STS issued are always verified. Other keys are refused where IAM is
 * enforced; on a laptop they are the default account's root, so that "test" and "test" work.
 */
#include "api/api_engine.h"

#include "base/clock.h"
#include "codec/codec.h"

static bool is_account_number(struct str s)
{
	if (s.n != 12)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

static struct principal root_of(struct arena *a, struct str account, struct str access_key_id)
{
	return (struct principal){
		.type = PRINCIPAL_ROOT,
		.account = account,
		.arn = str_printf(a, "arn:aws:iam::%.*s:root", STR(account)),
		.id = account,
		.access_key_id = access_key_id,
	};
}

/* An S3 link past its time is no skewed clock. */
static int link_expired(struct task *t, const struct sigv4 *sig, struct str why)
{
	struct arena *a = task_arena(t);
	int64_t until = sig->kind == SIGV2_PRESIGNED ? sig->expires_s * 1000
	                                             : sig->time_ms + sig->expires_s * 1000;
	int result = fail_named(t, "AccessDenied", 403, "%.*s", STR(why));

	if (sig->kind == SIGV4_PRESIGNED)
		fail_element(
		        t, S("X-Amz-Expires"), str_printf(a, "%lld", (long long)sig->expires_s));
	fail_element(t, S("Expires"), time_iso8601(a, until, false));
	fail_element(t, S("ServerTime"), time_iso8601(a, clock_now_ms(), false));
	return result;
}

static int signature_failed(struct task *t, int error, const struct sigv4 *sig, struct str why)
{
	bool s3 = call_of(t)->service->model->protocol == WIRE_REST_XML;

	switch (error) {
	case SIGV4_INCOMPLETE:
		return fail(t, API_ERROR_INCOMPLETE_SIGNATURE, "%.*s", STR(why));
	case SIGV4_EXPIRED:
	case SIGV4_NOT_YET:
		if (s3 && sig->kind != SIGV4_HEADER)
			return link_expired(t, sig, why);
		return fail(t, API_ERROR_REQUEST_EXPIRED, "%.*s", STR(why));
	default:
		return fail(t, API_ERROR_SIGNATURE, "%.*s", STR(why));
	}
}

/* A laptop's root need not know its secret; but a link past its time is past its time. */
static bool is_forgiven(struct task *t, const struct call *c, const struct sigv4 *sig, int error)
{
	if (sig->kind != SIGV4_HEADER && error != SIGV4_MISMATCH)
		return false;
	return c->principal.type == PRINCIPAL_ROOT && api_options_of(t)->iam != API_IAM_ENFORCE;
}

static int anonymous(struct task *t, struct call *c)
{
	bool allowed = c->operation->anonymous || c->service->model->protocol == WIRE_REST_XML;

	c->principal = (struct principal){ .type = PRINCIPAL_ANONYMOUS };
	c->account = api_options_of(t)->default_account;
	if (!allowed)
		return fail(t, API_ERROR_MISSING_AUTH, "Missing Authentication Token");
	return 0;
}

/* Looks the key up. *secret absent: nothing to verify with. */
static int key_owner(struct task *t, struct call *c, struct sigv4 *sig, struct str *secret)
{
	const struct api_options *o = api_options_of(t);
	struct arena *a = task_arena(t);
	struct api_key key = { 0 };

	*secret = (struct str){ 0 };
	if (is_account_number(sig->access_key_id) && !sig->session_token.p) {
		c->principal = root_of(a, sig->access_key_id, sig->access_key_id);
		*secret = o->root_secret;
		return 0;
	}
	int known =
	        o->identity ? o->identity->key(t, sig->access_key_id, sig->session_token, &key) : 1;
	if (known < 0)
		return known;
	if (known == 0) {
		if (key.expires_ms && key.expires_ms <= clock_now_ms())
			return fail(t, API_ERROR_EXPIRED_TOKEN,
			        "The security token included in the request is expired");
		c->principal = key.principal;
		*secret = key.secret;
		return 0;
	}
	if (known == 1 && o->iam != API_IAM_ENFORCE && !sig->session_token.p) {
		c->principal = root_of(a, o->default_account, sig->access_key_id);
		return 0;
	}
	return fail(t, API_ERROR_INVALID_TOKEN,
	        "The security token included in the request is invalid.");
}

int api_authenticate(struct task *t, struct call *c, struct sigv4 *sig, struct str body_hash)
{
	const struct api_options *o = api_options_of(t);
	struct str secret, why = S("");

	c->region = sig->region.n ? sig->region : o->default_region;
	if (sig->kind == SIGV4_NONE)
		return anonymous(t, c);
	TRY(key_owner(t, c, sig, &secret));
	c->account = c->principal.account;
	if (!secret.p) {
		int late =
		        sig->kind == SIGV4_HEADER ? 0 : sigv4_check_time(task_arena(t), sig, &why);
		return late ? signature_failed(t, late, sig, why) : 0;
	}
	int bad = sigv4_verify(task_arena(t), sig, &c->http->request, secret, body_hash, &why);
	if (bad < 0)
		return bad;
	return bad && !is_forgiven(t, c, sig, bad) ? signature_failed(t, bad, sig, why) : 0;
}
