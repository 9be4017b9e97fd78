/* zygotes: the helper's side of pre-initialised interpreters. */
#include "sandbox/confine.h"
#include "sandbox/helper.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sandbox *sandbox_of(const struct helper *h, const struct zygote *z, uint32_t slot)
{
	struct sandbox *b = slot < (uint32_t)h->n_slots ? h->slots[slot] : NULL;

	return b && b->zygote == z ? b : NULL;
}

/* A zygote knows whose parent it is, not for which sandbox. */
static struct sandbox *sandbox_of_main(const struct helper *h, const struct zygote *z, pid_t pid)
{
	for (int i = 0; i < h->n_slots; i++)
		if (h->slots[i]->zygote == z && h->slots[i]->main_pid == pid)
			return h->slots[i];
	return NULL;
}

static void became_ready(struct helper *h, struct zygote *z)
{
	if (z->ready)
		return;
	z->ready = true;
	helper_send(h, &(struct sandbox_message){ .type = SANDBOX_REPLY,
	                       .number = z->number,
	                       .id = str_of(z->id),
	                       .pid = z->pid });
}

static void socket_ready(struct helper *h, struct watch *w)
{
	struct zygote *z = CONTAINER_OF(w, struct zygote, socket);
	struct inside_report r;
	pid_t sender;

	if (!helper_receive_report(w->fd, &r, &sender)) {
		kill(z->pid, SIGKILL); /* it has gone, or talks nonsense; SIGCHLD tells the rest */
		helper_unwatch(h, w);
		return;
	}
	struct sandbox *b =
	        r.kind == INSIDE_EXITED ? sandbox_of_main(h, z, r.pid) : sandbox_of(h, z, r.slot);
	if (r.kind == INSIDE_READY)
		became_ready(h, z);
	else if (!b)
		return;
	else if (r.kind == INSIDE_RUNNING) {
		b->main_pid = sender;
		spawn_running(h, b);
	} else if (r.kind == INSIDE_FAILED)
		spawn_failed(h, b, r.error, r.step);
	else if (r.kind == INSIDE_EXITED)
		slot_main_exited(h, b, r.status);
}

/* The library lies beside the executable, or where the installation has it. */
static struct str library_path(struct arena *a, const struct helper *h)
{
	char exe[512];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe);
	struct str dir = { exe, (size_t)MAX(n, 0) };

	if (str_rfind_char(dir, '/') > 0)
		dir.n = (size_t)str_rfind_char(dir, '/');
	struct str name = S("libwolke_zygote.so");
	struct str tried[] = { str_concat(a, 3, h->options.runtimes_dir, S("/"), name),
		str_concat(a, 3, dir, S("/"), name),
		str_concat(a, 3, dir, S("/../lib/wolke/"), name) };
	for (size_t i = 0; i < ARRAY_LEN(tried); i++)
		if (access(str_cstr(a, tried[i]), R_OK) == 0)
			return tried[i];
	return tried[1];
}

static char **cstrs(struct arena *a, const struct str *v, size_t n, size_t more)
{
	char **c = arena_new_n(a, char *, n + more + 1);

	for (size_t i = 0; i < n; i++)
		c[i] = (char *)str_cstr(a, v[i]);
	return c;
}

_Noreturn static void become_zygote(
        const struct helper *h, struct arena *a, const struct sandbox_spec *s, int socket)
{
	char **argv = cstrs(a, s->argv, s->n_argv, 0);
	char **env = cstrs(a, s->env, s->n_env, 2);
	struct str library = library_path(a, h);

	env[s->n_env] = (char *)str_cstr(a, str_printf(a, "WOLKE_ZYGOTE_LIB=%.*s", STR(library)));
	env[s->n_env + 1] = (char *)str_cstr(a, str_printf(a, "WOLKE_ZYGOTE_FD=%d", socket));
	confine_signals();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int null_fd = open("/dev/null", O_RDWR);
	dup2(null_fd, 0);
	dup2(2, 1);
	int keep[] = { socket };
	slots_close_except(keep, 1);
	fcntl(socket, F_SETFD, 0);
	execve(argv[0], argv, env);
	_exit(127);
}

static int launch(
        struct helper *h, struct arena *a, const struct sandbox_message *m, struct zygote *z)
{
	int pair[2], on = 1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
	z->pid = fork();
	if (z->pid == 0)
		become_zygote(h, a, &m->spec, pair[1]);
	close(pair[1]);
	size_t size_of_filter = offsetof(struct filter, v) + sizeof h->filter.v[0] * h->filter.n;
	if (z->pid < 0 || send(pair[0], &h->filter, size_of_filter, MSG_NOSIGNAL) < 0) {
		int error = -errno;
		close(pair[0]);
		return error;
	}
	helper_watch(h, &z->socket, pair[0], socket_ready);
	return 0;
}

void zygote_start(struct helper *h, struct arena *a, const struct sandbox_message *m)
{
	struct str id = m->spec.id.n ? m->spec.id : m->id;

	if (!id.n || id.n > 40 || !m->spec.n_argv || map_get(&h->zygotes, id)) {
		helper_answer(h, m->number, -EINVAL, "a zygote needs a free id and a program");
		return;
	}
	struct zygote *z = mem_new(struct zygote);
	snprintf(z->id, sizeof z->id, "%.*s", STR(id));
	z->number = m->number;
	z->socket.fd = -1;
	int error = launch(h, a, m, z);
	if (error) {
		helper_answer(h, m->number, error, "zygote");
		mem_free(z);
		return;
	}
	map_put(&h->zygotes, id, z);
}

static void forget_sandboxes(struct helper *h, struct zygote *z)
{
	for (int i = 0; i < h->n_slots; i++) {
		struct sandbox *b = h->slots[i];
		if (b->zygote != z)
			continue;
		b->zygote = NULL; /* what runs, goes on: the helper inherits it */
		if (b->state == SANDBOX_STARTING)
			spawn_failed(h, b, -ESRCH, "the zygote ended");
	}
}

static void send_exit(struct helper *h, const struct zygote *z, int status)
{
	helper_send(h, &(struct sandbox_message){ .type = SANDBOX_EXIT,
	                       .id = str_of(z->id),
	                       .exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
	                       .exit_signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0 });
}

bool zygote_child_ended(struct helper *h, pid_t pid, int status)
{
	struct map_slot *slot;
	size_t at = 0;

	while ((slot = map_next(&h->zygotes, &at))) {
		struct zygote *z = slot->value;
		if (z->pid != pid)
			continue;
		while (z->socket.fd >= 0)
			socket_ready(h, &z->socket);
		forget_sandboxes(h, z);
		if (z->ready)
			send_exit(h, z, status);
		else
			helper_answer(
			        h, z->number, -ECHILD, "the zygote ended before it was ready");
		map_remove(&h->zygotes, str_of(z->id));
		mem_free(z);
		return true;
	}
	return false;
}

bool zygote_kill(struct helper *h, struct str id)
{
	struct zygote *z = map_get(&h->zygotes, id);

	if (z)
		kill(z->pid, SIGKILL);
	return z != NULL;
}

void zygotes_kill(struct helper *h)
{
	struct map_slot *slot;
	size_t at = 0;

	while ((slot = map_next(&h->zygotes, &at)))
		kill(((struct zygote *)slot->value)->pid, SIGKILL);
}

static struct str pack_env(struct arena *a, const struct sandbox_spec *s)
{
	struct buf b = buf_init(a);

	for (size_t i = 0; i < s->n_env; i++) {
		buf_add(&b, s->env[i]);
		buf_add_char(&b, 0);
	}
	return buf_str(&b);
}

int zygote_fork(struct helper *h, struct sandbox *b)
{
	const struct sandbox_spec *s = &b->request.spec;
	struct zygote *z = map_get(&h->zygotes, s->zygote);
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int) * ZYGOTE_FDS_MAX)];
	} control = { 0 };
	int fds[ZYGOTE_FDS_MAX] = { [ZYGOTE_FD_INIT] = b->init_pidfd, [ZYGOTE_FD_LOG] = b->log_fd };

	if (!z || !z->ready)
		return -ESRCH;
	struct str env = pack_env(b->arena, s);
	struct zygote_spawn spawn = { .slot = (uint32_t)b->slot,
		.max_fds = s->max_fds,
		.max_pids = cgroup_has(&h->cgroups, CGROUP_PIDS) ? 0
		            : s->max_pids                        ? s->max_pids
		                                                 : 1024,
		.memory_mib = cgroup_has(&h->cgroups, CGROUP_MEMORY) ? 0 : s->memory_mib,
		.env_size = (uint32_t)env.n };
	int joins = cgroup_join_files(&h->cgroups, b->slot, fds + ZYGOTE_FD_CGROUPS);
	size_t size = sizeof(int) * (size_t)(ZYGOTE_FD_CGROUPS + joins);
	struct iovec v[] = { { &spawn, sizeof spawn }, { (char *)env.p, env.n } };
	control.header = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(size), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS
	};
	memcpy(CMSG_DATA(&control.header), fds, size);
	struct msghdr m = { .msg_iov = v,
		.msg_iovlen = 2,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(size) };
	b->zygote = z;
	int error = sendmsg(z->socket.fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
	for (int i = 0; i < joins; i++)
		close(fds[ZYGOTE_FD_CGROUPS + i]);
	if (!error)
		fd_closep(&b->log_fd);
	return error;
}
