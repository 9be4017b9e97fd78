#pragma once
/*
 * kv: one ordered transactional key-value store under every service.
 *
 *	static int put(struct kv_txn *txn, void *arg)
 *	{
 *		struct put *p = arg;
 *		struct str before;
 *		if (kv_get(txn, p->key, &before) == 0)
 *			return LAMBDA_RESOURCE_CONFLICT_EXCEPTION;	// nothing is written
 *		kv_put(txn, p->key, p->value);
 *		return 0;
 *	}
 *	TRY(kv_update(t, put, &p));		// durable when it returns 0
 *
 * fn runs alone, in one total order with all other updates (kv_update), or on a consistent snapshot
 * (kv_view). It is pure but for the txn: an engine may run it again. It takes no task and is short;
 * it may run on another thread while the task waits. It allocates from kv_arena(txn), which is the
 * task's own arena: what it puts into *arg from there stays valid for the task. A result other
 * than 0 discards all writes and is returned unchanged by kv_update.
 *
 * Nothing above kv/ may assume more than this header promises: other engines (distributed ones)
 * offer exactly this.
 */
#include "loop/loop.h"

struct kv;
struct kv_txn;

typedef int kv_fn(struct kv_txn *txn, void *arg);

enum kv_durability { KV_STRICT, KV_RELAXED };

struct kv_options {
	struct str path; /* directory; made when missing */
	enum kv_durability
	        durability; /* relaxed: commits without fsync, for throw-away test runs */
	const struct kv_engine *engine; /* NULL: RocksDB; kv/engine.h */
	/* Open on the committer's thread: views and updates wait until it is done. Whoever asks for
	 * it runs kv_blobs_sweep then. */
	bool beside;
};

/* Opens the store and starts its committer thread (after the last fork); loops get it with
 * loop_set(loop, LOOP_KV, kv). -EBUSY: another process has it open; -errno; the reason in words on
 * *why (borrowed, static or heap). */
int kv_open(const struct kv_options *options, struct kv **kv, const char **why) MUST_USE;
/* Waits for a store that opens beside: 0, or what kv_open would have said. */
int kv_opened(struct task *t, struct kv *kv, const char **why) MUST_USE;
void kv_close(struct kv *kv);
/* The directory of the store, for blobs beside it. */
struct str kv_path(const struct kv *kv);

int kv_view(struct task *t, kv_fn *fn, void *arg) MUST_USE;
/* 0 only after the writes are durable. -EIO, -ENOSPC ...: not durable, and nothing of it visible.
 */
int kv_update(struct task *t, kv_fn *fn, void *arg) MUST_USE;

struct arena *kv_arena(struct kv_txn *txn);

#define KV_NOT_FOUND 1

/* 0, or KV_NOT_FOUND. An unreadable store is -EIO, sticky: the txn then fails as a whole, so most
 * callers need only compare with 0. The value is in kv_arena(txn). */
int kv_get(struct kv_txn *txn, struct str key, struct str *value) MUST_USE;
bool kv_has(struct kv_txn *txn, struct str key);
/* In a view they abort. Reads of the same txn see them. */
void kv_put(struct kv_txn *txn, struct str key, struct str value);
void kv_del(struct kv_txn *txn, struct str key);
/* Deletes all keys with the prefix. */
void kv_del_prefix(struct kv_txn *txn, struct str prefix);

/* Ordered iteration over from <= key < to; reverse starts at the largest. Keys and values are valid
 * until the next kv_next; copy what stays. No writes in the scanned range while it is open.
 *
 *	CLEANUP(kv_scan_close) struct kv_scan *s = kv_scan_prefix(txn, prefix, false);
 *	while (kv_next(s, &key, &value)) ...
 */
struct kv_scan;
struct kv_scan *kv_scan(struct kv_txn *txn, struct str from, struct str to, bool reverse);
struct kv_scan *kv_scan_prefix(struct kv_txn *txn, struct str prefix, bool reverse);
bool kv_next(struct kv_scan *s, struct str *key, struct str *value);
void kv_scan_close(struct kv_scan **s);

/* The smallest string greater than all strings with this prefix (in the arena). */
struct str kv_prefix_end(struct arena *a, struct str prefix);

/* A rising number, unique in the store for its name, gap-free but for discarded updates. */
uint64_t kv_sequence_next(struct kv_txn *txn, struct str name);
