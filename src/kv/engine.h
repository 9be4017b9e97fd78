#pragma once
/*
 * engine: what kv/ asks of a storage engine, and where faults are injected in tests.
 * Batches are applied by one committer thread at a time; reads come from any thread.
 */
#include "base/arena.h"
#include "base/str.h"

struct kv_batch_op {
	bool del;
	struct str key, value;
};

struct kv_engine {
	int (*open)(struct str path, void **e, const char **why);
	void (*close)(void *e);
	/* Atomic; with sync also durable when it returns 0. */
	int (*write)(void *e, const struct kv_batch_op *ops, size_t n, bool sync);
	void *(*snapshot)(void *e);
	void (*snapshot_free)(void *e, void *snapshot);
	/* 0, 1 not found, -errno. Value in the arena. snapshot NULL: the latest. */
	int (*get)(void *e, void *snapshot, struct str key, struct arena *a, struct str *value);
	/* Iterator over from <= key < to. */
	void *(*iterate)(void *e, void *snapshot, struct str from, struct str to, bool reverse);
	bool (*next)(void *it, struct str *key, struct str *value);
	int (*iterate_end)(void *it); /* frees; -errno when reading failed */
};

extern const struct kv_engine kv_engine_rocksdb;
