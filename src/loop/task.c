/* task: starting, parking, waking, cancelling, ending. */
#include "base/clock.h"
#include "loop/loop_internal.h"

#include <stdio.h>

struct joiner {
	struct list_node node;
	struct task *task;
};

struct task *task_start(struct loop *loop, const char *name, task_fn *fn, void *arg)
{
	struct task *t = mem_new(struct task);

	t->loop = loop;
	t->name = name;
	t->fn = fn;
	t->arg = arg;
	t->arena = arena_create();
	t->stack = stack_take(loop);
	t->deadline = TASK_FOREVER;
	t->started_ns = clock_mono_ns();
	list_init(&t->joiners);
	switch_init(t);
	loop->n_tasks++;
	list_push_back(&loop->all, &t->all);
	list_push_back(&loop->ready, &t->ready);
	return t;
}

static void wake_joiners(struct task *t)
{
	struct list_node *n;

	while ((n = list_pop_front(&t->joiners)))
		task_wake(CONTAINER_OF(n, struct joiner, node)->task, 0);
}

void task_run(struct task *t)
{
	(void)t->fn(t, t->arg);
	t->state = TASK_ENDED;
}

struct loop *task_loop(const struct task *t)
{
	return t->loop;
}

struct arena *task_arena(struct task *t)
{
	return t->arena;
}

const char *task_name(const struct task *t)
{
	return t->name;
}

void *task_local(const struct task *t)
{
	return t->local;
}

void task_local_set(struct task *t, void *local)
{
	t->local = local;
}

bool task_is_cancelled(const struct task *t)
{
	return t->cancelled;
}

uint64_t task_deadline_set(struct task *t, uint64_t mono_ns)
{
	uint64_t before = t->deadline;

	t->deadline = mono_ns;
	return before;
}

bool task_wake(struct task *t, int result)
{
	if (t->state != TASK_PARKED)
		return false;
	t->state = TASK_READY;
	t->result = result;
	timer_cancel(&t->timer);
	list_push_back(&t->loop->ready, &t->ready);
	return true;
}

void task_cancel(struct task *t)
{
	t->cancelled = true;
	if (t->state == TASK_PARKED && t->interruptible)
		task_wake(t, -ECANCELED);
}

static void expired(struct timer *timer)
{
	task_wake(CONTAINER_OF(timer, struct task, timer), -ETIMEDOUT);
}

static int park(struct task *t)
{
	struct loop *loop = t->loop;

	ensure(loop->current == t);
	t->state = TASK_PARKED;
	switch_back(t);
	return t->result;
}

/* Milliseconds until the nearer of limit and deadline; 0: it has passed. */
static uint64_t wait_ms(const struct task *t, uint64_t limit_ms)
{
	if (t->deadline == TASK_FOREVER)
		return limit_ms;
	uint64_t now = clock_mono_ns();
	uint64_t left = t->deadline > now ? (t->deadline - now + 999999) / 1000000 : 0;
	return MIN(left, limit_ms);
}

int task_park(struct task *t, uint64_t limit_ms)
{
	uint64_t ms = wait_ms(t, limit_ms);

	if (t->cancelled)
		return -ECANCELED;
	if (ms == 0)
		return -ETIMEDOUT;
	if (ms != TASK_FOREVER)
		timer_set(&t->timer, t->loop, ms, expired);
	t->interruptible = true;
	return park(t);
}

int task_park_uninterruptible(struct task *t)
{
	t->interruptible = false;
	return park(t);
}

int task_sleep(struct task *t, uint64_t ms)
{
	bool cut = wait_ms(t, ms) < ms;
	int result = ms ? task_park(t, ms) : task_yield(t);

	return result == -ETIMEDOUT && !cut ? 0 : result;
}

int task_yield(struct task *t)
{
	if (t->cancelled)
		return -ECANCELED;
	t->interruptible = true;
	t->state = TASK_READY;
	t->result = 0;
	list_push_back(&t->loop->ready, &t->ready);
	switch_back(t);
	return t->cancelled ? -ECANCELED : 0;
}

int task_join(struct task *t, struct task *other, uint64_t limit_ms)
{
	struct joiner j = { .task = t };

	list_push_back(&other->joiners, &j.node);
	int result = task_park(t, limit_ms);
	list_remove(&j.node);
	return result;
}

size_t task_count(const struct loop *loop)
{
	return loop->n_tasks;
}

void task_list(const struct loop *loop, void (*line)(void *arg, const char *text), void *arg)
{
	static const char *const states[] = { "ready", "running", "parked", "ended" };
	uint64_t now = clock_mono_ns();

	list_for_each (n, &loop->all) {
		const struct task *t = CONTAINER_OF(n, struct task, all);
		char text[160];
		snprintf(text, sizeof text, "%-24s %-8s %8.1f s", t->name, states[t->state],
		        (double)(now - t->started_ns) / 1e9);
		line(arg, text);
	}
}

/* The loop's side: one turn of a ready task. */
void loop_run_task(struct loop *loop, struct task *t);
void loop_run_task(struct loop *loop, struct task *t)
{
	t->state = TASK_RUNNING;
	loop->current = t;
	switch_to(loop, t);
	loop->current = NULL;
	if (t->state != TASK_ENDED)
		return;
	wake_joiners(t);
	timer_cancel(&t->timer);
	list_remove(&t->all);
	loop->n_tasks--;
	switch_ended(t);
	stack_give(loop, t->stack);
	arena_destroy(t->arena);
	mem_free(t);
}
