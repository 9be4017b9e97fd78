/* kv: opening, views, and handing updates to the committer. */
#include "kv/kv_internal.h"

#include <sys/stat.h>

struct kv *kv_of(struct task *t)
{
	return loop_get(task_loop(t), LOOP_KV);
}

struct str kv_path(const struct kv *kv)
{
	return kv->path;
}

int kv_open(const struct kv_options *options, struct kv **kv, const char **why)
{
	struct kv *fresh = mem_new(struct kv);

	fresh->arena = arena_create();
	fresh->path = str_dup(fresh->arena, options->path);
	fresh->engine = options->engine ? options->engine : &kv_engine_rocksdb;
	fresh->sync = options->durability == KV_STRICT;
	list_init(&fresh->watches);
	list_init(&fresh->dues);
	pthread_mutex_init(&fresh->lock, NULL);
	pthread_mutex_init(&fresh->watch_lock, NULL);
	pthread_mutex_init(&fresh->sweep_lock, NULL);
	pthread_cond_init(&fresh->wake, NULL);
	if (mkdir(fresh->path.p, 0700) != 0 && errno != EEXIST)
		return -errno;
	int bad = fresh->engine->open(fresh->path, &fresh->e, why);
	if (!bad)
		bad = committer_start(fresh);
	if (bad)
		return bad;
	*kv = fresh;
	return 0;
}

void kv_close(struct kv *kv)
{
	committer_stop(kv);
	kv->engine->close(kv->e);
	due_close(kv);
	pthread_mutex_destroy(&kv->lock);
	pthread_mutex_destroy(&kv->watch_lock);
	pthread_mutex_destroy(&kv->sweep_lock);
	map_deinit(&kv->fresh_blobs);
	pthread_cond_destroy(&kv->wake);
	arena_destroy(kv->arena);
	mem_free(kv);
}

int kv_view(struct task *t, kv_fn *fn, void *arg)
{
	struct kv_txn txn = { .kv = kv_of(t), .arena = task_arena(t) };
	int result = fn(&txn, arg);

	if (txn.open)
		txn.kv->engine->snapshot_free(txn.kv->e, txn.snapshot);
	return txn.error ? txn.error : result;
}

int kv_update(struct task *t, kv_fn *fn, void *arg)
{
	struct kv *kv = kv_of(t);
	struct kv_request r = { .loop = task_loop(t), .task = t, .fn = fn, .arg = arg };

	pthread_mutex_lock(&kv->lock);
	if (kv->tail)
		kv->tail->next = &r;
	else
		kv->head = &r;
	kv->tail = &r;
	pthread_cond_signal(&kv->wake);
	pthread_mutex_unlock(&kv->lock);
	return task_park_uninterruptible(t);
}
