#pragma once
/* integrate: the kinds of integrations, each a step of an exchange. */
#include "services/apigateway/mapping.h"

int integrate_lambda_proxy(struct task *t, struct exchange *e) MUST_USE; /* lambda_proxy.c */
int integrate_aws(struct task *t, struct exchange *e) MUST_USE;          /* integrate_aws.c */
int integrate_http(struct task *t, struct exchange *e) MUST_USE;         /* integrate_http.c */
int integrate_http_proxy(struct task *t, struct exchange *e) MUST_USE;
int integrate_mock(struct task *t, struct exchange *e) MUST_USE; /* integrate.c */

/* Runs a function for the method. 0; EXCHANGE_ANSWERED when it could not be run. */
struct function_answer {
	struct str payload;
	struct str error; /* "Unhandled", "Handled"; absent: none */
};
int integrate_invoke(struct task *t, struct exchange *e, struct str payload,
        struct function_answer *answer) MUST_USE;
/* The function's ARN in "...:lambda:path/2015-03-31/functions/<arn>/invocations"; absent. */
struct str integrate_function_of(struct exchange *e, struct str uri);
/* The function with this ARN, as API Gateway or the role, on behalf of source_arn. Positive: the
 * error of Lambda's API. */
int integrate_call_function(struct task *t, struct exchange *e, struct str function_arn,
        struct str credentials, struct str source_arn, struct str payload,
        struct function_answer *answer) MUST_USE;
