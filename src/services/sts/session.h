#pragma once
/*
 * session: temporary credentials. The token is the sealed record of the session (services/iam opens
 * it at every request), so nothing is stored, nothing has to be swept, and they survive a restart.
 */
#include "api/api.h"
#include "iam_gen.h"
#include "sts_gen.h"

#define STS_HOUR 3600

/* Gives the session its key, secret and times. */
struct sts_credentials *sts_session_issue(
        struct task *t, struct iam_session_record *s, int64_t duration_s);

/* Checks the policies given for a session and notes them in it. */
struct sts_session_policies {
	struct str policy;
	struct sts_policy_descriptor_list_type arns;
	struct sts_tag_list_type tags;
	struct str account; /* where the ARNs' policies are */
};
int sts_session_limit(struct task *t, const struct sts_session_policies *given,
        struct iam_session_record *s, struct opt_int *packed) MUST_USE;

/* No second factors are known here: a code is always wrong. */
int sts_no_mfa(struct task *t, struct str serial, struct str code) MUST_USE;
