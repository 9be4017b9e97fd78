/*
 * policy_parse: a JSON document becomes statements, or is refused in AWS's words: IAM's for
 * identity and trust policies, those of S3 and its like for resource policies.
 */
#include "api/policy_internal.h"
#include "codec/json.h"

/* ---- strings and lists of them ---- */

static bool is_scalar(yyjson_val *v)
{
	return yyjson_is_str(v) || yyjson_is_bool(v) || yyjson_is_num(v);
}

static struct str scalar_text(struct policy_parsing *p, yyjson_val *v)
{
	if (yyjson_is_bool(v))
		return yyjson_get_bool(v) ? S("true") : S("false");
	return yyjson_is_str(v) ? json_str_of(v) : json_text(p->a, v);
}

static struct policy_pattern pattern(struct policy_parsing *p, struct str text)
{
	return (struct policy_pattern){ text, p->policy->is_2012 && str_find(text, S("${")) >= 0 };
}

/* One value or a list of them; only_strings: numbers and booleans are refused. */
static int read_patterns(struct policy_parsing *p, yyjson_val *v, bool only_strings,
        struct policy_patterns *patterns)
{
	size_t n = yyjson_is_arr(v) ? yyjson_arr_size(v) : 1, i, max;
	yyjson_val *one;

	patterns->v = arena_new_n(p->a, struct policy_pattern, n + 1);
	patterns->n = 0;
	if (!yyjson_is_arr(v)) {
		if (!(only_strings ? yyjson_is_str(v) : is_scalar(v)))
			return policy_refuse(p, POLICY_BAD_SYNTAX);
		patterns->v[patterns->n++] = pattern(p, scalar_text(p, v));
		return 0;
	}
	yyjson_arr_foreach(v, i, max, one)
	{
		if (!(only_strings ? yyjson_is_str(one) : is_scalar(one)))
			return policy_refuse(p, POLICY_BAD_SYNTAX);
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

static int read_principal_value(struct policy_parsing *p, struct str type, struct str value,
        struct policy_principal *principal)
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
		return policy_refuse(p, POLICY_BAD_SYNTAX);
	*principal = (struct policy_principal){ types[i].type, value };
	if (types[i].type != POLICY_PRINCIPAL_AWS || is_aws_principal(value)) {
		if (types[i].type == POLICY_PRINCIPAL_AWS && str_eq(value, S("*")))
			principal->type = POLICY_PRINCIPAL_ANY;
		return value.n ? 0 : policy_refuse(p, POLICY_BAD_PRINCIPAL);
	}
	if (p->policy->kind == POLICY_RESOURCE)
		return policy_refuse(p, POLICY_BAD_PRINCIPAL);
	return policy_refuse_with(
	        p, str_printf(p->a, "Invalid principal in policy: \"%.*s\":\"%.*s\"", STR(type),
	                   STR(value)));
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

static int read_principals(struct policy_parsing *p, yyjson_val *v, struct policy_statement *s)
{
	size_t i, max;
	yyjson_val *key, *value;

	s->principals = arena_new_n(p->a, struct policy_principal, count_principals(v));
	if (str_eq(json_str_of(v), S("*"))) {
		s->principals[s->n_principals++].type = POLICY_PRINCIPAL_ANY;
		return 0;
	}
	if (!yyjson_is_obj(v) || yyjson_obj_size(v) == 0)
		return policy_refuse(
		        p, yyjson_is_str(v) ? POLICY_BAD_PRINCIPAL : POLICY_BAD_SYNTAX);
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
	return s->n_principals ? 0 : policy_refuse(p, POLICY_BAD_PRINCIPAL);
}

/* ---- conditions ---- */

static int check_dates(struct policy_parsing *p, const struct policy_condition *c)
{
	int64_t ms;

	for (size_t i = 0; c->op->date && i < c->values.n; i++)
		if (!policy_date_parse(c->values.v[i].text, &ms))
			return policy_refuse(p, POLICY_BAD_DATE);
	return 0;
}

static int read_operator(
        struct policy_parsing *p, struct str name, yyjson_val *keys, struct policy_statement *s)
{
	struct policy_condition proto = { 0 };
	size_t i, max;
	yyjson_val *key, *value;

	if (!yyjson_is_obj(keys))
		return policy_refuse(p, POLICY_BAD_SYNTAX);
	if (!policy_operator_find(name, &proto) && yyjson_obj_size(keys))
		return p->policy->kind == POLICY_RESOURCE
		               ? policy_refuse_with(
		                         p, str_printf(p->a, "Invalid Condition type : %.*s",
		                                    STR(name)))
		               : policy_refuse(p, POLICY_BAD_CONDITION);
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

static int read_conditions(struct policy_parsing *p, yyjson_val *v, struct policy_statement *s)
{
	size_t total = 0, i, max;
	yyjson_val *name, *keys;

	if (!yyjson_is_obj(v))
		return policy_refuse(p, POLICY_BAD_SYNTAX);
	yyjson_obj_foreach(v, i, max, name, keys) total += yyjson_obj_size(keys);
	s->conditions = arena_new_n(p->a, struct policy_condition, total + 1);
	yyjson_obj_foreach(v, i, max, name, keys) TRY(read_operator(p, json_str_of(name), keys, s));
	return 0;
}

/* ---- statements: first everything's form, then its meaning ---- */

static int read_field(
        struct policy_parsing *p, struct str name, yyjson_val *v, struct policy_statement *s)
{
	if (str_eq(name, S("Sid"))) {
		s->sid = json_str_of(v);
		return s->sid.p ? 0 : policy_refuse(p, POLICY_BAD_SYNTAX);
	}
	if (str_eq(name, S("Effect"))) {
		struct str effect = json_str_of(v);
		bool deny = str_eq_nocase(effect, S("Deny"));
		s->allow = str_eq_nocase(effect, S("Allow"));
		if (s->allow || deny)
			return 0;
		return effect.p && p->policy->kind == POLICY_RESOURCE
		               ? policy_refuse_with(
		                         p, str_printf(p->a, "Invalid effect: %.*s", STR(effect)))
		               : policy_refuse(p, POLICY_BAD_SYNTAX);
	}
	if (str_eq(name, S("Action")) || str_eq(name, S("NotAction"))) {
		s->not_action = name.p[0] == 'N';
		return s->actions.v ? policy_refuse(p, POLICY_BAD_SYNTAX)
		                    : read_patterns(p, v, true, &s->actions);
	}
	if (str_eq(name, S("Resource")) || str_eq(name, S("NotResource"))) {
		s->not_resource = name.p[0] == 'N';
		return s->resources.v ? policy_refuse(p, POLICY_BAD_SYNTAX)
		                      : read_patterns(p, v, true, &s->resources);
	}
	if (str_eq(name, S("Principal")) || str_eq(name, S("NotPrincipal"))) {
		s->not_principal = name.p[0] == 'N';
		if (p->policy->kind == POLICY_IDENTITY)
			return policy_refuse(p, POLICY_PROHIBITED_PRINCIPAL);
		return s->principals ? policy_refuse(p, POLICY_BAD_SYNTAX)
		                     : read_principals(p, v, s);
	}
	if (str_eq(name, S("Condition")))
		return s->conditions ? policy_refuse(p, POLICY_BAD_SYNTAX)
		                     : read_conditions(p, v, s);
	if (p->policy->kind == POLICY_RESOURCE)
		return policy_refuse_with(p, str_printf(p->a, "Unknown field %.*s", STR(name)));
	return policy_refuse(p, POLICY_BAD_SYNTAX);
}

static int read_statement(struct policy_parsing *p, yyjson_val *v, struct policy_statement *s)
{
	size_t i, max;
	yyjson_val *key, *value;

	if (!yyjson_is_obj(v))
		return policy_refuse(p, POLICY_BAD_SYNTAX);
	yyjson_obj_foreach(v, i, max, key, value) TRY(read_field(p, json_str_of(key), value, s));
	struct str effect = json_get_str(v, "Effect");
	if (!effect.p)
		return policy_refuse(p, POLICY_NO_EFFECT);
	if (!str_eq(effect, s->allow ? S("Allow") : S("Deny")))
		return policy_refuse(p, POLICY_BAD_EFFECT_CASE);
	return 0;
}

/* ---- the document ---- */

static int read_version(struct policy_parsing *p, yyjson_val *root)
{
	yyjson_val *v = json_get(root, "Version");
	struct str version = json_str_of(v);

	p->policy->is_2012 = str_eq(version, S("2012-10-17"));
	if (!v || p->policy->is_2012 || str_eq(version, S("2008-10-17")))
		return 0;
	return policy_refuse(p, POLICY_BAD_VERSION);
}

static int read_top(struct policy_parsing *p, yyjson_val *root)
{
	size_t i, max;
	yyjson_val *key, *value;

	yyjson_obj_foreach(root, i, max, key, value)
	{
		struct str name = json_str_of(key);
		if (str_eq(name, S("Id")) && !yyjson_is_str(value))
			return policy_refuse(p, POLICY_BAD_SYNTAX);
		if (str_eq(name, S("Version")) || str_eq(name, S("Id")) ||
		        str_eq(name, S("Statement")))
			continue;
		if (p->policy->kind == POLICY_RESOURCE)
			return policy_refuse_with(
			        p, str_printf(p->a, "Unknown field %.*s", STR(name)));
		return policy_refuse(p, POLICY_BAD_SYNTAX);
	}
	return read_version(p, root);
}

static int read_document(struct policy_parsing *p, yyjson_val *root)
{
	yyjson_val *statements = json_get(root, "Statement"), *one;
	struct policy *policy = p->policy;
	size_t i, max;

	if (!yyjson_is_obj(root))
		return policy_refuse(p, POLICY_BAD_JSON);
	TRY(read_top(p, root));
	if (!statements)
		return policy_refuse(p, POLICY_NO_STATEMENT);
	size_t n = yyjson_is_arr(statements) ? yyjson_arr_size(statements) : 1;
	policy->v = arena_new_n(p->a, struct policy_statement, n + 1);
	if (!yyjson_is_arr(statements))
		TRY(read_statement(p, statements, &policy->v[policy->n++]));
	else
		yyjson_arr_foreach(statements, i, max, one)
		        TRY(read_statement(p, one, &policy->v[policy->n++]));
	if (policy->n == 0)
		return policy_refuse(p, POLICY_BAD_SYNTAX);
	return policy_check(p);
}

int policy_parse(struct arena *a, struct str json, enum policy_kind kind,
        const struct policy **policy, struct str *why)
{
	struct policy_parsing p = { .a = a, .policy = arena_new(a, struct policy), .why = why };
	yyjson_val *root;

	p.policy->kind = kind;
	if (json_parse(a, json, &root) != 0)
		return policy_refuse(&p, POLICY_BAD_JSON);
	TRY(read_document(&p, root));
	*policy = p.policy;
	return 0;
}

bool policy_is_2012(const struct policy *p)
{
	return p->is_2012;
}
