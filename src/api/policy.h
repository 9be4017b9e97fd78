#pragma once
/*
 * policy: IAM's language and its evaluation. Pure: text in, decision and reasons out.
 *
 * Evaluation logic as documented (IAM User Guide, "Policy evaluation logic"): an explicit deny
 * anywhere wins; then within one account an allow in the identity policies, cut by the permissions
 * boundary and the session policies, or an allow in the resource policy (which reaches past boundary
 * and session policy when it names the user or the session itself); across accounts both sides must
 * allow. All condition operators with IfExists, ForAllValues, ForAnyValue and Null; policy variables
 * with defaults; NotAction, NotResource, NotPrincipal; wildcards.
 */
#include "base/buf.h"

#define POLICY_BAD 1

struct policy; /* a parsed document; immutable, in its arena */

enum policy_kind { POLICY_IDENTITY, POLICY_RESOURCE, POLICY_TRUST };

/* POLICY_BAD with AWS's words on *why (e.g. "Syntax errors in policy.", "Has prohibited field Principal"). */
int policy_parse(struct arena *a, struct str json, enum policy_kind kind, const struct policy **policy, struct str *why) MUST_USE;

struct policy_key {
	struct str name;     /* "aws:SourceArn", "s3:prefix"; compared without case */
	struct str *values;
	size_t n_values;
	bool multivalued;
};

struct policy_request {
	/* who */
	struct str principal_arn;     /* of the caller as seen by policies; absent: anonymous */
	struct str principal_account;
	struct str principal_service; /* "apigateway.amazonaws.com" for a service, else absent */
	struct str role_arn;          /* of an assumed-role session, its role; else absent */
	struct str federated;         /* provider, of web identity and SAML callers */
	bool is_root;                 /* of its account: identity side always allows */
	/* what */
	struct str action, resource, resource_account;
	const struct policy_key *keys;
	size_t n_keys;
};

struct policy_source {
	const struct policy *policy;
	struct str name; /* for reasons: an ARN or "inline policy X of role Y" */
};

struct policy_set {
	struct policy_source *identity, *boundary, *session, *resource;
	size_t n_identity, n_boundary, n_session, n_resource;
};

enum policy_decision { POLICY_ALLOWED, POLICY_IMPLICIT_DENY, POLICY_EXPLICIT_DENY };

struct policy_match {
	struct str source, sid;
	size_t statement; /* index in its document */
	bool allow;
};

struct policy_result {
	enum policy_decision decision;
	/* AWS's wording: "because no identity-based policy allows the lambda:InvokeFunction action",
	 * "with an explicit deny in a resource-based policy" ... */
	struct str because;
	struct policy_match *matches; /* statements that applied */
	size_t n_matches;
	/* The statement whose absence denied, as JSON ready to paste, and where it belongs ("a policy
	 * of the role arn:...", "the resource policy of arn:..."); absent on explicit deny. */
	struct str missing_statement, missing_place;
	struct str *missing_keys; /* condition keys that a statement asked for and the request lacks */
	size_t n_missing_keys;
};

void policy_evaluate(struct arena *a, const struct policy_request *request, const struct policy_set *set, struct policy_result *result);

/* Managed policies must be of Version 2012-10-17, which inline ones need not. */
bool policy_is_2012(const struct policy *p);
/* For Simulate*: every action pattern etc. "s3:Get*" against "s3:GetObject", without case. */
bool policy_action_match(struct str pattern, struct str action);
/* Condition keys a document's conditions name (GetContextKeysForPrincipalPolicy). */
size_t policy_context_keys(struct arena *a, const struct policy *p, struct str **names);
