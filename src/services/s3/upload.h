#pragma once
/*
 * upload: multipart uploads under way.
 *
 * Rows: ("s3", "", "", "upload", bucket, key, id)   what the object will be; ids rise with time
 *       ("s3", "", "", "part", id, number)          a part that has arrived
 */
#include "services/s3/object.h"

struct str s3_upload_key(struct arena *a, struct str bucket, struct str key, struct str id);
struct str s3_part_key(struct arena *a, struct str upload_id, uint64_t number);
/* 0 or S3_NO_SUCH_UPLOAD, for s3_upload_failed. */
int s3_upload_read(struct kv_txn *txn, struct str bucket, struct str key, struct str id,
        struct s3_upload_record *u) MUST_USE;
int s3_upload_failed(struct task *t, int code, struct str id, const struct s3_ref *ref);
/* Removes an upload's rows; its parts' bytes belong to the object now. */
void s3_upload_forget(struct kv_txn *txn, struct str key_of_upload, struct str id);
/* Removes an upload's parts with their bytes, and all uploads of a bucket. */
int s3_upload_drop(struct kv_txn *txn, struct str key_of_upload, struct str id) MUST_USE;
int s3_uploads_drop(struct kv_txn *txn, struct str bucket) MUST_USE;
/* All parts of an upload, in order, at most max, those behind `after` only. */
int s3_upload_parts(struct kv_txn *txn, struct str id, uint64_t after, size_t max,
        struct s3_part_record_list *parts) MUST_USE;
