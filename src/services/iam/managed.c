/* managed: where managed policies are found. */
#include "services/iam/managed.h"

#include "api/arn.h"

#define AWS_POLICY "arn:aws:iam::aws:policy"

struct str iam_policy_arn_name(struct str arn)
{
	return str_sub(arn, (size_t)(str_rfind_char(arn, '/') + 1), arn.n);
}

struct str iam_aws_policy_arn(struct arena *a, const struct iam_aws_policy *p)
{
	return str_concat(a, 3, S(AWS_POLICY), p->path, p->name);
}

const struct iam_aws_policy *iam_aws_policy_find(struct str arn)
{
	size_t n;
	const struct iam_aws_policy *all = iam_aws_policies(&n);

	if (!str_starts(arn, S(AWS_POLICY)))
		return NULL;
	struct str rest = str_sub(arn, sizeof AWS_POLICY - 1, arn.n);
	for (size_t i = 0; i < n; i++)
		if (rest.n == all[i].path.n + all[i].name.n && str_starts(rest, all[i].path) &&
		        str_ends(rest, all[i].name))
			return &all[i];
	return NULL;
}

struct str iam_policy_arn(struct iam_work *w, const struct iam_policy_record *r)
{
	return arn_make(
	        w->arena, "iam", S(""), w->account, "policy%.*s%.*s", STR(r->path), STR(r->name));
}

int iam_policy_find(struct iam_work *w, struct str arn, struct iam_policy_record *r)
{
	*r = (struct iam_policy_record){ 0 };
	TRY(record_get(w->txn, iam_key1(w, S("policy"), iam_policy_arn_name(arn)),
	        &iam_shape_policy_record, r));
	return str_eq(iam_policy_arn(w, r), arn) ? 0 : KV_NOT_FOUND;
}

int iam_policy_document(struct iam_work *w, struct str arn, struct str *document)
{
	const struct iam_aws_policy *aws = iam_aws_policy_find(arn);
	struct iam_policy_record r;

	*document = aws ? aws->document : (struct str){ 0 };
	if (aws)
		return 0;
	TRY(iam_policy_find(w, arn, &r));
	*document = r.document;
	return 0;
}
