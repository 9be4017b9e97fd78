/*
 * policy_parse: a JSON document becomes statements, or is refused in AWS's words: IAM's for
 * identity and trust policies, those of S3 and its like for resource policies.
 */
#include "api/policy_internal.h"
#include "codec/json.h"

/* ---- what can be wrong ---- */

enum problem {
	BAD_JSON,
	BAD_SYNTAX,
	BAD_VERSION,
	BAD_CONDITION,
	BAD_DATE,
	BAD_EFFECT_CASE,
	BAD_PRINCIPAL,
	NO_STATEMENT,
	NO_EFFECT,
	NO_ACTION,
	NO_RESOURCE,
	NO_PRINCIPAL,
	PROHIBITED_PRINCIPAL,
	PROHIBITED_RESOURCE,
	SID_REPEATED,
	SID_FORM,
	TRUST_ACTION,
};

#define SYNTAX "Syntax errors in policy."
#define LEGACY "The policy failed legacy parsing"
static const struct {
	struct str iam, resource;
} texts[] = {
	[BAD_JSON] = { S_INIT(SYNTAX),
	        S_INIT("Policies must be valid JSON and the first byte must be '{'") },
	[BAD_SYNTAX] = { S_INIT(SYNTAX), S_INIT("Invalid policy syntax.") },
	[BAD_VERSION] = { S_INIT(SYNTAX),
	        S_INIT("The policy must contain a valid version string") },
	[BAD_CONDITION] = { S_INIT(SYNTAX), S_INIT("Invalid policy syntax.") },
	[BAD_DATE] = { S_INIT(LEGACY), S_INIT("Invalid policy syntax.") },
	[BAD_EFFECT_CASE] = { S_INIT(LEGACY), S_INIT("Invalid policy syntax.") },
	[BAD_PRINCIPAL] = { S_INIT("Invalid principal in policy"),
	        S_INIT("Invalid principal in policy") },
	[NO_STATEMENT] = { S_INIT(SYNTAX), S_INIT("Missing required field Statement") },
	[NO_EFFECT] = { S_INIT(SYNTAX), S_INIT("Missing required field Effect") },
	[NO_ACTION] = { S_INIT("Policy statement must contain actions."),
	        S_INIT("Missing required field Action") },
	[NO_RESOURCE] = { S_INIT("Policy statement must contain resources."),
	        S_INIT("Missing required field Resource") },
	[NO_PRINCIPAL] = { S_INIT("Missing required field Principal"),
	        S_INIT("Missing required field Principal") },
	[PROHIBITED_PRINCIPAL] = { S_INIT("Policy document should not specify a principal.") },
	[PROHIBITED_RESOURCE] = { S_INIT("Has prohibited field Resource") },
	[SID_REPEATED] = { S_INIT("Statement IDs (SID) in a single policy must be unique."),
	        S_INIT("Statement IDs (SID) in a single policy must be unique.") },
	[SID_FORM] = { S_INIT("Statement IDs (SID) must be alpha-numeric. Check that your input "
	                      "satisfies the regular expression [0-9A-Za-z]*"),
	        S_INIT("Invalid policy syntax.") },
	[TRUST_ACTION] = { S_INIT("AssumeRole policy may only specify STS AssumeRole actions.") },
};

struct parsing {
	struct arena *a;
	struct policy *policy;
	struct str *why;
};

static int refuse(struct parsing *p, enum problem problem)
{
	bool resource = p->policy->kind == POLICY_RESOURCE && texts[problem].resource.p;

	*p->why = resource ? texts[problem].resource : texts[problem].iam;
	return POLICY_BAD;
}

static int refuse_with(struct parsing *p, struct str why)
{
	*p->why = why;
	return POLICY_BAD;
}

/* ---- strings and lists of them ---- */

static bool is_scalar(yyjson_val *v)
{
	return yyjson_is_str(v) || yyjson_is_bool(v) || yyjson_is_num(v);
}

static struct str scalar_text(struct parsing *p, yyjson_val *v)
{
	if (yyjson_is_bool(v))
		return yyjson_get_bool(v) ? S("true") : S("false");
	return yyjson_is_str(v) ? json_str_of(v) : json_text(p->a, v);
}

static struct policy_pattern pattern(struct parsing *p, struct str text)
{
	return (struct policy_pattern){ text, p->policy->is_2012 && str_find(text, S("${")) >= 0 };
}

/* One value or a list of them; only_strings: numbers and booleans are refused. */
static int read_patterns(
        struct parsing *p, yyjson_val *v, bool only_strings, struct policy_patterns *patterns)
{
	size_t n = yyjson_is_arr(v) ? yyjson_arr_size(v) : 1, i, max;
	yyjson_val *one;

	patterns->v = arena_new_n(p->a, struct policy_pattern, n + 1);
	patterns->n = 0;
	if (!yyjson_is_arr(v)) {
		if (!(only_strings ? yyjson_is_str(v) : is_scalar(v)))
			return refuse(p, BAD_SYNTAX);
		patterns->v[patterns->n++] = pattern(p, scalar_text(p, v));
		return 0;
	}
	yyjson_arr_foreach(v, i, max, one)
	{
		if (!(only_strings ? yyjson_is_str(one) : is_scalar(one)))
			return refuse(p, BAD_SYNTAX);
		patterns->v[patterns->n++] = pattern(p, scalar_text(p, one));
	}
	return 0;
}

/* ---- principals ---- */

static bool all_digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

/* An account, an ARN of IAM or STS without wildcards, or a unique id of something deleted. */
static bool is_aws_principal(struct str s)
{
	struct str rest = s;

	if (str_eq(s, S("*")) || (s.n == 12 && all_digits(s)))
		return true;
	if (str_starts(s, S("AIDA")) || str_starts(s, S("AROA")))
		return str_find_char(s, '*') < 0;
	if (!str_eq(str_cut(&rest, ':'), S("arn")) || str_find_char(s, '*') >= 0)
		return false;
	str_cut(&rest, ':');
	struct str service = str_cut(&rest, ':');
	str_cut(&rest, ':');
	struct str account = str_cut(&rest, ':');
	return (str_eq(service, S("iam")) || str_eq(service, S("sts"))) && account.n && rest.n;
}

static int read_principal_value(
        struct parsing *p, struct str type, struct str value, struct policy_principal *principal)
{
	static const struct {
		struct str name;
		enum policy_principal_type type;
	} types[] = {
		{ S_INIT("AWS"), POLICY_PRINCIPAL_AWS },
		{ S_INIT("Service"), POLICY_PRINCIPAL_SERVICE },
		{ S_INIT("Federated"), POLICY_PRINCIPAL_FEDERATED },
		{ S_INIT("CanonicalUser"), POLICY_PRINCIPAL_CANONICAL },
	};
	size_t i = 0;

	while (i < ARRAY_LEN(types) && !str_eq(types[i].name, type))
		i++;
	if (i == ARRAY_LEN(types))
		return refuse(p, BAD_SYNTAX);
	*principal = (struct policy_principal){ types[i].type, value };
	if (types[i].type != POLICY_PRINCIPAL_AWS || is_aws_principal(value)) {
		if (types[i].type == POLICY_PRINCIPAL_AWS && str_eq(value, S("*")))
			principal->type = POLICY_PRINCIPAL_ANY;
		return value.n ? 0 : refuse(p, BAD_PRINCIPAL);
	}
	if (p->policy->kind == POLICY_RESOURCE)
		return refuse(p, BAD_PRINCIPAL);
	return refuse_with(p, str_printf(p->a, "Invalid principal in policy: \"%.*s\":\"%.*s\"",
	                              STR(type), STR(value)));
}

static size_t count_principals(yyjson_val *v)
{
	size_t n = 1, i, max;
	yyjson_val *key, *value;

	if (yyjson_is_obj(v))
		yyjson_obj_foreach(v, i, max, key, value) n +=
		        yyjson_is_arr(value) ? yyjson_arr_size(value) : 1;
	return n;
}

static int read_principals(struct parsing *p, yyjson_val *v, struct policy_statement *s)
{
	size_t i, max;
	yyjson_val *key, *value;

	s->principals = arena_new_n(p->a, struct policy_principal, count_principals(v));
	if (str_eq(json_str_of(v), S("*"))) {
		s->principals[s->n_principals++].type = POLICY_PRINCIPAL_ANY;
		return 0;
	}
	if (!yyjson_is_obj(v) || yyjson_obj_size(v) == 0)
		return refuse(p, yyjson_is_str(v) ? BAD_PRINCIPAL : BAD_SYNTAX);
	yyjson_obj_foreach(v, i, max, key, value)
	{
		struct policy_patterns values;
		TRY(read_patterns(p, value, true, &values));
		for (size_t k = 0; k < values.n; k++) {
			TRY(read_principal_value(p, json_str_of(key), values.v[k].text,
			        &s->principals[s->n_principals]));
			s->n_principals++;
		}
	}
	return s->n_principals ? 0 : refuse(p, BAD_PRINCIPAL);
}

/* ---- conditions ---- */

static int check_dates(struct parsing *p, const struct policy_condition *c)
{
	int64_t ms;

	for (size_t i = 0; c->op->date && i < c->values.n; i++)
		if (!policy_date_parse(c->values.v[i].text, &ms))
			return refuse(p, BAD_DATE);
	return 0;
}

static int read_operator(
        struct parsing *p, struct str name, yyjson_val *keys, struct policy_statement *s)
{
	struct policy_condition proto = { 0 };
	size_t i, max;
	yyjson_val *key, *value;

	if (!yyjson_is_obj(keys))
		return refuse(p, BAD_SYNTAX);
	if (!policy_operator_find(name, &proto) && yyjson_obj_size(keys))
		return p->policy->kind == POLICY_RESOURCE
		               ? refuse_with(p, str_printf(p->a, "Invalid Condition type : %.*s",
		                                        STR(name)))
		               : refuse(p, BAD_CONDITION);
	yyjson_obj_foreach(keys, i, max, key, value)
	{
		struct policy_condition *c = &s->conditions[s->n_conditions++];
		*c = proto;
		c->key = json_str_of(key);
		TRY(read_patterns(p, value, false, &c->values));
		for (size_t k = 0; !proto.op->variables && k < c->values.n; k++)
			c->values.v[k].variables = false;
		TRY(check_dates(p, c));
	}
	return 0;
}

static int read_conditions(struct parsing *p, yyjson_val *v, struct policy_statement *s)
{
	size_t total = 0, i, max;
	yyjson_val *name, *keys;

	if (!yyjson_is_obj(v))
		return refuse(p, BAD_SYNTAX);
	yyjson_obj_foreach(v, i, max, name, keys) total += yyjson_obj_size(keys);
	s->conditions = arena_new_n(p->a, struct policy_condition, total + 1);
	yyjson_obj_foreach(v, i, max, name, keys) TRY(read_operator(p, json_str_of(name), keys, s));
	return 0;
}

/* ---- statements: first everything's form, then its meaning ---- */

static int read_field(struct parsing *p, struct str name, yyjson_val *v, struct policy_statement *s)
{
	if (str_eq(name, S("Sid"))) {
		s->sid = json_str_of(v);
		return s->sid.p ? 0 : refuse(p, BAD_SYNTAX);
	}
	if (str_eq(name, S("Effect"))) {
		struct str effect = json_str_of(v);
		bool deny = str_eq_nocase(effect, S("Deny"));
		s->allow = str_eq_nocase(effect, S("Allow"));
		if (s->allow || deny)
			return 0;
		return effect.p && p->policy->kind == POLICY_RESOURCE
		               ? refuse_with(
		                         p, str_printf(p->a, "Invalid effect: %.*s", STR(effect)))
		               : refuse(p, BAD_SYNTAX);
	}
	if (str_eq(name, S("Action")) || str_eq(name, S("NotAction"))) {
		s->not_action = name.p[0] == 'N';
		return s->actions.v ? refuse(p, BAD_SYNTAX)
		                    : read_patterns(p, v, true, &s->actions);
	}
	if (str_eq(name, S("Resource")) || str_eq(name, S("NotResource"))) {
		s->not_resource = name.p[0] == 'N';
		return s->resources.v ? refuse(p, BAD_SYNTAX)
		                      : read_patterns(p, v, true, &s->resources);
	}
	if (str_eq(name, S("Principal")) || str_eq(name, S("NotPrincipal"))) {
		s->not_principal = name.p[0] == 'N';
		if (p->policy->kind == POLICY_IDENTITY)
			return refuse(p, PROHIBITED_PRINCIPAL);
		return s->principals ? refuse(p, BAD_SYNTAX) : read_principals(p, v, s);
	}
	if (str_eq(name, S("Condition")))
		return s->conditions ? refuse(p, BAD_SYNTAX) : read_conditions(p, v, s);
	if (p->policy->kind == POLICY_RESOURCE)
		return refuse_with(p, str_printf(p->a, "Unknown field %.*s", STR(name)));
	return refuse(p, BAD_SYNTAX);
}

static int read_statement(struct parsing *p, yyjson_val *v, struct policy_statement *s)
{
	size_t i, max;
	yyjson_val *key, *value;

	if (!yyjson_is_obj(v))
		return refuse(p, BAD_SYNTAX);
	yyjson_obj_foreach(v, i, max, key, value) TRY(read_field(p, json_str_of(key), value, s));
	struct str effect = json_get_str(v, "Effect");
	if (!effect.p)
		return refuse(p, NO_EFFECT);
	if (!str_eq(effect, s->allow ? S("Allow") : S("Deny")))
		return refuse(p, BAD_EFFECT_CASE);
	return 0;
}

/* ---- the meaning ---- */

static int check_sids(struct parsing *p)
{
	const struct policy *policy = p->policy;

	for (size_t i = 0; i < policy->n; i++) {
		struct str sid = policy->v[i].sid;
		for (size_t k = 0; sid.n && k < i; k++)
			if (str_eq(policy->v[k].sid, sid))
				return refuse(p, SID_REPEATED);
		for (size_t k = 0; policy->kind != POLICY_RESOURCE && k < sid.n; k++) {
			char c = sid.p[k], l = (char)(c | 32);
			if (!(c >= '0' && c <= '9') && !(l >= 'a' && l <= 'z'))
				return refuse(p, SID_FORM);
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

static int check_action(struct parsing *p, struct str action)
{
	struct str name = action, vendor = str_cut(&name, ':');

	if (str_eq(action, S("*")))
		return p->policy->kind == POLICY_TRUST ? refuse(p, TRUST_ACTION) : 0;
	if (p->policy->kind == POLICY_RESOURCE)
		return name.n ? 0 : refuse_with(p, S("Policy has invalid action"));
	if (!name.p)
		return refuse_with(p, S("Actions/Conditions must be prefaced by a vendor, e.g., "
		                        "iam, sdb, ec2, etc."));
	if (str_find_char(name, ':') >= 0)
		return refuse_with(p, S("Actions/Condition can contain only one colon."));
	if (!str_eq(vendor, S("*")) && !is_vendor(vendor))
		return refuse_with(p, str_printf(p->a, "Vendor %.*s is not valid", STR(vendor)));
	if (p->policy->kind == POLICY_TRUST && !str_eq_nocase(vendor, S("sts")))
		return refuse(p, TRUST_ACTION);
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
static struct str completed_arn(struct parsing *p, struct str partition, struct str rest)
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

static int check_iam_path(struct parsing *p, struct str path)
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
	return refuse_with(
	        p, S("IAM resource path must either be \"*\" or start with user/, federated-user/, "
	             "role/, group/, instance-profile/, mfa/, server-certificate/, policy/, "
	             "sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/."));
}

static int check_arn(struct parsing *p, struct str resource, struct str partition, struct str rest)
{
	if (!is_partition(partition))
		return refuse_with(p,
		        str_printf(p->a, "Partition \"%.*s\" is not valid for resource \"%.*s\".",
		                STR(partition), STR(completed_arn(p, partition, rest))));
	if (!rest.p)
		return refuse_with(p, S("Resource vendor must be fully qualified and cannot "
		                        "contain regexes."));
	struct str service = str_cut(&rest, ':'), region = str_cut(&rest, ':');
	if (service.n == 0)
		return refuse_with(p, S(LEGACY));
	str_cut(&rest, ':');
	if (str_eq(service, S("iam")) && region.n)
		return refuse_with(
		        p, str_printf(p->a, "IAM resource %.*s cannot contain region information.",
		                   STR(resource)));
	if (str_eq(service, S("s3")) && region.n && !str_starts(rest, S("accesspoint/")))
		return refuse_with(
		        p, str_printf(p->a, "Resource %.*s can not contain region information.",
		                   STR(resource)));
	return str_eq(service, S("iam")) ? check_iam_path(p, rest) : 0;
}

static int check_resource(struct parsing *p, struct str resource)
{
	struct str partition = resource;

	if (str_eq(resource, S("*")) || p->policy->kind != POLICY_IDENTITY)
		return resource.n ? 0 : refuse_with(p, S("Policy has invalid resource"));
	str_cut(&partition, ':');
	if (!partition.p)
		return refuse_with(
		        p, str_printf(p->a, "Resource %.*s must be in ARN format or \"*\".",
		                   STR(resource)));
	struct str rest = partition;
	partition = str_cut(&rest, ':');
	return check_arn(p, resource, partition, rest);
}

static int check_resources(struct parsing *p, const struct policy_statement *s)
{
	for (size_t i = 0; i < s->resources.n; i++)
		TRY(check_resource(p, s->resources.v[i].text));
	return 0;
}

static int check_statement(struct parsing *p, const struct policy_statement *s)
{
	enum policy_kind kind = p->policy->kind;

	if (kind != POLICY_IDENTITY && !s->principals)
		return refuse(p, NO_PRINCIPAL);
	if (s->actions.n == 0)
		return refuse(p, NO_ACTION);
	TRY(check_resources(p, s));
	for (size_t i = 0; i < s->actions.n; i++)
		TRY(check_action(p, s->actions.v[i].text));
	if (kind == POLICY_TRUST)
		return s->resources.v ? refuse(p, PROHIBITED_RESOURCE) : 0;
	return s->resources.n ? 0 : refuse(p, NO_RESOURCE);
}

/* ---- the document ---- */

static int read_version(struct parsing *p, yyjson_val *root)
{
	yyjson_val *v = json_get(root, "Version");
	struct str version = json_str_of(v);

	p->policy->is_2012 = str_eq(version, S("2012-10-17"));
	if (!v || p->policy->is_2012 || str_eq(version, S("2008-10-17")))
		return 0;
	return refuse(p, BAD_VERSION);
}

static int read_top(struct parsing *p, yyjson_val *root)
{
	size_t i, max;
	yyjson_val *key, *value;

	yyjson_obj_foreach(root, i, max, key, value)
	{
		struct str name = json_str_of(key);
		if (str_eq(name, S("Id")) && !yyjson_is_str(value))
			return refuse(p, BAD_SYNTAX);
		if (str_eq(name, S("Version")) || str_eq(name, S("Id")) ||
		        str_eq(name, S("Statement")))
			continue;
		if (p->policy->kind == POLICY_RESOURCE)
			return refuse_with(p, str_printf(p->a, "Unknown field %.*s", STR(name)));
		return refuse(p, BAD_SYNTAX);
	}
	return read_version(p, root);
}

static int read_document(struct parsing *p, yyjson_val *root)
{
	yyjson_val *statements = json_get(root, "Statement"), *one;
	struct policy *policy = p->policy;
	size_t i, max;

	if (!yyjson_is_obj(root))
		return refuse(p, BAD_JSON);
	TRY(read_top(p, root));
	if (!statements)
		return refuse(p, NO_STATEMENT);
	size_t n = yyjson_is_arr(statements) ? yyjson_arr_size(statements) : 1;
	policy->v = arena_new_n(p->a, struct policy_statement, n + 1);
	if (!yyjson_is_arr(statements))
		TRY(read_statement(p, statements, &policy->v[policy->n++]));
	else
		yyjson_arr_foreach(statements, i, max, one)
		        TRY(read_statement(p, one, &policy->v[policy->n++]));
	if (policy->n == 0)
		return refuse(p, BAD_SYNTAX);
	TRY(check_sids(p));
	for (i = 0; i < policy->n; i++)
		TRY(check_statement(p, &policy->v[i]));
	return 0;
}

int policy_parse(struct arena *a, struct str json, enum policy_kind kind,
        const struct policy **policy, struct str *why)
{
	struct parsing p = { .a = a, .policy = arena_new(a, struct policy), .why = why };
	yyjson_val *root;

	p.policy->kind = kind;
	if (json_parse(a, json, &root) != 0)
		return refuse(&p, BAD_JSON);
	TRY(read_document(&p, root));
	*policy = p.policy;
	return 0;
}

bool policy_is_2012(const struct policy *p)
{
	return p->is_2012;
}

/* ---- the keys that a document names ---- */

struct names {
	struct str *v;
	size_t n, capacity;
};

static void add_name(struct arena *a, struct names *names, struct str name)
{
	for (size_t i = 0; i < names->n; i++)
		if (str_eq_nocase(names->v[i], name))
			return;
	if (names->n == names->capacity) {
		size_t capacity = MAX(names->capacity * 2, (size_t)8);
		struct str *v = arena_new_n(a, struct str, capacity);
		if (names->n)
			memcpy(v, names->v, names->n * sizeof *v);
		names->v = v;
		names->capacity = capacity;
	}
	names->v[names->n++] = name;
}

static void add_variables(
        struct arena *a, struct names *names, const struct policy_patterns *patterns)
{
	struct str name, otherwise;

	for (size_t i = 0; i < patterns->n; i++) {
		size_t at = 0;
		while (patterns->v[i].variables &&
		        policy_next_variable(patterns->v[i].text, &at, &name, &otherwise))
			add_name(a, names, name);
	}
}

size_t policy_context_keys(struct arena *a, const struct policy *p, struct str **names)
{
	struct names found = { 0 };

	for (size_t i = 0; i < p->n; i++) {
		const struct policy_statement *s = &p->v[i];
		add_variables(a, &found, &s->resources);
		for (size_t k = 0; k < s->n_conditions; k++) {
			add_name(a, &found, s->conditions[k].key);
			add_variables(a, &found, &s->conditions[k].values);
		}
	}
	*names = found.v;
	return found.n;
}
