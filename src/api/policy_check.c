/*
 * policy_check: refuses documents that are well formed but mean nothing to AWS, in AWS's words:
 * IAM's for identity and trust policies, those of S3 and its like for resource policies.
 */
#include "api/policy_internal.h"

#define SYNTAX "Syntax errors in policy."
#define LEGACY "The policy failed legacy parsing"
static const struct {
	struct str iam, resource;
} texts[] = {
	[POLICY_BAD_JSON] = { S_INIT(SYNTAX),
	        S_INIT("Policies must be valid JSON and the first byte must be '{'") },
	[POLICY_BAD_SYNTAX] = { S_INIT(SYNTAX), S_INIT("Invalid policy syntax.") },
	[POLICY_BAD_VERSION] = { S_INIT(SYNTAX),
	        S_INIT("The policy must contain a valid version string") },
	[POLICY_BAD_CONDITION] = { S_INIT(SYNTAX), S_INIT("Invalid policy syntax.") },
	[POLICY_BAD_DATE] = { S_INIT(LEGACY), S_INIT("Invalid policy syntax.") },
	[POLICY_BAD_EFFECT_CASE] = { S_INIT(LEGACY), S_INIT("Invalid policy syntax.") },
	[POLICY_BAD_PRINCIPAL] = { S_INIT("Invalid principal in policy"),
	        S_INIT("Invalid principal in policy") },
	[POLICY_NO_STATEMENT] = { S_INIT(SYNTAX), S_INIT("Missing required field Statement") },
	[POLICY_NO_EFFECT] = { S_INIT(SYNTAX), S_INIT("Missing required field Effect") },
	[POLICY_NO_ACTION] = { S_INIT("Policy statement must contain actions."),
	        S_INIT("Missing required field Action") },
	[POLICY_NO_RESOURCE] = { S_INIT("Policy statement must contain resources."),
	        S_INIT("Missing required field Resource") },
	[POLICY_NO_PRINCIPAL] = { S_INIT("Missing required field Principal"),
	        S_INIT("Missing required field Principal") },
	[POLICY_PROHIBITED_PRINCIPAL] = { S_INIT(
	        "Policy document should not specify a principal.") },
	[POLICY_PROHIBITED_RESOURCE] = { S_INIT("Has prohibited field Resource") },
	[POLICY_SID_REPEATED] = { S_INIT("Statement IDs (SID) in a single policy must be unique."),
	        S_INIT("Statement IDs (SID) in a single policy must be unique.") },
	[POLICY_SID_FORM] = { S_INIT("Statement IDs (SID) must be alpha-numeric. Check that your "
	                             "input "
	                             "satisfies the regular expression [0-9A-Za-z]*"),
	        S_INIT("Invalid policy syntax.") },
	[POLICY_TRUST_ACTION] = { S_INIT(
	        "AssumeRole policy may only specify STS AssumeRole actions.") },
};

int policy_refuse(struct policy_parsing *p, enum policy_problem problem)
{
	bool resource = p->policy->kind == POLICY_RESOURCE && texts[problem].resource.p;

	*p->why = resource ? texts[problem].resource : texts[problem].iam;
	return POLICY_BAD;
}

int policy_refuse_with(struct policy_parsing *p, struct str why)
{
	*p->why = why;
	return POLICY_BAD;
}

static int check_sids(struct policy_parsing *p)
{
	const struct policy *policy = p->policy;

	for (size_t i = 0; i < policy->n; i++) {
		struct str sid = policy->v[i].sid;
		for (size_t k = 0; sid.n && k < i; k++)
			if (str_eq(policy->v[k].sid, sid))
				return policy_refuse(p, POLICY_SID_REPEATED);
		for (size_t k = 0; policy->kind != POLICY_RESOURCE && k < sid.n; k++) {
			char c = sid.p[k], l = (char)(c | 32);
			if (!(c >= '0' && c <= '9') && !(l >= 'a' && l <= 'z'))
				return policy_refuse(p, POLICY_SID_FORM);
		}
	}
	return 0;
}

static bool is_vendor(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i], l = (char)(c | 32);
		if (!(c >= '0' && c <= '9') && !(l >= 'a' && l <= 'z') && c != '-' && c != '.')
			return false;
	}
	return s.n > 0;
}

static int check_action(struct policy_parsing *p, struct str action)
{
	struct str name = action, vendor = str_cut(&name, ':');

	if (str_eq(action, S("*")))
		return p->policy->kind == POLICY_TRUST ? policy_refuse(p, POLICY_TRUST_ACTION) : 0;
	if (p->policy->kind == POLICY_RESOURCE)
		return name.n ? 0 : policy_refuse_with(p, S("Policy has invalid action"));
	if (!name.p)
		return policy_refuse_with(
		        p, S("Actions/Conditions must be prefaced by a vendor, e.g., "
		             "iam, sdb, ec2, etc."));
	if (str_find_char(name, ':') >= 0)
		return policy_refuse_with(p, S("Actions/Condition can contain only one colon."));
	if (!str_eq(vendor, S("*")) && !is_vendor(vendor))
		return policy_refuse_with(
		        p, str_printf(p->a, "Vendor %.*s is not valid", STR(vendor)));
	if (p->policy->kind == POLICY_TRUST && !str_eq_nocase(vendor, S("sts")))
		return policy_refuse(p, POLICY_TRUST_ACTION);
	return 0;
}

static bool is_partition(struct str s)
{
	static const struct str names[] = { S_INIT("*"), S_INIT("aws"), S_INIT("aws-cn"),
		S_INIT("aws-us-gov"), S_INIT("aws-iso"), S_INIT("aws-iso-b"), S_INIT("aws-iso-e"),
		S_INIT("aws-iso-f"), S_INIT("aws-eusc") };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(s, names[i]))
			return true;
	return str_starts(s, S("${"));
}

/* "arn:x:a:b:c:d" as IAM completes it in its messages. */
static struct str completed_arn(struct policy_parsing *p, struct str partition, struct str rest)
{
	struct str part[3];

	for (int i = 0; i < 3; i++) {
		part[i] = rest.p ? str_cut(&rest, ':') : S("*");
		if (i == 0 && part[0].n == 0 && !rest.p)
			part[0] = S("*");
	}
	if (!rest.p)
		rest = S("*");
	return str_printf(p->a, "arn:%.*s:%.*s:%.*s:%.*s:%.*s", STR(partition), STR(part[0]),
	        STR(part[1]), STR(part[2]), STR(rest));
}

static int check_iam_path(struct policy_parsing *p, struct str path)
{
	static const struct str starts[] = { S_INIT("user/"), S_INIT("federated-user/"),
		S_INIT("role/"), S_INIT("group/"), S_INIT("instance-profile/"), S_INIT("mfa/"),
		S_INIT("server-certificate/"), S_INIT("policy/"), S_INIT("sms-mfa/"),
		S_INIT("saml-provider/"), S_INIT("oidc-provider/"), S_INIT("report/"),
		S_INIT("access-report/") };

	if (str_starts(path, S("*")) || str_starts(path, S("${")))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(starts); i++)
		if (str_starts(path, starts[i]))
			return 0;
	return policy_refuse_with(
	        p, S("IAM resource path must either be \"*\" or start with user/, federated-user/, "
	             "role/, group/, instance-profile/, mfa/, server-certificate/, policy/, "
	             "sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/."));
}

static int check_arn(
        struct policy_parsing *p, struct str resource, struct str partition, struct str rest)
{
	if (!is_partition(partition))
		return policy_refuse_with(p,
		        str_printf(p->a, "Partition \"%.*s\" is not valid for resource \"%.*s\".",
		                STR(partition), STR(completed_arn(p, partition, rest))));
	if (!rest.p)
		return policy_refuse_with(p, S("Resource vendor must be fully qualified and cannot "
		                               "contain regexes."));
	struct str service = str_cut(&rest, ':'), region = str_cut(&rest, ':');
	if (service.n == 0)
		return policy_refuse_with(p, S(LEGACY));
	str_cut(&rest, ':');
	if (str_eq(service, S("iam")) && region.n)
		return policy_refuse_with(
		        p, str_printf(p->a, "IAM resource %.*s cannot contain region information.",
		                   STR(resource)));
	if (str_eq(service, S("s3")) && region.n && !str_starts(rest, S("accesspoint/")))
		return policy_refuse_with(
		        p, str_printf(p->a, "Resource %.*s can not contain region information.",
		                   STR(resource)));
	return str_eq(service, S("iam")) ? check_iam_path(p, rest) : 0;
}

static int check_resource(struct policy_parsing *p, struct str resource)
{
	struct str partition = resource;

	if (str_eq(resource, S("*")) || p->policy->kind != POLICY_IDENTITY)
		return resource.n ? 0 : policy_refuse_with(p, S("Policy has invalid resource"));
	str_cut(&partition, ':');
	if (!partition.p)
		return policy_refuse_with(
		        p, str_printf(p->a, "Resource %.*s must be in ARN format or \"*\".",
		                   STR(resource)));
	struct str rest = partition;
	partition = str_cut(&rest, ':');
	return check_arn(p, resource, partition, rest);
}

static int check_resources(struct policy_parsing *p, const struct policy_statement *s)
{
	for (size_t i = 0; i < s->resources.n; i++)
		TRY(check_resource(p, s->resources.v[i].text));
	return 0;
}

static int check_statement(struct policy_parsing *p, const struct policy_statement *s)
{
	enum policy_kind kind = p->policy->kind;

	if (kind != POLICY_IDENTITY && !s->principals)
		return policy_refuse(p, POLICY_NO_PRINCIPAL);
	if (s->actions.n == 0)
		return policy_refuse(p, POLICY_NO_ACTION);
	TRY(check_resources(p, s));
	for (size_t i = 0; i < s->actions.n; i++)
		TRY(check_action(p, s->actions.v[i].text));
	if (kind == POLICY_TRUST)
		return s->resources.v ? policy_refuse(p, POLICY_PROHIBITED_RESOURCE) : 0;
	return s->resources.n ? 0 : policy_refuse(p, POLICY_NO_RESOURCE);
}

int policy_check(struct policy_parsing *p)
{
	TRY(check_sids(p));
	for (size_t i = 0; i < p->policy->n; i++)
		TRY(check_statement(p, &p->policy->v[i]));
	return 0;
}
