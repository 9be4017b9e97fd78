#pragma once
/*
 * function: where functions are in the store, how they are named, and how they are run.
 *
 * Rows: ("lambda", account, region, "function", name)          $LATEST
 *       ("lambda", account, region, "version", name, number)   published, immutable
 *       ("lambda", account, region, "policy", name, qualifier) resource policy
 */
#include "api/record.h"
#include "kv/jobs.h"
#include "lambda_gen.h"
#include "runtime/runtime.h"

struct lambda_ref {
	struct str account, region, name;
	struct str qualifier; /* absent or "$LATEST": the unpublished one */
};

/* From a name, "name:qualifier", a partial or full ARN, and the Qualifier parameter. */
int lambda_ref_parse(
        struct task *t, struct str name, struct str qualifier, struct lambda_ref *ref) MUST_USE;
/* With the qualifier when it has one. */
struct str lambda_ref_arn(struct arena *a, const struct lambda_ref *ref);
struct str lambda_ref_unqualified_arn(struct arena *a, const struct lambda_ref *ref);

struct str lambda_function_key(struct arena *a, const struct lambda_ref *ref);
struct str lambda_version_key(struct arena *a, const struct lambda_ref *ref, uint64_t version);
struct str lambda_policy_key(struct arena *a, const struct lambda_ref *ref);

/* Inside a transaction: 0 or KV_NOT_FOUND. Follows the qualifier. */
int lambda_record_get(struct kv_txn *txn, const struct lambda_ref *ref,
        struct lambda_function_record *r) MUST_USE;
/* In a view of its own: 0 or fail(ResourceNotFoundException). */
int lambda_load(
        struct task *t, const struct lambda_ref *ref, struct lambda_function_record *r) MUST_USE;
int lambda_not_found(struct task *t, const struct lambda_ref *ref);

/* Loads the function that in's FunctionName and Qualifier name. */
int lambda_find(struct task *t, struct str name, struct str qualifier, struct lambda_ref *ref,
        struct lambda_function_record *r) MUST_USE;

/* Its resource policy as a document; absent: none. */
int lambda_policy_json(struct kv_txn *txn, const struct lambda_ref *ref, struct str *json,
        struct str *revision) MUST_USE;

/* What the runtime needs to run it. */
void lambda_runnable(struct arena *a, const struct lambda_ref *ref,
        const struct lambda_function_record *r, struct runtime_function *f);

/* For rows: the resource is the function that the input names, with its resource policy. */
int lambda_on_function(struct task *t, const void *in, struct api_access *access);

/* "2026-01-31T12:00:00.000+0000" */
struct str lambda_time(struct arena *a, int64_t ms);

/* The configuration as an answer shows it: no null environment errors, ARN as asked for. */
int lambda_precondition(
        struct task *t, struct str revision_id, const struct lambda_function_record *r);

/* async.c */
int lambda_async_add(
        struct task *t, const struct lambda_ref *ref, const struct lambda_invoke_in *in) MUST_USE;
int lambda_async_deliver(struct task *t, struct kv_job *job);
/* invoke.c: runs it and turns throttles into Lambda's errors. */
int lambda_run(struct task *t, const struct lambda_ref *ref, const struct lambda_function_record *r,
        const struct runtime_invocation *in, struct runtime_result *result) MUST_USE;
