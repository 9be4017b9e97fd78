#pragma once
/* policy: managed policies as answers show them. */
#include "services/iam/managed.h"

#define IAM_VERSIONS_MAX 5

/* The customer's, with the counts of its uses. */
struct iam_policy *iam_policy_of(struct iam_work *w, const struct iam_policy_record *r);
struct iam_policy *iam_aws_policy_of(struct iam_work *w, const struct iam_aws_policy *p);
/* "v3" -> 3 */
bool iam_version_parse(struct str id, int64_t *number) MUST_USE;
struct str iam_version_key(struct iam_work *w, const struct iam_policy_record *r, int64_t number);
/* 0 or NoSuchEntity; AccessDenied for those of AWS. */
int iam_policy_of_customer(
        struct iam_work *w, struct str arn, struct iam_policy_record *r) MUST_USE;
void iam_policy_put(struct iam_work *w, const struct iam_policy_record *r);
/* Documents of managed policies: language and size. */
int iam_policy_check(struct iam_work *w, struct str document) MUST_USE;
/* All versions, newest first. */
int iam_versions_of(struct iam_work *w, const struct iam_policy_record *r,
        struct iam_policy_document_version_list_type *list) MUST_USE;
