#pragma once
/*
 * managed: managed policies, the customer's and AWS's own. AWS's are a table in the program
 * (aws_managed.c): they have no rows, but for who uses them.
 */
#include "services/iam/entity.h"

/* A policy of AWS: one line of the table. */
struct iam_aws_policy {
	struct str path, name;
	struct str version; /* of the default document: "v1" */
	struct str document;
};

/* By ARN (arn:aws:iam::aws:policy/...); NULL: none. */
const struct iam_aws_policy *iam_aws_policy_find(struct str arn);
const struct iam_aws_policy *iam_aws_policies(size_t *n);
struct str iam_aws_policy_arn(struct arena *a, const struct iam_aws_policy *p);

struct str iam_policy_arn(struct iam_work *w, const struct iam_policy_record *r);
/* A customer managed policy by its ARN: 0, KV_NOT_FOUND or -errno. */
int iam_policy_find(struct iam_work *w, struct str arn, struct iam_policy_record *r) MUST_USE;
/* Does it exist, whoever's it is? 0, KV_NOT_FOUND, -errno; its default document. */
int iam_policy_document(struct iam_work *w, struct str arn, struct str *document) MUST_USE;
/* "arn:aws:iam::1:policy/a/b/Name" -> "Name" */
struct str iam_policy_arn_name(struct str arn);

/* Who uses a policy, and as what: rows of an index. */
struct iam_use {
	struct str arn, usage; /* IAM_USE_ATTACHED, IAM_USE_BOUNDARY */
	enum iam_kind kind;
	struct str name; /* of the entity */
};
void iam_use_add(struct iam_work *w, const struct iam_use *use);
void iam_use_remove(struct iam_work *w, const struct iam_use *use);
/* The prefix of the rows of all uses of the policy as `usage`. */
struct str iam_use_prefix(struct iam_work *w, struct str arn, struct str usage);
int64_t iam_use_count(struct iam_work *w, struct str arn, struct str usage);
