#pragma once
/*
 * loop_internal: the loop's and the tasks' own state, for the files of this folder only.
 */
#include "base/heap.h"
#include "base/list.h"
#include "loop/loop.h"
#include "loop/timer.h"

#include <pthread.h>
#include <stdatomic.h>

struct stack {
	struct list_node node;
	char *base; /* lowest usable byte; the guard page lies below */
	size_t size;
};

enum task_state { TASK_READY, TASK_RUNNING, TASK_PARKED, TASK_ENDED };

struct task {
	struct list_node ready; /* in the loop's queue */
	struct list_node all;
	struct loop *loop;
	const char *name;
	task_fn *fn;
	void *arg;
	struct arena *arena;
	struct stack *stack;
	void *sp; /* while not running */
	enum task_state state;
	int result;        /* of the wait that ends */
	bool cancelled, interruptible, limited;
	uint64_t deadline; /* monotonic ns */
	struct timer timer;
	void *local;
	struct list joiners;
	uint64_t started_ns;
	void *fake_stack;  /* ASan */
	void *fiber;       /* TSan */
};

struct loop {
	int epoll_fd, event_fd;
	struct list ready, all;
	size_t n_tasks;
	struct heap timers;
	struct task *current;
	void *sp; /* of the loop's own stack, while a task runs */
	void *fake_stack;
	const void *stack_bottom; /* of the thread, for ASan */
	size_t stack_size;
	void *fiber;
	struct list free_stacks;
	size_t n_free_stacks;
	void *slots[LOOP_SLOT_N];
	_Atomic bool stopping;
	_Atomic bool asleep;
	pthread_mutex_t posts_lock;
	struct loop_post *posts_head, *posts_tail;
	struct epoll_event *events; /* of the batch being handled, so that a closed one is forgotten */
	int n_events, at_event;
};

/* stack.c */
struct stack *stack_take(struct loop *loop);
void stack_give(struct loop *loop, struct stack *s);
void stack_free(struct stack *s);

/* switch.c: onto a task's stack until it parks or ends, and back. */
void switch_init(struct task *t);
void switch_to(struct loop *loop, struct task *t);
void switch_back(struct task *t);
void switch_ended(struct task *t); /* the loop's side, after the last switch_back */

/* task.c */
void task_run(struct task *t);
