#pragma once
/*
 * jobs: the outbox. A state change and the deliveries it causes (async invoke, fan-out, webhook)
 * are written in one update; each job is then handed to its queue's handler until that says done.
 * At least once, in order of due time per queue, at most `parallel` at a time.
 *
 *	kv_job_add(txn, S("lambda-async"), payload, now_ms);	// in the update that accepts the
 *event
 *
 *	static int deliver(struct task *t, struct kv_job *job)	// registered at start
 *	{
 *		if (failed)
 *			return kv_job_retry(t, job, now + 60000);	// or dead-letter, then:
 *		return kv_job_done(t, job, NULL, NULL);
 *	}
 */
#include "kv/kv.h"

struct kv_job {
	struct str queue;
	uint64_t id;       /* rising */
	uint32_t attempts; /* made before this one */
	int64_t created_ms;
	int64_t due_ms;
	struct str payload;
};

typedef int kv_job_fn(struct task *t, struct kv_job *job);

/* Returns the job's id. due_ms in the past: at once. */
uint64_t kv_job_add(struct kv_txn *txn, struct str queue, struct str payload, int64_t due_ms);
/* Ends the job; when fn is given it runs in the same update (the outcome's own state). */
int kv_job_done(struct task *t, struct kv_job *job, kv_fn *fn, void *arg) MUST_USE;
/* Attempts + 1; the payload may be replaced (absent: kept). */
int kv_job_retry(struct task *t, struct kv_job *job, int64_t due_ms, struct str payload) MUST_USE;
void kv_job_handler(struct kv *kv, struct str queue, int parallel, kv_job_fn *fn);
/* Jobs of a queue that are not done. */
uint64_t kv_job_count(struct kv_txn *txn, struct str queue);
void kv_jobs_start(struct kv *kv, struct loop *loop);
