#pragma once
/*
 * stream: a log stream's row. It is rewritten with every batch, hence small and of fixed size: a
 * version byte and numbers.
 */
#include "services/logs/group.h"

struct logs_stream {
	struct str name; /* of the key, not in the row */
	uint64_t id;
	uint64_t sequence; /* of the last chunk written */
	int64_t created_ms;
	int64_t first_ms; /* events ever put; meaningless while sequence is 0 */
	int64_t last_ms;
	int64_t ingested_ms; /* of the last batch */
	int64_t oldest_ms;   /* no stored event is older */
	int64_t span_ms;     /* the longest time that one chunk covers */
	int64_t bytes;
};

struct str logs_stream_key(struct arena *a, const struct logs_group *g, struct str name);
/* s->name is given. LOGS_RESOURCE_NOT_FOUND_EXCEPTION when there is none. */
int logs_stream_load(
        struct kv_txn *txn, const struct logs_group *g, struct logs_stream *s) MUST_USE;
void logs_stream_store(struct kv_txn *txn, const struct logs_group *g, const struct logs_stream *s);
int logs_stream_unpack(struct str row, struct logs_stream *s) MUST_USE;
/* The name in a stream row's key. */
struct str logs_stream_name(struct arena *a, struct str prefix, struct str key);
int logs_stream_missing(struct task *t);

/* Calls one for each stream whose name starts with prefix and is greater than after, by name,
 * until it returns other than 0, which is returned. */
typedef int logs_stream_fn(void *arg, const struct logs_stream *s);
struct logs_stream_range {
	struct str prefix, after;
	bool descending; /* then: less than after */
};
int logs_streams_each(struct kv_txn *txn, const struct logs_group *g,
        const struct logs_stream_range *range, logs_stream_fn *one, void *arg) MUST_USE;

/* The prefix of a stream's chunks. */
struct str logs_chunks_prefix(struct arena *a, const struct logs_group *g, uint64_t stream_id);
