/* page: reading on from where the last page ended. */
#include "services/lambda/page.h"

static int read_rows(struct kv_txn *txn, void *arg)
{
	struct lambda_page *p = arg;
	struct arena *a = kv_arena(txn);
	struct str from =
	        p->after.p ? str_concat(a, 2, p->after, (struct str){ "\0", 1 }) : p->prefix;
	CLEANUP(kv_scan_close)
	struct kv_scan *s = kv_scan(txn, from, kv_prefix_end(a, p->prefix), false);
	struct str key, value;

	while (kv_next(s, &key, &value)) {
		int shown = p->take(a, p->arg, p->n, value);
		if (shown < 0)
			return shown;
		if (!shown)
			continue;
		if (p->n == p->max) {
			p->more = true;
			return 0;
		}
		p->n++;
		p->last = str_dup(a, key);
	}
	return 0;
}

int lambda_page_read(
        struct task *t, struct lambda_page *p, struct str marker, struct opt_int max_items)
{
	p->max = max_items.set ? (size_t)MIN(max_items.v, (int64_t)LAMBDA_PAGE) : LAMBDA_PAGE;
	if (marker.n && (!api_token_open(t, marker, &p->after) || !str_starts(p->after, p->prefix)))
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION, "Invalid marker");
	p->last = p->prefix; /* of a page without rows */
	TRY(kv_view(t, read_rows, p));
	if (p->more)
		p->next = api_token_seal(t, p->last);
	return 0;
}
