/* init: see init.h. */
#include "sandbox/init.h"
#include "sandbox/confine.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM_STACK (32 * 1024)

static void tell(int control, struct inside_report r)
{
	if (send(control, &r, sizeof r, MSG_NOSIGNAL) < 0)
		_exit(1);
}

static void tell_failure(int control, int error, const char *step, uint32_t name)
{
	struct inside_report r = { .kind = INSIDE_FAILED, .error = error, .slot = name };

	snprintf(r.step, sizeof r.step, "%s", step);
	tell(control, r);
}

/* As the first step: cgroup namespaces show what one is in when they are made. */
static int join_cgroups(struct init *in)
{
	for (int i = 0; i < in->n_cgroup_files; i++) {
		if (write(in->cgroup_files[i], "0", 1) < 0)
			return -errno;
		close(in->cgroup_files[i]);
	}
	return 0;
}

static int make_namespaces(struct init *in)
{
	return unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP) < 0 ? -errno
	                                                                                 : 0;
}

/* A host that gives no way out is reported, and runs what needs none. */
static int set_up_network(struct init *in)
{
	const char *step;
	int error = network_inside_make(&in->network, &step);

	in->ready = (struct inside_report){ .kind = INSIDE_READY };
	if (error && step) {
		in->ready.error = error;
		snprintf(in->ready.step, sizeof in->ready.step, "%s", step);
		error = 0;
	}
	if (in->network.to_relay >= 0)
		close(in->network.to_relay);
	return error;
}

static int name_host(struct init *in)
{
	return sethostname("sandbox", 7) < 0 ? -errno : 0;
}

static int enter_root(struct init *in)
{
	TRY(mounts_enter(in->mounts));
	return close(in->mounts->template_ns) < 0 ? -errno : 0;
}

static int become_user(struct init *in)
{
	return confine_user(in->uid, in->uid);
}

static int drop_capabilities(struct init *in)
{
	return confine_capabilities();
}

static int load_filter(struct init *in)
{
	return confine_filter(in->filter);
}

/* No one inside may look into pid 1. Without root the helper needs the way in that this closes. */
static int close_up(struct init *in)
{
	if (!in->rootless)
		prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_NAME, "init");
	return chdir("/var/task") < 0 ? -errno : 0;
}

static const struct {
	const char *name;
	int (*run)(struct init *in);
} steps[] = {
	{ "join the cgroups", join_cgroups },
	{ "make the namespaces", make_namespaces },
	{ "set up the network", set_up_network },
	{ "name the host", name_host },
	{ "enter the root", enter_root },
	{ "become the sandbox's user", become_user },
	{ "drop capabilities", drop_capabilities },
	{ "load the system call filter", load_filter },
	{ "close up", close_up },
};

static char **cstrs(struct arena *a, const struct str *v, size_t n)
{
	char **c = arena_new_n(a, char *, n + 1);

	for (size_t i = 0; i < n; i++)
		c[i] = (char *)str_cstr(a, v[i]);
	return c;
}

struct program {
	const struct init *in;
	const struct sandbox_message *m;
	char **argv, **env;
	volatile int error;
};

/* With the parent's memory: writes only what the parent reads. */
static int become_program(void *arg)
{
	struct program *p = arg;
	const struct init *in = p->in;
	const struct sandbox_spec *spec = &p->m->spec;
	struct inside_report started = { .kind = INSIDE_STARTED };

	if (p->m->type != SANDBOX_RUN)
		tell(in->control, started);
	setsid();
	confine_signals();
	p->error = confine_limits(spec->max_fds,
	        in->no_pids_cgroup ? (spec->max_pids ? spec->max_pids : 1024) : 0,
	        in->no_memory_cgroup ? spec->memory_mib : 0);
	if (!p->error)
		p->error = confine_fds(p->m->fds[SANDBOX_FD_LOG], false);
	(void)!chdir("/var/task");
	if (!p->error) {
		execve(p->argv[0], p->argv, p->env);
		p->error = -errno;
	}
	_exit(126);
}

/* As vfork, which ThreadSanitizer would make a fork of: then what the child writes is not seen. Its
 * pid, or -errno. */
static pid_t run_program(const struct init *in, struct arena *a, const struct sandbox_message *m)
{
	struct program p = { in, m, cstrs(a, m->spec.argv, m->spec.n_argv),
		cstrs(a, m->spec.env, m->spec.n_env), 0 };
	char *stack = arena_bytes(a, PROGRAM_STACK);
	char *top = (char *)((uintptr_t)(stack + PROGRAM_STACK) & ~(uintptr_t)15);
	pid_t pid = clone(become_program, top, CLONE_VM | CLONE_VFORK | SIGCHLD, &p);

	close(m->fds[SANDBOX_FD_LOG]);
	if (pid < 0)
		p.error = -errno;
	if (!p.error)
		return pid;
	tell_failure(in->control, p.error, p.argv[0], m->type == SANDBOX_RUN ? m->number : 0);
	return p.error;
}

static pid_t run_main(const struct init *in, struct arena *a, const struct sandbox_message *m)
{
	pid_t pid = run_program(in, a, m);

	if (pid < 0)
		_exit(1);
	tell(in->control, (struct inside_report){ .kind = INSIDE_RUNNING });
	return pid;
}

static struct init_child *find_child(struct init *in, pid_t pid)
{
	for (int i = 0; i < INIT_CHILDREN_MAX; i++)
		if (in->children[i].pid == pid)
			return &in->children[i];
	return NULL;
}

static void run_child(struct init *in, struct arena *a, const struct sandbox_message *m)
{
	struct init_child *c = find_child(in, 0);

	if (!c) {
		close(m->fds[SANDBOX_FD_LOG]);
		tell_failure(in->control, -EAGAIN, "program", m->number);
		return;
	}
	pid_t pid = run_program(in, a, m);
	if (pid > 0)
		*c = (struct init_child){ pid, m->number };
}

static void receive_program(struct init *in, pid_t *main_pid)
{
	struct arena *a CLEANUP(arena_destroyp) = arena_create();
	struct sandbox_message m;
	int error = sandbox_receive(in->control, a, &m);

	if (error || !m.spec.n_argv || m.fds[SANDBOX_FD_LOG] < 0)
		_exit(1); /* the helper has gone: so do we */
	if (m.type == SANDBOX_RUN)
		run_child(in, a, &m);
	else
		*main_pid = run_main(in, a, &m);
}

static void ended(struct init *in, pid_t pid, pid_t main_pid, int status)
{
	struct init_child *c = find_child(in, pid);
	struct inside_report r = { .kind = INSIDE_EXITED, .status = status };

	if (!c && pid != main_pid)
		return;
	r.slot = c ? c->name : 0;
	if (c)
		c->pid = 0;
	in->main_ended |= !c;
	tell(in->control, r);
}

static bool has_children(const struct init *in)
{
	for (int i = 0; i < INIT_CHILDREN_MAX; i++)
		if (in->children[i].pid)
			return true;
	return false;
}

static void reap(struct init *in, pid_t main_pid)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		ended(in, pid, main_pid, status);
	/* Programs of RUN may outlive the main one; if not, the helper kills. */
	if (in->main_ended && !has_children(in))
		_exit(0);
}

static int watch_children(void)
{
	sigset_t children;

	confine_signals();
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	sigprocmask(SIG_BLOCK, &children, NULL);
	return signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
}

_Noreturn void init_run(struct init *in)
{
	int children = watch_children();
	struct signalfd_siginfo info;
	pid_t main_pid = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		int error = steps[i].run(in);
		if (error) {
			tell_failure(in->control, error, steps[i].name, 0);
			_exit(1);
		}
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* changing the user has cleared it */
	tell(in->control, in->ready);
	for (;;) {
		struct pollfd v[] = { { in->control, POLLIN, 0 }, { children, POLLIN, 0 } };
		if (poll(v, 2, -1) < 0 && errno != EINTR)
			_exit(1);
		if (v[1].revents && read(children, &info, sizeof info) >= 0)
			reap(in, main_pid);
		if (v[0].revents)
			receive_program(in, &main_pid);
	}
}
