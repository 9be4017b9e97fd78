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

static void woken(struct loop_post *post)
{
	struct kv_waiter *w = CONTAINER_OF(post, struct kv_waiter, post);

	task_wake(w->task, 0);
}

int kv_open_engine(struct kv *kv)
{
	const char *why = NULL;
	struct list_node *n;
	int bad = kv->engine->open(kv->path, &kv->e, &why);

	pthread_mutex_lock(&kv->lock);
	kv->open_done = true;
	kv->open_result = bad;
	kv->open_why = why;
	atomic_store(&kv->open, bad == 0);
	while ((n = list_pop_front(&kv->open_waiters))) {
		struct kv_waiter *w = CONTAINER_OF(n, struct kv_waiter, node);
		w->post.fn = woken;
		loop_post(w->loop, &w->post);
	}
	pthread_mutex_unlock(&kv->lock);
	return bad;
}

int kv_opened(struct task *t, struct kv *kv, const char **why)
{
	struct kv_waiter w = { .loop = task_loop(t), .task = t };

	pthread_mutex_lock(&kv->lock);
	bool waits = !kv->open_done;
	if (waits)
		list_push_back(&kv->open_waiters, &w.node);
	pthread_mutex_unlock(&kv->lock);
	int woken_by = waits ? task_park_uninterruptible(t) : 0;
	ensure(woken_by == 0);
	if (why)
		*why = kv->open_why;
	return kv->open_result;
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
	list_init(&fresh->open_waiters);
	pthread_mutex_init(&fresh->lock, NULL);
	pthread_mutex_init(&fresh->watch_lock, NULL);
	pthread_mutex_init(&fresh->sweep_lock, NULL);
	blobs_open(fresh);
	pthread_cond_init(&fresh->wake, NULL);
	*kv = fresh;
	if (mkdir(fresh->path.p, 0700) != 0 && errno != EEXIST)
		return -errno;
	int bad = options->beside ? 0 : kv_open_engine(fresh);
	*why = fresh->open_why;
	return bad ? bad : committer_start(fresh);
}

void kv_close(struct kv *kv)
{
	committer_stop(kv);
	if (kv->open)
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

	if (!atomic_load_explicit(&txn.kv->open, memory_order_acquire))
		TRY(kv_opened(t, txn.kv, NULL));
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
