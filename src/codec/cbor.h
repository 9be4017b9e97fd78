#pragma once
/*
 * cbor: RFC 8949, what rpc-v2-cbor and the records in the store need: a pull reader and a writer.
 */
#include "base/buf.h"

#define CBOR_BAD 1

enum cbor_type { CBOR_UINT, CBOR_NEGINT, CBOR_BYTES, CBOR_TEXT, CBOR_ARRAY, CBOR_MAP, CBOR_TAG, CBOR_FALSE, CBOR_TRUE, CBOR_NULL, CBOR_DOUBLE, CBOR_BREAK };

struct cbor_item {
	enum cbor_type type;
	uint64_t u;       /* UINT, NEGINT (-1-u), TAG; ARRAY and MAP: count, UINT64_MAX when indefinite */
	double d;
	struct str s;     /* BYTES, TEXT: a slice of the input (indefinite strings are CBOR_BAD unless joined in the arena) */
};

struct cbor_reader {
	struct str rest;
	struct arena *arena;
};

int cbor_next(struct cbor_reader *r, struct cbor_item *item) MUST_USE;
int cbor_skip(struct cbor_reader *r) MUST_USE; /* the next item with all inside it; depth at most 128 */

void cbor_uint(struct buf *b, uint64_t v);
void cbor_int(struct buf *b, int64_t v);
void cbor_bytes(struct buf *b, struct str s);
void cbor_text(struct buf *b, struct str s);
void cbor_array(struct buf *b, uint64_t n); /* definite; UINT64_MAX begins an indefinite one */
void cbor_map(struct buf *b, uint64_t n);
void cbor_break(struct buf *b);
void cbor_bool(struct buf *b, bool v);
void cbor_null(struct buf *b);
void cbor_double(struct buf *b, double v);
void cbor_tag(struct buf *b, uint64_t tag);
