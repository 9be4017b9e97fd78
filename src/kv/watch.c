/* watch: tasks told of commits. */
#include "kv/watch.h"

#include "kv/kv_internal.h"

struct wake_post {
	struct loop_post post;
	struct kv_watch *watch;
	struct kv *kv;
};

/* On the watch's loop; the watch may be gone: it is looked for in the list. */
static void wake_waiter(struct loop_post *post)
{
	struct wake_post *w = CONTAINER_OF(post, struct wake_post, post);
	struct task *waiter = NULL;

	pthread_mutex_lock(&w->kv->watch_lock);
	list_for_each (n, &w->kv->watches)
		if (CONTAINER_OF(n, struct kv_watch, node) == w->watch)
			waiter = w->watch->waiter;
	pthread_mutex_unlock(&w->kv->watch_lock);
	if (waiter)
		task_wake(waiter, 0);
	mem_free(w);
}

static bool touches(const struct overlay *batch, struct str prefix)
{
	struct overlay_node *n = overlay_from(batch, prefix);

	return n && str_starts(n->key, prefix);
}

void watch_notify(struct kv *kv, const struct overlay *batch)
{
	pthread_mutex_lock(&kv->watch_lock);
	list_for_each (node, &kv->watches) {
		struct kv_watch *w = CONTAINER_OF(node, struct kv_watch, node);
		if (w->fired || !touches(batch, w->prefix))
			continue;
		w->fired = true;
		struct wake_post *p = mem_new(struct wake_post);
		*p = (struct wake_post){ .post = { .fn = wake_waiter }, .watch = w, .kv = kv };
		loop_post(w->loop, &p->post);
	}
	pthread_mutex_unlock(&kv->watch_lock);
}

void kv_watch_init(struct kv_watch *w, struct task *t, struct str prefix)
{
	struct kv *kv = kv_of(t);

	*w = (struct kv_watch){ .kv = kv, .loop = task_loop(t), .prefix = prefix };
	pthread_mutex_lock(&kv->watch_lock);
	list_push_back(&kv->watches, &w->node);
	pthread_mutex_unlock(&kv->watch_lock);
}

static bool take_fired(struct task *t, struct kv_watch *w, struct task *waiter)
{
	pthread_mutex_lock(&w->kv->watch_lock);
	bool fired = w->fired;
	w->fired = false;
	w->waiter = fired ? NULL : waiter;
	pthread_mutex_unlock(&w->kv->watch_lock);
	return fired;
}

int kv_watch_wait(struct task *t, struct kv_watch *w, uint64_t limit_ms)
{
	if (take_fired(t, w, t))
		return 0;
	int result = task_park(t, limit_ms);
	/* A commit may have come while the wait ended otherwise. */
	bool fired = take_fired(t, w, NULL);
	w->waiter = NULL;
	return fired && result == -ETIMEDOUT ? 0 : result;
}

void kv_watch_deinit(struct kv_watch *w)
{
	pthread_mutex_lock(&w->kv->watch_lock);
	list_remove(&w->node);
	pthread_mutex_unlock(&w->kv->watch_lock);
}
