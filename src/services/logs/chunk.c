/* chunk: packing, unpacking, keys. */
#include "services/logs/chunk.h"

#include "kv/key.h"

#define VERSION 1

enum { INGESTED, FIRST, LAST, BYTES, COUNT, NUMBERS };
#define HEAD (1 + NUMBERS * sizeof(int64_t))

static void add_varint(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_add_char(b, (char)(v | 0x80));
	buf_add_char(b, (char)v);
}

static bool read_varint(struct str *rest, uint64_t *v)
{
	*v = 0;
	for (unsigned shift = 0; shift < 63 && rest->n; shift += 7) {
		unsigned char c = (unsigned char)rest->p[0];
		*rest = (struct str){ rest->p + 1, rest->n - 1 };
		*v |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80)
			return true;
	}
	return false;
}

struct str logs_chunk_pack(struct arena *a, struct logs_chunk *c)
{
	struct buf b = buf_init(a);
	int64_t before = c->v[0].timestamp;

	c->first_ms = before;
	c->last_ms = c->v[c->n - 1].timestamp;
	c->bytes = 0;
	for (size_t i = 0; i < c->n; i++)
		c->bytes += (int64_t)c->v[i].message.n + LOGS_EVENT_OVERHEAD;
	int64_t head[NUMBERS] = { c->ingested_ms, c->first_ms, c->last_ms, c->bytes,
		(int64_t)c->n };
	buf_reserve(&b, HEAD + (size_t)c->bytes);
	buf_add_char(&b, VERSION);
	buf_add(&b, (struct str){ (const char *)head, sizeof head });
	for (size_t i = 0; i < c->n; i++) {
		add_varint(&b, (uint64_t)(c->v[i].timestamp - before));
		add_varint(&b, c->v[i].message.n);
		buf_add(&b, c->v[i].message);
		before = c->v[i].timestamp;
	}
	return buf_str(&b);
}

int logs_chunk_peek(struct str row, struct logs_chunk *c)
{
	int64_t head[NUMBERS];

	*c = (struct logs_chunk){ 0 };
	if (row.n < HEAD || row.p[0] != VERSION)
		return -EPROTO;
	memcpy(head, row.p + 1, sizeof head);
	*c = (struct logs_chunk){ head[INGESTED], head[FIRST], head[LAST], head[BYTES], NULL, 0 };
	/* Each event takes two bytes at least. */
	if (head[COUNT] < 0 || (uint64_t)head[COUNT] > (row.n - HEAD) / 2 || head[FIRST] < 0 ||
	        head[LAST] < head[FIRST])
		return -EPROTO;
	c->n = (size_t)head[COUNT];
	return 0;
}

int logs_chunk_unpack(struct arena *a, struct str row, struct logs_chunk *c)
{
	uint64_t step, n;

	TRY(logs_chunk_peek(row, c));
	c->v = arena_new_n(a, struct logs_chunk_event, c->n);
	struct str rest = str_sub(row, HEAD, row.n);
	int64_t at = c->first_ms;
	for (size_t i = 0; i < c->n; i++) {
		if (!read_varint(&rest, &step) || !read_varint(&rest, &n) || n > rest.n ||
		        step > (uint64_t)(c->last_ms - at))
			return -EPROTO;
		at += (int64_t)step;
		c->v[i] = (struct logs_chunk_event){ at, { rest.p, n } };
		rest = str_sub(rest, n, rest.n);
	}
	return 0;
}

struct str logs_chunk_key(struct arena *a, const struct logs_group *g, uint64_t stream_id,
        int64_t first_ms, uint64_t sequence)
{
	struct buf b = buf_init(a);

	buf_add(&b, logs_chunks_prefix(a, g, stream_id));
	kv_key_add(&b, "iu", first_ms, sequence);
	return buf_str(&b);
}

bool logs_chunk_key_read(
        struct arena *a, struct str prefix, struct str key, int64_t *first_ms, uint64_t *sequence)
{
	return kv_key_read(a, str_sub(key, prefix.n, key.n), "iu", first_ms, sequence);
}
