#pragma once
/*
 * fault: an engine around the real one that fails when told, for tests: the seam at which a full
 * disk, a broken one and a slow one are tried.
 */
#include "kv/engine.h"

extern const struct kv_engine kv_engine_fault;

/* The n-th write from now on (1: the next) and all after it fail with -error, until 0 is set. */
void kv_fault_writes(int n, int error);
void kv_fault_slow_ms(int ms); /* each write takes at least so long */
