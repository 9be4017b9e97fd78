/* zygote: the library's one function. libc only. */
#include "sandbox/zygote.h"
#include "sandbox/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct zygote_state {
	int fd, children, own_pid_ns;
	struct filter filter;
	/* The request being served. */
	struct zygote_spawn spawn;
	char env[ZYGOTE_MAX_SIZE];
	int fds[ZYGOTE_FDS_MAX];
	size_t n_fds;
};

static void tell(const struct zygote_state *z, struct inside_report r, const char *step)
{
	r.slot = z->spawn.slot;
	snprintf(r.step, sizeof r.step, "%s", step);
	(void)!send(z->fd, &r, sizeof r, MSG_NOSIGNAL);
}

static int join_cgroups(struct zygote_state *z)
{
	for (size_t i = ZYGOTE_FD_CGROUPS; i < z->n_fds; i++)
		if (write(z->fds[i], "0", 1) < 0)
			return -errno;
	return 0;
}

/* The pid namespace is entered by having been forked into it. */
static int enter_namespaces(struct zygote_state *z)
{
	int all = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;

	setsid();
	return setns(z->fds[ZYGOTE_FD_INIT], all) < 0 ? -errno : 0;
}

static int become_user(struct zygote_state *z)
{
	return confine_join_user(z->fds[ZYGOTE_FD_INIT]);
}

static int take_limits(struct zygote_state *z)
{
	return confine_limits(z->spawn.max_fds, z->spawn.max_pids, z->spawn.memory_mib);
}

static int drop_capabilities(struct zygote_state *z)
{
	return confine_capabilities();
}

static int take_environment(struct zygote_state *z)
{
	size_t n = z->spawn.env_size;
	char *copy = malloc(n + 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, z->env, n);
	copy[n] = 0;
	clearenv();
	for (char *p = copy; p < copy + n; p += strlen(p) + 1)
		if (strchr(p, '='))
			putenv(p);
	return chdir("/var/task") < 0 ? -errno : 0;
}

static int load_filter(struct zygote_state *z)
{
	return confine_filter(&z->filter);
}

static const struct {
	const char *name;
	int (*run)(struct zygote_state *z);
} steps[] = {
	{ "join the cgroups", join_cgroups },
	{ "enter the namespaces", enter_namespaces },
	{ "become the sandbox's user", become_user },
	{ "take limits", take_limits },
	{ "drop capabilities", drop_capabilities },
	{ "take the environment", take_environment },
	{ "load the system call filter", load_filter },
};

/* In the child. What the zygote had open, its socket too, is closed before foreign code runs. */
static void become_sandboxed(struct zygote_state *z)
{
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		int error = steps[i].run(z);
		if (error) {
			tell(z, (struct inside_report){ .kind = INSIDE_FAILED, .error = error },
			        steps[i].name);
			_exit(1);
		}
	}
	tell(z, (struct inside_report){ .kind = INSIDE_RUNNING }, "");
	confine_signals();
	if (confine_fds(z->fds[ZYGOTE_FD_LOG], true) < 0)
		_exit(1);
}

/* Returns 0 in the child, its pid or -errno in the zygote. */
static pid_t fork_into(struct zygote_state *z)
{
	if (setns(z->fds[ZYGOTE_FD_INIT], CLONE_NEWPID) < 0)
		return -errno;
	pid_t pid = fork();
	int error = -errno;
	if (pid == 0)
		return 0;
	/* Or a sandbox that has ended would be kept. Without root there is no way back, nor need.
	 */
	(void)!setns(z->own_pid_ns, CLONE_NEWPID);
	return pid < 0 ? error : pid;
}

static void take_fds(struct zygote_state *z, struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	z->n_fds = 0;
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return;
	z->n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(z->fds, CMSG_DATA(c), z->n_fds * sizeof(int));
}

/* false: the helper has gone. */
static int receive_spawn(struct zygote_state *z)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof z->fds)];
	} control;
	struct iovec v[] = { { &z->spawn, sizeof z->spawn }, { z->env, sizeof z->env } };
	struct msghdr m = { .msg_iov = v,
		.msg_iovlen = 2,
		.msg_control = &control,
		.msg_controllen = sizeof control };
	ssize_t n = recvmsg(z->fd, &m, MSG_CMSG_CLOEXEC);

	if (n <= 0)
		return n < 0 && errno == EINTR;
	take_fds(z, &m);
	if (n != (ssize_t)(sizeof z->spawn + z->spawn.env_size) || z->n_fds < ZYGOTE_FD_CGROUPS)
		_exit(1);
	return 1;
}

static void reap(struct zygote_state *z)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	(void)!read(z->children, &info, sizeof info);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct inside_report r = { .kind = INSIDE_EXITED, .status = status, .pid = pid };
		(void)!send(z->fd, &r, sizeof r, MSG_NOSIGNAL);
	}
}

static int open_zygote(struct zygote_state *z, int fd)
{
	sigset_t children;

	z->fd = fd;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (recv(fd, &z->filter, sizeof z->filter, 0) < (ssize_t)offsetof(struct filter, v))
		return -EPIPE;
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	sigprocmask(SIG_BLOCK, &children, NULL);
	z->children = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
	z->own_pid_ns = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	return z->children < 0 || z->own_pid_ns < 0 ? -errno : 0;
}

/* true: this is the child. */
static int serve_one(struct zygote_state *z)
{
	pid_t pid = fork_into(z);

	if (pid == 0) {
		become_sandboxed(z);
		return 1;
	}
	if (pid < 0)
		tell(z, (struct inside_report){ .kind = INSIDE_FAILED, .error = pid }, "fork");
	for (size_t i = 0; i < z->n_fds; i++)
		close(z->fds[i]);
	return 0;
}

__attribute__((visibility("default"))) int zygote_serve(int fd)
{
	struct zygote_state *z = calloc(1, sizeof *z);
	int error = z ? open_zygote(z, fd) : -ENOMEM;

	if (error)
		return error;
	tell(z, (struct inside_report){ .kind = INSIDE_READY }, "");
	for (;;) {
		struct pollfd v[] = { { fd, POLLIN, 0 }, { z->children, POLLIN, 0 } };
		if (poll(v, 2, -1) < 0 && errno != EINTR)
			_exit(1);
		if (v[1].revents)
			reap(z);
		if (v[0].revents && !receive_spawn(z))
			_exit(0);
		if (v[0].revents && serve_one(z)) {
			free(z);
			return 0;
		}
	}
}
