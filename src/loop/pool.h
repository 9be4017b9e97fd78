#pragma once
/*
 * pool: worker threads for what would block a loop: fsync, zip, big hashes, TLS keys, cold disk
 * reads, third-party code with deep stacks.
 *
 *	TRY(pool_run(t, hash_file, &job));	// fn(arg) runs on a worker; the task waits
 *
 * Cannot be cancelled: fn holds pointers into the task. fn must bound its own time.
 */
#include "loop/loop.h"

/* Starts n worker threads for the whole process (lazily at the first pool_run: 4); call after the
 * last fork. pool_stop waits for queued work. */
void pool_start(int n_threads);
void pool_stop(void);
int pool_run(struct task *t, int (*fn)(void *arg), void *arg) MUST_USE;
