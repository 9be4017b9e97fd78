/* stream: rows of log streams. */
#include "services/logs/stream.h"

#include "kv/key.h"

#define VERSION 1

enum { ID, SEQUENCE, CREATED, FIRST, LAST, INGESTED, OLDEST, SPAN, BYTES, NUMBERS };

struct str logs_stream_key(struct arena *a, const struct logs_group *g, struct str name)
{
	return kv_key(a, "ssssus", S("logs"), g->account, g->region, S("stream"),
	        (uint64_t)g->r.id.v, name);
}

struct str logs_chunks_prefix(struct arena *a, const struct logs_group *g, uint64_t stream_id)
{
	return kv_key(a, "ssssuu", S("logs"), g->account, g->region, S("chunk"),
	        (uint64_t)g->r.id.v, stream_id);
}

int logs_stream_unpack(struct str row, struct logs_stream *s)
{
	int64_t v[NUMBERS];

	if (row.n != 1 + sizeof v || row.p[0] != VERSION)
		return -EPROTO;
	memcpy(v, row.p + 1, sizeof v);
	s->id = (uint64_t)v[ID];
	s->sequence = (uint64_t)v[SEQUENCE];
	s->created_ms = v[CREATED];
	s->first_ms = v[FIRST];
	s->last_ms = v[LAST];
	s->ingested_ms = v[INGESTED];
	s->oldest_ms = v[OLDEST];
	s->span_ms = v[SPAN];
	s->bytes = v[BYTES];
	return 0;
}

int logs_stream_load(struct kv_txn *txn, const struct logs_group *g, struct logs_stream *s)
{
	struct str row;
	int got = kv_get(txn, logs_stream_key(kv_arena(txn), g, s->name), &row);

	if (got == KV_NOT_FOUND)
		return LOGS_RESOURCE_NOT_FOUND_EXCEPTION;
	return got ? got : logs_stream_unpack(row, s);
}

void logs_stream_store(struct kv_txn *txn, const struct logs_group *g, const struct logs_stream *s)
{
	int64_t v[NUMBERS] = {
		[ID] = (int64_t)s->id,
		[SEQUENCE] = (int64_t)s->sequence,
		[CREATED] = s->created_ms,
		[FIRST] = s->first_ms,
		[LAST] = s->last_ms,
		[INGESTED] = s->ingested_ms,
		[OLDEST] = s->oldest_ms,
		[SPAN] = s->span_ms,
		[BYTES] = s->bytes,
	};
	char row[1 + sizeof v] = { VERSION };

	memcpy(row + 1, v, sizeof v);
	kv_put(txn, logs_stream_key(kv_arena(txn), g, s->name), (struct str){ row, sizeof row });
}

struct str logs_stream_name(struct arena *a, struct str prefix, struct str key)
{
	struct str name = { 0 };

	return kv_key_read(a, str_sub(key, prefix.n, key.n), "s", &name) ? name : (struct str){ 0 };
}

int logs_stream_missing(struct task *t)
{
	return fail(
	        t, LOGS_RESOURCE_NOT_FOUND_EXCEPTION, "The specified log stream does not exist.");
}

/* A name in a key ends with two bytes; without them the key is the prefix of longer names' keys. */
static struct str name_prefix(struct arena *a, const struct logs_group *g, struct str prefix)
{
	struct str key = logs_stream_key(a, g, prefix);

	return str_sub(key, 0, key.n - 2);
}

static void bounds(struct arena *a, const struct logs_group *g, const struct logs_stream_range *r,
        struct str *from, struct str *to)
{
	struct str prefix = name_prefix(a, g, r->prefix.p ? r->prefix : S(""));

	*from = prefix;
	*to = kv_prefix_end(a, prefix);
	if (!r->after.p)
		return;
	struct str after = logs_stream_key(a, g, r->after);
	if (r->descending)
		*to = after;
	else
		*from = str_concat(a, 2, after, (struct str){ "\0", 1 });
}

int logs_streams_each(struct kv_txn *txn, const struct logs_group *g,
        const struct logs_stream_range *range, logs_stream_fn *one, void *arg)
{
	struct arena *a = kv_arena(txn);
	struct str all = logs_prefix(a, g, S("stream")), from, to, key, row;

	bounds(a, g, range, &from, &to);
	CLEANUP(kv_scan_close) struct kv_scan *scan = kv_scan(txn, from, to, range->descending);
	while (kv_next(scan, &key, &row)) {
		struct logs_stream s = { .name = logs_stream_name(a, all, key) };
		TRY(logs_stream_unpack(row, &s));
		TRY(one(arg, &s));
	}
	return 0;
}
