/* pool: worker threads and the queue of what they do. */
#include "loop/pool.h"

#include "base/list.h"

#include <pthread.h>

#define DEFAULT_THREADS 4
#define MAX_THREADS     64

struct job {
	struct loop_post post; /* back to the task's loop */
	struct list_node node;
	struct loop *loop;
	struct task *task;
	int (*fn)(void *arg);
	void *arg;
	int result;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct list jobs;
	pthread_t threads[MAX_THREADS];
	int n_threads;
	bool stopping;
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER };

static void job_done(struct loop_post *post)
{
	struct job *job = CONTAINER_OF(post, struct job, post);

	task_wake(job->task, job->result);
}

static struct job *next_job(void)
{
	pthread_mutex_lock(&pool.lock);
	while (list_is_empty(&pool.jobs) && !pool.stopping)
		pthread_cond_wait(&pool.wake, &pool.lock);
	struct list_node *n = list_pop_front(&pool.jobs);
	pthread_mutex_unlock(&pool.lock);
	return n ? CONTAINER_OF(n, struct job, node) : NULL;
}

static void *work(void *unused)
{
	struct job *job;

	while ((job = next_job())) {
		job->result = job->fn(job->arg);
		loop_post(job->loop, &job->post);
	}
	return unused;
}

void pool_start(int n_threads)
{
	pthread_mutex_lock(&pool.lock);
	if (pool.n_threads == 0) {
		list_init(&pool.jobs);
		pool.stopping = false;
		for (int i = 0; i < MIN(n_threads, MAX_THREADS); i++)
			ensure(pthread_create(&pool.threads[pool.n_threads++], NULL, work, NULL) ==
			        0);
	}
	pthread_mutex_unlock(&pool.lock);
}

void pool_stop(void)
{
	pthread_mutex_lock(&pool.lock);
	pool.stopping = true;
	pthread_cond_broadcast(&pool.wake);
	pthread_mutex_unlock(&pool.lock);
	for (int i = 0; i < pool.n_threads; i++)
		pthread_join(pool.threads[i], NULL);
	pool.n_threads = 0;
}

int pool_run(struct task *t, int (*fn)(void *arg), void *arg)
{
	struct job job = {
		.post = { .fn = job_done }, .loop = task_loop(t), .task = t, .fn = fn, .arg = arg
	};

	if (pool.n_threads == 0)
		pool_start(DEFAULT_THREADS);
	pthread_mutex_lock(&pool.lock);
	list_push_back(&pool.jobs, &job.node);
	pthread_cond_signal(&pool.wake);
	pthread_mutex_unlock(&pool.lock);
	return task_park_uninterruptible(t);
}
