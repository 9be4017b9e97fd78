#pragma once
/*
 * clock: the one place time comes from.
 *
 * clock_now_ms() is wall time (Unix milliseconds, UTC) and may be moved by a manual clock;
 * clock_mono_ns() always runs and is for deadlines, pauses and measurements.
 */
#include "base/err.h"

int64_t clock_now_ms(void);
uint64_t clock_mono_ns(void);

/* --clock=manual: freezes wall time at now_ms; clock_manual_set() moves it. Thread-safe. */
void clock_manual_set(int64_t now_ms);
bool clock_is_manual(void);
