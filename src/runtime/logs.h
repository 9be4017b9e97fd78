#pragma once
/*
 * logs: what an environment has to say, on its way to CloudWatch Logs.
 *
 * An env_log is one log stream. Lines are collected in memory, bounded, and sent by background
 * tasks at most FLUSH_MS later; nothing waits for that. It outlives its environment until all is
 * sent. The last 4 KiB of the running invocation are kept for LogType Tail.
 */
#include "runtime/lines.h"
#include "runtime/runtime_internal.h"

#define TAIL_BYTES 4096

struct log_event {
	int64_t time_ms;
	size_t at, n;
};

struct log_batch {
	char *bytes;
	size_t n_bytes, bytes_capacity;
	struct log_event *v;
	size_t n, capacity;
};

struct env_log {
	struct list_node dirty; /* of runtime->logs */
	struct runtime *rt;
	unsigned refs;
	struct arena *arena;
	struct str group, stream, account, region, role_arn, function_name;
	struct lines lines;
	struct env *tap; /* whose lines extensions get, too; NULL: none */
	struct log_batch pending;
	uint64_t n_dropped; /* since the last note */
	bool flushing, created, refused;
	unsigned failures;
	bool want_tail;
	char tail[TAIL_BYTES];
	size_t tail_n; /* bytes since the invocation's start; the last ones are in tail, as a ring
	                */
};

struct env_log *env_log_new(struct runtime *rt, const struct runtime_function *f, const char *id);
struct env_log *env_log_ref(struct env_log *l);
void env_log_unref(struct env_log *l);
/* A complete event of the platform. */
void env_log_event(struct env_log *l, struct str text);
/* A line of an extension. */
void env_log_line(struct env_log *l, struct str line);
/* Bytes that the function wrote. */
void env_log_write(struct env_log *l, struct str bytes);
/* The rest of an incomplete line becomes an event. */
void env_log_end_line(struct env_log *l);
/* An invocation begins: the tail starts here. */
void env_log_begin(struct env_log *l, bool want_tail);
struct str env_log_tail(struct arena *a, const struct env_log *l);

/* Ends when all is sent, or after limit_ms. */
int logs_settle(struct task *t, struct runtime *rt, uint64_t limit_ms) MUST_USE;
