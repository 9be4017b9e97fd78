/* trust: checks of trust policies. */
#include "services/iam/trust.h"

#include "api/arn.h"
#include "codec/json.h"

#define TRUST_MAX 2048

/* Users and roles of whatever account; other ARNs and account numbers name nothing to look up. */
static int principal_exists(struct iam_work *w, struct str text)
{
	struct iam_work there = *w;
	struct iam_entity_record r;
	struct arn arn;
	bool user;

	if (!arn_parse(text, &arn) || !str_eq(arn.service, S("iam")))
		return 0;
	user = str_starts(arn.resource, S("user/"));
	if (!user && !str_starts(arn.resource, S("role/")))
		return 0;
	there.account = arn.account;
	enum iam_kind kind = user ? IAM_USER : IAM_ROLE;
	struct str name = str_sub(
	        arn.resource, (size_t)str_rfind_char(arn.resource, '/') + 1, arn.resource.n);
	int got = iam_entity_get(&there, kind, name, &r);
	if (got < 0)
		return got;
	if (got == 0 && str_eq(iam_entity_arn(w->arena, arn.account, kind, &r), text))
		return 0;
	return iam_refuse(w, IAM_MALFORMED_POLICY_DOCUMENT_EXCEPTION,
	        "Invalid principal in policy: \"AWS\":\"%.*s\"", STR(text));
}

static int check_principals(struct iam_work *w, yyjson_val *principals)
{
	size_t i, n;
	yyjson_val *one;

	if (yyjson_is_str(principals))
		return principal_exists(w, json_str_of(principals));
	yyjson_arr_foreach(principals, i, n, one) TRY(principal_exists(w, json_str_of(one)));
	return 0;
}

static int check_statement(struct iam_work *w, yyjson_val *statement)
{
	TRY(check_principals(w, json_get(json_get(statement, "Principal"), "AWS")));
	return check_principals(w, json_get(json_get(statement, "NotPrincipal"), "AWS"));
}

int iam_trust_check(struct iam_work *w, struct str json)
{
	yyjson_val *root, *statements, *one;
	size_t i, n;

	TRY(iam_document_check(w, json, POLICY_TRUST));
	if (iam_document_size(json) > TRUST_MAX)
		return iam_refuse(w, IAM_LIMIT_EXCEEDED_EXCEPTION,
		        "Cannot exceed quota for ACLSizePerRole: %d", TRUST_MAX);
	if (json_parse(w->arena, json, &root) != 0)
		return -EPROTO;
	statements = json_get(root, "Statement");
	if (yyjson_is_obj(statements))
		return check_statement(w, statements);
	yyjson_arr_foreach(statements, i, n, one) TRY(check_statement(w, one));
	return 0;
}
