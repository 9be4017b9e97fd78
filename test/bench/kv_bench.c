/*
 * kv_bench: durable updates per second at 64 concurrent writers, and beside it what the disk gives:
 * appending the same bytes to a file with one fdatasync for as many records as the store put into
 * one of its batches.
 *	kv_bench DIRECTORY SECONDS  ->  "kv_durable_updates_s N raw_append_fdatasync_s N"
 */
#include "base/clock.h"
#include "base/rand.h"
#include "kv/key.h"
#include "kv/kv.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WRITERS 64
#define VALUE   200

struct bench {
	struct kv *kv;
	uint64_t until_ns;
	uint64_t n;
	int running;
};

struct write {
	uint64_t at;
	char value[VALUE];
};

static int put(struct kv_txn *txn, void *arg)
{
	struct write *w = arg;

	kv_put(txn, kv_key(kv_arena(txn), "su", S("bench"), w->at), (struct str){ w->value, VALUE });
	return 0;
}

static int writer(struct task *t, void *arg)
{
	struct bench *b = arg;
	struct write w;

	rand_bytes(w.value, VALUE);
	while (clock_mono_ns() < b->until_ns) {
		w.at = rand_u64();
		if (kv_update(t, put, &w) != 0)
			abort();
		b->n++;
	}
	if (--b->running == 0)
		loop_stop(task_loop(t));
	return 0;
}

static double raw(const char *path, double seconds)
{
	static char record[WRITERS * (VALUE + 16)];
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	uint64_t start = clock_mono_ns(), n = 0;

	rand_bytes(record, sizeof record);
	while ((double)(clock_mono_ns() - start) < seconds * 1e9) {
		if (write(fd, record, sizeof record) != (ssize_t)sizeof record || fdatasync(fd) != 0)
			abort();
		n += WRITERS;
	}
	close(fd);
	unlink(path);
	return (double)n / seconds;
}

int main(int argc, char **argv)
{
	double seconds = argc > 2 ? strtod(argv[2], NULL) : 5;
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct bench b = { .running = WRITERS };
	const char *why = NULL;
	struct str directory = str_of(argc > 1 ? argv[1] : "/tmp/kv-bench");
	struct kv_options o = { .path = directory };

	if (kv_open(&o, &b.kv, &why) != 0) {
		fprintf(stderr, "kv_bench: %s\n", why ? why : "the store does not open");
		return 1;
	}
	struct loop *loop = loop_new();
	loop_set(loop, LOOP_KV, b.kv);
	b.until_ns = clock_mono_ns() + (uint64_t)(seconds * 1e9);
	for (int i = 0; i < WRITERS; i++)
		task_start(loop, "writer", writer, &b);
	loop_run(loop);
	loop_free(loop);
	kv_close(b.kv);
	const char *file = str_cstr(a, str_printf(a, "%.*s/raw", STR(directory)));
	printf("kv_durable_updates_s %.0f raw_append_fdatasync_s %.0f\n", (double)b.n / seconds,
	        raw(file, seconds));
	return 0;
}
