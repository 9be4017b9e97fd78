/* channel: a bounded queue between tasks, and the condition under it. */
#include "loop/channel.h"

#include "base/arena.h"

struct waiter {
	struct list_node node;
	struct task *task;
};

void cond_init(struct cond *c)
{
	list_init(&c->waiters);
}

int cond_wait(struct task *t, struct cond *c, uint64_t limit_ms)
{
	struct waiter w = { .task = t };

	list_push_back(&c->waiters, &w.node);
	int result = task_park(t, limit_ms);
	list_remove(&w.node);
	return result;
}

bool cond_signal(struct cond *c)
{
	struct list_node *n = list_pop_front(&c->waiters);

	return n && task_wake(CONTAINER_OF(n, struct waiter, node)->task, 0);
}

void cond_broadcast(struct cond *c)
{
	while (cond_signal(c))
		;
}

void channel_init(struct channel *c, size_t capacity)
{
	*c = (struct channel){ .v = mem_alloc(capacity * sizeof(void *)), .capacity = capacity };
	list_init(&c->senders);
	list_init(&c->receivers);
}

void channel_deinit(struct channel *c)
{
	mem_free(c->v);
	c->v = NULL;
}

static void wake_one(struct list *l)
{
	struct list_node *n = list_pop_front(l);

	if (n)
		task_wake(CONTAINER_OF(n, struct waiter, node)->task, 0);
}

static int wait_in(struct task *t, struct list *l, uint64_t limit_ms)
{
	struct waiter w = { .task = t };

	list_push_back(l, &w.node);
	int result = task_park(t, limit_ms);
	list_remove(&w.node);
	return result;
}

bool channel_try_send(struct channel *c, void *item)
{
	if (c->closed || c->n == c->capacity)
		return false;
	c->v[(c->head + c->n++) % c->capacity] = item;
	wake_one(&c->receivers);
	return true;
}

bool channel_try_receive(struct channel *c, void **item)
{
	if (c->n == 0)
		return false;
	*item = c->v[c->head];
	c->head = (c->head + 1) % c->capacity;
	c->n--;
	wake_one(&c->senders);
	return true;
}

int channel_send(struct task *t, struct channel *c, void *item)
{
	while (!channel_try_send(c, item)) {
		if (c->closed)
			return -EPIPE;
		TRY(wait_in(t, &c->senders, TASK_FOREVER));
	}
	return 0;
}

int channel_receive(struct task *t, struct channel *c, void **item, uint64_t limit_ms)
{
	while (!channel_try_receive(c, item)) {
		if (c->closed)
			return -EPIPE;
		TRY(wait_in(t, &c->receivers, limit_ms));
	}
	return 0;
}

void channel_close(struct channel *c)
{
	c->closed = true;
	while (!list_is_empty(&c->senders))
		wake_one(&c->senders);
	while (!list_is_empty(&c->receivers))
		wake_one(&c->receivers);
}
