/* jobs: rows (queue, due, id) -> attempts, creation time, payload. */
#include "kv/jobs.h"

#include "base/clock.h"
#include "kv/due.h"
#include "kv/key.h"
#include "kv/kv_internal.h"

#define VERSION 1

static struct str job_key(struct arena *a, struct str queue, int64_t due_ms, uint64_t id)
{
	return kv_key(a, "ssiu", S("~job"), queue, due_ms, id);
}

static struct str pack(struct arena *a, const struct kv_job *job)
{
	struct buf b = buf_init(a);

	buf_add_char(&b, VERSION);
	kv_key_add(&b, "ui", (uint64_t)job->attempts, job->created_ms);
	buf_add(&b, job->payload);
	return buf_str(&b);
}

static bool unpack(struct arena *a, struct str value, struct kv_job *job)
{
	uint64_t attempts;

	if (value.n < 19 || value.p[0] != VERSION)
		return false;
	if (!kv_key_read(a, str_sub(value, 1, 18), "ui", &attempts, &job->created_ms))
		return false;
	job->attempts = (uint32_t)attempts;
	job->payload = str_sub(value, 19, value.n);
	return true;
}

uint64_t kv_job_add(struct kv_txn *txn, struct str queue, struct str payload, int64_t due_ms)
{
	struct kv_job job = { .queue = queue, .payload = payload, .created_ms = clock_now_ms() };

	job.id = kv_sequence_next(txn, S("~job"));
	kv_put(txn, job_key(kv_arena(txn), queue, due_ms, job.id), pack(kv_arena(txn), &job));
	return job.id;
}

struct ending {
	struct kv_job *job;
	kv_fn *fn;
	void *arg;
	bool again;
	int64_t due_ms;
};

static int end(struct kv_txn *txn, void *arg)
{
	struct ending *e = arg;
	struct arena *a = kv_arena(txn);
	struct kv_job job = *e->job;

	if (e->fn)
		TRY(e->fn(txn, e->arg));
	kv_del(txn, job_key(a, job.queue, job.due_ms, job.id));
	if (e->again) {
		job.attempts++;
		kv_put(txn, job_key(a, job.queue, e->due_ms, job.id), pack(a, &job));
	}
	return 0;
}

int kv_job_done(struct task *t, struct kv_job *job, kv_fn *fn, void *arg)
{
	struct ending e = { .job = job, .fn = fn, .arg = arg };

	return kv_update(t, end, &e);
}

int kv_job_retry(struct task *t, struct kv_job *job, int64_t due_ms, struct str payload)
{
	struct ending e = { .job = job, .again = true, .due_ms = due_ms };

	if (payload.p)
		job->payload = payload;
	return kv_update(t, end, &e);
}

static int run(struct task *t, struct due *d, struct str key, struct str value)
{
	struct kv_job job = { 0 };
	struct str kind;
	kv_job_fn *fn;

	memcpy(&fn, d->arg, sizeof fn);
	if (!kv_key_read(task_arena(t), key, "ssiu", &kind, &job.queue, &job.due_ms, &job.id))
		return -EPROTO;
	if (!unpack(task_arena(t), value, &job))
		return -EPROTO;
	return fn(t, &job);
}

void kv_job_handler(struct kv *kv, struct str queue, int parallel, kv_job_fn *fn)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct due *d = due_new(kv, kv_key(a, "ss", S("~job"), queue), (size_t)parallel);

	d->run = run;
	d->arg = arena_alloc(d->arena, sizeof fn);
	memcpy(d->arg, &fn, sizeof fn);
}

uint64_t kv_job_count(struct kv_txn *txn, struct str queue)
{
	CLEANUP(kv_scan_close)
	struct kv_scan *s =
	        kv_scan_prefix(txn, kv_key(kv_arena(txn), "ss", S("~job"), queue), false);
	struct str key, value;
	uint64_t n = 0;

	while (kv_next(s, &key, &value))
		n++;
	return n;
}

void kv_jobs_start(struct kv *kv, struct loop *loop)
{
	list_for_each (n, &kv->dues) {
		struct due *d = CONTAINER_OF(n, struct due, node);
		if (d->run == run)
			due_start(d, loop);
	}
}
