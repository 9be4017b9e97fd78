/* inspect: the processes inside a sandbox, seen from the host. */
#include "sandbox/helper.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static ssize_t read_proc(pid_t pid, const char *name, char *room, size_t size)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	int fd CLEANUP(fd_closep) = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, room, size - 1);
	room[MAX(n, 0)] = 0;
	return n;
}

/* Without cgroups: all processes whose pid namespace is the sandbox's. */
static void each_by_namespace(pid_t init, void (*fn)(pid_t pid, void *arg), void *arg)
{
	char path[64], own[64], its[64];

	snprintf(path, sizeof path, "/proc/%d/ns/pid", init);
	ssize_t n = readlink(path, own, sizeof own);
	DIR *d = n > 0 ? opendir("/proc") : NULL;
	for (struct dirent *e; d && (e = readdir(d));) {
		pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
		snprintf(path, sizeof path, "/proc/%d/ns/pid", pid);
		if (pid > 0 && readlink(path, its, sizeof its) == n &&
		        memcmp(own, its, (size_t)n) == 0)
			fn(pid, arg);
	}
	if (d)
		closedir(d);
}

static void each(
        struct helper *h, const struct sandbox *b, void (*fn)(pid_t pid, void *arg), void *arg)
{
	if (cgroup_each(&h->cgroups, b->slot, fn, arg) < 0)
		each_by_namespace(b->init_pid, fn, arg);
}

struct signalling {
	pid_t init;
	int signal;
};

static void send_signal(pid_t pid, void *arg)
{
	const struct signalling *s = arg;

	if (pid != s->init)
		kill(pid, s->signal);
}

void inspect_signal(struct helper *h, const struct sandbox *b, int signal)
{
	struct signalling s = { b->init_pid, signal };

	if (signal > 0 && signal < NSIG && b->init_pid)
		each(h, b, send_signal, &s);
}

struct describing {
	pid_t init;
	struct buf text;
};

static void describe(pid_t pid, void *arg)
{
	struct describing *d = arg;
	char room[1024];

	if (pid == d->init || d->text.n > SANDBOX_MESSAGE_MAX / 2)
		return;
	ssize_t n = read_proc(pid, "cmdline", room, 256);
	for (ssize_t i = 0; i + 1 < n; i++)
		if (!room[i])
			room[i] = ' ';
	buf_printf(&d->text, "process %d: %s\n", pid, room);
	read_proc(pid, "wchan", room, sizeof room);
	buf_printf(&d->text, "  waits in %s\n",
	        strcmp(room, "0") != 0 && room[0] ? room : "nothing: it runs");
	if (read_proc(pid, "syscall", room, sizeof room) > 0)
		buf_printf(&d->text, "  system call %s", room);
	if (read_proc(pid, "stack", room, sizeof room) > 0)
		buf_printf(&d->text, "%s", room);
}

struct str inspect_stacks(struct helper *h, struct arena *a, const struct sandbox *b)
{
	struct describing d = { b->init_pid, buf_init(a) };

	each(h, b, describe, &d);
	return buf_str(&d.text);
}
