#pragma once
/*
 * watch: a commit wakes the tasks that wait on a key prefix: long polls, live tails, state changes.
 *
 *	struct kv_watch w;
 *	kv_watch_init(&w, t, prefix);		// from here on nothing is missed
 *	while (!there_is_something(t))		// look
 *		TRY(kv_watch_wait(t, &w, 20000));	// then wait for the next commit below
 *prefix kv_watch_deinit(&w);
 */
#include "base/list.h"
#include "kv/kv.h"

struct kv_watch {
	struct list_node node;
	struct kv *kv;
	struct loop *loop;
	struct task *waiter;
	struct str prefix; /* borrowed until deinit */
	bool fired;
};

void kv_watch_init(struct kv_watch *w, struct task *t, struct str prefix);
int kv_watch_wait(struct task *t, struct kv_watch *w, uint64_t limit_ms) MUST_USE;
void kv_watch_deinit(struct kv_watch *w);
