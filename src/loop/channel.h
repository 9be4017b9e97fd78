#pragma once
/*
 * channel: a bounded queue of pointers between tasks of one loop, and the condition to wait on.
 *
 *	channel_init(&c, 64);
 *	TRY(channel_send(t, &c, item));		// waits while full
 *	TRY(channel_receive(t, &c, &item));	// waits while empty; -EPIPE when closed and empty
 */
#include "base/list.h"
#include "loop/loop.h"

struct channel {
	void **v;
	size_t capacity, head, n;
	bool closed;
	struct list senders, receivers;
};

void channel_init(struct channel *c, size_t capacity);
void channel_deinit(struct channel *c); /* nobody may wait on it */
int channel_send(struct task *t, struct channel *c, void *item) MUST_USE; /* -EPIPE when closed */
int channel_receive(struct task *t, struct channel *c, void **item, uint64_t limit_ms) MUST_USE;
bool channel_try_send(struct channel *c, void *item) MUST_USE; /* false: full or closed */
bool channel_try_receive(struct channel *c, void **item) MUST_USE;
void channel_close(struct channel *c);

/* A set of waiting tasks: cond_wait until cond_signal (one, in order) or cond_broadcast (all). */
struct cond {
	struct list waiters;
};

void cond_init(struct cond *c);
int cond_wait(struct task *t, struct cond *c, uint64_t limit_ms) MUST_USE;
/* Wakes the longest-waiting task; false when none waits. */
bool cond_signal(struct cond *c);
void cond_broadcast(struct cond *c);
