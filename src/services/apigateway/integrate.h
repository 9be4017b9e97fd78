#pragma once
/* integrate: the kinds of integrations, each a step of an exchange. */
#include "services/apigateway/mapping.h"

int integrate_lambda_proxy(struct task *t, struct exchange *e) MUST_USE; /* lambda_proxy.c */
int integrate_aws(struct task *t, struct exchange *e) MUST_USE;          /* integrate_aws.c */
int integrate_http(struct task *t, struct exchange *e) MUST_USE;         /* integrate_http.c */
int integrate_http_proxy(struct task *t, struct exchange *e) MUST_USE;
int integrate_mock(struct task *t, struct exchange *e) MUST_USE; /* integrate.c */

/* A function, who calls it, and what it says. */
struct function_call {
	struct str arn;
	struct str credentials; /* a role; absent: API Gateway itself, on behalf of source_arn */
	struct str source_arn;
	struct str payload;
	struct str answer;
	struct str error; /* "Unhandled", "Handled"; absent: none */
};
/* Runs the integration's function with f->payload. EXCHANGE_ANSWERED when it could not be run. */
int integrate_invoke(struct task *t, struct exchange *e, struct function_call *f) MUST_USE;
/* The function's ARN in "...:lambda:path/2015-03-31/functions/<arn>/invocations"; absent. */
struct str integrate_function_of(struct exchange *e, struct str uri);
/* Just the call. Positive: the error of Lambda's API. */
int integrate_call_function(struct task *t, struct exchange *e, struct function_call *f) MUST_USE;
