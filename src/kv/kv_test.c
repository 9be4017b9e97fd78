/* Tests of the store: keys, transactions, scans, timers, jobs, watches, blobs, faults. */
#include "base/clock.h"
#include "kv/blobs.h"
#include "kv/fault.h"
#include "kv/jobs.h"
#include "kv/key.h"
#include "kv/timers.h"
#include "kv/watch.h"
#include "loop/pool.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64];
static struct kv *kv;

typedef int script(struct task *t);

static int run_script(struct task *t, void *arg)
{
	script *fn;

	memcpy(&fn, arg, sizeof fn);
	assert_int_equal(fn(t), 0);
	loop_stop(task_loop(t));
	return 0;
}

static void run_on(script *fn, bool fresh, const struct kv_engine *engine)
{
	const char *why = NULL;
	struct loop *loop = loop_new();

	if (fresh) {
		snprintf(dir, sizeof dir, "/tmp/wolke-kv-XXXXXX");
		assert_non_null(mkdtemp(dir));
	}
	struct kv_options o = { .path = str_of(dir), .engine = engine };
	assert_int_equal(kv_open(&o, &kv, &why), 0);
	loop_set(loop, LOOP_KV, kv);
	task_start(loop, "test", run_script, &fn);
	loop_run(loop);
	pool_stop();
	kv_close(kv);
	loop_free(loop);
}

static void test_keys(void **state)
{
	struct arena *a = arena_create();
	struct str one = kv_key(a, "ss", S("a"), S("b")), two = kv_key(a, "ss", S("a"), S("bc"));
	struct str s1, s2;
	int64_t i;
	uint64_t u;

	assert_true(str_cmp(one, two) < 0);
	assert_false(str_starts(two, one));
	assert_true(str_starts(two, kv_key(a, "s", S("a"))));
	assert_true(str_cmp(kv_key(a, "i", (int64_t)-5), kv_key(a, "i", (int64_t)3)) < 0);
	struct str k = kv_key(a, "siu", (struct str){ "x\0y", 3 }, (int64_t)-7, (uint64_t)9);
	assert_true(kv_key_read(a, k, "siu", &s1, &i, &u));
	assert_int_equal(s1.n, 3);
	assert_int_equal(i, -7);
	assert_int_equal(u, 9);
	assert_false(kv_key_read(a, k, "ss", &s1, &s2));
	arena_destroy(a);
}

static int put_three(struct kv_txn *txn, void *arg)
{
	kv_put(txn, S("k1"), S("one"));
	kv_put(txn, S("k2"), S("two"));
	kv_put(txn, S("k3"), S("three"));
	kv_del(txn, S("k2"));
	return 0;
}

static int put_and_fail(struct kv_txn *txn, void *arg)
{
	kv_put(txn, S("k9"), S("nine"));
	return 42;
}

static int list_keys(struct kv_txn *txn, void *arg)
{
	CLEANUP(kv_scan_close) struct kv_scan *s = kv_scan_prefix(txn, S("k"), *(bool *)arg);
	struct buf b = buf_init(kv_arena(txn));
	struct str key, value;

	while (kv_next(s, &key, &value))
		buf_printf(&b, "%.*s=%.*s ", STR(key), STR(value));
	assert_string_equal(str_cstr(b.arena, buf_str(&b)),
	        *(bool *)arg ? "k3=three k1=one " : "k1=one k3=three ");
	return 0;
}

static int mixed_scan(struct kv_txn *txn, void *arg)
{
	CLEANUP(kv_scan_close) struct kv_scan *s = NULL;
	struct buf b = buf_init(kv_arena(txn));
	struct str key, value;

	kv_put(txn, S("k0"), S("zero"));
	kv_put(txn, S("k3"), S("III"));
	kv_del(txn, S("k1"));
	s = kv_scan_prefix(txn, S("k"), false);
	while (kv_next(s, &key, &value))
		buf_printf(&b, "%.*s=%.*s ", STR(key), STR(value));
	assert_string_equal(str_cstr(b.arena, buf_str(&b)), "k0=zero k3=III ");
	return 7;
}

static int basics(struct task *t)
{
	bool forward = false, backward = true;

	TRY(kv_update(t, put_three, NULL));
	assert_int_equal(kv_update(t, put_and_fail, NULL), 42);
	TRY(kv_view(t, list_keys, &forward));
	TRY(kv_view(t, list_keys, &backward));
	assert_int_equal(kv_update(t, mixed_scan, NULL), 7);
	return kv_view(t, list_keys, &forward);
}

static int after_reopen(struct task *t)
{
	bool forward = false;

	return kv_view(t, list_keys, &forward);
}

static void test_basics(void **state)
{
	run_on(basics, true, NULL);
	run_on(after_reopen, false, NULL);
}

static int count_up(struct kv_txn *txn, void *arg)
{
	*(uint64_t *)arg = kv_sequence_next(txn, S("n"));
	return 0;
}

static int n_done;

static int counter(struct task *t, void *arg)
{
	uint64_t v;

	for (int i = 0; i < 50; i++)
		TRY(kv_update(t, count_up, &v));
	n_done++;
	return 0;
}

static int concurrent(struct task *t)
{
	uint64_t v = 0;

	for (int i = 0; i < 20; i++)
		task_start(task_loop(t), "counter", counter, NULL);
	while (n_done < 20)
		TRY(task_sleep(t, 1));
	TRY(kv_update(t, count_up, &v));
	assert_int_equal(v, 1001);
	return 0;
}

static void test_concurrent(void **state)
{
	run_on(concurrent, true, NULL);
}

static int n_fired;

static int clear_timer(struct kv_txn *txn, void *arg)
{
	kv_timer_clear(txn, S("test"), *(struct str *)arg);
	return 0;
}

static int on_timer(struct task *t, struct str id, int64_t due_ms)
{
	n_fired += str_eq(id, S("a")) ? 1 : 10;
	return kv_update(t, clear_timer, &id);
}

static int set_timers(struct kv_txn *txn, void *arg)
{
	int64_t now = clock_now_ms();

	kv_timer_set(txn, S("test"), S("a"), now + 1000);
	kv_timer_set(txn, S("test"), S("b"), now + 1000);
	kv_timer_set(txn, S("test"), S("b"), now + 3600000);
	return 0;
}

static int timers(struct task *t)
{
	clock_manual_set(1769860800000);
	kv_timer_handler(kv, S("test"), on_timer);
	kv_timers_start(kv, task_loop(t));
	TRY(kv_update(t, set_timers, NULL));
	TRY(kv_timers_settle(t, kv));
	assert_int_equal(n_fired, 0);
	clock_manual_set(1769860802000);
	TRY(kv_timers_settle(t, kv));
	assert_int_equal(n_fired, 1);
	clock_manual_set(1769868000000);
	TRY(kv_timers_settle(t, kv));
	assert_int_equal(n_fired, 11);
	clock_manual_set(0);
	return 0;
}

static void test_timers(void **state)
{
	run_on(timers, true, NULL);
}

static int n_jobs;

static int on_job(struct task *t, struct kv_job *job)
{
	assert_true(str_eq(job->payload, S("work")));
	n_jobs++;
	if (job->attempts == 0)
		return kv_job_retry(t, job, clock_now_ms(), (struct str){ 0 });
	return kv_job_done(t, job, NULL, NULL);
}

static int add_jobs(struct kv_txn *txn, void *arg)
{
	for (int i = 0; i < 10; i++)
		kv_job_add(txn, S("q"), S("work"), 0);
	return 0;
}

static int count_jobs(struct kv_txn *txn, void *arg)
{
	*(uint64_t *)arg = kv_job_count(txn, S("q"));
	return 0;
}

static int jobs(struct task *t)
{
	uint64_t left = 1;

	kv_job_handler(kv, S("q"), 3, on_job);
	kv_jobs_start(kv, task_loop(t));
	TRY(kv_update(t, add_jobs, NULL));
	while (left) {
		TRY(task_sleep(t, 1));
		TRY(kv_view(t, count_jobs, &left));
	}
	assert_int_equal(n_jobs, 20);
	return 0;
}

static void test_jobs(void **state)
{
	run_on(jobs, true, NULL);
}

static int put_watched(struct kv_txn *txn, void *arg)
{
	kv_put(txn, S("w/1"), S("x"));
	return 0;
}

static int put_later(struct task *t, void *arg)
{
	TRY(task_sleep(t, 5));
	return kv_update(t, put_watched, NULL);
}

static int watches(struct task *t)
{
	struct kv_watch w;

	kv_watch_init(&w, t, S("w/"));
	task_start(task_loop(t), "later", put_later, NULL);
	TRY(kv_watch_wait(t, &w, 2000));
	assert_int_equal(kv_watch_wait(t, &w, 5), -ETIMEDOUT);
	kv_watch_deinit(&w);
	return 0;
}

static void test_watch(void **state)
{
	run_on(watches, true, NULL);
}

static int ref(struct kv_txn *txn, void *arg)
{
	kv_blob_ref(txn, *(struct str *)arg);
	return 0;
}

static int unref(struct kv_txn *txn, void *arg)
{
	kv_blob_unref(txn, *(struct str *)arg);
	return 0;
}

static int blobs(struct task *t)
{
	struct kv_blob_writer *w;
	struct stream *s;
	struct str id, all;
	int64_t size;

	kv_jobs_start(kv, task_loop(t));
	TRY(kv_blobs_sweep(t));
	TRY(kv_blob_create(t, &w));
	TRY(kv_blob_write(t, w, S("hello ")));
	TRY(kv_blob_write(t, w, S("world")));
	TRY(kv_blob_finish(t, w, &id, &size));
	assert_int_equal(size, 11);
	TRY(kv_update(t, ref, &id));
	TRY(kv_blob_open(t, id, 6, -1, &s));
	TRY(stream_read_all(t, s, task_arena(t), 100, &all));
	stream_close(s);
	assert_true(str_eq(all, S("world")));
	TRY(kv_update(t, unref, &id));
	for (int i = 0; i < 1000 && access(kv_blob_path(task_arena(t), kv, id).p, F_OK) == 0; i++)
		TRY(task_sleep(t, 1));
	assert_int_equal(kv_blob_open(t, id, 0, -1, &s), -ENOENT);
	return 0;
}

static void test_blobs(void **state)
{
	run_on(blobs, true, NULL);
}

static int write_blob(struct task *t, struct str *id)
{
	struct kv_blob_writer *w;

	TRY(kv_blob_create(t, &w));
	TRY(kv_blob_write(t, w, S("bytes")));
	return kv_blob_finish(t, w, id, NULL);
}

static bool blob_is_there(struct task *t, struct str id)
{
	return access(kv_blob_path(task_arena(t), kv, id).p, F_OK) == 0;
}

/* As an earlier process would have. */
static void leave_blob(struct task *t, struct str id)
{
	const char *path = kv_blob_path(task_arena(t), kv, id).p;
	char *folder = (char *)str_cstr(task_arena(t), str_of(path));

	*strrchr(folder, '/') = 0;
	mkdir(folder, 0700);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_true(blob_is_there(t, id));
}

/* A process that was killed leaves files without a row, however young; those of writers under way
 * stay. */
static int sweep(struct task *t)
{
	struct str left = S("abababababababababababababababab"), kept, own;

	TRY(write_blob(t, &kept));
	leave_blob(t, left);
	TRY(kv_update(t, ref, &kept));
	TRY(kv_blobs_sweep(t));
	TRY(write_blob(t, &own));
	for (int i = 0; i < 1000 && blob_is_there(t, left); i++)
		TRY(task_sleep(t, 1));
	assert_false(blob_is_there(t, left));
	TRY(task_sleep(t, 20));
	assert_true(blob_is_there(t, kept));
	assert_true(blob_is_there(t, own));
	return 0;
}

static void test_sweep(void **state)
{
	run_on(sweep, true, NULL);
}

static int faults(struct task *t)
{
	bool forward = false;

	TRY(kv_update(t, put_three, NULL));
	kv_fault_writes(1, ENOSPC);
	assert_int_equal(kv_update(t, put_watched, NULL), -ENOSPC);
	kv_fault_writes(0, 0);
	TRY(kv_view(t, list_keys, &forward));
	return kv_update(t, put_watched, NULL);
}

static void test_faults(void **state)
{
	run_on(faults, true, &kv_engine_fault);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_basics),
		cmocka_unit_test(test_concurrent),
		cmocka_unit_test(test_timers),
		cmocka_unit_test(test_jobs),
		cmocka_unit_test(test_watch),
		cmocka_unit_test(test_blobs),
		cmocka_unit_test(test_sweep),
		cmocka_unit_test(test_faults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
