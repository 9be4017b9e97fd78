/* cgroup_find: where this host keeps its controllers, and whether they may be used. */
#include "sandbox/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const control_names[] = { "memory", "pids", "cpu", "cpuacct", "freezer" };
static const char *const what_is_lost[] = { "memory limits (setrlimit is used instead)",
	"limits of the number of processes (setrlimit)", "CPU limits", "CPU accounting",
	"freezing (SIGSTOP is used instead)" };

#define MOUNTS_MAX 24

struct mount {
	char point[256];
	char root[256]; /* of the hierarchy: what is mounted there */
	unsigned controls;
	int version;
};

static unsigned controls_of(const char *options)
{
	char copy[256], *rest = copy;
	unsigned mask = 0;

	snprintf(copy, sizeof copy, "%s", options);
	for (char *word; (word = strsep(&rest, ", \n"));)
		for (int c = 0; c < CGROUP_CONTROLS; c++)
			if (strcmp(word, control_names[c]) == 0)
				mask |= 1u << c;
	return mask;
}

static size_t find_mounts(struct mount *v, size_t max)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[1024], type[32], options[256];
	size_t n = 0;

	while (f && n < max && fgets(line, sizeof line, f)) {
		struct mount m = { 0 };
		char *dash = strstr(line, " - ");
		if (!dash || sscanf(line, "%*s %*s %*s %255s %255s", m.root, m.point) != 2 ||
		        sscanf(dash, " - %31s %*s %255s", type, options) != 2)
			continue;
		m.version = strcmp(type, "cgroup2") == 0 ? 2 : strcmp(type, "cgroup") == 0 ? 1 : 0;
		m.controls = m.version == 1 ? controls_of(options) : 0;
		if (m.version == 2 || m.controls)
			v[n++] = m;
	}
	if (f)
		fclose(f);
	return n;
}

/* The path of our own cgroup in the hierarchy with these controls (version 2: none). */
static bool own_path(const struct mount *m, char *path, size_t size)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[1024];
	bool found = false;

	while (f && !found && fgets(line, sizeof line, f)) {
		char *names = strchr(line, ':');
		char *own = names ? strchr(++names, ':') : NULL;
		if (!own)
			continue;
		*own++ = 0;
		own[strcspn(own, "\n")] = 0;
		if (m->version == 2 ? *names != 0 : !(controls_of(names) & m->controls))
			continue;
		size_t root = strcmp(m->root, "/") == 0 ? 0 : strlen(m->root);
		if (strncmp(own, m->root, root) == 0)
			own += root;
		found = (size_t)snprintf(
		                path, size, "%s%s", m->point, strcmp(own, "/") ? own : "") < size;
	}
	if (f)
		fclose(f);
	return found;
}

static unsigned read_controls(const char *dir)
{
	char path[640], text[256] = "";
	unsigned mask = 1u << CGROUP_CPUACCT | 1u << CGROUP_FREEZER; /* always, in version 2 */

	snprintf(path, sizeof path, "%s/cgroup.controllers", dir);
	int fd CLEANUP(fd_closep) = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
	text[MAX(n, 0)] = 0;
	return mask | controls_of(text);
}

static void enable(const char *dir, unsigned controls)
{
	char path[640], text[32];

	snprintf(path, sizeof path, "%s/cgroup.subtree_control", dir);
	int fd CLEANUP(fd_closep) = open(path, O_WRONLY | O_CLOEXEC);
	for (int c = 0; fd >= 0 && c <= CGROUP_CPU; c++)
		if (controls & (1u << c)) {
			int n = snprintf(text, sizeof text, "+%s", control_names[c]);
			ssize_t ignored = write(fd, text, (size_t)n);
			(void)ignored;
		}
}

/* Version 2 gives controllers only to cgroups whose parent holds no process. When all in ours are
 * this helper and its parent, they move one level down. */
static void move_down(const char *dir)
{
	char path[640], line[32];
	bool others = false;

	snprintf(path, sizeof path, "%s/cgroup.procs", dir);
	FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f)) {
		long pid = strtol(line, NULL, 10);
		others = others || (pid != getpid() && pid != getppid());
	}
	if (f)
		fclose(f);
	if (!f || others)
		return;
	snprintf(path, sizeof path, "%s/wolke-main", dir);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return;
	snprintf(path, sizeof path, "%s/wolke-main/cgroup.procs", dir);
	int fd CLEANUP(fd_closep) = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		dprintf(fd, "%d", getppid());
		dprintf(fd, "%d", getpid());
	}
}

static unsigned try_version_2(const struct mount *m, const char *own, struct cgroup_tree *t)
{
	const char *const places[] = { own, m->point };
	unsigned most = 0;

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct cgroup_tree here = { .version = 2, .fd = -1 };
		if ((size_t)snprintf(here.path, sizeof here.path, "%s/wolke-%d", places[i],
		            getpid()) >= sizeof here.path ||
		        (mkdir(here.path, 0755) < 0 && errno != EEXIST))
			continue;
		enable(places[i], read_controls(places[i]));
		unsigned got = read_controls(here.path);
		if (!(got & 1u << CGROUP_MEMORY) && i == 0 &&
		        (read_controls(places[i]) & 1u << CGROUP_MEMORY)) {
			move_down(places[i]);
			enable(places[i], read_controls(places[i]));
			got = read_controls(here.path);
		}
		if (got > most) {
			if (most)
				rmdir(t->path);
			*t = here;
			most = got;
		} else {
			rmdir(here.path);
		}
		if (most & 1u << CGROUP_MEMORY)
			break;
	}
	if (most)
		enable(t->path, most);
	return most;
}

static unsigned try_version_1(const struct mount *m, const char *own, struct cgroup_tree *t)
{
	t->version = 1;
	if ((size_t)snprintf(t->path, sizeof t->path, "%s/wolke-%d", own, getpid()) >=
	        sizeof t->path)
		return 0;
	return mkdir(t->path, 0755) == 0 || errno == EEXIST ? m->controls : 0;
}

static void use_mount(struct cgroups *g, const struct mount *m)
{
	struct cgroup_tree t = { .fd = -1 };
	char own[256];
	unsigned wanted = 0;

	for (int c = 0; c < CGROUP_CONTROLS; c++)
		if (g->tree_of[c] < 0)
			wanted |= 1u << c;
	if (g->n_trees == CGROUP_CONTROLS || !own_path(m, own, sizeof own))
		return;
	unsigned got = (m->version == 2 ? try_version_2 : try_version_1)(m, own, &t);
	if (!got)
		return;
	t.fd = open(t.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!(got & wanted) || t.fd < 0) {
		rmdir(t.path);
		return;
	}
	for (int c = 0; c < CGROUP_CONTROLS; c++)
		if (got & wanted & (1u << c))
			g->tree_of[c] = g->n_trees;
	g->trees[g->n_trees++] = t;
}

void cgroups_open(struct cgroups *g, struct buf *report)
{
	struct mount *v = mem_alloc(MOUNTS_MAX * sizeof *v);
	size_t n = find_mounts(v, MOUNTS_MAX);

	*g = (struct cgroups){ 0 };
	memset(g->tree_of, -1, sizeof g->tree_of);
	for (int version = 2; version >= 1; version--)
		for (size_t i = 0; i < n; i++)
			if (v[i].version == version)
				use_mount(g, &v[i]);
	mem_free(v);
	for (int c = 0; c < CGROUP_CONTROLS; c++)
		if (g->tree_of[c] < 0)
			buf_printf(report, "cgroup controller %s is not usable here: no %s\n",
			        control_names[c], what_is_lost[c]);
}

/* Folders of cgroups cannot be emptied, only removed, children first; EBUSY while a process ends.
 */
static bool remove_tree(const char *path)
{
	DIR *d = opendir(path);
	char child[800];
	bool all = true;

	if (!d)
		return errno == ENOENT;
	for (struct dirent *e; (e = readdir(d));)
		if (e->d_type == DT_DIR && e->d_name[0] != '.') {
			snprintf(child, sizeof child, "%s/%s", path, e->d_name);
			all = (rmdir(child) == 0 || errno == ENOENT || remove_tree(child)) && all;
		}
	closedir(d);
	return (rmdir(path) == 0 || errno == ENOENT) && all;
}

void cgroups_remove(const struct cgroups *g)
{
	bool all = false;

	for (int tries = 0; tries < 200 && !all; tries++) {
		if (tries)
			usleep(5000);
		all = true;
		for (int i = 0; i < g->n_trees; i++)
			all = remove_tree(g->trees[i].path) && all;
	}
}

void cgroups_sweep(const struct cgroups *g)
{
	for (int i = 0; i < g->n_trees; i++) {
		char parent[512], path[800];
		snprintf(parent, sizeof parent, "%s", g->trees[i].path);
		*strrchr(parent, '/') = 0;
		DIR *d = opendir(parent);
		for (struct dirent *e; d && (e = readdir(d));) {
			char *end;
			if (strncmp(e->d_name, "wolke-", 6) != 0)
				continue;
			long pid = strtol(e->d_name + 6, &end, 10);
			if (*end || pid <= 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH)
				continue;
			snprintf(path, sizeof path, "%s/%s", parent, e->d_name);
			remove_tree(path);
		}
		if (d)
			closedir(d);
	}
}
