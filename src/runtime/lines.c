/* lines: whole lines go on as they are; only the rest of a piece is copied. */
#include "runtime/lines.h"

#include "base/arena.h"

static void keep(struct lines *l, struct str s)
{
	if (l->n + s.n > l->capacity) {
		l->capacity = MAX(l->n + s.n, MIN(l->capacity * 2, (size_t)LINE_MAX_BYTES));
		l->rest = mem_resize(l->rest, l->capacity);
	}
	memcpy(l->rest + l->n, s.p, s.n);
	l->n += s.n;
}

void lines_end(struct lines *l, lines_fn *fn, void *arg)
{
	if (l->n)
		fn(arg, (struct str){ l->rest, l->n });
	l->n = 0;
}

static size_t room(const struct lines *l)
{
	return LINE_MAX_BYTES - l->n;
}

void lines_feed(struct lines *l, struct str bytes, lines_fn *fn, void *arg)
{
	while (bytes.n) {
		struct str piece = str_sub(bytes, 0, room(l));
		ptrdiff_t newline = str_find_char(piece, '\n');
		bool whole = newline >= 0;
		if (whole)
			piece.n = (size_t)newline + 1;
		bytes = str_sub(bytes, piece.n, bytes.n);
		if (l->n || (!whole && piece.n < LINE_MAX_BYTES))
			keep(l, piece);
		else
			fn(arg, piece);
		if (l->n && (whole || l->n == LINE_MAX_BYTES))
			lines_end(l, fn, arg);
	}
}

void lines_deinit(struct lines *l)
{
	mem_free(l->rest);
	*l = (struct lines){ 0 };
}
