#pragma once
/*
 * buf: the one growing writer of bytes, backed by an arena.
 *
 *	struct buf b = buf_init(task_arena(t));
 *	buf_add(&b, S("START RequestId: "));
 *	buf_printf(&b, "%d\n", n);
 *	return buf_str(&b);			// valid as long as the arena
 */
#include "base/arena.h"
#include "base/str.h"

struct buf {
	struct arena *arena;
	char *p;
	size_t n;
	size_t capacity;
};

static inline struct buf buf_init(struct arena *a)
{
	return (struct buf){ .arena = a };
}

/* Makes room for n more bytes and returns where they go; buf_commit() says how many were written.
 */
char *buf_reserve(struct buf *b, size_t n);
static inline void buf_commit(struct buf *b, size_t n)
{
	ensure(n <= b->capacity - b->n);
	b->n += n;
}

static inline void buf_add(struct buf *b, struct str s)
{
	if (s.n) {
		memcpy(buf_reserve(b, s.n), s.p, s.n);
		b->n += s.n;
	}
}

static inline void buf_add_char(struct buf *b, char c)
{
	*buf_reserve(b, 1) = c;
	b->n++;
}

void buf_printf(struct buf *b, const char *format, ...) PRINTF(2, 3);
void buf_add_u64(struct buf *b, uint64_t v); /* decimal */
void buf_add_i64(struct buf *b, int64_t v);

/* What was written; absent never: an empty buf gives S(""). */
static inline struct str buf_str(const struct buf *b)
{
	return b->n ? (struct str){ b->p, b->n } : S("");
}

static inline void buf_clear(struct buf *b)
{
	b->n = 0;
}
