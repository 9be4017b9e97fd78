#pragma once
/*
 * loop: one event loop (epoll, edge-triggered) per thread. Loops share nothing.
 *
 *	struct loop *loop = loop_new();
 *	task_start(loop, "main", main_task, NULL);
 *	loop_run(loop);			// until loop_stop(), or no task is left
 *	loop_free(loop);
 */
#include "loop/task.h"

#include <sys/types.h>

struct loop *loop_new(void);
void loop_free(struct loop *loop);
/* Runs on the calling thread until loop_stop() or until no task is left. */
void loop_run(struct loop *loop);
/* Any thread. loop_run cancels all tasks, runs them to their ends and returns. */
void loop_stop(struct loop *loop);

/* Objects that layers above hang on a loop; one slot per layer, set before loop_run. */
enum loop_slot { LOOP_KV, LOOP_API, LOOP_NET, LOOP_RUNTIME, LOOP_MAIN, LOOP_SLOT_N };
void *loop_get(const struct loop *loop, enum loop_slot slot);
void loop_set(struct loop *loop, enum loop_slot slot, void *object);

/* Runs fn(arg) on the loop's thread, soon. Any thread. The order of posts from one thread is kept. */
struct loop_post {
	struct loop_post *next;
	void (*fn)(struct loop_post *post);
};
void loop_post(struct loop *loop, struct loop_post *post);

/* Runs fn as a task on another loop (or this one) and waits for its result. The other task sees a
 * cancel when t is cancelled; loop_call still returns only after fn has. */
int loop_call(struct task *t, struct loop *loop, task_fn *fn, void *arg) MUST_USE;

/* A descriptor that tasks wait on. Non-blocking; registered once, edge-triggered. Caller's storage.
 * One task may wait for reading and one for writing at a time. */
struct loop_fd {
	struct loop *loop;
	int fd;
	bool readable, writable, hung_up; /* edges seen and not yet used up */
	struct task *reader, *writer;
};

int loop_fd_init(struct loop_fd *f, struct loop *loop, int fd) MUST_USE; /* owns fd from here on */
/* Closes; tasks that wait get -EBADF. Safe on a zeroed or already closed one. */
void loop_fd_deinit(struct loop_fd *f);
/* Takes the descriptor out of the loop without closing it. */
int loop_fd_take(struct loop_fd *f);
/* Each tries at once and waits only on EAGAIN. Returns bytes moved, 0 at end of stream (read), or
 * -errno. limit_ms bounds the wait: TASK_FOREVER for the task's deadline only. */
ssize_t loop_fd_read(struct task *t, struct loop_fd *f, void *p, size_t n, uint64_t limit_ms) MUST_USE;
/* Writes some: at least one byte. */
ssize_t loop_fd_write(struct task *t, struct loop_fd *f, const void *p, size_t n, uint64_t limit_ms) MUST_USE;
int loop_fd_write_all(struct task *t, struct loop_fd *f, struct str bytes, uint64_t limit_ms) MUST_USE;
/* A connection (non-blocking, close-on-exec), or -errno. */
int loop_fd_accept(struct task *t, struct loop_fd *f) MUST_USE;
int loop_fd_wait_readable(struct task *t, struct loop_fd *f, uint64_t limit_ms) MUST_USE;
int loop_fd_wait_writable(struct task *t, struct loop_fd *f, uint64_t limit_ms) MUST_USE;
