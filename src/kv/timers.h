#pragma once
/*
 * timers: durable wake-ups. A row (due time, kind, id) is written with the state it belongs to;
 * when it is due, on the wall clock (which may be manual), the handler registered for its kind runs
 * as a task. At least once: the handler removes or moves the timer in the update that does the
 *work; one that is still there when the handler returns is run again after a pause.
 *
 *	kv_timer_set(txn, S("logs-retention"), group_key, due_ms);	// inside an update
 *	kv_timer_handler(kv, S("logs-retention"), expire);		// at start
 */
#include "kv/kv.h"

/* fn may suspend. id is in the task's arena. */
typedef int kv_timer_fn(struct task *t, struct str id, int64_t due_ms);

/* Sets, or moves, the one timer with this kind and id. */
void kv_timer_set(struct kv_txn *txn, struct str kind, struct str id, int64_t due_ms);
void kv_timer_clear(struct kv_txn *txn, struct str kind, struct str id);
/* Registers before kv_timers_start; kind is borrowed for good. */
void kv_timer_handler(struct kv *kv, struct str kind, kv_timer_fn *fn);
/* Starts the task that runs due timers on this loop (loop 0). At most 64 handlers run at a time. */
void kv_timers_start(struct kv *kv, struct loop *loop);
/* After the manual clock was moved: look again, and wait until all timers due by now have run. */
int kv_timers_settle(struct task *t, struct kv *kv) MUST_USE;
