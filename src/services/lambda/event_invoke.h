#pragma once
/*
 * event_invoke: how a function's asynchronous events are retried and where their outcome goes.
 * A row of the kind "event-invoke" for each qualifier that has a configuration.
 */
#include "services/lambda/function.h"

#define LAMBDA_EVENT_AGE_MAX_S 21600
#define LAMBDA_EVENT_RETRIES   2

/* The configuration of the qualifier; zeroed when there is none. */
int lambda_event_invoke_get(struct kv_txn *txn, const struct lambda_ref *ref,
        struct lambda_function_event_invoke_config *config) MUST_USE;
