#pragma once
/*
 * data: an object's bytes: received, verified, stored, read. Small ones are a row
 * ("s3", "", "", "data", id), which listings never touch; large ones are blobs. Objects made of
 * parts keep the parts' blobs, listed in a row ("s3", "", "", "parts", id).
 *
 *	struct s3_received r;
 *	TRY(s3_receive(t, in->body, &claims, &r));
 *	...in the update: s3_data_keep(txn, &r);
 *	...when that fails: s3_received_discard(t, &r);
 */
#include "services/s3/checksum.h"

#define S3_SMALL   16384 /* bytes that still go into a row */
#define S3_PUT_MAX ((int64_t)5 << 30)

struct s3_received {
	struct s3_data_record data;
	struct str bytes;    /* of a small one */
	struct str md5;      /* raw */
	struct str e_tag;    /* quoted */
	struct str checksum; /* base64 */
};

int s3_receive(struct task *t, struct stream *s, const struct s3_claims *claims,
        struct s3_received *r) MUST_USE;
void s3_received_discard(struct task *t, const struct s3_received *r);

void s3_data_keep(struct kv_txn *txn, const struct s3_received *r);
void s3_data_drop(struct kv_txn *txn, const struct s3_data_record *d);

struct str s3_parts_key(struct arena *a, struct str id);
/* All that an object's row refers to. */
void s3_object_drop_data(struct kv_txn *txn, const struct s3_object_record *o);

/* An object's bytes, found in the transaction that found its row, opened after it. */
struct s3_content {
	const struct s3_object_record *object;
	struct str bytes;             /* of a small one */
	struct s3_parts_record parts; /* of one made of parts */
};
int s3_content_find(
        struct kv_txn *txn, const struct s3_object_record *o, struct s3_content *c) MUST_USE;
/* -ENOENT: it was overwritten and swept meanwhile: look again. */
int s3_content_open(struct task *t, const struct s3_content *c, int64_t offset, int64_t n,
        struct stream **s) MUST_USE;
