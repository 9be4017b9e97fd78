/*
 * api_authenticate: who signed the request.
 *
 * An access key that is an account number is that account's root, with the installation's root
 * secret. Keys that IAM or STS issued are always verified. Other keys are refused where IAM is
 * enforced; on a laptop they are the default account's root, so that "test" and "test" work.
 */
#include "api/api_engine.h"

#include "base/clock.h"

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

/* S3 has names of its own for what is wrong with a presigned query. */
static int presigned_failed(struct task *t, enum sigv4_kind kind, int error, struct str why)
{
	if (error == SIGV4_INCOMPLETE && kind == SIGV4_PRESIGNED)
		return fail_named(t, "AuthorizationQueryParametersError", 400, "%.*s", STR(why));
	if (error != SIGV4_MISMATCH)
		return fail_named(t, "AccessDenied", 403, "%.*s", STR(why));
	return fail(t, API_ERROR_SIGNATURE, "%.*s", STR(why));
}

int api_signature_failed(struct task *t, const struct sigv4 *sig, int error, struct str why)
{
	const struct api_service *service = call_of(t)->service; /* NULL: a route's request */

	if (sig->kind != SIGV4_HEADER && service && service->model->protocol == WIRE_REST_XML)
		return presigned_failed(t, sig->kind, error, why);
	switch (error) {
	case SIGV4_INCOMPLETE:
		return fail(t, API_ERROR_INCOMPLETE_SIGNATURE, "%.*s", STR(why));
	case SIGV4_EXPIRED:
	case SIGV4_NOT_YET:
		return fail(t, API_ERROR_REQUEST_EXPIRED, "%.*s", STR(why));
	default:
		return fail(t, API_ERROR_SIGNATURE, "%.*s", STR(why));
	}
}

/* Where IAM is not enforced a root's signature need not be right, but presigned URLs still expire:
 * that is what their users try out. */
static int check_signature(
        struct task *t, struct call *c, struct sigv4 *sig, struct str secret, struct str body_hash)
{
	struct arena *a = task_arena(t);
	struct str why = S("");
	bool lenient =
	        c->principal.type == PRINCIPAL_ROOT && api_options_of(t)->iam != API_IAM_ENFORCE;
	bool presigned = sig->kind != SIGV4_HEADER;
	int bad = secret.p ? sigv4_verify(a, sig, &c->http->request, secret, body_hash, &why) : 0;

	if (bad < 0)
		return bad;
	if (lenient)
		bad = presigned ? sigv4_check_time(a, sig, &why) : 0;
	return bad ? api_signature_failed(t, sig, bad, why) : 0;
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
	struct str secret;

	c->region = sig->region.n ? sig->region : o->default_region;
	if (sig->kind == SIGV4_NONE)
		return anonymous(t, c);
	TRY(key_owner(t, c, sig, &secret));
	c->account = c->principal.account;
	return check_signature(t, c, sig, secret, body_hash);
}

int api_authenticate_http(struct task *t, struct str body)
{
	struct call *c = call_of(t);
	struct sigv4 sig = { 0 };
	struct str why = S("");

	int bad = sigv4_parse(task_arena(t), &c->http->request, &sig, &why);
	if (bad)
		return bad < 0 ? bad : api_signature_failed(t, &sig, bad, why);
	c->principal = (struct principal){ .type = PRINCIPAL_ANONYMOUS };
	if (sig.kind == SIGV4_NONE)
		return 0;
	return api_authenticate(t, c, &sig, hash_sha256_hex(task_arena(t), body));
}
