/* loop: turns: run what is ready, expire timers, take posts, wait for descriptors. */
#include "base/clock.h"
#include "loop/loop_internal.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BATCH   128
#define STOP_NS 5000000000u

void loop_run_task(struct loop *loop, struct task *t);

struct loop *loop_new(void)
{
	struct loop *loop = mem_new(struct loop);
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL };

	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ensure(loop->epoll_fd >= 0 && loop->event_fd >= 0);
	ensure(epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->event_fd, &ev) == 0);
	list_init(&loop->ready);
	list_init(&loop->all);
	list_init(&loop->free_stacks);
	pthread_mutex_init(&loop->posts_lock, NULL);
	return loop;
}

void loop_free(struct loop *loop)
{
	struct list_node *n;

	while ((n = list_pop_front(&loop->free_stacks)))
		stack_free(CONTAINER_OF(n, struct stack, node));
	heap_deinit(&loop->timers);
	pthread_mutex_destroy(&loop->posts_lock);
	close(loop->epoll_fd);
	close(loop->event_fd);
	mem_free(loop);
}

void *loop_get(const struct loop *loop, enum loop_slot slot)
{
	return loop->slots[slot];
}

void loop_set(struct loop *loop, enum loop_slot slot, void *object)
{
	loop->slots[slot] = object;
}

static void nudge(struct loop *loop)
{
	uint64_t one = 1;
	ssize_t ignored;

	if (!atomic_exchange(&loop->asleep, false))
		return;
	ignored = write(loop->event_fd, &one, sizeof one);
	(void)ignored;
}

void loop_post(struct loop *loop, struct loop_post *post)
{
	post->next = NULL;
	pthread_mutex_lock(&loop->posts_lock);
	if (loop->posts_tail)
		loop->posts_tail->next = post;
	else
		loop->posts_head = post;
	loop->posts_tail = post;
	pthread_mutex_unlock(&loop->posts_lock);
	nudge(loop);
}

static bool take_posts(struct loop *loop)
{
	pthread_mutex_lock(&loop->posts_lock);
	struct loop_post *p = loop->posts_head;
	loop->posts_head = loop->posts_tail = NULL;
	pthread_mutex_unlock(&loop->posts_lock);
	bool any = p != NULL;
	while (p) {
		struct loop_post *next = p->next;
		p->fn(p);
		p = next;
	}
	return any;
}

static void run_ready(struct loop *loop)
{
	/* Only those ready now: what they wake has its turn after the descriptors had theirs. */
	struct list_node *last = list_last(&loop->ready);
	struct list_node *n;

	while ((n = list_pop_front(&loop->ready))) {
		loop_run_task(loop, CONTAINER_OF(n, struct task, ready));
		if (n == last)
			break;
	}
}

static void run_timers(struct loop *loop)
{
	uint64_t now = loop->timers.n ? clock_mono_ns() : 0;
	struct heap_node *n;

	while ((n = heap_first(&loop->timers)) && n->key <= now) {
		struct timer *timer = CONTAINER_OF(n, struct timer, node);
		heap_remove(&loop->timers, n);
		timer->fn(timer);
	}
}

void timer_set(struct timer *timer, struct loop *loop, uint64_t ms, void (*fn)(struct timer *))
{
	timer_cancel(timer);
	timer->loop = loop;
	timer->fn = fn;
	heap_push(&loop->timers, &timer->node, clock_mono_ns() + ms * 1000000u);
}

void timer_cancel(struct timer *timer)
{
	if (timer->node.at)
		heap_remove(&timer->loop->timers, &timer->node);
}

static void wake_waiter(struct task **waiter)
{
	struct task *t = *waiter;

	*waiter = NULL;
	if (t)
		task_wake(t, 0);
}

static void on_event(struct loop *loop, const struct epoll_event *e)
{
	struct loop_fd *f = e->data.ptr;
	uint64_t drained;

	if (!f) {
		ssize_t ignored = read(loop->event_fd, &drained, sizeof drained);
		(void)ignored;
		return;
	}
	if (e->events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP))
		f->hung_up = true;
	if (e->events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) {
		f->readable = true;
		wake_waiter(&f->reader);
	}
	if (e->events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) {
		f->writable = true;
		wake_waiter(&f->writer);
	}
}

static int wait_time_ms(const struct loop *loop)
{
	const struct heap_node *n = heap_first(&loop->timers);

	if (!list_is_empty(&loop->ready))
		return 0;
	if (!n)
		return -1;
	uint64_t now = clock_mono_ns();
	return n->key <= now ? 0 : (int)MIN((n->key - now + 999999) / 1000000, (uint64_t)3600000);
}

static void poll_descriptors(struct loop *loop)
{
	static _Thread_local struct epoll_event events[BATCH];
	int timeout = wait_time_ms(loop);

	if (timeout != 0) {
		atomic_store(&loop->asleep, true);
		/* A post that came before `asleep` was seen is taken now, not slept over. */
		if (take_posts(loop) || atomic_load(&loop->stopping))
			timeout = 0;
	}
	loop->events = events;
	loop->n_events = epoll_wait(loop->epoll_fd, events, BATCH, timeout);
	atomic_store(&loop->asleep, false);
	for (loop->at_event = 0; loop->at_event < loop->n_events; loop->at_event++)
		if (events[loop->at_event].events)
			on_event(loop, &events[loop->at_event]);
	loop->n_events = 0;
}

static void cancel_all(struct loop *loop)
{
	list_for_each (n, &loop->all)
		task_cancel(CONTAINER_OF(n, struct task, all));
}

void loop_run(struct loop *loop)
{
	uint64_t give_up = 0;

	while (loop->n_tasks > 0) {
		if (atomic_load(&loop->stopping)) {
			uint64_t now = clock_mono_ns();
			give_up = give_up ? give_up : now + STOP_NS;
			if (now > give_up)
				break;
			cancel_all(loop);
		}
		run_ready(loop);
		run_timers(loop);
		take_posts(loop);
		if (loop->n_tasks > 0)
			poll_descriptors(loop);
	}
}

void loop_stop(struct loop *loop)
{
	atomic_store(&loop->stopping, true);
	atomic_store(&loop->asleep, true);
	nudge(loop);
}
