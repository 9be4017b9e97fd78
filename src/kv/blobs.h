#pragma once
/*
 * blobs: large bytes (objects, packages, layers) as files beside the store. Written as a stream,
 * hashed, fsynced before the row that names them is committed. Immutable. A blob that no row refers
 * to is swept: writers hold it with a lease until their update has stored the reference.
 *
 *	struct kv_blob_writer *w;
 *	TRY(kv_blob_create(t, &w));
 *	TRY(kv_blob_write(t, w, bytes));
 *	TRY(kv_blob_finish(t, w, &id));		// durable; id is 32 hex characters
 *	...kv_update: kv_blob_ref(txn, id); kv_put(row that names id)
 *	...later:     kv_blob_unref(txn, id)	// at 0 references it is swept after the commit
 */
#include "kv/kv.h"
#include "loop/stream.h"

struct kv_blob_writer;

int kv_blob_create(struct task *t, struct kv_blob_writer **w) MUST_USE;
int kv_blob_write(struct task *t, struct kv_blob_writer *w, struct str bytes) MUST_USE;
/* Syncs and closes; *id in the task's arena; *size_bytes may be NULL. Frees w either way. */
int kv_blob_finish(
        struct task *t, struct kv_blob_writer *w, struct str *id, int64_t *size_bytes) MUST_USE;
void kv_blob_abort(struct kv_blob_writer *w); /* frees w and its file; NULL is fine */

/* A range of it as a stream; n -1: to the end. -ENOENT. */
int kv_blob_open(
        struct task *t, struct str id, int64_t offset, int64_t n, struct stream **s) MUST_USE;
/* Its file's path, for mounting and unpacking. */
struct str kv_blob_path(struct arena *a, const struct kv *kv, struct str id);

void kv_blob_ref(struct kv_txn *txn, struct str id);
void kv_blob_unref(struct kv_txn *txn, struct str id);
/* At start: removes files that no row refers to. */
int kv_blobs_sweep(struct task *t) MUST_USE;
