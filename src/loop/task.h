#pragma once
/*
 * task: a stackful coroutine on an event loop. Code reads from top to bottom and suspends inside.
 *
 * Only a function whose first parameter is `struct task *t` may suspend; a function without it is
 * atomic. After a call that takes t, look shared objects up again. A task never changes its loop.
 *
 * Every wait returns 0, -ETIMEDOUT when the wait's own limit or the task's deadline has passed, or
 * -ECANCELED when the task was cancelled: the caller returns it unchanged.
 *
 *	static int tick(struct task *t, void *arg)
 *	{
 *		for (;;)
 *			TRY(task_sleep(t, 1000));
 *	}
 *	task_start(loop, "tick", tick, NULL);
 */
#include "base/arena.h"
#include "base/str.h"

struct loop;
struct task;

typedef int task_fn(struct task *t, void *arg);

#define TASK_FOREVER UINT64_MAX

/* Starts fn as a task of this loop (call on the loop's own thread); it first runs when the loop
 * next turns. name is borrowed for the task's life: a literal. The task and its arena are freed
 * when fn returns. The returned pointer is valid until then. */
struct task *task_start(struct loop *loop, const char *name, task_fn *fn, void *arg);

struct loop *task_loop(const struct task *t);
/* Everything allocated here is freed when the task ends, or at its task_arena_reset(). */
struct arena *task_arena(struct task *t);
const char *task_name(const struct task *t);

/* Asks a task to end: its present wait and all later ones return -ECANCELED. Idempotent. */
void task_cancel(struct task *t);
bool task_is_cancelled(const struct task *t);

/* The task's deadline, monotonic ns; waits past it return -ETIMEDOUT. Returns the one before, so
 * that a callee can narrow and restore it. TASK_FOREVER: none. */
uint64_t task_deadline_set(struct task *t, uint64_t mono_ns);

int task_sleep(struct task *t, uint64_t ms) MUST_USE;
/* Lets the other ready tasks run. */
int task_yield(struct task *t) MUST_USE;

/* The primitive under every wait. task_park suspends until task_wake(t, result) and returns its
 * result; limit_ms bounds this wait (TASK_FOREVER: the task's deadline only). task_wake is called
 * on the same loop; waking a task that is not parked, or twice, does nothing: returns false. */
int task_park(struct task *t, uint64_t limit_ms) MUST_USE;
/* As task_park, but cannot be cancelled or time out: for waits whose other side holds pointers
 * into this task's stack (pool jobs, store updates). */
int task_park_uninterruptible(struct task *t) MUST_USE;
bool task_wake(struct task *t, int result);

/* One pointer per task for the layer above (api/: the call being served). */
void *task_local(const struct task *t);
void task_local_set(struct task *t, void *local);

/* Waits until another task ends (returned, by any reason); 0, or the wait's error. */
int task_join(struct task *t, struct task *other, uint64_t limit_ms) MUST_USE;

/* Live tasks of the loop, and a line for each ("name state age") for `wolke status` and gdb. */
size_t task_count(const struct loop *loop);
void task_list(const struct loop *loop, void (*line)(void *arg, const char *text), void *arg);
