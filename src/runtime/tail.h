#pragma once
/*
 * tail: what a function's environments write, live, for `wolke dev`. Bounded: who reads too slowly
 * misses lines, and is told how many. May be used on any loop.
 *
 *	TRY(runtime_tail_open(t, account, region, name, &tail));
 *	while (runtime_tail_read(t, tail, 1000, a, &lines) == 0)	// one JSON object per line
 *		...
 *	runtime_tail_close(t, tail);
 *
 * {"time":1769860800000,"stream":"2026/01/31/[$LATEST]0a...","message":"START ...\n"}
 * {"time":1769860800000,"changed":"src/app.py"}
 * {"time":1769860800000,"missed":12}
 */
#include "loop/loop.h"

struct runtime_tail;

int runtime_tail_open(struct task *t, struct str account, struct str region, struct str name,
        struct runtime_tail **tail) MUST_USE;
/* *lines, in a: what has come, S("") when nothing came in limit_ms. -ECANCELED when wolke ends. */
int runtime_tail_read(struct task *t, struct runtime_tail *tail, uint64_t limit_ms, struct arena *a,
        struct str *lines) MUST_USE;
/* wolke ends: all readers get -ECANCELED. On loop 0. */
void runtime_tails_end(struct loop *loop);
void runtime_tail_close(struct task *t, struct runtime_tail *tail); /* NULL is fine */
