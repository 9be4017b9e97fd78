/* clock: wall time, which may be frozen, and monotonic time. */
#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

/* 0: the system's clock. */
static _Atomic int64_t manual_ms;

int64_t clock_now_ms(void)
{
	int64_t fixed = atomic_load_explicit(&manual_ms, memory_order_relaxed);
	struct timespec ts;

	if (fixed)
		return fixed;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

uint64_t clock_mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void clock_manual_set(int64_t now_ms)
{
	atomic_store_explicit(&manual_ms, now_ms, memory_order_relaxed);
}

bool clock_is_manual(void)
{
	return atomic_load_explicit(&manual_ms, memory_order_relaxed) != 0;
}
