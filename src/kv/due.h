#pragma once
/*
 * due: rows that ask for work at a time: what timers and jobs share. Keys are (prefix..., due_ms,
 * ...); one task starts a task for each row that is due, at most `parallel` at once. A row that is
 * still there after its task is tried again after a pause that doubles from 1 s to 60 s.
 */
#include "base/list.h"
#include "base/map.h"
#include "kv/kv.h"
#include "loop/channel.h"

struct due {
	struct list_node node; /* in the kv's list */
	struct kv *kv;
	struct loop *loop;
	struct arena *arena;
	struct str prefix;
	size_t parallel, n_running;
	struct map running; /* by key: struct due_run */
	struct map pausing; /* by key: struct due_pause */
	struct cond changed;
	/* The work for one row, which it removes in the update that does the work. */
	int (*run)(struct task *t, struct due *d, struct str key, struct str value);
	void *arg;
};

struct due *due_new(struct kv *kv, struct str prefix, size_t parallel);
void due_start(struct due *d, struct loop *loop);
/* Waits until nothing that is due by now is left, but for rows that pause. */
int due_settle(struct task *t, struct due *d) MUST_USE;
