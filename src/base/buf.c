/* buf: the growing writer. */
#include "base/buf.h"

#include <stdio.h>

#define PRINTF_ROOM 64

char *buf_reserve(struct buf *b, size_t n)
{
	if (b->capacity - b->n < n) {
		size_t want = MAX(b->capacity * 2, b->n + n);

		want = MAX(want, (size_t)64);
		b->p = arena_grow(b->arena, b->p, b->capacity, want);
		b->capacity = want;
	}
	return b->p + b->n;
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;

	/* Once where it fits, as it nearly always does. */
	char *p = buf_reserve(b, PRINTF_ROOM);
	size_t room = b->capacity - b->n;
	va_start(args, format);
	int n = vsnprintf(p, room, format, args);
	va_end(args);
	ensure(n >= 0);
	if ((size_t)n >= room) {
		p = buf_reserve(b, (size_t)n + 1);
		va_start(args, format);
		vsnprintf(p, (size_t)n + 1, format, args);
		va_end(args);
	}
	b->n += (size_t)n;
}

void buf_add_u64(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t i = sizeof digits;

	do {
		digits[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	buf_add(b, (struct str){ digits + i, sizeof digits - i });
}

void buf_add_i64(struct buf *b, int64_t v)
{
	if (v < 0)
		buf_add_char(b, '-');
	buf_add_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}
