/* session: issuing temporary credentials. */
#include "services/sts/session.h"

#include "api/access_key.h"
#include "api/record.h"
#include "base/rand.h"
#include "codec/seal.h"

#define SECRET_LENGTH 40
#define ARNS_MAX      10
#define TAGS_MAX      50
/* What the session's policies and tags may take of the token. */
#define PACKED_MAX 4096

struct sts_credentials *sts_session_issue(
        struct task *t, struct iam_session_record *s, int64_t duration_s)
{
	struct arena *a = task_arena(t);
	struct sts_credentials *c = arena_new(a, struct sts_credentials);
	int64_t now_ms = call_of(t)->now_ms / 1000 * 1000;

	s->secret = rand_text(a, SECRET_LENGTH,
	        S("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"));
	s->issued = opt_time(now_ms);
	s->expires = opt_time(now_ms + duration_s * 1000);
	c->access_key_id = access_key_make(a, S("ASIA"), s->account);
	c->secret_access_key = s->secret;
	c->expiration = s->expires;
	struct seal seal = { api_options_of(t)->root_secret, S("sts-session"), c->access_key_id };
	struct str record = record_pack(a, &iam_shape_session_record, s);
	c->session_token = base64_encode(a, seal_make(a, &seal, record));
	return c;
}

static int check_arns(struct task *t, const struct sts_session_policies *given)
{
	struct api_caller who = api_caller_service(
	        S("sts.amazonaws.com"), given->account, S(""), (struct str){ 0 });

	if (given->arns.n > ARNS_MAX)
		return fail(t, API_ERROR_VALIDATION,
		        "The number of policy ARNs exceeds the limit of %d.", ARNS_MAX);
	for (size_t i = 0; i < given->arns.n; i++) {
		struct iam_get_policy_in in = { given->arns.v[i].arn };
		struct iam_get_policy_out out = { 0 };
		int bad = api_call(t, &who, "iam", "GetPolicy", &in, &out);
		if (bad < 0)
			return bad;
		if (bad)
			return fail(t, STS_MALFORMED_POLICY_DOCUMENT_EXCEPTION,
			        "Policy %.*s does not exist or is not attachable.",
			        STR(in.policy_arn));
	}
	return 0;
}

static int check_tags(struct task *t, const struct sts_tag_list_type *tags)
{
	for (size_t i = 0; i < tags->n; i++)
		for (size_t j = 0; j < i; j++)
			if (str_eq_nocase(tags->v[i].key, tags->v[j].key))
				return fail_named(t, "InvalidParameterValue", 400,
				        "Duplicate tag keys found. Please note that Tag keys are "
				        "case insensitive.");
	if (tags->n > TAGS_MAX)
		return fail(t, API_ERROR_VALIDATION,
		        "1 validation error detected: Value at 'tags' failed to satisfy "
		        "constraint: Member must have length less than or equal to %d",
		        TAGS_MAX);
	return 0;
}

static void note(
        struct arena *a, const struct sts_session_policies *given, struct iam_session_record *s)
{
	struct str *v = arena_new_n(a, struct str, given->arns.n + 1);

	if (given->policy.p) {
		s->policies.v = arena_new(a, struct str);
		s->policies.v[s->policies.n++] = given->policy;
	}
	for (size_t i = 0; i < given->arns.n; i++)
		v[i] = given->arns.v[i].arn;
	if (given->arns.n)
		s->policy_arns = (struct iam_name_record_list){ v, given->arns.n };
	s->tags.v = arena_new_n(a, struct iam_tag, given->tags.n + 1);
	for (size_t i = 0; i < given->tags.n; i++)
		s->tags.v[s->tags.n++] =
		        (struct iam_tag){ given->tags.v[i].key, given->tags.v[i].value };
}

int sts_session_limit(struct task *t, const struct sts_session_policies *given,
        struct iam_session_record *s, struct opt_int *packed)
{
	struct arena *a = task_arena(t);
	const struct policy *policy;
	struct str why = S("");
	size_t size = given->policy.n;

	if (given->policy.p && policy_parse(a, given->policy, POLICY_IDENTITY, &policy, &why) != 0)
		return fail(t, STS_MALFORMED_POLICY_DOCUMENT_EXCEPTION, "%.*s", STR(why));
	TRY(check_arns(t, given));
	TRY(check_tags(t, &given->tags));
	note(a, given, s);
	for (size_t i = 0; i < given->arns.n; i++)
		size += given->arns.v[i].arn.n;
	for (size_t i = 0; i < given->tags.n; i++)
		size += given->tags.v[i].key.n + given->tags.v[i].value.n;
	if (size == 0)
		return 0;
	*packed = opt_int((int64_t)(size * 100 + PACKED_MAX - 1) / PACKED_MAX);
	if (packed->v > 100)
		return fail(t, STS_PACKED_POLICY_TOO_LARGE_EXCEPTION,
		        "Packed size of session tags consumes %lld%% of allotted space.",
		        (long long)packed->v);
	return 0;
}

int sts_no_mfa(struct task *t, struct str serial, struct str code)
{
	if (!serial.p && !code.p)
		return 0;
	return fail(t, API_ERROR_ACCESS_DENIED,
	        "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify "
	        "your MFA serial number is valid and associated with this user.");
}
