#pragma once
/*
 * object: an object's versions in the store.
 *
 * Rows: ("s3", "", "", "object", bucket, key)        the current version, unless it is a marker
 *       ("s3", "", "", "version", bucket, key, age)  all others, delete markers too; newest first
 *       ("s3", "", "", "null", bucket, key)          the age of the null version among them
 *
 * So listings of current objects meet nothing but current objects. A version's age is a number that
 * falls; the id that clients see begins with it, so that a version is found without a search.
 */
#include "services/s3/bucket.h"
#include "services/s3/data.h"

/* Errors inside transactions, beside the generated ones; s3_object_failed says them. */
enum { S3_NO_SUCH_VERSION = 1000, S3_BAD_VERSION_ID, S3_PRECONDITION_FAILED, S3_IS_MARKER };

struct s3_ref {
	struct str bucket, key;
	struct str version_id; /* absent: the current one */
};

struct str s3_object_key(struct arena *a, struct str bucket, struct str key);
struct str s3_version_key(struct arena *a, struct str bucket, struct str key, uint64_t age);

/* Conditions of a write. */
struct s3_write_conditions {
	struct str if_match, if_none_match;
	const char *failed; /* the header that did not hold */
};

/* Makes o the current version; the one before becomes old, or goes with its data. o's version id is
 * set. random: 16 characters made before the transaction. */
struct s3_placing {
	struct s3_ref ref;
	struct s3_object_record *object;
	struct str random;
	struct s3_write_conditions conditions;
	bool has_versions; /* result: the bucket has or had versioning */
};
int s3_object_place(struct kv_txn *txn, struct s3_placing *p) MUST_USE;
struct str s3_version_random(struct arena *a);

/* 0; S3_NO_SUCH_KEY, S3_NO_SUCH_VERSION, S3_BAD_VERSION_ID. A marker is found, too: S3_IS_MARKER,
 * with *o. */
int s3_object_find(
        struct kv_txn *txn, const struct s3_ref *ref, struct s3_object_record *o) MUST_USE;
/* The age of a version that is not current, by its id; positive: it has none. */
int s3_object_age(struct kv_txn *txn, const struct s3_ref *ref, uint64_t *age) MUST_USE;
/* Writes back what s3_object_find found, changed in its tags. */
void s3_object_rewrite(
        struct kv_txn *txn, const struct s3_ref *ref, const struct s3_object_record *o);

/* DeleteObject: what was done. */
struct s3_removal {
	struct s3_ref ref;
	struct str random;
	struct str if_match;
	const char *failed;
	int64_t now_ms;
	struct str version_id; /* of the marker made, or of the version deleted; absent */
	bool marker;           /* a marker was made, or deleted */
};
int s3_object_remove(struct kv_txn *txn, struct s3_removal *r) MUST_USE;

/* fail()s with what a transaction returned; passes 0 and -errno on. */
int s3_object_failed(struct task *t, int code, const struct s3_ref *ref, const char *condition);

/* Members that an object keeps as the client gave them, between structures that have them. */
void s3_copy_attributes(
        const struct shape *to_shape, void *to, const struct shape *from_shape, const void *from);
/* Fills an object's attributes from a request, checked: metadata, storage class, tags, encodings.
 */
int s3_object_from_request(struct task *t, const void *in, struct s3_object_record *o) MUST_USE;
/* Refuses what is asked for and not built: keys of the customer, KMS, object lock, ACLs. */
int s3_reject_unsupported(struct task *t, const void *in) MUST_USE;
/* Whole seconds, as S3 tells them. */
int64_t s3_second(int64_t ms);
