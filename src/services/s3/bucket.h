#pragma once
/*
 * bucket: where buckets are in the store, who may do what with them, and the errors that name one.
 *
 * Rows: ("s3", "", "", "bucket", name)       the bucket: one namespace for the whole installation
 *       ("s3", account, "", "owned", name)   an account's buckets, for ListBuckets
 */
#include "api/record.h"
#include "kv/kv.h"
#include "s3_gen.h"
#include "services/s3/names.h"

struct str s3_bucket_key(struct arena *a, struct str bucket);
struct str s3_owned_key(struct arena *a, struct str account, struct str bucket);
struct str s3_bucket_arn(struct arena *a, struct str bucket);
/* The canonical user id of an account: 64 hexadecimal characters. */
struct str s3_owner_id(struct arena *a, struct str account);
struct s3_owner *s3_owner_of(struct arena *a, struct str account);

/* Inside a transaction: 0, or S3_NO_SUCH_BUCKET (not yet failed: s3_no_such_bucket does). */
int s3_bucket_read(struct kv_txn *txn, struct str name, struct s3_bucket_record *b) MUST_USE;
int s3_no_such_bucket(struct task *t, struct str name);
/* In a view of its own. */
int s3_bucket_load(struct task *t, struct str name, struct s3_bucket_record *b) MUST_USE;
/* Reads, lets fn change, writes: the bucket's own settings. fn returns 0, or an error for *error.
 */
int s3_bucket_change(struct task *t, struct str name,
        void (*fn)(struct s3_bucket_record *b, const void *arg), const void *arg) MUST_USE;

/* Names an error with the elements that S3 adds to it. detail: copied. */
int s3_fail(struct task *t, const struct s3_error_detail *detail, const char *code, int status,
        const char *message);
int s3_invalid_argument(struct task *t, const char *name, struct str value, const char *message);

/* A member of the input by its model's name; absent when the operation has none. */
struct str s3_input(struct task *t, const void *in, const char *member);

/* For rows: what the operation touches, its conditions, and the bucket's policy. */
int s3_on_bucket(struct task *t, const void *in, struct api_access *access);
int s3_on_object(struct task *t, const void *in, struct api_access *access);
int s3_on_nothing(struct task *t, const void *in, struct api_access *access);
/* The bucket's side of decisions about objects that the input lists. */
int s3_access_of(struct task *t, const void *in, struct api_access *access) MUST_USE;
/* Refuses a caller without a name what no bucket policy allows. */
int s3_check_anonymous(struct task *t, const struct api_access *access) MUST_USE;
/* May the caller read this object, which the input names as a source? */
int s3_may_read(struct task *t, const struct s3_copy_source *source) MUST_USE;
int s3_malformed_xml(struct task *t);
