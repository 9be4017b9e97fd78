/* slots: making, keeping and ending sandboxes, whatever they are for. */
#include "sandbox/helper.h"
#include "sandbox/init.h"

#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_UID  1900000000u /* above what systemd gives to containers */
#define SPARES_MAX 16

int slot_count(const struct helper *h, enum sandbox_state state)
{
	int n = 0;

	for (int i = 0; i < h->n_slots; i++)
		n += h->slots[i]->state == state;
	return n;
}

static struct sandbox *find_state(const struct helper *h, enum sandbox_state state)
{
	for (int i = 0; i < h->n_slots; i++)
		if (h->slots[i]->state == state)
			return h->slots[i];
	return NULL;
}

static struct sandbox *free_slot(struct helper *h)
{
	struct sandbox *b = find_state(h, SANDBOX_FREE);

	if (b)
		return b;
	b = mem_new(struct sandbox);
	b->slot = h->n_slots;
	b->control.fd = b->init_pidfd = b->log_fd = -1;
	h->slots = mem_resize(h->slots, sizeof *h->slots * (size_t)(h->n_slots + 1));
	h->slots[h->n_slots++] = b;
	return b;
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

void slots_close_except(int *keep, size_t n)
{
	unsigned from = 3;

	qsort(keep, n, sizeof *keep, compare);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] > (int)from)
			close_range(from, (unsigned)keep[i] - 1, 0);
		from = MAX(from, (unsigned)keep[i] + 1);
	}
	close_range(from, ~0u, 0);
}

static void send_child(
        struct helper *h, const struct sandbox *b, uint32_t name, int status, int error)
{
	helper_send(h,
	        &(struct sandbox_message){
	                .type = SANDBOX_CHILD,
	                .id = str_of(b->id),
	                .pid = (int)name,
	                .error = error,
	                .exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
	                .exit_signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
	                .oom_killed = !name && cgroup_oom_killed(&h->cgroups, &b->cgroup, b->slot),
	        });
}

static void child_report(struct helper *h, struct sandbox *b, const struct inside_report *r)
{
	if (r->kind != INSIDE_EXITED && r->kind != INSIDE_FAILED)
		return;
	b->n_children--;
	send_child(h, b, r->slot, r->kind == INSIDE_EXITED ? r->status : 126 << 8, r->error);
	if (b->exited && !b->n_children)
		slot_kill(h, b);
}

static void collect_reports(struct helper *h, struct sandbox *b)
{
	struct inside_report r;
	pid_t sender;

	while (b->control.fd >= 0 && helper_receive_report(b->control.fd, &r, &sender)) {
		if (r.slot) {
			child_report(h, b, &r);
		} else if (r.kind == INSIDE_READY && b->state == SANDBOX_MAKING) {
			if (r.error)
				helper_no_network(h, r.step, r.error);
			b->network =
			        !r.error && h->network.to_relay >= 0 && h->network.options.standard;
			spawn_continue(h, b);
		} else if (r.kind == INSIDE_STARTED)
			b->main_pid = sender;
		else if (r.kind == INSIDE_RUNNING)
			spawn_running(h, b);
		else if (r.kind == INSIDE_FAILED)
			spawn_failed(h, b, r.error, r.step);
		else if (r.kind == INSIDE_EXITED)
			slot_main_exited(h, b, r.status);
	}
}

/* At its end nothing more can be read; SIGCHLD tells the rest. */
static void control_ready(struct helper *h, struct watch *w)
{
	struct sandbox *b = CONTAINER_OF(w, struct sandbox, control);
	char byte;

	collect_reports(h, b);
	if (w->fd >= 0 && recv(w->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		helper_unwatch(h, w);
}

_Noreturn static void become_init(struct helper *h, struct sandbox *b, int control)
{
	struct init in = { .control = control,
		.mounts = &h->mounts,
		.filter = &h->filter,
		.uid = h->rootless ? 0 : FIRST_UID + (uid_t)b->slot,
		.rootless = h->rootless,
		.network = { h->network.to_relay, h->network.ipv6, h->network.options.standard },
		.no_pids_cgroup = !cgroup_has(&h->cgroups, CGROUP_PIDS),
		.no_memory_cgroup = !cgroup_has(&h->cgroups, CGROUP_MEMORY) };
	int keep[16], n = 0;

	in.n_cgroup_files = cgroup_join_files(&h->cgroups, b->slot, in.cgroup_files);
	keep[n++] = control;
	keep[n++] = h->mounts.template_ns;
	if (h->network.to_relay >= 0)
		keep[n++] = h->network.to_relay;
	for (int i = 0; i < in.n_cgroup_files; i++)
		keep[n++] = in.cgroup_files[i];
	slots_close_except(keep, (size_t)n);
	init_run(&in);
}

/* The other namespaces pid 1 makes itself: that runs beside the helper, on another CPU. */
static int make(struct helper *h, struct sandbox *b)
{
	int pair[2], on = 1, pidfd = -1;

	TRY(cgroup_make(&h->cgroups, &b->cgroup, b->slot));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
	long pid =
	        syscall(SYS_clone, CLONE_NEWPID | CLONE_PIDFD | SIGCHLD, NULL, &pidfd, NULL, NULL);
	if (pid == 0)
		become_init(h, b, pair[1]);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return -errno;
	}
	b->state = SANDBOX_MAKING;
	b->init_pid = (pid_t)pid;
	b->init_pidfd = pidfd;
	helper_watch(h, &b->control, pair[0], control_ready);
	return 0;
}

/* More are kept when they were missed. */
struct sandbox *slot_take(struct helper *h)
{
	struct sandbox *b = find_state(h, SANDBOX_SPARE);

	if (b)
		return b;
	h->spares_wanted = MIN(h->spares_wanted + 1, SPARES_MAX);
	b = free_slot(h);
	return make(h, b) ? NULL : b;
}

void slots_refill(struct helper *h)
{
	struct sandbox *b = free_slot(h);

	if (make(h, b))
		h->spares_wanted = 0;
}

void slot_kill(struct helper *h, struct sandbox *b)
{
	if (b->state == SANDBOX_FREE || b->init_pidfd < 0)
		return;
	b->state = SANDBOX_ENDING;
	pidfd_send_signal(b->init_pidfd, SIGKILL, NULL, 0);
	/* Frozen processes of version 1 die only when thawed. */
	(void)!cgroup_freeze(&h->cgroups, b->slot, false);
}

void slot_main_exited(struct helper *h, struct sandbox *b, int status)
{
	if (b->exited)
		return;
	b->exited = true;
	b->status = status;
	if (b->n_children)
		send_child(h, b, 0, status, 0);
	else
		slot_kill(h, b);
}

static void send_exit(struct helper *h, const struct sandbox *b)
{
	int status = b->exited ? b->status : SIGKILL;

	helper_send(h, &(struct sandbox_message){
	                       .type = SANDBOX_EXIT,
	                       .id = str_of(b->id),
	                       .exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
	                       .exit_signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
	                       .oom_killed = cgroup_oom_killed(&h->cgroups, &b->cgroup, b->slot),
	               });
}

static void release(struct helper *h, struct sandbox *b)
{
	helper_unwatch(h, &b->control);
	fd_closep(&b->init_pidfd);
	fd_closep(&b->log_fd);
	if (b->id[0] && map_get(&h->by_id, str_of(b->id)) == b)
		map_remove(&h->by_id, str_of(b->id));
	b->id[0] = 0;
	b->init_pid = b->main_pid = 0;
	b->zygote = NULL;
	b->answered = b->exited = false;
	b->n_children = 0;
	b->state = SANDBOX_FREE;
}

static void ended(struct helper *h, struct sandbox *b)
{
	collect_reports(h, b);
	if (b->arena)
		spawn_failed(h, b, -ECHILD, "the sandbox ended while it was being made");
	if (b->answered)
		send_exit(h, b);
	release(h, b);
}

void slot_child_ended(struct helper *h, pid_t pid, int status)
{
	for (int i = 0; i < h->n_slots; i++) {
		struct sandbox *b = h->slots[i];
		if (b->init_pid == pid)
			ended(h, b);
		else if (b->main_pid == pid)
			slot_main_exited(h, b, status);
	}
}
