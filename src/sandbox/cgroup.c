/* cgroup: the files of one slot. */
#include "sandbox/cgroup.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum file {
	MEMORY_LIMIT,
	SWAP_LIMIT,
	MEMORY_PEAK,
	OOM,
	PIDS_MAX,
	CPU_QUOTA,
	CPU_BURST,
	CPU_TIME,
	CPU_STAT,
	FREEZE,
	N_FILES
};

static const struct {
	enum cgroup_control control;
	const char *name[3]; /* by version */
} files[N_FILES] = {
	[MEMORY_LIMIT] = { CGROUP_MEMORY, { 0, "memory.limit_in_bytes", "memory.max" } },
	[SWAP_LIMIT] = { CGROUP_MEMORY, { 0, "memory.memsw.limit_in_bytes", "memory.swap.max" } },
	[MEMORY_PEAK] = { CGROUP_MEMORY, { 0, "memory.max_usage_in_bytes", "memory.peak" } },
	[OOM] = { CGROUP_MEMORY, { 0, "memory.oom_control", "memory.events" } },
	[PIDS_MAX] = { CGROUP_PIDS, { 0, "pids.max", "pids.max" } },
	[CPU_QUOTA] = { CGROUP_CPU, { 0, "cpu.cfs_quota_us", "cpu.max" } },
	[CPU_BURST] = { CGROUP_CPU, { 0, "cpu.cfs_burst_us", "cpu.max.burst" } },
	[CPU_TIME] = { CGROUP_CPUACCT, { 0, "cpuacct.usage", "cpu.stat" } },
	[CPU_STAT] = { CGROUP_CPU, { 0, "cpu.stat", "cpu.stat" } },
	[FREEZE] = { CGROUP_FREEZER, { 0, "freezer.state", "cgroup.freeze" } },
};

#define MIB_PER_CPU   1769
#define PERIOD_US     20000 /* short, so that a small share does not come in long pauses */
#define LEAST_CPU_PPM 70000 /* of one CPU: what 128 MB are given */

static const struct cgroup_tree *tree_of(const struct cgroups *g, enum cgroup_control c)
{
	return g->tree_of[c] < 0 ? NULL : &g->trees[g->tree_of[c]];
}

bool cgroup_has(const struct cgroups *g, enum cgroup_control c)
{
	return g->tree_of[c] >= 0;
}

static int open_file(const struct cgroups *g, int slot, enum file f, int flags)
{
	const struct cgroup_tree *t = tree_of(g, files[f].control);
	char path[64];

	if (!t)
		return -ENOENT;
	snprintf(path, sizeof path, "%d/%s", slot, files[f].name[t->version]);
	int fd = openat(t->fd, path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int put(const struct cgroups *g, int slot, enum file f, const char *text)
{
	int fd CLEANUP(fd_closep) = open_file(g, slot, f, O_WRONLY);

	if (fd < 0)
		return fd;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

static int put_number(const struct cgroups *g, int slot, enum file f, int64_t v)
{
	char text[32];

	snprintf(text, sizeof text, "%lld", (long long)v);
	return put(g, slot, f, text);
}

/* The number behind the word in the file, 0 when there is none. */
static uint64_t counter(const struct cgroups *g, int slot, enum file f, const char *word)
{
	int fd CLEANUP(fd_closep) = open_file(g, slot, f, O_RDONLY);
	char text[512];

	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (n <= 0)
		return 0;
	text[n] = 0;
	for (char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, word, strlen(word)) == 0)
			return strtoull(line + strlen(word), NULL, 10);
	}
	return 0;
}

int cgroup_make(const struct cgroups *g, struct cgroup_state *s, int slot)
{
	char name[16];

	if (s->made)
		return 0;
	snprintf(name, sizeof name, "%d", slot);
	for (int i = 0; i < g->n_trees; i++)
		if (mkdirat(g->trees[i].fd, name, 0755) < 0 && errno != EEXIST)
			return -errno;
	s->made = true;
	return 0;
}

int cgroup_join_files(const struct cgroups *g, int slot, int fds[CGROUP_CONTROLS])
{
	char path[64];
	int n = 0;

	snprintf(path, sizeof path, "%d/cgroup.procs", slot);
	for (int i = 0; i < g->n_trees; i++) {
		int fd = openat(g->trees[i].fd, path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0)
			fds[n++] = fd;
	}
	return n;
}

/* With version 1 the limit with swap may never be below the one without: which to write first
 * depends on where they were. */
static int limit_memory(const struct cgroups *g, int slot, uint32_t memory_mib)
{
	const struct cgroup_tree *t = tree_of(g, CGROUP_MEMORY);
	int64_t bytes = (int64_t)memory_mib << 20;

	if (!t)
		return 0;
	if (t->version == 2) {
		(void)put(g, slot, SWAP_LIMIT, memory_mib ? "0" : "max");
		return memory_mib ? put_number(g, slot, MEMORY_LIMIT, bytes)
		                  : put(g, slot, MEMORY_LIMIT, "max");
	}
	if (!memory_mib)
		bytes = -1;
	(void)put_number(g, slot, SWAP_LIMIT, bytes);
	TRY(put_number(g, slot, MEMORY_LIMIT, bytes));
	(void)put_number(g, slot, SWAP_LIMIT, bytes);
	return 0;
}

static int limit_pids(const struct cgroups *g, int slot, uint32_t max_pids)
{
	if (!cgroup_has(g, CGROUP_PIDS))
		return 0;
	return max_pids ? put_number(g, slot, PIDS_MAX, max_pids) : put(g, slot, PIDS_MAX, "max");
}

int cgroup_limit(const struct cgroups *g, struct cgroup_state *s, int slot, uint32_t memory_mib,
        uint32_t max_pids)
{
	if (memory_mib != s->memory_mib)
		TRY(limit_memory(g, slot, memory_mib));
	if (max_pids != s->max_pids)
		TRY(limit_pids(g, slot, max_pids));
	s->memory_mib = memory_mib;
	s->max_pids = max_pids;
	s->oom_kills = counter(g, slot, OOM, "oom_kill ");
	return 0;
}

int cgroup_cpu(const struct cgroups *g, struct cgroup_state *s, int slot, uint32_t memory_mib)
{
	const struct cgroup_tree *t = tree_of(g, CGROUP_CPU);
	int64_t ppm = MAX((int64_t)memory_mib * 1000000 / MIB_PER_CPU, LEAST_CPU_PPM);
	int64_t quota_us = MAX(ppm * PERIOD_US / 1000000, 1000);
	char both[48];

	if (!t || s->cpu_memory_mib == memory_mib)
		return 0;
	s->cpu_memory_mib = memory_mib;
	(void)put(g, slot, CPU_BURST, "0");
	if (!memory_mib)
		return put(g, slot, CPU_QUOTA, t->version == 2 ? "max" : "-1");
	if (t->version == 2) {
		snprintf(both, sizeof both, "%lld %d", (long long)quota_us, PERIOD_US);
		TRY(put(g, slot, CPU_QUOTA, both));
	} else {
		snprintf(both, sizeof both, "%d/cpu.cfs_period_us", slot);
		int fd CLEANUP(fd_closep) = openat(t->fd, both, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || dprintf(fd, "%d", PERIOD_US) < 0)
			return -errno;
		TRY(put_number(g, slot, CPU_QUOTA, quota_us));
	}
	(void)put_number(g, slot, CPU_BURST, quota_us);
	return 0;
}

int cgroup_freeze(const struct cgroups *g, int slot, bool frozen)
{
	const struct cgroup_tree *t = tree_of(g, CGROUP_FREEZER);

	if (!t)
		return -ENOENT;
	if (t->version == 2)
		return put(g, slot, FREEZE, frozen ? "1" : "0");
	return put(g, slot, FREEZE, frozen ? "FROZEN" : "THAWED");
}

bool cgroup_oom_killed(const struct cgroups *g, const struct cgroup_state *s, int slot)
{
	return counter(g, slot, OOM, "oom_kill ") > s->oom_kills;
}

/* Version 1 forgets the peak for everyone, version 2 (Linux 6.12) for this descriptor. */
int cgroup_open_peak(const struct cgroups *g, int slot)
{
	int fd = open_file(g, slot, MEMORY_PEAK, O_RDWR);

	if (fd < 0)
		return open_file(g, slot, MEMORY_PEAK, O_RDONLY);
	ssize_t ignored = write(fd, "0", 1);
	(void)ignored;
	return fd;
}

int cgroup_open_cpu(const struct cgroups *g, int slot)
{
	return open_file(g, slot, CPU_TIME, O_RDONLY);
}

/* Version 1 counts in nanoseconds, version 2 in microseconds. */
struct cgroup_cpu_use cgroup_cpu_used(const struct cgroups *g, int slot)
{
	const struct cgroup_tree *time = tree_of(g, CGROUP_CPUACCT),
	                         *limit = tree_of(g, CGROUP_CPU);
	struct cgroup_cpu_use use = { 0 };

	if (time)
		use.used_ns = time->version == 2 ? counter(g, slot, CPU_TIME, "usage_usec ") * 1000
		                                 : counter(g, slot, CPU_TIME, "");
	if (limit)
		use.held_ns = limit->version == 2
		                      ? counter(g, slot, CPU_STAT, "throttled_usec ") * 1000
		                      : counter(g, slot, CPU_STAT, "throttled_time ");
	return use;
}

int cgroup_each(const struct cgroups *g, int slot, void (*fn)(pid_t pid, void *arg), void *arg)
{
	char path[64], line[32];

	if (!g->n_trees)
		return -ENOENT;
	snprintf(path, sizeof path, "%d/cgroup.procs", slot);
	int fd = openat(g->trees[0].fd, path, O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	if (!f)
		return -errno;
	while (fgets(line, sizeof line, f))
		fn((pid_t)strtol(line, NULL, 10), arg);
	fclose(f);
	return 0;
}
