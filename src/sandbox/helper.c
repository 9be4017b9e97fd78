/* helper: start, loop, dispatch, end. */
#include "sandbox/helper.h"
#include "base/log.h"
#include "sandbox/filter.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define NO_NETWORK "functions cannot reach the network"
#define QUIET_MS   2   /* spares are made when nothing else is to be done */
#define FIRST_MS   200 /* the first ones not before the start is over */

void helper_watch(
        struct helper *h, struct watch *w, int fd, void (*ready)(struct helper *h, struct watch *w))
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = w };

	w->fd = fd;
	w->ready = ready;
	ensure(epoll_ctl(h->epoll, EPOLL_CTL_ADD, fd, &e) == 0);
}

/* Deleted by hand: copies of the descriptor may still be open in a new pid 1. */
void helper_unwatch(struct helper *h, struct watch *w)
{
	if (w->fd < 0)
		return;
	epoll_ctl(h->epoll, EPOLL_CTL_DEL, w->fd, NULL);
	fd_closep(&w->fd);
}

void helper_send(struct helper *h, const struct sandbox_message *m)
{
	if (sandbox_send(h->main.fd, m) == -EPIPE)
		h->stopping = true;
}

void helper_answer(struct helper *h, uint32_t number, int error, const char *why)
{
	helper_send(h, &(struct sandbox_message){ .type = SANDBOX_REPLY,
	                       .number = number,
	                       .error = error,
	                       .why = str_of(why) });
}

bool helper_receive_report(int fd, struct inside_report *r, pid_t *sender)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec v = { r, sizeof *r };
	struct msghdr m = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control };
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n == sizeof *r ? CMSG_FIRSTHDR(&m) : NULL;
	struct ucred sent;

	*sender = 0;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS) {
		memcpy(&sent, CMSG_DATA(c), sizeof sent);
		*sender = sent.pid;
	}
	r->step[sizeof r->step - 1] = 0;
	return n == sizeof *r;
}

static void thaw(struct helper *h, const struct sandbox *b)
{
	if (cgroup_freeze(&h->cgroups, b->slot, false) < 0)
		inspect_signal(h, b, SIGCONT);
}

static void on_kill(
        struct helper *h, struct arena *a, struct sandbox *b, const struct sandbox_message *m)
{
	slot_kill(h, b);
	helper_answer(h, m->number, 0, NULL);
}

static void on_freeze(
        struct helper *h, struct arena *a, struct sandbox *b, const struct sandbox_message *m)
{
	int error = cgroup_freeze(&h->cgroups, b->slot, true);

	if (error) {
		inspect_signal(h, b, SIGSTOP);
		error = 0;
	}
	helper_answer(h, m->number, error, NULL);
}

static void on_thaw(
        struct helper *h, struct arena *a, struct sandbox *b, const struct sandbox_message *m)
{
	thaw(h, b);
	helper_answer(h, m->number, 0, NULL);
}

static void on_signal(
        struct helper *h, struct arena *a, struct sandbox *b, const struct sandbox_message *m)
{
	if (!m->pid)
		inspect_signal(h, b, m->signal);
	else if (m->pid == b->main_pid && !b->exited)
		kill(b->main_pid, m->signal);
	helper_answer(h, m->number, 0, NULL);
}

static void on_stacks(
        struct helper *h, struct arena *a, struct sandbox *b, const struct sandbox_message *m)
{
	(void)!cgroup_cpu(&h->cgroups, &b->cgroup, b->slot, 0);
	if (m->signal > 0 && m->signal < NSIG && b->main_pid > 0)
		kill(b->main_pid, m->signal);
	helper_send(h, &(struct sandbox_message){ .type = SANDBOX_REPLY,
	                       .number = m->number,
	                       .why = inspect_stacks(h, a, b) });
}

static void on_usage(
        struct helper *h, struct arena *a, struct sandbox *b, const struct sandbox_message *m)
{
	struct cgroup_cpu_use use = cgroup_cpu_used(&h->cgroups, b->slot);

	helper_send(h, &(struct sandbox_message){ .type = SANDBOX_REPLY,
	                       .number = m->number,
	                       .why = str_printf(a, "%llu %llu", (unsigned long long)use.used_ns,
	                               (unsigned long long)use.held_ns) });
}

static void on_connect(
        struct helper *h, struct arena *a, struct sandbox *b, const struct sandbox_message *m)
{
	int fd CLEANUP(fd_closep) = spawn_connect(h, b, m->spec.runtime_port);
	struct sandbox_message reply = { .type = SANDBOX_REPLY, .number = m->number };

	reply.error = fd < 0 ? fd : 0;
	reply.fds[SANDBOX_FD_RUNTIME] = fd < 0 ? 0 : fd;
	helper_send(h, &reply);
}

static void on_settle(
        struct helper *h, struct arena *a, struct sandbox *b, const struct sandbox_message *m)
{
	int error = cgroup_cpu(&h->cgroups, &b->cgroup, b->slot, b->memory_mib);

	helper_answer(h, m->number, error, error ? "CPU limit" : NULL);
}

static void on_run(
        struct helper *h, struct arena *a, struct sandbox *b, const struct sandbox_message *m)
{
	spawn_run(h, b, m);
}

typedef void on_sandbox(
        struct helper *h, struct arena *a, struct sandbox *b, const struct sandbox_message *m);

static on_sandbox *const on_sandboxes[] = {
	[SANDBOX_KILL] = on_kill,
	[SANDBOX_FREEZE] = on_freeze,
	[SANDBOX_THAW] = on_thaw,
	[SANDBOX_SIGNAL] = on_signal,
	[SANDBOX_STACKS] = on_stacks,
	[SANDBOX_SETTLE] = on_settle,
	[SANDBOX_RUN] = on_run,
	[SANDBOX_USAGE] = on_usage,
	[SANDBOX_CONNECT] = on_connect,
};

static void to_sandbox(struct helper *h, struct arena *a, const struct sandbox_message *m)
{
	struct sandbox *b = map_get(&h->by_id, m->id);

	if (m->type >= ARRAY_LEN(on_sandboxes) || !on_sandboxes[m->type])
		helper_answer(h, m->number, -EINVAL, "not a request");
	else if (b)
		on_sandboxes[m->type](h, a, b, m);
	else if (m->type == SANDBOX_KILL && zygote_kill(h, m->id))
		helper_answer(h, m->number, 0, NULL);
	else
		helper_answer(h, m->number, -ESRCH, "no such sandbox");
}

static void dispatch(struct helper *h, struct arena *a, const struct sandbox_message *m)
{
	if (h->broken)
		helper_answer(h, m->number, -ENOSYS, str_cstr(a, buf_str(&h->report)));
	else if (m->type == SANDBOX_SPAWN)
		spawn_request(h, a, m);
	else if (m->type == SANDBOX_ASSIGN)
		spawn_assign(h, a, m);
	else if (m->type == SANDBOX_ZYGOTE)
		zygote_start(h, a, m);
	else
		to_sandbox(h, a, m);
}

static void main_ready(struct helper *h, struct watch *w)
{
	struct arena *a CLEANUP(arena_destroyp) = arena_create();
	struct sandbox_message m;
	int error = sandbox_receive(w->fd, a, &m);

	if (error == -EPIPE || error == -ECONNRESET)
		h->stopping = true;
	else if (!error)
		dispatch(h, a, &m);
	for (int i = 0; !error && i < SANDBOX_FD_N; i++)
		fd_closep(&m.fds[i]);
}

void helper_no_network(struct helper *h, const char *step, int error)
{
	struct arena *a CLEANUP(arena_destroyp) = arena_create();

	if (h->without_network)
		return;
	h->without_network = true;
	helper_send(
	        h, &(struct sandbox_message){ .type = SANDBOX_REPORT,
	                   .why = str_printf(a, NO_NETWORK ": %s: %s\n", step, strerror(-error)) });
}

static void network_ended(struct helper *h)
{
	h->network.pid = 0;
	helper_no_network(h, "the relay has ended", -ECHILD);
}

static void children_ready(struct helper *h, struct watch *w)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	(void)!read(w->fd, &info, sizeof info);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == h->network.pid)
			network_ended(h);
		else if (!zygote_child_ended(h, pid, status))
			slot_child_ended(h, pid, status);
}

/* One event at a time: what it does may end what others are about. */
static void loop(struct helper *h)
{
	struct epoll_event e;
	int quiet_ms = FIRST_MS;

	while (!h->stopping) {
		bool refill = !h->broken && slot_count(h, SANDBOX_SPARE) < h->spares_wanted;
		int n = epoll_wait(h->epoll, &e, 1, refill ? quiet_ms : -1);
		if (n > 0) {
			struct watch *w = e.data.ptr;
			w->ready(h, w);
		} else if (n == 0) {
			quiet_ms = QUIET_MS;
			slots_refill(h);
		}
	}
}

/* Everything that was begun ends here; the cgroups go when the last process has. */
static void stop(struct helper *h)
{
	for (int i = 0; i < h->n_slots; i++)
		if (h->slots[i]->state != SANDBOX_FREE)
			slot_kill(h, h->slots[i]);
	zygotes_kill(h);
	if (h->network.pid > 0 && kill(h->network.pid, SIGKILL) == 0)
		waitpid(h->network.pid, NULL, 0);
	while (waitpid(-1, NULL, __WALL | WNOHANG) >= 0 || errno == EINTR) {
		bool left = false;
		for (int i = 0; i < h->n_slots && !left; i++)
			left = h->slots[i]->init_pid && kill(h->slots[i]->init_pid, 0) == 0;
		if (!left)
			break;
		usleep(1000);
	}
	cgroups_remove(&h->cgroups);
}

/* Outlives the helper when that is killed: no process can be left then (the kernel sees to that),
 * but the cgroups can. */
static void keep_janitor(struct helper *h)
{
	int ends[2];
	char byte;

	if (!h->cgroups.n_trees || pipe2(ends, O_CLOEXEC) < 0)
		return;
	pid_t pid = fork();
	if (pid != 0) {
		close(ends[0]);
		return; /* the write end stays open as long as the helper lives */
	}
	prctl(PR_SET_NAME, "wolke-janitor");
	int keep[CGROUP_CONTROLS + 1], n = 0;
	keep[n++] = ends[0];
	for (int i = 0; i < h->cgroups.n_trees; i++)
		keep[n++] = h->cgroups.trees[i].fd;
	slots_close_except(keep, (size_t)n);
	while (read(ends[0], &byte, 1) < 0 && errno == EINTR)
		;
	cgroups_remove(&h->cgroups);
	_exit(0);
}

static int put_file(const char *path, const char *text)
{
	int fd CLEANUP(fd_closep) = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* Without root the helper is root of a user namespace: what it may then, all below it may. */
static int become_root(struct helper *h)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char line[64];

	h->rootless = uid != 0;
	if (!h->rootless)
		return 0;
	buf_add(&h->report,
	        S("not started by root: all sandboxes are the same user on the host\n"));
	/* A network of its own, too: from a sandbox's it could not come back to the host's. */
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) < 0)
		return -errno;
	TRY(put_file("/proc/self/setgroups", "deny"));
	snprintf(line, sizeof line, "0 %u 1", uid);
	TRY(put_file("/proc/self/uid_map", line));
	snprintf(line, sizeof line, "0 %u 1", gid);
	return put_file("/proc/self/gid_map", line);
}

static void raise_limits(void)
{
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

/* Before the helper leaves the host's network, where the relay is to be. */
static void start_network(struct helper *h)
{
	int error = filter_build(&h->filter);

	if (error)
		buf_printf(&h->report, "no system call filter: %s\n", strerror(-error));
	error = network_start(&h->network, &h->options.network, &h->filter);
	if (error)
		buf_printf(&h->report, NO_NETWORK ": %s\n", strerror(-error));
	h->without_network = error != 0;
}

static int prepare(struct helper *h)
{
	start_network(h);
	int error = become_root(h);

	if (error) {
		buf_printf(
		        &h->report, "user namespaces are not allowed here: %s\n", strerror(-error));
		return error;
	}
	cgroups_open(&h->cgroups, &h->report);
	cgroups_sweep(&h->cgroups);
	keep_janitor(h);
	if ((error = mounts_open(&h->mounts, h->options.state_dir, h->rootless, &h->report)))
		buf_printf(&h->report,
		        "file systems cannot be mounted here, so nothing can run: %s\n",
		        strerror(-error));
	return error;
}

/* Its own session, so that Ctrl-C reaches the main process only; standard descriptors that exist.
 */
static void settle_in(void)
{
	prctl(PR_SET_NAME, "wolke-sandbox");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	setsid();
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	for (int fd; (fd = open("/dev/null", O_RDWR)) >= 0;)
		if (fd > 2) {
			close(fd);
			break;
		}
}

/* Sandboxes see the command line of pid 1, a copy of this process, and maybe its environment. */
static void forget_start(void)
{
	unsigned long start, arg_end, env_start, end;
	FILE *f = fopen("/proc/self/stat", "re");
	char line[2048] = "";

	if (f && !fgets(line, sizeof line, f))
		line[0] = 0;
	if (f)
		fclose(f);
	char *rest = strrchr(line, ')');
	for (int field = 2; rest && field < 48; field++)
		rest = strchr(rest + 1, ' ');
	if (!rest || sscanf(rest, " %lu %lu %lu %lu", &start, &arg_end, &env_start, &end) != 4)
		return;
	clearenv();
	memset((char *)env_start, 0, end - env_start);
	memset((char *)start, 0, arg_end - start);
	snprintf((char *)start, arg_end - start, "wolke-sandbox");
}

static int watch_children(void)
{
	sigset_t children;

	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	sigprocmask(SIG_BLOCK, &children, NULL);
	return signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
}

_Noreturn static void helper_run(struct helper *h, int main_fd, int status_fd)
{
	settle_in();
	forget_start();
	raise_limits();
	h->broken = prepare(h) != 0;
	h->epoll = epoll_create1(EPOLL_CLOEXEC);
	helper_watch(h, &h->main, main_fd, main_ready);
	helper_watch(h, &h->children, watch_children(), children_ready);
	int error = h->options.strict && h->report.n ? -ENOSYS : 0;
	if (error)
		log_error("this host cannot give all that --sandbox=strict asks for: %.*s",
		        STR(str_trim(buf_str(&h->report))));
	(void)!write(status_fd, &error, sizeof error);
	close(status_fd);
	helper_send(
	        h, &(struct sandbox_message){ .type = SANDBOX_REPORT, .why = buf_str(&h->report) });
	if (!error)
		loop(h);
	stop(h);
	_exit(0);
}

static struct helper *helper_new(const struct sandbox_options *o)
{
	struct helper *h = mem_new(struct helper);
	struct arena *a = arena_create();

	h->options = *o;
	h->options.state_dir = str_dup(a, o->state_dir);
	h->options.runtimes_dir = str_dup(a, o->runtimes_dir);
	h->report = buf_init(a);
	h->spares_wanted = 3;
	return h;
}

/* Room for the answers to a thousand requests, so that nobody waits for the other to read. */
static void widen(int fd)
{
	int size = 8 << 20;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

/* Only strict mode waits for what the helper finds. */
int sandbox_helper_start(const struct sandbox_options *o, int *socket_fd)
{
	int pair[2], status[2], error = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 ||
	        pipe2(status, O_CLOEXEC) < 0)
		return -errno;
	widen(pair[0]);
	widen(pair[1]);
	pid_t pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		close(pair[0]);
		close(status[0]);
		helper_run(helper_new(o), pair[1], status[1]);
	}
	close(pair[1]);
	close(status[1]);
	if (o->strict && read(status[0], &error, sizeof error) != sizeof error)
		error = -EIO;
	close(status[0]);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	*socket_fd = pair[0];
	if (error)
		close(pair[0]);
	return error;
}
