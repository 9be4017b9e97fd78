/* purge: rows of what was deleted, a bounded number in each update. */
#include "services/logs/group.h"

#include "base/clock.h"
#include "kv/timers.h"

#define STEP_ROWS  1000
#define STEP_BYTES (4 << 20)

void logs_purge(struct kv_txn *txn, struct str prefix)
{
	kv_timer_set(txn, S("logs-purge"), prefix, 0);
}

static int purge(struct kv_txn *txn, void *arg)
{
	const struct str *prefix = arg;
	struct str *keys = arena_new_n(kv_arena(txn), struct str, STEP_ROWS);
	struct str key, row;
	size_t n = 0, bytes = 0;

	struct kv_scan *scan = kv_scan_prefix(txn, *prefix, false);
	while (n < STEP_ROWS && bytes < STEP_BYTES && kv_next(scan, &key, &row)) {
		bytes += row.n;
		keys[n++] = str_dup(kv_arena(txn), key);
	}
	kv_scan_close(&scan);
	for (size_t i = 0; i < n; i++)
		kv_del(txn, keys[i]);
	kv_timer_clear(txn, S("logs-purge"), *prefix);
	if (n == STEP_ROWS || bytes >= STEP_BYTES)
		kv_timer_set(txn, S("logs-purge"), *prefix, clock_now_ms());
	return 0;
}

int logs_purge_step(struct task *t, struct str prefix, int64_t due_ms)
{
	return kv_update(t, purge, &prefix);
}
