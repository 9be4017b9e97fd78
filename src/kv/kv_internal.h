#pragma once
/* kv_internal: the store's own state, for the files of this folder. */
#include "base/list.h"
#include "base/map.h"
#include "kv/engine.h"
#include "kv/kv.h"
#include "kv/overlay.h"

#include <pthread.h>
#include <stdatomic.h>

/* A task that waits for the store to open; on its stack. */
struct kv_waiter {
	struct loop_post post;
	struct list_node node;
	struct loop *loop;
	struct task *task;
};

struct kv {
	const struct kv_engine *engine;
	void *e;
	struct arena *arena;
	struct str path;
	bool sync;

	pthread_t committer;
	pthread_mutex_t lock; /* over the queue */
	pthread_cond_t wake;
	struct kv_request *head, *tail;
	bool stopping;

	_Atomic bool open;
	bool open_done; /* under the lock, with the three behind it */
	int open_result;
	const char *open_why;
	struct list open_waiters;

	pthread_mutex_t watch_lock;
	struct list watches;

	pthread_mutex_t sweep_lock; /* blobs.c: over what follows */
	bool sweeping;
	struct map fresh_blobs; /* made by this process since the sweep began */

	struct list dues; /* due.c: timers and job queues, on their loop */
};

/* An update on its way to the committer and back; on the task's stack. */
struct kv_request {
	struct loop_post post;
	struct kv_request *next;
	struct loop *loop;
	struct task *task;
	kv_fn *fn;
	void *arg;
	int result;
};

struct kv_txn {
	struct kv *kv;
	struct arena *arena;
	bool writable, open;   /* open: the snapshot was taken */
	void *snapshot;        /* of a view */
	struct overlay *batch; /* earlier updates of the same batch */
	struct overlay own;
	int error; /* sticky */
};

struct kv *kv_of(struct task *t);
/* kv.c: opens the engine and wakes who waits for it. */
int kv_open_engine(struct kv *kv);
/* committer.c */
int committer_start(struct kv *kv);
void committer_stop(struct kv *kv);
/* watch.c: after a batch was written */
void watch_notify(struct kv *kv, const struct overlay *batch);
/* blobs.c */
void blobs_open(struct kv *kv);
/* due.c */
void due_close(struct kv *kv);
