#pragma once
/*
 * merge: the events of one or many streams in order of time, forwards or backwards, without having
 * more than a few chunks of each stream in memory. Streams are opened when their time has come.
 *
 *	struct logs_merge m = { .txn = txn, .group = g, .from_ms = a, .to_ms = b };
 *	logs_merge_add(&m, &stream);			// each
 *	while ((got = logs_merge_next(&m, &e)) == 0)	// KV_NOT_FOUND: the end
 */
#include "services/logs/chunk.h"

struct logs_merge_stream {
	struct logs_stream s;
	struct str prefix;
	struct str from, to; /* keys that are not read yet */
	unsigned batch;      /* chunks to read next time */
};

struct logs_event {
	struct logs_position position;
	const struct logs_stream *stream;
	int64_t ingested_ms;
	struct str message;
};

/* Where the next event of something is: of an open chunk, or of a stream that has more chunks (then
 * a bound: no event of them comes before). */
struct logs_merge_node {
	struct logs_position at;
	struct logs_merge_stream *stream;
	struct logs_chunk *chunk; /* NULL: more chunks */
};

struct logs_merge {
	struct kv_txn *txn;
	const struct logs_group *group;
	bool backwards;
	int64_t from_ms, to_ms;            /* from_ms <= timestamp < to_ms */
	const struct logs_position *bound; /* exclusive; NULL: none. Forwards only what is after it,
	                                    * backwards only what is before it. */
	size_t bytes_read;
	/* merge.c's own */
	struct logs_merge_node *heap;
	size_t n, capacity;
};

void logs_merge_add(struct logs_merge *m, const struct logs_stream *s);
/* 0, KV_NOT_FOUND at the end, or -EPROTO. The message is in the transaction's arena. */
int logs_merge_next(struct logs_merge *m, struct logs_event *e) MUST_USE;
