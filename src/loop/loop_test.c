/* Tests of tasks, waits, channels, descriptors and calls between loops. */
#include "loop/channel.h"
#include "loop/loop.h"
#include "loop/pool.h"
#include "loop/stream.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static char trace[256];

static int letter(struct task *t, void *arg)
{
	for (int i = 0; i < 3; i++) {
		strncat(trace, arg, 1);
		TRY(task_yield(t));
	}
	return 0;
}

static void test_order(void **state)
{
	struct loop *loop = loop_new();

	trace[0] = 0;
	task_start(loop, "a", letter, (void *)"a");
	task_start(loop, "b", letter, (void *)"b");
	loop_run(loop);
	assert_string_equal(trace, "ababab");
	loop_free(loop);
}

struct wait_case {
	int slept, cancelled, deadline;
	struct task *sleeper;
};

static int forever(struct task *t, void *arg)
{
	struct wait_case *c = arg;

	c->cancelled = task_sleep(t, 100000);
	return 0;
}

static int waits(struct task *t, void *arg)
{
	struct wait_case *c = arg;

	c->slept = task_sleep(t, 2);
	task_deadline_set(t, 1);
	c->deadline = task_sleep(t, 1000);
	task_cancel(c->sleeper);
	return 0;
}

static void test_waits(void **state)
{
	struct loop *loop = loop_new();
	struct wait_case c = { 1, 1, 1, NULL };

	c.sleeper = task_start(loop, "sleeper", forever, &c);
	task_start(loop, "waits", waits, &c);
	loop_run(loop);
	assert_int_equal(c.slept, 0);
	assert_int_equal(c.deadline, -ETIMEDOUT);
	assert_int_equal(c.cancelled, -ECANCELED);
	loop_free(loop);
}

static int send_three(struct task *t, void *arg)
{
	static int items[3] = { 1, 2, 3 };

	for (int i = 0; i < 3; i++)
		TRY(channel_send(t, arg, &items[i]));
	channel_close(arg);
	return 0;
}

static int sum;

static int receive_all(struct task *t, void *arg)
{
	void *item;
	int bad;

	while ((bad = channel_receive(t, arg, &item, TASK_FOREVER)) == 0)
		sum = sum * 10 + *(int *)item;
	assert_int_equal(bad, -EPIPE);
	return 0;
}

static void test_channel(void **state)
{
	struct loop *loop = loop_new();
	struct channel c;

	channel_init(&c, 1);
	sum = 0;
	task_start(loop, "receive", receive_all, &c);
	task_start(loop, "send", send_three, &c);
	loop_run(loop);
	assert_int_equal(sum, 123);
	channel_deinit(&c);
	loop_free(loop);
}

struct pair {
	int fds[2];
	char got[64];
	ssize_t n;
};

static int reader(struct task *t, void *arg)
{
	struct pair *p = arg;
	struct loop_fd f;

	TRY(loop_fd_init(&f, task_loop(t), p->fds[0]));
	p->n = loop_fd_read(t, &f, p->got, sizeof p->got, 1000);
	loop_fd_deinit(&f);
	return 0;
}

static int writer(struct task *t, void *arg)
{
	struct pair *p = arg;
	struct loop_fd f;

	TRY(loop_fd_init(&f, task_loop(t), p->fds[1]));
	TRY(task_sleep(t, 1));
	TRY(loop_fd_write_all(t, &f, S("hello"), 1000));
	loop_fd_deinit(&f);
	return 0;
}

static void test_descriptors(void **state)
{
	struct loop *loop = loop_new();
	struct pair p = { 0 };

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p.fds), 0);
	task_start(loop, "reader", reader, &p);
	task_start(loop, "writer", writer, &p);
	loop_run(loop);
	assert_int_equal(p.n, 5);
	assert_memory_equal(p.got, "hello", 5);
	loop_free(loop);
}

static int double_it(void *arg)
{
	*(int *)arg *= 2;
	return 7;
}

static int use_pool(struct task *t, void *arg)
{
	assert_int_equal(pool_run(t, double_it, arg), 7);
	return 0;
}

static void test_pool(void **state)
{
	struct loop *loop = loop_new();
	int values[100];

	for (int i = 0; i < 100; i++) {
		values[i] = i;
		task_start(loop, "pool", use_pool, &values[i]);
	}
	loop_run(loop);
	for (int i = 0; i < 100; i++)
		assert_int_equal(values[i], 2 * i);
	pool_stop();
	loop_free(loop);
}

static int idle(struct task *t, void *arg)
{
	return task_sleep(t, 100000);
}

static void *other_thread(void *loop)
{
	task_start(loop, "idle", idle, NULL);
	loop_run(loop);
	return NULL;
}

static int on_other(struct task *t, void *arg)
{
	*(struct loop **)arg = task_loop(t);
	return task_sleep(t, 1) ? -EIO : 5;
}

static int calls_other(struct task *t, void *arg)
{
	struct loop *other = arg, *seen = NULL;

	assert_int_equal(loop_call(t, other, on_other, &seen), 5);
	assert_ptr_equal(seen, other);
	loop_stop(other);
	return 0;
}

static void test_two_loops(void **state)
{
	struct loop *a = loop_new(), *b = loop_new();
	pthread_t thread;

	pthread_create(&thread, NULL, other_thread, b);
	task_start(a, "caller", calls_other, b);
	loop_run(a);
	pthread_join(thread, NULL);
	loop_free(a);
	loop_free(b);
}

static int n_woken;

static int nap(struct task *t, void *arg)
{
	n_woken += task_sleep(t, 1) == 0;
	return 0;
}

/* Each task costs ThreadSanitizer more than a mebibyte. */
#ifdef __SANITIZE_THREAD__
#define MANY 500
#else
#define MANY 10000
#endif

static void test_many(void **state)
{
	struct loop *loop = loop_new();

	for (int i = 0; i < MANY; i++)
		task_start(loop, "nap", nap, NULL);
	assert_int_equal(task_count(loop), MANY);
	loop_run(loop);
	assert_int_equal(n_woken, MANY);
	loop_free(loop);
}

static int joins(struct task *t, void *arg)
{
	struct task *other = task_start(task_loop(t), "nap", nap, NULL);

	*(int *)arg = task_join(t, other, 1000);
	return 0;
}

static void test_join(void **state)
{
	struct loop *loop = loop_new();
	int result = 1;

	task_start(loop, "joins", joins, &result);
	loop_run(loop);
	assert_int_equal(result, 0);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_channel),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_pool),
		cmocka_unit_test(test_two_loops),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_join),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
