#pragma once
/*
 * timer: a callback of the loop at a monotonic time. For waits use task_sleep and deadlines; this
 * is for time limits on objects (an idle environment, a connection). In memory only: what must
 * survive a restart is a kv timer.
 */
#include "base/heap.h"
#include "loop/loop.h"

struct timer {
	struct heap_node node;
	struct loop *loop;
	void (*fn)(struct timer *timer);
};

/* Caller's storage. fn runs once, on the loop, after ms; setting again moves it. */
void timer_set(struct timer *timer, struct loop *loop, uint64_t ms, void (*fn)(struct timer *));
void timer_cancel(struct timer *timer); /* safe on a zeroed or expired one */
