#pragma once
/*
 * recording: invocations kept so that they can be run again: event, client context, trace, time,
 * and the function as it was, its code held. Written behind the answer, so a crash at that moment
 * loses it; then durable.
 *
 * Of each function at most LAMBDA_RECORDINGS_MAX of the last LAMBDA_RECORDINGS_DAYS days and
 * LAMBDA_RECORDINGS_BYTES in all; the oldest are dropped. They go with the function.
 *
 * Rows: ("lambda", account, region, "recording", name, time_ms, request id): RecordingRecord
 *       ("lambda", account, region, "recording-sum", name): RecordingSumRecord
 */
#include "services/lambda/function.h"

#define LAMBDA_RECORDINGS_MAX   100
#define LAMBDA_RECORDINGS_BYTES (64 << 20)
#define LAMBDA_RECORDINGS_DAYS  7

/* After an invocation of a function that is being recorded. */
void lambda_recording_add(struct task *t, const struct lambda_ref *ref,
        const struct lambda_function_record *r, const struct runtime_invocation *in,
        const struct runtime_result *result);
/* Inside the update that deletes the function. */
int lambda_recordings_drop(struct kv_txn *txn, const struct lambda_ref *ref) MUST_USE;
