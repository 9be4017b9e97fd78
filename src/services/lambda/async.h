#pragma once
/*
 * async: events accepted with 202. docs/lambda.md tells their life.
 */
#include "services/lambda/function.h"

/* Durable when it returns 0. */
int lambda_async_add(
        struct task *t, const struct lambda_ref *ref, const struct lambda_invoke_in *in) MUST_USE;
int lambda_async_deliver(struct task *t, struct kv_job *job);
