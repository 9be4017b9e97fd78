#pragma once
/*
 * filter: the system calls that code in a sandbox may not make; they fail with EPERM. Everything
 * that changes namespaces, mounts, the kernel or its clock, reaches keys or other machines'
 * sockets, or was a way out of sandboxes before (io_uring, bpf, userfaultfd, perf) is in it.
 */
#include "base/err.h"
#include "sandbox/protocol.h"

/* Compiles the filter once; loading it is confine_filter(). */
int filter_build(struct filter *f) MUST_USE;
