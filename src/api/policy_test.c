/*
 * Tests of IAM's language and evaluation: documented rules, one line each. In the documents here '
 * stands for ".
 */
#include "api/policy.h"
#include "codec/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct arena *a;

static struct str quoted(const char *text)
{
	struct str s = str_dup(a, str_of(text));

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\'')
			((char *)s.p)[i] = '"';
	return s;
}

static const struct policy *parse(const char *text, enum policy_kind kind)
{
	const struct policy *p;
	struct str why = S("");

	if (policy_parse(a, quoted(text), kind, &p, &why) != 0) {
		print_message("%s: %.*s\n", text, STR(why));
		assert_true(false);
	}
	return p;
}

/* ---- documents ---- */

#define DOC(...)  "{'Version':'2012-10-17','Statement':[" __VA_ARGS__ "]}"
#define ALLOW     "{'Effect':'Allow','Action':'*','Resource':'*'}"
#define OK_ACTION "'Effect':'Allow','Action':'s3:Get*','Resource':'*'"

static const struct {
	const char *text;
	enum policy_kind kind;
	const char *why; /* NULL: good */
} documents[] = {
	{ "{'Version':'2012-10-17','Statement':" ALLOW "}", POLICY_IDENTITY, NULL },
	{ "{'Version':'2008-10-17','Id':'x','Statement':[" ALLOW "]}", POLICY_IDENTITY, NULL },
	{ "not json", POLICY_IDENTITY, "Syntax errors in policy." },
	{ "[]", POLICY_IDENTITY, "Syntax errors in policy." },
	{ "{'Version':'2012-10-17'}", POLICY_IDENTITY, "Syntax errors in policy." },
	{ "{'Version':'2011-01-01','Statement':" ALLOW "}", POLICY_IDENTITY,
	        "Syntax errors in policy." },
	{ DOC(), POLICY_IDENTITY, "Syntax errors in policy." },
	{ DOC("{'Effect':'Allow','Action':'s3:*','Resource':'*','Extra':1}"), POLICY_IDENTITY,
	        "Syntax errors in policy." },
	{ DOC("{'Action':'s3:*','Resource':'*'}"), POLICY_IDENTITY, "Syntax errors in policy." },
	{ DOC("{'Effect':'Perhaps','Action':'s3:*','Resource':'*'}"), POLICY_IDENTITY,
	        "Syntax errors in policy." },
	{ DOC("{'Effect':'allow','Action':'s3:*','Resource':'*'}"), POLICY_IDENTITY,
	        "The policy failed legacy parsing" },
	{ DOC("{'Effect':'Allow','Resource':'*'}"), POLICY_IDENTITY,
	        "Policy statement must contain actions." },
	{ DOC("{'Effect':'Allow','Action':[],'Resource':'*'}"), POLICY_IDENTITY,
	        "Policy statement must contain actions." },
	{ DOC("{'Effect':'Allow','Action':'s3:*'}"), POLICY_IDENTITY,
	        "Policy statement must contain resources." },
	{ DOC("{'Effect':'Allow','Action':'s3:*','NotAction':'x:y','Resource':'*'}"),
	        POLICY_IDENTITY, "Syntax errors in policy." },
	{ DOC("{'Effect':'Allow','Action':'GetObject','Resource':'*'}"), POLICY_IDENTITY,
	        "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc." },
	{ DOC("{'Effect':'Allow','Action':'a:b:c','Resource':'*'}"), POLICY_IDENTITY,
	        "Actions/Condition can contain only one colon." },
	{ DOC("{'Effect':'Allow','Action':'s3s:3$ee:x','Resource':'*'}"), POLICY_IDENTITY,
	        "Actions/Condition can contain only one colon." },
	{ DOC("{'Effect':'Allow','Action':'a_b:c','Resource':'*'}"), POLICY_IDENTITY,
	        "Vendor a_b is not valid" },
	{ DOC("{'Effect':'Allow','Action':'s3:*','Resource':'bucket'}"), POLICY_IDENTITY,
	        "Resource bucket must be in ARN format or \"*\"." },
	{ DOC("{'Effect':'Allow','Action':'s3:*','Resource':'arn:other:s3:::b'}"), POLICY_IDENTITY,
	        "Partition \"other\" is not valid for resource \"arn:other:s3:::b\"." },
	{ DOC("{'Effect':'Allow','Action':'s3:*','Resource':'arn:aws'}"), POLICY_IDENTITY,
	        "Resource vendor must be fully qualified and cannot contain regexes." },
	{ DOC("{'Effect':'Allow','Action':'s3:*','Resource':'arn:aws:s3:us-east-1::b'}"),
	        POLICY_IDENTITY,
	        "Resource arn:aws:s3:us-east-1::b can not contain region information." },
	{ DOC("{'Sid':'A'," OK_ACTION "},{'Sid':'A'," OK_ACTION "}"), POLICY_IDENTITY,
	        "Statement IDs (SID) in a single policy must be unique." },
	{ DOC("{'Sid':'a b'," OK_ACTION "}"), POLICY_IDENTITY,
	        "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the "
	        "regular expression [0-9A-Za-z]*" },
	{ DOC("{'Principal':'*'," OK_ACTION "}"), POLICY_IDENTITY,
	        "Policy document should not specify a principal." },
	{ DOC("{" OK_ACTION ",'Condition':{'StringSame':{'a':'b'}}}"), POLICY_IDENTITY,
	        "Syntax errors in policy." },
	{ DOC("{" OK_ACTION ",'Condition':{'DateLessThan':{'aws:CurrentTime':'soon'}}}"),
	        POLICY_IDENTITY, "The policy failed legacy parsing" },
	{ DOC("{" OK_ACTION ",'Condition':{'NullIfExists':{'a':'true'}}}"), POLICY_IDENTITY,
	        "Syntax errors in policy." },
	{ DOC("{" OK_ACTION ",'Condition':{'Bool':{'a':true},'NumericEquals':{'b':[1,2.5]}}}"),
	        POLICY_IDENTITY, NULL },
	/* trust policies */
	{ DOC("{'Effect':'Allow','Action':'sts:AssumeRole','Principal':"
	      "{'Service':['lambda.amazonaws.com'],'AWS':['123456789012','*']}}"),
	        POLICY_TRUST, NULL },
	{ DOC("{'Effect':'Allow','Action':'sts:AssumeRole','Principal':'*','Resource':'*'}"),
	        POLICY_TRUST, "Has prohibited field Resource" },
	{ DOC("{'Effect':'Allow','Action':'sts:AssumeRole'}"), POLICY_TRUST,
	        "Missing required field Principal" },
	{ DOC("{'Effect':'Allow','Action':'s3:GetObject','Principal':'*'}"), POLICY_TRUST,
	        "AssumeRole policy may only specify STS AssumeRole actions." },
	{ DOC("{'Effect':'Allow','Action':'sts:AssumeRole','Principal':{'AWS':'me'}}"),
	        POLICY_TRUST, "Invalid principal in policy: \"AWS\":\"me\"" },
	{ DOC("{'Effect':'Allow','Action':'sts:AssumeRole','Principal':"
	      "{'AWS':'arn:aws:iam::1:role/*'}}"),
	        POLICY_TRUST, "Invalid principal in policy: \"AWS\":\"arn:aws:iam::1:role/*\"" },
	/* resource policies */
	{ DOC("{'Sid':'a b','Principal':'*'," OK_ACTION "}"), POLICY_RESOURCE, NULL },
	{ DOC("{" OK_ACTION "}"), POLICY_RESOURCE, "Missing required field Principal" },
	{ DOC("{'Principal':'*','Effect':'Allow','Action':'s3:*'}"), POLICY_RESOURCE,
	        "Missing required field Resource" },
	{ DOC("{'Principal':'*','Effect':'Allow','Resource':'*'}"), POLICY_RESOURCE,
	        "Missing required field Action" },
	{ DOC("{'Principal':'*','Effect':'hello','Action':'s3:*','Resource':'*'}"), POLICY_RESOURCE,
	        "Invalid effect: hello" },
	{ DOC("{'Principal':{'AWS':'me'}," OK_ACTION "}"), POLICY_RESOURCE,
	        "Invalid principal in policy" },
	{ "x", POLICY_RESOURCE, "Policies must be valid JSON and the first byte must be '{'" },
};

static void test_documents(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
		const struct policy *p = NULL;
		struct str why = S(""), want = str_of(documents[i].why);
		int got = policy_parse(a, quoted(documents[i].text), documents[i].kind, &p, &why);
		if (!str_eq(why, want.p ? want : S("")))
			print_message("%s: %.*s\n", documents[i].text, STR(why));
		assert_true(str_eq(why, want.p ? want : S("")));
		assert_int_equal(got, want.p ? POLICY_BAD : 0);
	}
}

/* ---- requests ---- */

#define ACCOUNT "123456789012"
#define USER    "arn:aws:iam::" ACCOUNT ":user/Ann"
#define ROLE    "arn:aws:iam::" ACCOUNT ":role/path/R"
#define SESSION "arn:aws:sts::" ACCOUNT ":assumed-role/R/one"
#define OBJECT  "arn:aws:s3:::bucket/home/Ann/x"

/* "name=value|value;name=value"; a name with '+' in front has several values by nature. */
static void read_keys(struct policy_request *r, const char *text)
{
	struct policy_key *keys = arena_new_n(a, struct policy_key, 16);
	struct str rest = str_of(text);

	while (rest.n) {
		struct str values = str_cut(&rest, ';'), name = str_cut(&values, '=');
		struct policy_key *k = &keys[r->n_keys++];
		k->multivalued = name.p[0] == '+';
		k->name = str_sub(name, k->multivalued, name.n);
		k->values = arena_new_n(a, struct str, 8);
		while (values.p)
			k->values[k->n_values++] = str_cut(&values, '|');
	}
	r->keys = keys;
}

static struct policy_source *source(const char *text, enum policy_kind kind, size_t *n)
{
	struct policy_source *s = arena_new(a, struct policy_source);

	if (!text)
		return NULL;
	*s = (struct policy_source){ parse(text, kind), S("source") };
	*n = 1;
	return s;
}

/* Does this condition hold with these keys? */
static bool condition(const char *condition_text, const char *keys)
{
	struct policy_request r = {
		.principal_arn = S(USER),
		.principal_account = S(ACCOUNT),
		.action = S("s3:GetObject"),
		.resource = S(OBJECT),
		.resource_account = S(ACCOUNT),
	};
	struct policy_set set = { 0 };
	struct policy_result result;

	read_keys(&r, keys);
	struct str text = str_printf(a, DOC("{" OK_ACTION ",'Condition':{%s}}"), condition_text);
	set.identity = source(text.p, POLICY_IDENTITY, &set.n_identity);
	policy_evaluate(a, &r, &set, &result);
	return result.decision == POLICY_ALLOWED;
}

static const struct {
	const char *condition, *keys;
	bool holds;
} conditions[] = {
	{ "'StringEquals':{'k':'v'}", "k=v", true },
	{ "'StringEquals':{'K':'v'}", "k=v", true },
	{ "'StringEquals':{'k':'V'}", "k=v", false },
	{ "'StringEquals':{'k':'*'}", "k=v", false },
	{ "'StringEquals':{'k':['u','v']}", "k=v", true },
	{ "'StringEquals':{'k':'v'}", "", false },
	{ "'StringEquals':{'k':'v','l':'w'}", "k=v", false },
	{ "'StringEquals':{'k':'v'},'StringLike':{'l':'w*'}", "k=v;l=world", true },
	{ "'StringNotEquals':{'k':'v'}", "k=w", true },
	{ "'StringNotEquals':{'k':['v','w']}", "k=w", false },
	{ "'StringNotEquals':{'k':'v'}", "", true },
	{ "'StringEqualsIgnoreCase':{'k':'V'}", "k=v", true },
	{ "'StringNotEqualsIgnoreCase':{'k':'V'}", "k=v", false },
	{ "'StringLike':{'k':'a?c*'}", "k=abcdef", true },
	{ "'StringLike':{'k':'A*'}", "k=abc", false },
	{ "'StringNotLike':{'k':'a*'}", "k=abc", false },
	{ "'StringEqualsIfExists':{'k':'v'}", "", true },
	{ "'StringEqualsIfExists':{'k':'v'}", "k=w", false },
	{ "'NumericEquals':{'k':10}", "k=10.0", true },
	{ "'NumericEquals':{'k':'ten'}", "k=10", false },
	{ "'NumericNotEquals':{'k':10}", "k=11", true },
	{ "'NumericLessThan':{'k':'10'}", "k=9", true },
	{ "'NumericLessThan':{'k':'10'}", "k=10", false },
	{ "'NumericLessThanEquals':{'k':'10'}", "k=10", true },
	{ "'NumericGreaterThan':{'k':'-1.5'}", "k=-1", true },
	{ "'NumericGreaterThanEquals':{'k':'3'}", "k=2", false },
	{ "'NumericLessThan':{'k':'10'}", "k=abc", false },
	{ "'DateLessThan':{'k':'2026-02-01T00:00:00Z'}", "k=2026-01-31T23:59:59Z", true },
	{ "'DateGreaterThan':{'k':'2026-02-01T00:00:00Z'}", "k=2026-01-31T23:59:59Z", false },
	{ "'DateEquals':{'k':'1970-01-01T00:01:00Z'}", "k=60", true },
	{ "'DateNotEquals':{'k':'60'}", "k=61", true },
	{ "'DateLessThanEquals':{'k':'60'}", "k=60", true },
	{ "'DateGreaterThanEquals':{'k':'2020-01-01'}", "k=2020-01-01T00:00:00Z", true },
	{ "'Bool':{'k':'true'}", "k=True", true },
	{ "'Bool':{'k':true}", "k=false", false },
	{ "'Bool':{'k':'false'}", "", false },
	{ "'BoolIfExists':{'k':'false'}", "", true },
	{ "'BinaryEquals':{'k':'QmluYXJ5'}", "k=QmluYXJ5", true },
	{ "'BinaryEquals':{'k':'QmluYXJ5'}", "k=qmluYXJ5", false },
	{ "'IpAddress':{'k':'203.0.113.0/24'}", "k=203.0.113.200", true },
	{ "'IpAddress':{'k':'203.0.113.0/25'}", "k=203.0.113.200", false },
	{ "'IpAddress':{'k':['10.0.0.1','2001:db8::/33']}", "k=2001:db8:7fff::1", true },
	{ "'IpAddress':{'k':'2001:db8::/33'}", "k=2001:db8:8000::1", false },
	{ "'IpAddress':{'k':'0.0.0.0/0'}", "k=1.2.3.4", true },
	{ "'IpAddress':{'k':'0.0.0.0/0'}", "k=::1", false },
	{ "'IpAddress':{'k':'127.0.0.1'}", "k=::ffff:127.0.0.1", true },
	{ "'NotIpAddress':{'k':'10.0.0.0/8'}", "k=11.0.0.1", true },
	{ "'NotIpAddress':{'k':'10.0.0.0/8'}", "k=10.1.0.1", false },
	{ "'ArnLike':{'k':'arn:aws:sns:*:1:t*'}", "k=arn:aws:sns:eu-west-1:1:topic", true },
	{ "'ArnLike':{'k':'arn:aws:sns:*:t'}", "k=arn:aws:sns:eu-west-1:1:t", true },
	{ "'ArnEquals':{'k':'arn:aws:*:1:t:x'}", "k=arn:aws:sns:r:1:t:x", false },
	{ "'ArnNotLike':{'k':'arn:aws:sns:*:*:*'}", "k=arn:aws:sqs:r:1:q", true },
	{ "'ArnNotEquals':{'k':'arn:aws:sqs:*:*:*'}", "k=arn:aws:sqs:r:1:q", false },
	{ "'ArnLike':{'k':'*'}", "k=word", false },
	{ "'Null':{'k':'true'}", "", true },
	{ "'Null':{'k':'true'}", "k=v", false },
	{ "'Null':{'k':'false'}", "k=v", true },
	{ "'Null':{'k':false}", "", false },
	/* sets */
	{ "'ForAllValues:StringEquals':{'k':['a','b']}", "+k=a|b", true },
	{ "'ForAllValues:StringEquals':{'k':['a','b']}", "+k=a|c", false },
	{ "'ForAllValues:StringEquals':{'k':['a','b']}", "", true },
	{ "'ForAllValues:StringEquals':{'k':['a','b']}", "+k=", true },
	{ "'ForAnyValue:StringEquals':{'k':['a','b']}", "+k=a|c", true },
	{ "'ForAnyValue:StringEquals':{'k':['a','b']}", "+k=c|d", false },
	{ "'ForAnyValue:StringEquals':{'k':['a','b']}", "", false },
	{ "'ForAnyValue:StringNotEquals':{'k':'a'}", "", false },
	{ "'ForAllValues:StringNotLike':{'k':'key1*'}", "+k=key1:hr|key2", false },
	{ "'ForAllValues:StringNotLike':{'k':'key1*'}", "+k=key2:audit", true },
	{ "'ForAnyValue:StringNotLike':{'k':'key1*'}", "+k=key1:hr|key2", true },
	{ "'ForAnyValue:StringLikeIfExists':{'k':'a*'}", "", true },
	{ "'StringNotEquals':{'k':'a'}", "+k=a|b", false },
	/* variables */
	{ "'StringEquals':{'k':'${aws:username}'}", "k=Ann;aws:username=Ann", true },
	{ "'StringLike':{'k':'home/${AWS:Username}/*'}", "k=home/Ann/x;aws:username=Ann", true },
	{ "'StringLike':{'k':'${aws:username}'}", "k=anything;aws:username=*", false },
	{ "'StringLike':{'k':'${aws:username}'}", "k=*;aws:username=*", true },
	{ "'StringEquals':{'k':'${tag, \\u0027none\\u0027}'}", "k=none", true },
	{ "'StringLike':{'k':'a${*}${?}${$}'}", "k=a*?$", true },
	{ "'StringLike':{'k':'a${*}'}", "k=abc", false },
	{ "'StringEquals':{'k':'${gone}'}", "k=x", false },
	{ "'StringEquals':{'k':'${gone}'}", "k=${gone}", false },
	{ "'StringEquals':{'k':'${list}'}", "k=a;+list=a|b", false },
	{ "'ArnLike':{'k':'arn:aws:sqs:*:*:${q}-*'}", "k=arn:aws:sqs:r:1:x:y-1;q=x:y", true },
};

static void test_conditions(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(conditions); i++) {
		bool got = condition(conditions[i].condition, conditions[i].keys);
		if (got != conditions[i].holds)
			print_message("%s with %s\n", conditions[i].condition, conditions[i].keys);
		assert_int_equal(got, conditions[i].holds);
	}
}

/* ---- whole evaluations ---- */

enum who { AS_USER, AS_SESSION, AS_ROOT, AS_SERVICE, AS_NOBODY, AS_STRANGER, AS_FEDERATED };

static struct policy_request caller(enum who who)
{
	static const struct policy_request callers[] = {
		[AS_USER] = { .principal_arn = S_INIT(USER), .principal_account = S_INIT(ACCOUNT) },
		[AS_SESSION] = { .principal_arn = S_INIT(SESSION),
		        .principal_account = S_INIT(ACCOUNT),
		        .role_arn = S_INIT(ROLE) },
		[AS_ROOT] = { .principal_arn = S_INIT("arn:aws:iam::" ACCOUNT ":root"),
		        .principal_account = S_INIT(ACCOUNT),
		        .is_root = true },
		[AS_SERVICE] = { .principal_service = S_INIT("apigateway.amazonaws.com") },
		[AS_NOBODY] = { .is_root = false },
		[AS_STRANGER] = { .principal_arn = S_INIT("arn:aws:iam::999999999999:user/Bob"),
		        .principal_account = S_INIT("999999999999") },
		[AS_FEDERATED] = { .federated = S_INIT(
		                           "arn:aws:iam::" ACCOUNT ":oidc-provider/id.example") },
	};
	return callers[who];
}

#define ID(effect, action, resource) \
	DOC("{'Effect':'" effect "','Action':'" action "','Resource':'" resource "'}")
#define RES(effect, principal) \
	DOC("{'Effect':'" effect "','Principal':" principal ",'Action':'s3:*','Resource':'*'}")
#define TRUST(principal) \
	DOC("{'Effect':'Allow','Principal':" principal ",'Action':'sts:AssumeRole'}")
#define GET  ID("Allow", "s3:GetObject", "*")
#define PUT  ID("Allow", "s3:PutObject", "*")
#define DENY ID("Deny", "s3:*", "*")

static const struct evaluation {
	enum who who;
	const char *identity, *boundary, *session, *resource;
	enum policy_decision decision;
	const char *because;
} evaluations[] = {
	/* identity */
	{ AS_USER, NULL, NULL, NULL, NULL, POLICY_IMPLICIT_DENY,
	        "because no identity-based policy allows the s3:GetObject action" },
	{ AS_USER, GET, NULL, NULL, NULL, POLICY_ALLOWED, "" },
	{ AS_USER, PUT, NULL, NULL, NULL, POLICY_IMPLICIT_DENY,
	        "because no identity-based policy allows the s3:GetObject action" },
	{ AS_USER, DENY, NULL, NULL, RES("Allow", "'*'"), POLICY_EXPLICIT_DENY,
	        "with an explicit deny in an identity-based policy" },
	{ AS_USER, DOC(ALLOW ",{'Effect':'Deny','Action':'S3:getobject','Resource':'*'}"), NULL,
	        NULL, NULL, POLICY_EXPLICIT_DENY,
	        "with an explicit deny in an identity-based policy" },
	{ AS_USER, ID("Allow", "s3:Get*", "arn:aws:s3:::bucket/home/*"), NULL, NULL, NULL,
	        POLICY_ALLOWED, "" },
	{ AS_USER, ID("Allow", "s3:Get*", "arn:aws:s3:::other/*"), NULL, NULL, NULL,
	        POLICY_IMPLICIT_DENY,
	        "because no identity-based policy allows the s3:GetObject action" },
	{ AS_USER, ID("Allow", "*", "arn:aws:s3:::bucket/home/${aws:username}/*"), NULL, NULL, NULL,
	        POLICY_ALLOWED, "" },
	{ AS_USER, ID("Allow", "*", "arn:aws:s3:::bucket/home/${aws:gone}/*"), NULL, NULL, NULL,
	        POLICY_IMPLICIT_DENY,
	        "because no identity-based policy allows the s3:GetObject action" },
	{ AS_USER,
	        "{'Version':'2008-10-17','Statement':{'Effect':'Allow','Action':'*',"
	        "'Resource':'arn:aws:s3:::bucket/home/${aws:username}/*'}}",
	        NULL, NULL, NULL, POLICY_IMPLICIT_DENY,
	        "because no identity-based policy allows the s3:GetObject action" },
	{ AS_USER, DOC("{'Effect':'Allow','NotAction':'iam:*','Resource':'*'}"), NULL, NULL, NULL,
	        POLICY_ALLOWED, "" },
	{ AS_USER, DOC("{'Effect':'Allow','NotAction':['s3:Get*'],'Resource':'*'}"), NULL, NULL,
	        NULL, POLICY_IMPLICIT_DENY,
	        "because no identity-based policy allows the s3:GetObject action" },
	{ AS_USER, DOC("{'Effect':'Allow','Action':'*','NotResource':'arn:aws:s3:::secret/*'}"),
	        NULL, NULL, NULL, POLICY_ALLOWED, "" },
	{ AS_USER, DOC("{'Effect':'Allow','Action':'*','NotResource':'arn:aws:s3:::${gone}/*'}"),
	        NULL, NULL, NULL, POLICY_IMPLICIT_DENY,
	        "because no identity-based policy allows the s3:GetObject action" },
	{ AS_ROOT, NULL, NULL, NULL, NULL, POLICY_ALLOWED, "" },
	{ AS_ROOT, NULL, NULL, NULL, RES("Deny", "'*'"), POLICY_EXPLICIT_DENY,
	        "with an explicit deny in a resource-based policy" },
	/* boundary and session */
	{ AS_USER, GET, PUT, NULL, NULL, POLICY_IMPLICIT_DENY,
	        "because no permissions boundary allows the s3:GetObject action" },
	{ AS_USER, GET, GET, NULL, NULL, POLICY_ALLOWED, "" },
	{ AS_USER, PUT, GET, NULL, NULL, POLICY_IMPLICIT_DENY,
	        "because no identity-based policy allows the s3:GetObject action" },
	{ AS_USER, GET, DENY, NULL, NULL, POLICY_EXPLICIT_DENY,
	        "with an explicit deny in a permissions boundary" },
	{ AS_SESSION, GET, NULL, PUT, NULL, POLICY_IMPLICIT_DENY,
	        "because no session policy allows the s3:GetObject action" },
	{ AS_SESSION, GET, NULL, DENY, NULL, POLICY_EXPLICIT_DENY,
	        "with an explicit deny in a session policy" },
	{ AS_SESSION, GET, GET, GET, NULL, POLICY_ALLOWED, "" },
	/* resource policies in one account */
	{ AS_USER, NULL, NULL, NULL, RES("Allow", "{'AWS':'" USER "'}"), POLICY_ALLOWED, "" },
	{ AS_USER, NULL, PUT, NULL, RES("Allow", "{'AWS':'" USER "'}"), POLICY_ALLOWED, "" },
	{ AS_USER, NULL, NULL, NULL, RES("Allow", "'*'"), POLICY_ALLOWED, "" },
	{ AS_USER, NULL, NULL, NULL, RES("Allow", "{'AWS':'*'}"), POLICY_ALLOWED, "" },
	{ AS_USER, NULL, NULL, NULL, RES("Allow", "{'AWS':'" ACCOUNT "'}"), POLICY_IMPLICIT_DENY,
	        "because no identity-based policy allows the s3:GetObject action" },
	{ AS_USER, NULL, NULL, NULL, RES("Deny", "{'AWS':'arn:aws:iam::" ACCOUNT ":root'}"),
	        POLICY_EXPLICIT_DENY, "with an explicit deny in a resource-based policy" },
	{ AS_SESSION, NULL, NULL, NULL, RES("Allow", "{'AWS':'" ROLE "'}"), POLICY_ALLOWED, "" },
	{ AS_SESSION, NULL, PUT, NULL, RES("Allow", "{'AWS':'" ROLE "'}"), POLICY_IMPLICIT_DENY,
	        "because no permissions boundary allows the s3:GetObject action" },
	{ AS_SESSION, NULL, NULL, PUT, RES("Allow", "{'AWS':'" ROLE "'}"), POLICY_IMPLICIT_DENY,
	        "because no session policy allows the s3:GetObject action" },
	{ AS_SESSION, NULL, PUT, PUT, RES("Allow", "{'AWS':'" SESSION "'}"), POLICY_ALLOWED, "" },
	{ AS_SESSION, GET, NULL, NULL, RES("Deny", "{'AWS':'" ROLE "'}"), POLICY_EXPLICIT_DENY,
	        "with an explicit deny in a resource-based policy" },
	{ AS_USER, GET, NULL, NULL,
	        DOC("{'Effect':'Deny','NotPrincipal':{'AWS':['" USER "']},'Action':'*',"
	            "'Resource':'*'}"),
	        POLICY_ALLOWED, "" },
	{ AS_SESSION, GET, NULL, NULL,
	        DOC("{'Effect':'Deny','NotPrincipal':{'AWS':['" USER "']},'Action':'*',"
	            "'Resource':'*'}"),
	        POLICY_EXPLICIT_DENY, "with an explicit deny in a resource-based policy" },
	/* services and nobody */
	{ AS_SERVICE, NULL, NULL, NULL, NULL, POLICY_IMPLICIT_DENY,
	        "because no resource-based policy allows the s3:GetObject action" },
	{ AS_SERVICE, NULL, NULL, NULL, RES("Allow", "{'Service':'apigateway.amazonaws.com'}"),
	        POLICY_ALLOWED, "" },
	{ AS_SERVICE, NULL, NULL, NULL,
	        RES("Allow", "{'Service':'apigateway.eu-west-1.amazonaws.com'}"), POLICY_ALLOWED,
	        "" },
	{ AS_SERVICE, NULL, NULL, NULL, RES("Allow", "{'Service':'sns.amazonaws.com'}"),
	        POLICY_IMPLICIT_DENY,
	        "because no resource-based policy allows the s3:GetObject action" },
	{ AS_SERVICE, NULL, NULL, NULL, RES("Allow", "'*'"), POLICY_ALLOWED, "" },
	{ AS_NOBODY, NULL, NULL, NULL, RES("Allow", "'*'"), POLICY_ALLOWED, "" },
	{ AS_NOBODY, NULL, NULL, NULL, RES("Allow", "{'AWS':'" USER "'}"), POLICY_IMPLICIT_DENY,
	        "because no resource-based policy allows the s3:GetObject action" },
	{ AS_NOBODY, NULL, NULL, NULL, RES("Allow", "{'CanonicalUser':'abc'}"),
	        POLICY_IMPLICIT_DENY,
	        "because no resource-based policy allows the s3:GetObject action" },
	/* across accounts both sides must allow */
	{ AS_STRANGER, GET, NULL, NULL, NULL, POLICY_IMPLICIT_DENY,
	        "because no resource-based policy allows the s3:GetObject action" },
	{ AS_STRANGER, NULL, NULL, NULL, RES("Allow", "'*'"), POLICY_IMPLICIT_DENY,
	        "because no identity-based policy allows the s3:GetObject action" },
	{ AS_STRANGER, GET, NULL, NULL, RES("Allow", "{'AWS':'999999999999'}"), POLICY_ALLOWED,
	        "" },
	{ AS_STRANGER, GET, PUT, NULL, RES("Allow", "{'AWS':'999999999999'}"), POLICY_IMPLICIT_DENY,
	        "because no permissions boundary allows the s3:GetObject action" },
};

static void run(const struct evaluation *v, struct policy_request *r, enum policy_kind kind,
        struct policy_result *result)
{
	struct policy_set set = { 0 };

	read_keys(r, "aws:username=Ann;aws:SourceArn=arn:aws:execute-api:r:1:api/*");
	set.identity = source(v->identity, POLICY_IDENTITY, &set.n_identity);
	set.boundary = source(v->boundary, POLICY_IDENTITY, &set.n_boundary);
	set.session = source(v->session, POLICY_IDENTITY, &set.n_session);
	set.resource = source(v->resource, kind, &set.n_resource);
	policy_evaluate(a, r, &set, result);
	if (result->decision != v->decision ||
	        !str_eq(result->because.p ? result->because : S(""), str_of(v->because)))
		print_message("%d %s %s: %d %.*s\n", v->who, v->identity, v->resource,
		        result->decision, STR(result->because));
	assert_int_equal(result->decision, v->decision);
	assert_true(str_eq(result->because.p ? result->because : S(""), str_of(v->because)));
}

static void test_evaluations(void **state)
{
	struct policy_result result;

	for (size_t i = 0; i < ARRAY_LEN(evaluations); i++) {
		struct policy_request r = caller(evaluations[i].who);
		r.action = S("s3:GetObject");
		r.resource = S(OBJECT);
		r.resource_account = S(ACCOUNT);
		run(&evaluations[i], &r, POLICY_RESOURCE, &result);
		assert_int_equal(
		        result.missing_statement.n > 0, result.decision == POLICY_IMPLICIT_DENY);
	}
}

#define ASSUME  ID("Allow", "sts:AssumeRole", "*")
#define NO_ID   "because no identity-based policy allows the sts:AssumeRole action"
#define NO_ROLE "because no role trust policy allows the sts:AssumeRole action"

static const struct evaluation trusts[] = {
	{ AS_USER, NULL, NULL, NULL, TRUST("{'AWS':'" USER "'}"), POLICY_ALLOWED, "" },
	{ AS_USER, NULL, NULL, NULL, TRUST("{'AWS':'" ACCOUNT "'}"), POLICY_IMPLICIT_DENY, NO_ID },
	{ AS_USER, ASSUME, NULL, NULL, TRUST("{'AWS':'arn:aws:iam::" ACCOUNT ":root'}"),
	        POLICY_ALLOWED, "" },
	{ AS_USER, ASSUME, NULL, NULL, TRUST("{'Service':'lambda.amazonaws.com'}"),
	        POLICY_IMPLICIT_DENY, NO_ROLE },
	{ AS_SESSION, NULL, NULL, NULL, TRUST("{'AWS':'" ROLE "'}"), POLICY_ALLOWED, "" },
	{ AS_SERVICE, NULL, NULL, NULL, TRUST("{'Service':'apigateway.amazonaws.com'}"),
	        POLICY_ALLOWED, "" },
	{ AS_SERVICE, NULL, NULL, NULL, TRUST("{'Service':'lambda.amazonaws.com'}"),
	        POLICY_IMPLICIT_DENY, NO_ROLE },
	{ AS_FEDERATED, NULL, NULL, NULL,
	        TRUST("{'Federated':'arn:aws:iam::" ACCOUNT ":oidc-provider/id.example'}"),
	        POLICY_ALLOWED, "" },
	{ AS_STRANGER, ASSUME, NULL, NULL, TRUST("{'AWS':'999999999999'}"), POLICY_ALLOWED, "" },
	{ AS_STRANGER, NULL, NULL, NULL, TRUST("{'AWS':'999999999999'}"), POLICY_IMPLICIT_DENY,
	        NO_ID },
	{ AS_USER, ASSUME, NULL, NULL,
	        DOC("{'Effect':'Deny','Principal':'*','Action':'sts:AssumeRole'}"),
	        POLICY_EXPLICIT_DENY, "with an explicit deny in the role trust policy" },
};

static void test_trust(void **state)
{
	struct policy_result result;

	for (size_t i = 0; i < ARRAY_LEN(trusts); i++) {
		struct policy_request r = caller(trusts[i].who);
		r.action = S("sts:AssumeRole");
		r.resource = S(ROLE);
		r.resource_account = S(ACCOUNT);
		run(&trusts[i], &r, POLICY_TRUST, &result);
	}
}

/* What helps whoever reads the denial: the statement parses and, put where it belongs, allows. */
static void test_explanation(void **state)
{
	struct evaluation v = { AS_SERVICE, NULL, NULL, NULL,
		RES("Allow", "{'Service':'sns.amazonaws.com'}"), POLICY_IMPLICIT_DENY,
		"because no resource-based policy allows the s3:GetObject action" };
	struct policy_request r = caller(AS_SERVICE);
	struct policy_result result;
	const struct policy *p;
	struct str why, document;

	r.action = S("s3:GetObject");
	r.resource = S(OBJECT);
	r.resource_account = S(ACCOUNT);
	run(&v, &r, POLICY_RESOURCE, &result);
	assert_true(str_eq(result.missing_statement,
	        S("{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"apigateway.amazonaws.com\"},"
	          "\"Action\":\"s3:GetObject\",\"Resource\":\"" OBJECT "\",\"Condition\":{"
	          "\"ArnLike\":{\"aws:SourceArn\":\"arn:aws:execute-api:r:1:api/*\"}}}")));
	document = str_printf(a, "{\"Version\":\"2012-10-17\",\"Statement\":[%.*s]}",
	        STR(result.missing_statement));
	assert_int_equal(policy_parse(a, document, POLICY_RESOURCE, &p, &why), 0);
	struct policy_source with = { p, S("") };
	struct policy_set set = { .resource = &with, .n_resource = 1 };
	policy_evaluate(a, &r, &set, &result);
	assert_int_equal(result.decision, POLICY_ALLOWED);
	assert_int_equal(result.n_matches, 1);
	assert_true(result.matches[0].allow);

	v = (struct evaluation){ AS_SESSION,
		DOC("{" OK_ACTION ",'Condition':{'StringEquals':{'aws:SourceVpc':'v'}}}"), NULL,
		NULL, NULL, POLICY_IMPLICIT_DENY,
		"because no identity-based policy allows the s3:GetObject action" };
	r = caller(AS_SESSION);
	r.action = S("s3:GetObject");
	r.resource = S(OBJECT);
	r.resource_account = S(ACCOUNT);
	run(&v, &r, POLICY_RESOURCE, &result);
	assert_int_equal(result.n_missing_keys, 1);
	assert_true(str_eq(result.missing_keys[0], S("aws:SourceVpc")));
	assert_true(str_eq(result.missing_place, S("a policy of the role " ROLE)));
	assert_true(str_eq(result.missing_statement,
	        S("{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\",\"Resource\":\"" OBJECT
	          "\"}")));
}

static void test_helpers(void **state)
{
	struct str *names;
	const struct policy *p = parse(
	        DOC("{'Effect':'Allow','Action':'*','Resource':'arn:aws:s3:::${aws:username}${*}',"
	            "'Condition':{'StringLike':{'s3:prefix':['${aws:userid}','x']},"
	            "'Null':{'S3:Prefix':'false'}}}"),
	        POLICY_IDENTITY);

	assert_int_equal(policy_context_keys(a, p, &names), 3);
	assert_true(str_eq(names[0], S("aws:username")));
	assert_true(policy_is_2012(p));
	assert_true(policy_action_match(S("s3:Get*"), S("s3:getobject")));
	assert_true(policy_action_match(S("*:Get?bject"), S("S3:GetObject")));
	assert_false(policy_action_match(S("s3:Get"), S("s3:GetObject")));
}

/* Wildcards do not reach over the colons of an ARN's head. */
static void test_segments(void **state)
{
	static const struct {
		const char *pattern, *arn;
		bool match;
	} cases[] = {
		{ "arn:aws:lambda:*:1:function:f", "arn:aws:lambda:r:1:function:f", true },
		{ "arn:aws:lambda:*:function:f:x", "arn:aws:lambda:r:1:function:f", false },
		{ "arn:aws:lambda:r:*:function:*", "arn:aws:lambda:r:1:function:f:live", true },
		{ "arn:aws:s3:::b*", "arn:aws:s3:::bucket/a/b", true },
		{ "arn:aws:s3:::b?cket/*", "arn:aws:s3:::bucket/a:b", true },
		{ "*", "arn:aws:s3:::bucket", true },
		{ "arn:aws:sqs:*:q:*:1", "arn:aws:sqs:us:x:q:1", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct policy_request r = caller(AS_USER);
		struct policy_set set = { 0 };
		struct policy_result result;
		r.action = S("a:b");
		r.resource = str_of(cases[i].arn);
		struct str text = str_printf(a,
		        "{'Statement':{'Effect':'Allow','Action':'*','Resource':'%s'}}",
		        cases[i].pattern);
		set.identity = source(text.p, POLICY_IDENTITY, &set.n_identity);
		policy_evaluate(a, &r, &set, &result);
		assert_int_equal(result.decision == POLICY_ALLOWED, cases[i].match);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_evaluations),
		cmocka_unit_test(test_trust),
		cmocka_unit_test(test_explanation),
		cmocka_unit_test(test_helpers),
		cmocka_unit_test(test_segments),
	};
	a = arena_create();
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_destroy(a);
	return failed;
}
