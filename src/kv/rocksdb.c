/*
 * rocksdb: the embedded engine, tuned to open in milliseconds and to be small while idle: one small
 * write buffer, two background threads, a bounded cache, write-ahead logs that are recycled so that
 * a sync writes no metadata.
 */
#include "kv/engine.h"

#include <rocksdb/c.h>
#include <stdlib.h>

struct rocks {
	rocksdb_t *db;
	rocksdb_options_t *options;
	rocksdb_block_based_table_options_t *table;
	rocksdb_cache_t *cache;
	rocksdb_readoptions_t *read;
	rocksdb_writeoptions_t *write_sync, *write_lazy;
};

static void set_options(struct rocks *r)
{
	rocksdb_options_t *o = r->options = rocksdb_options_create();

	r->cache = rocksdb_cache_create_lru(16u << 20);
	r->table = rocksdb_block_based_options_create();
	rocksdb_block_based_options_set_block_cache(r->table, r->cache);
	rocksdb_block_based_options_set_filter_policy(
	        r->table, rocksdb_filterpolicy_create_bloom_full(10));
	rocksdb_options_set_block_based_table_factory(o, r->table);
	rocksdb_options_set_create_if_missing(o, 1);
	rocksdb_options_set_write_buffer_size(o, 16u << 20);
	rocksdb_options_set_max_open_files(o, 256);
	rocksdb_options_set_max_background_jobs(o, 2);
	rocksdb_options_set_max_file_opening_threads(o, 1);
	rocksdb_options_set_stats_dump_period_sec(o, 0);
	rocksdb_options_set_stats_persist_period_sec(o, 0);
	rocksdb_options_set_keep_log_file_num(o, 2);
	rocksdb_options_set_info_log_level(o, 4);
	rocksdb_options_set_recycle_log_file_num(o, 2);
	rocksdb_options_set_skip_stats_update_on_db_open(o, 1);
	rocksdb_options_set_skip_checking_sst_file_sizes_on_db_open(o, 1);
	rocksdb_options_set_compression(o, rocksdb_lz4_compression);
	rocksdb_options_set_wal_recovery_mode(o, 2); /* to the last whole record: what was synced */
	rocksdb_options_set_manifest_preallocation_size(o, 64 << 10);
}

static void rocks_close(void *e)
{
	struct rocks *r = e;

	if (r->db)
		rocksdb_close(r->db);
	rocksdb_options_destroy(r->options);
	rocksdb_block_based_options_destroy(r->table);
	rocksdb_cache_destroy(r->cache);
	rocksdb_readoptions_destroy(r->read);
	rocksdb_writeoptions_destroy(r->write_sync);
	rocksdb_writeoptions_destroy(r->write_lazy);
	mem_free(r);
}

static int rocks_open(struct str path, void **e, const char **why)
{
	struct rocks *r = mem_new(struct rocks);
	char *error = NULL;

	set_options(r);
	r->read = rocksdb_readoptions_create();
	r->write_sync = rocksdb_writeoptions_create();
	rocksdb_writeoptions_set_sync(r->write_sync, 1);
	r->write_lazy = rocksdb_writeoptions_create();
	r->db = rocksdb_open(r->options, path.p, &error);
	if (!r->db) {
		*why = error;
		rocks_close(r);
		return strstr(error, "lock") ? -EBUSY : -EIO;
	}
	*e = r;
	return 0;
}

/* RocksDB says what happened in words only. */
static int error_number(char *error)
{
	int number = -EIO;

	if (!error)
		return 0;
	if (strstr(error, "No space left"))
		number = -ENOSPC;
	free(error);
	return number;
}

static int rocks_write(void *e, const struct kv_batch_op *ops, size_t n, bool sync)
{
	struct rocks *r = e;
	rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
	char *error = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct kv_batch_op *op = &ops[i];
		if (op->del)
			rocksdb_writebatch_delete(batch, op->key.p, op->key.n);
		else
			rocksdb_writebatch_put(
			        batch, op->key.p, op->key.n, op->value.p, op->value.n);
	}
	rocksdb_write(r->db, sync ? r->write_sync : r->write_lazy, batch, &error);
	rocksdb_writebatch_destroy(batch);
	return error_number(error);
}

static void *rocks_snapshot(void *e)
{
	return (void *)(uintptr_t)rocksdb_create_snapshot(((struct rocks *)e)->db);
}

static void rocks_snapshot_free(void *e, void *snapshot)
{
	rocksdb_release_snapshot(((struct rocks *)e)->db, snapshot);
}

static rocksdb_readoptions_t *read_options(const void *snapshot)
{
	rocksdb_readoptions_t *o = rocksdb_readoptions_create();

	if (snapshot)
		rocksdb_readoptions_set_snapshot(o, snapshot);
	return o;
}

static int rocks_get(void *e, void *snapshot, struct str key, struct arena *a, struct str *value)
{
	struct rocks *r = e;
	rocksdb_readoptions_t *o = snapshot ? read_options(snapshot) : r->read;
	char *error = NULL;
	size_t n = 0;

	*value = (struct str){ 0 };
	rocksdb_pinnableslice_t *slice = rocksdb_get_pinned(r->db, o, key.p, key.n, &error);
	if (o != r->read)
		rocksdb_readoptions_destroy(o);
	if (error)
		return error_number(error);
	if (!slice)
		return 1;
	const char *p = rocksdb_pinnableslice_value(slice, &n);
	*value = str_dup(a, (struct str){ p ? p : "", n });
	rocksdb_pinnableslice_destroy(slice);
	return 0;
}

struct rocks_iterator {
	rocksdb_iterator_t *it;
	rocksdb_readoptions_t *options;
	char *from, *to;
	size_t from_n;
	bool reverse, moved;
};

static char *copy(struct str s)
{
	char *p = mem_alloc(s.n + 1);

	memcpy(p, s.p, s.n);
	return p;
}

static void *rocks_iterate(void *e, void *snapshot, struct str from, struct str to, bool reverse)
{
	struct rocks *r = e;
	struct rocks_iterator *i = mem_new(struct rocks_iterator);

	i->options = read_options(snapshot);
	i->from = copy(from);
	i->to = copy(to);
	i->reverse = reverse;
	rocksdb_readoptions_set_iterate_lower_bound(i->options, i->from, from.n);
	rocksdb_readoptions_set_iterate_upper_bound(i->options, i->to, to.n);
	i->it = rocksdb_create_iterator(r->db, i->options);
	if (reverse)
		rocksdb_iter_seek_to_last(i->it);
	else
		rocksdb_iter_seek(i->it, i->from, from.n);
	return i;
}

static bool rocks_next(void *it, struct str *key, struct str *value)
{
	struct rocks_iterator *i = it;

	if (i->moved && rocksdb_iter_valid(i->it)) {
		if (i->reverse)
			rocksdb_iter_prev(i->it);
		else
			rocksdb_iter_next(i->it);
	}
	i->moved = true;
	if (!rocksdb_iter_valid(i->it))
		return false;
	key->p = rocksdb_iter_key(i->it, &key->n);
	value->p = rocksdb_iter_value(i->it, &value->n);
	return true;
}

static int rocks_iterate_end(void *it)
{
	struct rocks_iterator *i = it;
	char *error = NULL;

	rocksdb_iter_get_error(i->it, &error);
	rocksdb_iter_destroy(i->it);
	rocksdb_readoptions_destroy(i->options);
	mem_free(i->from);
	mem_free(i->to);
	mem_free(i);
	return error_number(error);
}

const struct kv_engine kv_engine_rocksdb = {
	.open = rocks_open,
	.close = rocks_close,
	.write = rocks_write,
	.snapshot = rocks_snapshot,
	.snapshot_free = rocks_snapshot_free,
	.get = rocks_get,
	.iterate = rocks_iterate,
	.next = rocks_next,
	.iterate_end = rocks_iterate_end,
};
