/*
 * merge: a heap of open chunks and of streams with more chunks.
 *
 * Chunks are sorted by their first timestamp and may overlap. Forwards, the chunks not yet read of
 * a stream begin no earlier than the last one read. Backwards they end no later than the first
 * timestamp of the last one read plus the longest span of a chunk of the stream.
 */
#include "services/logs/merge.h"

#include "kv/key.h"

#define BATCH_MAX 32

static bool is_before(
        const struct logs_merge *m, const struct logs_position *a, const struct logs_position *b)
{
	int c = logs_position_cmp(a, b);

	return m->backwards ? c > 0 : c < 0;
}

static void swap(struct logs_merge *m, size_t i, size_t j)
{
	struct logs_merge_node n = m->heap[i];

	m->heap[i] = m->heap[j];
	m->heap[j] = n;
}

static void push(struct logs_merge *m, struct logs_merge_node node)
{
	if (m->n == m->capacity) {
		m->capacity = m->capacity ? m->capacity * 2 : 16;
		struct logs_merge_node *v =
		        arena_new_n(kv_arena(m->txn), struct logs_merge_node, m->capacity);
		if (m->n)
			memcpy(v, m->heap, m->n * sizeof *v);
		m->heap = v;
	}
	size_t i = m->n++;
	m->heap[i] = node;
	for (; i > 0 && is_before(m, &m->heap[i].at, &m->heap[(i - 1) / 2].at); i = (i - 1) / 2)
		swap(m, i, (i - 1) / 2);
}

static void sift_down(struct logs_merge *m)
{
	for (size_t i = 0;;) {
		size_t least = i;
		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < m->n; child++)
			if (is_before(m, &m->heap[child].at, &m->heap[least].at))
				least = child;
		if (least == i)
			return;
		swap(m, i, least);
		i = least;
	}
}

static void pop(struct logs_merge *m)
{
	m->heap[0] = m->heap[--m->n];
	sift_down(m);
}

/* No event of the stream's unread chunks, which are as known by edge_ms, comes before this. */
static struct logs_position bound_of(
        const struct logs_merge *m, const struct logs_stream *s, int64_t edge_ms)
{
	struct logs_position p = { .timestamp = MAX(edge_ms, m->from_ms), .stream_id = s->id };

	if (m->backwards) {
		p.timestamp = MIN(edge_ms, m->to_ms - 1);
		p.sequence = p.index = UINT64_MAX;
	}
	return p;
}

void logs_merge_add(struct logs_merge *m, const struct logs_stream *s)
{
	struct arena *a = kv_arena(m->txn);

	if (s->sequence == 0 || s->last_ms < m->from_ms || s->oldest_ms >= m->to_ms)
		return;
	struct logs_merge_stream *ms = arena_new(a, struct logs_merge_stream);
	ms->s = *s;
	ms->batch = 1;
	ms->prefix = logs_chunks_prefix(a, m->group, s->id);
	int64_t first = MAX(m->from_ms - s->span_ms, (int64_t)0);
	ms->from = logs_chunk_key(a, m->group, s->id, first, 0);
	ms->to = logs_chunk_key(a, m->group, s->id, m->to_ms, 0);
	int64_t edge = m->backwards ? s->last_ms : s->oldest_ms;
	push(m, (struct logs_merge_node){ bound_of(m, s, edge), ms, NULL });
}

static bool is_wanted(const struct logs_merge *m, const struct logs_position *p)
{
	if (p->timestamp < m->from_ms || p->timestamp >= m->to_ms)
		return false;
	return !m->bound || is_before(m, m->bound, p);
}

/* From the node's index on to the next event that is wanted; false: there is none. */
static bool settle(const struct logs_merge *m, struct logs_merge_node *node)
{
	const struct logs_chunk *c = node->chunk;

	while (node->at.index < c->n) { /* backwards it wraps below zero */
		node->at.timestamp = c->v[node->at.index].timestamp;
		if (is_wanted(m, &node->at))
			return true;
		node->at.index += m->backwards ? UINT64_MAX : 1;
	}
	return false;
}

static int open_chunk(
        struct logs_merge *m, struct logs_merge_stream *ms, struct str row, uint64_t sequence)
{
	struct arena *a = kv_arena(m->txn);
	struct logs_chunk *c = arena_new(a, struct logs_chunk);

	m->bytes_read += row.n;
	TRY(logs_chunk_peek(row, c));
	if (c->last_ms < m->from_ms)
		return 0;
	TRY(logs_chunk_unpack(a, row, c));
	struct logs_merge_node node = { .stream = ms, .chunk = c };
	node.at = (struct logs_position){ .stream_id = ms->s.id, .sequence = sequence };
	node.at.index = m->backwards ? c->n - 1 : 0;
	if (settle(m, &node))
		push(m, node);
	return 0;
}

static void keep_rest(
        struct logs_merge *m, struct logs_merge_stream *ms, struct str last_key, int64_t first_ms)
{
	struct arena *a = kv_arena(m->txn);

	if (m->backwards)
		ms->to = str_dup(a, last_key);
	else
		ms->from = str_concat(a, 2, last_key, (struct str){ "\0", 1 });
	int64_t edge = m->backwards ? first_ms + ms->s.span_ms : first_ms;
	push(m, (struct logs_merge_node){ bound_of(m, &ms->s, edge), ms, NULL });
}

static int read_more(struct logs_merge *m, struct logs_merge_stream *ms)
{
	struct arena *a = kv_arena(m->txn);
	struct str key = { 0 }, row;
	uint64_t sequence;
	int64_t first_ms = 0;
	unsigned n = 0;

	CLEANUP(kv_scan_close)
	struct kv_scan *scan = kv_scan(m->txn, ms->from, ms->to, m->backwards);
	while (n < ms->batch && kv_next(scan, &key, &row)) {
		if (!logs_chunk_key_read(a, ms->prefix, key, &first_ms, &sequence))
			return -EPROTO;
		TRY(open_chunk(m, ms, row, sequence));
		n++;
	}
	if (n == ms->batch)
		keep_rest(m, ms, key, first_ms);
	ms->batch = MIN(ms->batch * 2, (unsigned)BATCH_MAX);
	return 0;
}

int logs_merge_next(struct logs_merge *m, struct logs_event *e)
{
	while (m->n && !m->heap[0].chunk) {
		struct logs_merge_stream *ms = m->heap[0].stream;
		pop(m);
		TRY(read_more(m, ms));
	}
	if (!m->n)
		return KV_NOT_FOUND;
	struct logs_merge_node *top = &m->heap[0];
	*e = (struct logs_event){ top->at, &top->stream->s, top->chunk->ingested_ms,
		top->chunk->v[top->at.index].message };
	top->at.index += m->backwards ? UINT64_MAX : 1;
	if (settle(m, top))
		sift_down(m);
	else
		pop(m);
	return 0;
}
