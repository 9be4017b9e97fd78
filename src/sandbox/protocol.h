#pragma once
/*
 * protocol: what the helper, a sandbox's pid 1 and the zygotes tell each other. Fixed records, as
 * the zygote library is loaded into interpreters and brings nothing but libc.
 */
#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum inside_kind {
	INSIDE_READY = 1, /* pid 1: namespaces stand; zygote: may be forked */
	INSIDE_STARTED,   /* main process, before exec: the kernel tells its pid */
	INSIDE_RUNNING,   /* main process has been executed, or returned to its interpreter */
	INSIDE_FAILED,    /* error, step */
	INSIDE_EXITED,    /* main process: status */
};

/* To the helper. */
struct inside_report {
	uint32_t kind;
	uint32_t slot; /* from a zygote: which sandbox; from pid 1: which program of RUN, 0: main */
	int32_t error; /* -errno */
	int32_t status; /* as wait() gives it */
	int32_t pid;    /* from a zygote: whose status */
	char step[44];
};

enum { ZYGOTE_FD_INIT, ZYGOTE_FD_LOG, ZYGOTE_FD_CGROUPS, ZYGOTE_FDS_MAX = 8 };

#define FILTER_MAX      1024
#define INSIDE_UID      993
#define ZYGOTE_MAX_SIZE (64 * 1024)

struct filter {
	unsigned short n;
	struct sock_filter v[FILTER_MAX];
};

/* To a zygote, with descriptors: pid 1's pidfd, the log, files that join the cgroups. Behind it
 * the environment: env_size bytes of "NAME=value\0". The first message is the filter alone. */
struct zygote_spawn {
	uint32_t slot;
	uint32_t max_fds;
	uint32_t max_pids;   /* 0: the cgroup does it */
	uint32_t memory_mib; /* 0: the cgroup does it */
	uint32_t env_size;
};
