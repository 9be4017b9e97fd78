#pragma once
/*
 * recursion: functions that, through whatever services, invoke themselves. The trace header carries
 * a lineage: for each function how often it was in this chain of events. The SDKs pass the header
 * on. Lambda Developer Guide, "Use Lambda recursive loop detection to prevent infinite loops".
 *
 *	Root=1-...;Parent=...;Sampled=0;Lineage=1:43e12f0f:5
 */
#include "services/lambda/function.h"

/* The trace that came with the running call, directly or through services; absent: none. */
struct str lambda_trace_of(struct task *t);
/* The same, or a new one when none came. */
struct str lambda_trace_or_new(struct task *t, const struct lambda_function_record *r);
/* The header for an invocation of the function. False: it has run sixteen times in this chain and
 * its configuration says to stop there. */
bool lambda_trace_next(struct arena *a, struct str arn, const struct lambda_function_record *r,
        struct str came, struct str *next) MUST_USE;
