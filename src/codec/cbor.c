/* cbor: heads, items, and skipping over them. */
#include "codec/cbor.h"

#include <math.h>

#define MAX_DEPTH 128

static bool take(struct cbor_reader *r, size_t n, struct str *s)
{
	if (r->rest.n < n)
		return false;
	*s = str_sub(r->rest, 0, n);
	r->rest = str_sub(r->rest, n, r->rest.n);
	return true;
}

static bool take_uint(struct cbor_reader *r, size_t n, uint64_t *v)
{
	struct str s;

	if (!take(r, n, &s))
		return false;
	*v = 0;
	for (size_t i = 0; i < n; i++)
		*v = *v << 8 | (unsigned char)s.p[i];
	return true;
}

static double half_to_double(uint64_t h)
{
	int exponent = (int)(h >> 10 & 31);
	double mantissa = (double)(h & 1023);
	double v = exponent == 0    ? ldexp(mantissa, -24)
	           : exponent != 31 ? ldexp(mantissa + 1024, exponent - 25)
	           : mantissa == 0  ? INFINITY
	                            : NAN;

	return h & 0x8000 ? -v : v;
}

static int simple(struct cbor_reader *r, unsigned low, struct cbor_item *item)
{
	union {
		uint32_t u;
		float f;
	} single;
	union {
		uint64_t u;
		double d;
	} wide;
	uint64_t v;

	item->type = low == 20   ? CBOR_FALSE
	             : low == 21 ? CBOR_TRUE
	             : low == 31 ? CBOR_BREAK
	                         : CBOR_NULL;
	if ((low >= 20 && low <= 23) || low == 31)
		return 0;
	if (low < 25 || low > 27 || !take_uint(r, (size_t)1 << (low - 24), &v))
		return CBOR_BAD;
	item->type = CBOR_DOUBLE;
	single.u = (uint32_t)v;
	wide.u = v;
	item->d = low == 25 ? half_to_double(v) : low == 26 ? (double)single.f : wide.d;
	return 0;
}

/* Strings of indefinite length: chunks, joined in the arena. */
static int join_chunks(struct cbor_reader *r, enum cbor_type type, struct cbor_item *item)
{
	struct buf b = buf_init(r->arena);
	struct cbor_item chunk;

	for (;;) {
		TRY(cbor_next(r, &chunk));
		if (chunk.type == CBOR_BREAK)
			break;
		if (chunk.type != type || !r->arena)
			return CBOR_BAD;
		buf_add(&b, chunk.s);
	}
	item->s = buf_str(&b);
	return 0;
}

int cbor_next(struct cbor_reader *r, struct cbor_item *item)
{
	struct str head;

	if (!take(r, 1, &head))
		return CBOR_BAD;
	unsigned byte = (unsigned char)head.p[0], major = byte >> 5, low = byte & 31;
	*item = (struct cbor_item){ .type = (enum cbor_type)major, .u = low };
	if (major == 7)
		return simple(r, low, item);
	if (low == 31) {
		item->u = UINT64_MAX;
		if (major == 2 || major == 3)
			return join_chunks(r, item->type, item);
		return major == 4 || major == 5 ? 0 : CBOR_BAD;
	}
	if (low >= 24 && (low > 27 || !take_uint(r, (size_t)1 << (low - 24), &item->u)))
		return CBOR_BAD;
	if (major == 2 || major == 3)
		return item->u <= r->rest.n && take(r, (size_t)item->u, &item->s) ? 0 : CBOR_BAD;
	/* Each element has at least one byte: counts beyond the input are lies. */
	if ((major == 4 || major == 5) && item->u > r->rest.n)
		return CBOR_BAD;
	return 0;
}

static int skip(struct cbor_reader *r, int depth, bool *broke)
{
	struct cbor_item item;

	if (depth > MAX_DEPTH)
		return CBOR_BAD;
	TRY(cbor_next(r, &item));
	*broke = item.type == CBOR_BREAK;
	if (item.type == CBOR_TAG)
		return skip(r, depth + 1, broke);
	if (item.type != CBOR_ARRAY && item.type != CBOR_MAP)
		return 0;
	bool open_ended = item.u == UINT64_MAX, inner = false;
	uint64_t n = item.type == CBOR_MAP && !open_ended ? item.u * 2 : item.u;
	for (uint64_t i = 0; i < n; i++) {
		TRY(skip(r, depth + 1, &inner));
		if (inner && !open_ended)
			return CBOR_BAD;
		if (inner)
			break;
	}
	return 0;
}

int cbor_skip(struct cbor_reader *r)
{
	bool broke;

	TRY(skip(r, 0, &broke));
	return broke ? CBOR_BAD : 0;
}

static void head(struct buf *b, unsigned major, uint64_t v)
{
	unsigned char out[9];
	size_t n = v < 24 ? 0 : v <= 0xff ? 1 : v <= 0xffff ? 2 : v <= 0xffffffffu ? 4 : 8;

	out[0] = (unsigned char)(major << 5 | (n == 0          ? (unsigned)v
	                                              : n == 1 ? 24u
	                                              : n == 2 ? 25u
	                                              : n == 4 ? 26u
	                                                       : 27u));
	for (size_t i = 0; i < n; i++)
		out[1 + i] = (unsigned char)(v >> (8 * (n - 1 - i)));
	buf_add(b, (struct str){ (char *)out, 1 + n });
}

void cbor_uint(struct buf *b, uint64_t v)
{
	head(b, 0, v);
}

void cbor_int(struct buf *b, int64_t v)
{
	if (v < 0)
		head(b, 1, (uint64_t)(-1 - v));
	else
		head(b, 0, (uint64_t)v);
}

void cbor_bytes(struct buf *b, struct str s)
{
	head(b, 2, s.n);
	buf_add(b, s);
}

void cbor_text(struct buf *b, struct str s)
{
	head(b, 3, s.n);
	buf_add(b, s);
}

void cbor_array(struct buf *b, uint64_t n)
{
	if (n == UINT64_MAX)
		buf_add_char(b, (char)0x9f);
	else
		head(b, 4, n);
}

void cbor_map(struct buf *b, uint64_t n)
{
	if (n == UINT64_MAX)
		buf_add_char(b, (char)0xbf);
	else
		head(b, 5, n);
}

void cbor_break(struct buf *b)
{
	buf_add_char(b, (char)0xff);
}

void cbor_bool(struct buf *b, bool v)
{
	buf_add_char(b, (char)(v ? 0xf5 : 0xf4));
}

void cbor_null(struct buf *b)
{
	buf_add_char(b, (char)0xf6);
}

void cbor_double(struct buf *b, double v)
{
	unsigned char out[9] = { 0xfb };
	uint64_t u;

	memcpy(&u, &v, 8);
	for (int i = 0; i < 8; i++)
		out[1 + i] = (unsigned char)(u >> (56 - 8 * i));
	buf_add(b, (struct str){ (char *)out, 9 });
}

void cbor_tag(struct buf *b, uint64_t tag)
{
	head(b, 6, tag);
}
