#pragma once
/*
 * confine: what a process does to itself before code of others runs in it. libc only: the zygote
 * library has it, too. Each returns 0 or -errno.
 */
#include "sandbox/protocol.h"

/* Becomes host_uid, then user 993 of a user namespace of its own that maps just that one. */
int confine_user(uid_t host_uid, gid_t host_gid);
/* Becomes user 993 of pid 1's user namespace. */
int confine_join_user(int init_pidfd);
int confine_capabilities(void);
int confine_filter(const struct filter *f);
/* memory_mib and max_pids 0: no limit here. */
int confine_limits(uint32_t max_fds, uint32_t max_pids, uint32_t memory_mib);
/* Dispositions, mask and timers as a fresh process has them. */
void confine_signals(void);
/* stdin from /dev/null, stdout and stderr to log_fd (-1: /dev/null); all else closes at exec, or
 * now. */
int confine_fds(int log_fd, bool close_now);
