/* loop_call: a function as a task of another loop, waited for. */
#include "loop/loop.h"

#include "base/err.h"

struct cross_call {
	struct loop_post post;
	struct loop *home, *away;
	struct task *caller;
	task_fn *fn;
	void *arg;
	int result;
};

static void returned(struct loop_post *post)
{
	struct cross_call *c = CONTAINER_OF(post, struct cross_call, post);

	task_wake(c->caller, c->result);
}

static int run(struct task *t, void *arg)
{
	struct cross_call *c = arg;

	c->result = c->fn(t, c->arg);
	c->post.fn = returned;
	loop_post(c->home, &c->post);
	return 0;
}

static void arrived(struct loop_post *post)
{
	struct cross_call *c = CONTAINER_OF(post, struct cross_call, post);

	task_start(c->away, "loop_call", run, c);
}

int loop_call(struct task *t, struct loop *loop, task_fn *fn, void *arg)
{
	struct cross_call c = { .post = { .fn = arrived },
		.home = task_loop(t),
		.away = loop,
		.caller = t,
		.fn = fn,
		.arg = arg };

	if (loop == task_loop(t))
		return fn(t, arg);
	loop_post(loop, &c.post);
	return task_park_uninterruptible(t);
}
