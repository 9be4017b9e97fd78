#pragma once
/*
 * chunk: the events of one PutLogEvents of one stream, or a part of many of them, as one row.
 *
 * A version byte, numbers (ingestion time, first and last timestamp, bytes, count), then for each
 * event the distance of its timestamp from the one before, the length of its message, and the
 * message. Events are in order of time. The key holds the first timestamp and the stream's running
 * number of the chunk; an event is known by these and its index: its position.
 */
#include "services/logs/stream.h"

#define LOGS_EVENT_OVERHEAD 26         /* bytes that an event counts beyond its message */
#define LOGS_CHUNK_BYTES    (96 << 10) /* where a batch is cut */

struct logs_chunk_event {
	int64_t timestamp;
	struct str message;
};

struct logs_chunk {
	int64_t ingested_ms, first_ms, last_ms;
	int64_t bytes; /* of messages, with the overhead of each */
	struct logs_chunk_event *v;
	size_t n;
};

/* The row. Fills in first_ms, last_ms and bytes; n > 0. */
struct str logs_chunk_pack(struct arena *a, struct logs_chunk *c);
/* 0 or -EPROTO. Messages are slices of row. */
int logs_chunk_unpack(struct arena *a, struct str row, struct logs_chunk *c) MUST_USE;
/* The numbers alone, without the events. */
int logs_chunk_peek(struct str row, struct logs_chunk *c) MUST_USE;

struct str logs_chunk_key(struct arena *a, const struct logs_group *g, uint64_t stream_id,
        int64_t first_ms, uint64_t sequence);
bool logs_chunk_key_read(struct arena *a, struct str prefix, struct str key, int64_t *first_ms,
        uint64_t *sequence) MUST_USE;

/* Where an event is in its group: positions sort as events do. */
struct logs_position {
	int64_t timestamp;
	uint64_t stream_id;
	uint64_t sequence;
	uint64_t index;
};

int logs_position_cmp(const struct logs_position *a, const struct logs_position *b);
/* 56 decimal digits, as AWS's event ids: the timestamp times 2^144, plus the rest. */
#define LOGS_ID_DIGITS 56
struct str logs_position_id(struct arena *a, const struct logs_position *p);
bool logs_position_parse(struct str id, struct logs_position *p) MUST_USE;
