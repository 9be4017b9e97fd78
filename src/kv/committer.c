/*
 * committer: one thread that runs all updates in order, a batch at a time, and makes each batch
 * durable with one write. While that syncs, the next batch gathers.
 */
#include "kv/kv_internal.h"

#define BATCH_MAX 1024

static struct kv_request *take_batch(struct kv *kv)
{
	pthread_mutex_lock(&kv->lock);
	while (!kv->head && !kv->stopping)
		pthread_cond_wait(&kv->wake, &kv->lock);
	struct kv_request *first = kv->head, *last = first;
	for (int n = 1; last && last->next && n < BATCH_MAX; n++)
		last = last->next;
	kv->head = last ? last->next : NULL;
	if (!kv->head)
		kv->tail = NULL;
	if (last)
		last->next = NULL;
	pthread_mutex_unlock(&kv->lock);
	return first;
}

static void run_one(struct kv *kv, struct kv_request *r, struct overlay *batch)
{
	struct kv_txn txn = {
		.kv = kv, .arena = task_arena(r->task), .writable = true, .batch = batch
	};

	overlay_init(&txn.own, batch->arena);
	r->result = r->fn(&txn, r->arg);
	if (txn.error)
		r->result = txn.error;
	if (r->result != 0)
		return;
	for (struct overlay_node *n = txn.own.head[0]; n; n = n->next[0])
		overlay_set(batch, n->key, n->value, n->del);
}

static int write_batch(struct kv *kv, const struct overlay *batch)
{
	if (batch->n == 0)
		return 0;
	struct kv_batch_op *ops = arena_new_n(batch->arena, struct kv_batch_op, batch->n);
	size_t n = 0;
	for (struct overlay_node *at = batch->head[0]; at; at = at->next[0])
		ops[n++] = (struct kv_batch_op){ at->del, at->key, at->value };
	return kv->engine->write(kv->e, ops, n, kv->sync);
}

static void answered(struct loop_post *post)
{
	struct kv_request *r = CONTAINER_OF(post, struct kv_request, post);

	task_wake(r->task, r->result);
}

static void answer(struct kv_request *r, int write_error)
{
	while (r) {
		struct kv_request *next = r->next;
		if (write_error && r->result == 0)
			r->result = write_error;
		r->post.fn = answered;
		loop_post(r->loop, &r->post);
		r = next;
	}
}

/* Of a store that did not open. */
static void refuse(struct kv_request *first, int error)
{
	for (struct kv_request *r = first; r; r = r->next)
		r->result = error;
	answer(first, 0);
}

static void *commit(void *arg)
{
	struct kv *kv = arg;
	struct arena *a = arena_create();
	struct kv_request *first;
	int unusable = kv->open_done ? 0 : kv_open_engine(kv);

	while ((first = take_batch(kv))) {
		if (unusable) {
			refuse(first, unusable);
			continue;
		}
		struct overlay batch;
		overlay_init(&batch, a);
		for (struct kv_request *r = first; r; r = r->next)
			run_one(kv, r, &batch);
		int bad = write_batch(kv, &batch);
		answer(first, bad);
		if (!bad)
			watch_notify(kv, &batch);
		arena_reset(a);
	}
	arena_destroy(a);
	return NULL;
}

int committer_start(struct kv *kv)
{
	return -pthread_create(&kv->committer, NULL, commit, kv);
}

void committer_stop(struct kv *kv)
{
	pthread_mutex_lock(&kv->lock);
	kv->stopping = true;
	pthread_cond_signal(&kv->wake);
	pthread_mutex_unlock(&kv->lock);
	pthread_join(kv->committer, NULL);
}
