/* Fuzzes reading policies of all kinds and evaluating what was accepted. */
#include "api/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str values[] = { S_INIT("v"), S_INIT("2026-01-31T12:00:00Z"), S_INIT("10.0.0.1") };
static const struct policy_key keys[] = {
	{ .name = S_INIT("aws:username"), .values = values, .n_values = 1 },
	{ .name = S_INIT("k"), .values = values, .n_values = 3, .multivalued = true },
	{ .name = S_INIT("aws:SourceIp"), .values = values + 2, .n_values = 1 },
	{ .name = S_INIT("empty"), .values = values },
};

static void evaluate(struct arena *a, const struct policy *p, enum policy_kind kind)
{
	struct policy_source source = { p, S("fuzz") };
	struct policy_set set = { 0 };
	struct policy_result result;
	struct str *names;
	struct policy_request r = { .principal_arn =
		                            S("arn:aws:sts::123456789012:assumed-role/r/s"),
		.principal_account = S("123456789012"),
		.role_arn = S("arn:aws:iam::123456789012:role/r"),
		.action = kind == POLICY_TRUST ? S("sts:AssumeRole") : S("s3:GetObject"),
		.resource = S("arn:aws:s3:::bucket/v/x:y"),
		.resource_account = S("123456789012"),
		.keys = keys,
		.n_keys = ARRAY_LEN(keys) };

	if (kind == POLICY_IDENTITY) {
		set.identity = set.boundary = set.session = &source;
		set.n_identity = set.n_boundary = set.n_session = 1;
	} else {
		set.resource = &source;
		set.n_resource = 1;
	}
	policy_evaluate(a, &r, &set, &result);
	ensure(result.decision == POLICY_ALLOWED || result.because.n);
	ensure(result.decision != POLICY_ALLOWED || result.n_matches);
	ensure(policy_context_keys(a, p, &names) == 0 || names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum policy_kind kinds[] = { POLICY_IDENTITY, POLICY_RESOURCE, POLICY_TRUST };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct arena *a = arena_create();
		const struct policy *p = NULL;
		struct str why = { 0 }, text = { (const char *)data, size };
		if (policy_parse(a, text, kinds[i], &p, &why) == 0)
			evaluate(a, p, kinds[i]);
		else
			ensure(why.n);
		arena_destroy(a);
	}
	return 0;
}
