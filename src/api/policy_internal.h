#pragma once
/*
 * policy_internal: a parsed document, and the matching that evaluating and explaining share.
 */
#include "api/policy.h"

struct policy_pattern {
	struct str text;
	bool variables; /* holds ${...} that is to be resolved: Version 2012-10-17 only */
};

struct policy_patterns {
	struct policy_pattern *v;
	size_t n;
};

enum policy_principal_type {
	POLICY_PRINCIPAL_ANY,
	POLICY_PRINCIPAL_AWS,
	POLICY_PRINCIPAL_SERVICE,
	POLICY_PRINCIPAL_FEDERATED,
	POLICY_PRINCIPAL_CANONICAL,
};

struct policy_principal {
	enum policy_principal_type type;
	struct str value;
};

enum policy_quantifier { POLICY_ONE, POLICY_FOR_ALL, POLICY_FOR_ANY };

struct policy_operator {
	struct str name;
	/* Does the request's value satisfy the document's (wildcards and variables in pattern)? */
	bool (*match)(struct arena *a, const struct policy_request *r, struct str value,
	        const struct policy_pattern *pattern);
	bool negated;
	bool variables; /* values may hold ${...} */
	bool date;      /* values are checked when parsed */
};

struct policy_condition {
	const struct policy_operator *op; /* match NULL: Null */
	enum policy_quantifier quantifier;
	bool if_exists;
	struct str key;
	struct policy_patterns values;
};

struct policy_statement {
	struct str sid;
	bool allow, not_action, not_resource, not_principal;
	struct policy_patterns actions, resources; /* resources empty: not asked for */
	struct policy_principal *principals;
	size_t n_principals;
	struct policy_condition *conditions;
	size_t n_conditions;
};

struct policy {
	enum policy_kind kind;
	bool is_2012;
	struct policy_statement *v;
	size_t n;
};

/* ---- patterns (policy_match.c) ---- */

/* Wildcards and, where marked, variables; false when a variable has no value (*unresolved). */
bool policy_text_match(struct arena *a, const struct policy_request *r, struct str text,
        const struct policy_pattern *pattern, bool *unresolved);
/* As above, but in ARNs no wildcard reaches over one of the first five colons. */
bool policy_arn_match(struct arena *a, const struct policy_request *r, struct str arn,
        const struct policy_pattern *pattern, bool *unresolved);
/* The text with its variables resolved and without wildcards' meaning; absent: unresolved. */
struct str policy_expand(
        struct arena *a, const struct policy_request *r, const struct policy_pattern *pattern);
const struct policy_key *policy_key_find(const struct policy_request *r, struct str name);
/* The name in "${name, 'otherwise'}" for each variable of text; *at starts at 0. */
bool policy_next_variable(struct str text, size_t *at, struct str *name, struct str *otherwise);

/* ---- conditions (policy_condition.c) ---- */

/* "ForAllValues:StringLikeIfExists" taken apart; false: no such operator. */
bool policy_operator_find(struct str name, struct policy_condition *condition);
bool policy_date_parse(struct str text, int64_t *ms);
/* A key that the condition asked for and the request lacks goes to *missing (may be NULL). */
bool policy_condition_met(struct arena *a, const struct policy_request *r,
        const struct policy_condition *c, struct str *missing);

/* ---- principals (policy_principal.c) ---- */

/* How a statement's principals name the caller, and so how far an allow reaches. */
enum policy_grant {
	POLICY_GRANT_NONE,
	POLICY_GRANT_ACCOUNT, /* hands over to the account's identity policies */
	POLICY_GRANT_ROLE,    /* the role: cut by boundary and session policies */
	POLICY_GRANT_DIRECT,  /* the user, the session, the service, everyone */
};
enum policy_grant policy_principal_match(
        const struct policy_request *r, const struct policy_statement *s);

/* ---- evaluation (policy_evaluate.c) ---- */

/* What a set of documents of one kind says. */
struct policy_verdict {
	bool denied;
	enum policy_grant grant; /* of the farthest allow; identity policies: DIRECT */
	bool trust;              /* of resource policies: one is a role's trust policy */
};

struct policy_evaluation {
	struct arena *a;
	const struct policy_request *request;
	const struct policy_set *set;
	struct policy_verdict identity, boundary, session, resource;
	struct policy_result *result;
	size_t matches_capacity;
};

bool policy_is_cross_account(const struct policy_request *r);
bool policy_has_identity(const struct policy_request *r);
/* Do action, resource and principal of a statement fit? Conditions are not asked. */
bool policy_statement_fits(struct arena *a, const struct policy_request *r,
        const struct policy *policy, const struct policy_statement *s, enum policy_grant *grant);
/* Fills in because and what is missing (policy_explain.c). */
void policy_explain(const struct policy_evaluation *e);

/* ---- reading (policy_parse.c: the form, policy_check.c: the meaning) ---- */

enum policy_problem {
	POLICY_BAD_JSON,
	POLICY_BAD_SYNTAX,
	POLICY_BAD_VERSION,
	POLICY_BAD_CONDITION,
	POLICY_BAD_DATE,
	POLICY_BAD_EFFECT_CASE,
	POLICY_BAD_PRINCIPAL,
	POLICY_NO_STATEMENT,
	POLICY_NO_EFFECT,
	POLICY_NO_ACTION,
	POLICY_NO_RESOURCE,
	POLICY_NO_PRINCIPAL,
	POLICY_PROHIBITED_PRINCIPAL,
	POLICY_PROHIBITED_RESOURCE,
	POLICY_SID_REPEATED,
	POLICY_SID_FORM,
	POLICY_TRUST_ACTION,
};

struct policy_parsing {
	struct arena *a;
	struct policy *policy;
	struct str *why;
};

/* Sets *why to AWS's words for the problem, or to others; POLICY_BAD. */
int policy_refuse(struct policy_parsing *p, enum policy_problem problem);
int policy_refuse_with(struct policy_parsing *p, struct str why);
/* What is well formed may still be refused. */
int policy_check(struct policy_parsing *p);
