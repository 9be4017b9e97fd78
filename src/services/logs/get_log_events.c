/* GetLogEvents: a page of one stream, with tokens for the pages on both sides of it. */
#include "services/logs/merge.h"

#define PAGE_BYTES (1 << 20)
#define PAGE_MAX   10000

struct page {
	struct logs_group g;
	struct logs_stream s;
	const struct logs_get_log_events_in *in;
	int64_t now_ms;
	bool backwards;
	const struct logs_position *bound;
	size_t limit;
	struct logs_output_log_event *v; /* in the order read */
	size_t n;
	struct logs_position first, last; /* of the events read, in that order */
};

/* "f/" or "b/", a position, "/s" */
static int open_token(struct task *t, struct page *p, struct logs_position *bound)
{
	struct str token = p->in->next_token;
	struct str id = str_sub(token, 2, LOGS_ID_DIGITS);

	p->backwards = !p->in->start_from_head.v;
	if (!token.p)
		return 0;
	p->backwards = str_starts(token, S("b/"));
	if (token.n != LOGS_ID_DIGITS + 4 || !str_ends(token, S("/s")) ||
	        (!p->backwards && !str_starts(token, S("f/"))) || !logs_position_parse(id, bound))
		return fail(
		        t, LOGS_INVALID_PARAMETER_EXCEPTION, "The specified nextToken is invalid.");
	p->bound = bound;
	return 0;
}

static int read_events(struct kv_txn *txn, struct page *p)
{
	const struct logs_get_log_events_in *in = p->in;
	struct logs_merge m = { .txn = txn,
		.group = &p->g,
		.backwards = p->backwards,
		.bound = p->bound,
		.from_ms = MAX(in->start_time.v, logs_group_cutoff(&p->g, p->now_ms)),
		.to_ms = in->end_time.set ? in->end_time.v : INT64_MAX };
	struct logs_event e;
	size_t bytes = 0;
	int got = 0;

	logs_merge_add(&m, &p->s);
	while (p->n < p->limit && (got = logs_merge_next(&m, &e)) == 0) {
		bytes += e.message.n + LOGS_EVENT_OVERHEAD;
		if (bytes > PAGE_BYTES && p->n)
			break;
		if (p->n == 0)
			p->first = e.position;
		p->last = e.position;
		p->v[p->n++] = (struct logs_output_log_event){ opt_int(e.position.timestamp),
			e.message, opt_int(e.ingested_ms) };
	}
	return got == KV_NOT_FOUND ? 0 : got;
}

static int view(struct kv_txn *txn, void *arg)
{
	struct page *p = arg;

	TRY(logs_group_load(txn, &p->g));
	int got = logs_stream_load(txn, &p->g, &p->s);
	if (got)
		return got == LOGS_RESOURCE_NOT_FOUND_EXCEPTION ? KV_NOT_FOUND : got;
	p->v = arena_new_n(kv_arena(txn), struct logs_output_log_event, p->limit);
	return read_events(txn, p);
}

static void reverse(struct page *p)
{
	struct logs_position first = p->first;

	for (size_t i = 0; i < p->n / 2; i++) {
		struct logs_output_log_event e = p->v[i];
		p->v[i] = p->v[p->n - 1 - i];
		p->v[p->n - 1 - i] = e;
	}
	p->first = p->last;
	p->last = first;
}

static struct str token(struct arena *a, const char *way, const struct logs_position *p)
{
	return str_printf(a, "%s/%.*s/s", way, STR(logs_position_id(a, p)));
}

static void step_back(struct logs_position *p)
{
	if (p->index > 0) {
		p->index--;
	} else if (p->sequence > 0) {
		p->sequence--;
		p->index = UINT32_MAX;
	}
}

/* At an end the token that was given comes back, and the other one leads back over the same place:
 * "f" is after a position, "b" before one, hence the step of one. */
static void set_tokens(struct arena *a, const struct page *p, struct logs_get_log_events_out *out)
{
	struct logs_position forward = p->last, backward = p->first;

	if (p->n == 0) {
		struct logs_position none = { 0 };
		forward = backward = p->bound ? *p->bound : none;
		if (p->bound && p->backwards)
			step_back(&forward);
		if (p->bound && !p->backwards)
			backward.index++;
	}
	out->next_forward_token = token(a, "f", &forward);
	out->next_backward_token = token(a, "b", &backward);
}

int logs_get_log_events(struct task *t, const struct logs_get_log_events_in *in,
        struct logs_get_log_events_out *out)
{
	struct page p = { .in = in,
		.s.name = in->log_stream_name,
		.now_ms = call_of(t)->now_ms,
		.limit = in->limit.set ? (size_t)in->limit.v : PAGE_MAX };
	struct logs_position bound;

	TRY(logs_group_ref(t, in->log_group_name, in->log_group_identifier, &p.g));
	TRY(open_token(t, &p, &bound));
	int bad = kv_view(t, view, &p);
	if (bad == LOGS_RESOURCE_NOT_FOUND_EXCEPTION)
		return logs_group_missing(t);
	if (bad == KV_NOT_FOUND)
		return logs_stream_missing(t);
	TRY(bad);
	if (p.backwards)
		reverse(&p);
	out->events = (struct logs_output_log_events){ p.v, p.n };
	set_tokens(task_arena(t), &p, out);
	return 0;
}
