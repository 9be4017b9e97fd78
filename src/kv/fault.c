/* fault: RocksDB with a switch. */
#include "kv/fault.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic int writes_left, write_error, slow_ms;

void kv_fault_writes(int n, int error)
{
	write_error = error;
	writes_left = n;
}

void kv_fault_slow_ms(int ms)
{
	slow_ms = ms;
}

static int fault_open(struct str path, void **e, const char **why)
{
	return kv_engine_rocksdb.open(path, e, why);
}

static void fault_close(void *e)
{
	kv_engine_rocksdb.close(e);
}

static int fault_write(void *e, const struct kv_batch_op *ops, size_t n, bool sync)
{
	struct timespec pause = { slow_ms / 1000, slow_ms % 1000 * 1000000L };

	if (slow_ms)
		nanosleep(&pause, NULL);
	if (write_error && (writes_left <= 1 || --writes_left == 0))
		return -write_error;
	return kv_engine_rocksdb.write(e, ops, n, sync);
}

static void *fault_snapshot(void *e)
{
	return kv_engine_rocksdb.snapshot(e);
}

static void fault_snapshot_free(void *e, void *snapshot)
{
	kv_engine_rocksdb.snapshot_free(e, snapshot);
}

static int fault_get(void *e, void *snapshot, struct str key, struct arena *a, struct str *value)
{
	return kv_engine_rocksdb.get(e, snapshot, key, a, value);
}

static void *fault_iterate(void *e, void *snapshot, struct str from, struct str to, bool reverse)
{
	return kv_engine_rocksdb.iterate(e, snapshot, from, to, reverse);
}

static bool fault_next(void *it, struct str *key, struct str *value)
{
	return kv_engine_rocksdb.next(it, key, value);
}

static int fault_iterate_end(void *it)
{
	return kv_engine_rocksdb.iterate_end(it);
}

const struct kv_engine kv_engine_fault = {
	.open = fault_open,
	.close = fault_close,
	.write = fault_write,
	.snapshot = fault_snapshot,
	.snapshot_free = fault_snapshot_free,
	.get = fault_get,
	.iterate = fault_iterate,
	.next = fault_next,
	.iterate_end = fault_iterate_end,
};
