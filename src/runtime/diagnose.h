#pragma once
/*
 * diagnose: an invocation's time is up: where was it, what had it used, and had it been held back
 * for want of memory size? Lines for its log, marked [wolke]. Asked only then, and for at most
 * DIAGNOSE_MS; half way through the time the counters are read, to have what to compare with.
 */
#include "runtime/runtime_internal.h"

#define DIAGNOSE_MS 45

/* Half of the time is over. */
void diagnose_half(struct env *e);
/* The time is up: calls env_time_is_up with what it has found. */
void diagnose(struct env *e);
/* What the processes write from then on: answers to the question where they are. */
void diagnose_feed(struct env *e, struct str bytes);

/* ---- pure, for tests ---- */

/* The frames of a dump of Python's faulthandler, without those of the runtime itself. */
void diagnose_python(struct buf *b, struct str dump);
struct diagnose_cpu {
	double window_s, used_s, held_s; /* held: back by its CPU limit */
	uint32_t memory_mib, max_memory_mib;
};
void diagnose_cpu_lines(struct buf *b, const struct diagnose_cpu *c);
