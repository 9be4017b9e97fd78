#pragma once
/*
 * function: where functions are in the store, how they are named, and how they are run.
 *
 * Rows: ("lambda", account, region, "function", name)            $LATEST
 *       ("lambda", account, region, "version", name, number)     published, immutable
 *       ("lambda", account, region, kind, name, qualifier)       what belongs to a qualifier:
 *           "alias", "policy", "event-invoke", "url"; qualifier "" is $LATEST
 * docs/lambda.md has all of them.
 */
#include "api/record.h"
#include "kv/jobs.h"
#include "lambda_gen.h"
#include "runtime/runtime.h"

struct lambda_ref {
	struct str account, region, name;
	struct str qualifier; /* absent or "$LATEST": the unpublished one; a number; an alias */
};

/* From a name, "name:qualifier", a partial or full ARN, and the Qualifier parameter. */
int lambda_ref_parse(
        struct task *t, struct str name, struct str qualifier, struct lambda_ref *ref) MUST_USE;
/* With the qualifier when it has one. */
struct str lambda_ref_arn(struct arena *a, const struct lambda_ref *ref);
struct str lambda_ref_unqualified_arn(struct arena *a, const struct lambda_ref *ref);
/* Always with a qualifier: "$LATEST" when it has none. */
struct str lambda_ref_qualified_arn(struct arena *a, const struct lambda_ref *ref);
bool lambda_is_latest(struct str qualifier);
bool lambda_is_version(struct str qualifier); /* a number */
bool lambda_is_alias(struct str qualifier);

struct str lambda_function_key(struct arena *a, const struct lambda_ref *ref);
struct str lambda_version_key(struct arena *a, const struct lambda_ref *ref, uint64_t version);
/* The row of a kind that belongs to the qualifier; and the prefix of all of that function. */
struct str lambda_row_key(struct arena *a, const struct lambda_ref *ref, const char *kind);
struct str lambda_row_prefix(struct arena *a, const struct lambda_ref *ref, const char *kind);

/* Inside a transaction: 0 or KV_NOT_FOUND. Follows the qualifier; an alias to its main version.
 * What belongs to the function as a whole (tags, concurrency) is the function's. */
int lambda_record_get(struct kv_txn *txn, const struct lambda_ref *ref,
        struct lambda_function_record *r) MUST_USE;
/* Writes it back, under $LATEST or the version that it is. */
void lambda_record_put(
        struct kv_txn *txn, const struct lambda_ref *ref, const struct lambda_function_record *r);
int lambda_alias_get(struct kv_txn *txn, const struct lambda_ref *ref,
        struct lambda_alias_configuration *alias) MUST_USE;
/* Gives what the qualifier names (function, version or alias) a new revision id. */
int lambda_touch(struct kv_txn *txn, const struct lambda_ref *ref, struct str revision_id) MUST_USE;
/* The revision id of what the qualifier names. */
int lambda_revision(
        struct kv_txn *txn, const struct lambda_ref *ref, struct str *revision_id) MUST_USE;

/* Counts the blobs of the record as used by one more row, or one less. */
void lambda_record_hold(struct kv_txn *txn, const struct lambda_function_record *r);
void lambda_record_release(struct kv_txn *txn, const struct lambda_function_record *r);

/* In a view of its own: 0 or fail(ResourceNotFoundException). */
int lambda_load(
        struct task *t, const struct lambda_ref *ref, struct lambda_function_record *r) MUST_USE;
/* As lambda_load, for an invocation: an alias leads to one of its versions by their weights. */
int lambda_load_routed(
        struct task *t, const struct lambda_ref *ref, struct lambda_function_record *r) MUST_USE;
int lambda_not_found(struct task *t, const struct lambda_ref *ref);

/* Loads the function that in's FunctionName and Qualifier name. */
int lambda_find(struct task *t, struct str name, struct str qualifier, struct lambda_ref *ref,
        struct lambda_function_record *r) MUST_USE;

/* A refusal inside of a transaction, told to the client after it:
 *	return lambda_refuse(&c->refusal, LAMBDA_..., str_printf(a, ...));
 *	TRY(lambda_refused(t, &c.refusal, kv_update(t, change, &c))); */
struct lambda_refusal {
	int code;
	struct str message;
};
int lambda_refuse(struct lambda_refusal *r, int code, struct str message);
int lambda_refused(struct task *t, const struct lambda_refusal *r, int bad) MUST_USE;

/* What the runtime needs to run it. */
void lambda_runnable(struct arena *a, const struct lambda_ref *ref,
        const struct lambda_function_record *r, struct runtime_function *f);
/* Ends environments of earlier states of $LATEST, makes those of this one ready. */
void lambda_changed(
        struct task *t, const struct lambda_ref *ref, const struct lambda_function_record *r);

/* For rows: the resource is the function that the input names, with its resource policy. */
int lambda_on_function(struct task *t, const void *in, struct api_access *access);
/* An input's member of that name, a string; absent when there is none. */
struct str lambda_input_member(struct task *t, const void *in, struct str name);

/* "2026-01-31T12:00:00.000+0000" */
struct str lambda_time(struct arena *a, int64_t ms);

#define LAMBDA_STALE_REVISION                                                       \
	"The Revision Id provided does not match the latest Revision Id. Call the " \
	"GetFunction/GetAlias API to retrieve the latest Revision Id"
int lambda_precondition(
        struct task *t, struct str revision_id, const struct lambda_function_record *r);

/* provisioned.c: tells the runtime what of the function is to be initialised ahead; after each
 * change of its versions, aliases or provisioned concurrency. */
int lambda_provision_apply(struct task *t, const struct lambda_ref *ref) MUST_USE;
/* For all functions, at start. */
void lambda_provision_start(struct task *t);

/* snapshot.c: a version with SnapStart is Pending until its snapshot is taken, by a job. */
void lambda_snapshot_begin(struct kv_txn *txn, const struct lambda_ref *ref,
        struct lambda_function_configuration *version);
int lambda_snapshot_deliver(struct task *t, struct kv_job *job);
/* fail()s when it is not there yet. */
int lambda_snapshot_check(struct task *t, const struct lambda_function_record *r) MUST_USE;
struct str lambda_provisioned_index_key(struct arena *a, const struct lambda_ref *ref);

#define LAMBDA_CONCURRENCY    1000 /* of an account */
#define LAMBDA_UNRESERVED_MIN 100
#define LAMBDA_SYNC_MAX       6291456

/* invoke.c: checks an event and a client context as every invocation does. */
int lambda_check_event(struct task *t, struct str payload, size_t limit) MUST_USE;
int lambda_client_context(struct task *t, struct str encoded, struct str *json) MUST_USE;
/* The function as the runtime wants it, and the event's trace with this function in its lineage. */
int lambda_run_prepare(struct task *t, const struct lambda_ref *ref,
        const struct lambda_function_record *r, struct runtime_invocation *in,
        struct runtime_function *f) MUST_USE;
/* What the runtime said as Lambda's error; 0 stays 0. */
int lambda_run_failed(struct task *t, int got, struct str why);
/* invoke.c: runs it and turns throttles into Lambda's errors. */
int lambda_run(struct task *t, const struct lambda_ref *ref, const struct lambda_function_record *r,
        const struct runtime_invocation *in, struct runtime_result *result) MUST_USE;
