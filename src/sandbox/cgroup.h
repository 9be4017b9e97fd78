#pragma once
/*
 * cgroup: memory, process and CPU limits, freezing, accounting. Version 2 where it has the
 * controllers, else version 1, each controller where the host has it; all below the cgroup wolke
 * itself runs in, in a folder "wolke-<pid>" with one numbered folder per sandbox slot. Folders are
 * kept and used again: making them costs more than resetting them.
 */
#include "base/buf.h"

#include <sys/types.h>

enum cgroup_control {
	CGROUP_MEMORY,
	CGROUP_PIDS,
	CGROUP_CPU,
	CGROUP_CPUACCT,
	CGROUP_FREEZER,
	CGROUP_CONTROLS
};

struct cgroup_tree {
	char path[512]; /* of wolke-<pid> */
	int fd;
	int version;
};

struct cgroups {
	struct cgroup_tree trees[CGROUP_CONTROLS];
	int n_trees;
	int tree_of[CGROUP_CONTROLS]; /* index, or -1: the host does not give it */
};

/* What was last written for a slot, and what counters said when its user began. */
struct cgroup_state {
	bool made;
	uint32_t memory_mib, max_pids, cpu_memory_mib;
	uint64_t oom_kills;
	uint64_t cpu_ns;
};

/* Finds what there is; what is missing is described in report, one line each. */
void cgroups_open(struct cgroups *g, struct buf *report);
/* Removes all folders; processes in them must be gone or going (it waits up to a second). */
void cgroups_remove(const struct cgroups *g);
/* Removes folders that a wolke left behind that was killed. */
void cgroups_sweep(const struct cgroups *g);

int cgroup_make(const struct cgroups *g, struct cgroup_state *s, int slot) MUST_USE;
/* Opens the files that take a process in ("0": the writer); returns how many. */
int cgroup_join_files(const struct cgroups *g, int slot, int fds[CGROUP_CONTROLS]);
int cgroup_limit(const struct cgroups *g, struct cgroup_state *s, int slot, uint32_t memory_mib,
        uint32_t max_pids) MUST_USE;
/* CPU in proportion to memory_mib; 0: as much as there is. */
int cgroup_cpu(
        const struct cgroups *g, struct cgroup_state *s, int slot, uint32_t memory_mib) MUST_USE;
int cgroup_freeze(const struct cgroups *g, int slot, bool frozen) MUST_USE;
/* Since the last cgroup_limit(). */
bool cgroup_oom_killed(const struct cgroups *g, const struct cgroup_state *s, int slot);
/* Files to be read with pread, or -1. */
int cgroup_open_peak(const struct cgroups *g, int slot);
int cgroup_open_cpu(const struct cgroups *g, int slot);
/* Totals, also of whoever had the slot before: to be compared. 0 where the host does not count. */
struct cgroup_cpu_use {
	uint64_t used_ns, held_ns;
};
struct cgroup_cpu_use cgroup_cpu_used(const struct cgroups *g, int slot);
/* Calls fn for each process. */
int cgroup_each(const struct cgroups *g, int slot, void (*fn)(pid_t pid, void *arg), void *arg);
bool cgroup_has(const struct cgroups *g, enum cgroup_control c);
