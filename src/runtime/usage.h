#pragma once
/*
 * usage: what AWS would bill, counted per function and hour. An invocation adds to numbers in its
 * pool; every few seconds, and when wolke stops, they are added to rows of the store. What a
 * kill -9 interrupts is lost for at most USAGE_FLUSH_MS.
 *
 * Rows: ("lambda", account, region, "usage", hour_ms, name, architecture): UsageRecord
 */
#include "runtime/runtime_internal.h"

#define USAGE_FLUSH_MS 2000

/* An invocation has come to something. */
void usage_add(struct pool *p, const struct report *r);
/* The pool goes; its numbers stay. */
void usage_keep(struct pool *p);
int usage_flush(struct task *t, struct runtime *rt) MUST_USE;
int usage_stop(struct task *t, struct runtime *rt) MUST_USE;
