/* spawn: from a request to a running program in a sandbox that stands. */
#include "sandbox/helper.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The request's memory and what it gathered. */
void spawn_clear(struct sandbox *b)
{
	for (int i = 0; i < SANDBOX_FD_N; i++)
		fd_closep(&b->reply.fds[i]);
	if (b->arena)
		arena_destroyp(&b->arena);
	b->arena = NULL;
}

void spawn_failed(struct helper *h, struct sandbox *b, int error, const char *step)
{
	if (b->arena) {
		struct str why = str_printf(b->arena, "%s: %s", step, strerror(-error));
		helper_answer(h, b->request.number, error, str_cstr(b->arena, why));
		spawn_clear(b);
		if (!b->answered && b->id[0]) { /* the id is free again at once */
			map_remove(&h->by_id, str_of(b->id));
			b->id[0] = 0;
		}
	} else if (b->state == SANDBOX_MAKING) {
		h->spares_wanted = 0; /* would fail for ever */
	}
	slot_kill(h, b);
}

static void succeed(struct helper *h, struct sandbox *b, enum sandbox_state state)
{
	b->state = state;
	b->answered = true;
	b->reply.type = SANDBOX_REPLY;
	b->reply.number = b->request.number;
	b->reply.id = str_of(b->id);
	b->reply.pid = b->main_pid;
	helper_send(h, &b->reply);
	spawn_clear(b);
}

void spawn_running(struct helper *h, struct sandbox *b)
{
	if (b->state == SANDBOX_STARTING && b->arena)
		succeed(h, b, SANDBOX_RUNNING);
}

static int listen_on(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd CLEANUP(fd_closep) = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof to) < 0 || listen(fd, 128) < 0)
		return -errno;
	return fd_take(&fd);
}

struct inside {
	struct helper *h;
	struct sandbox *b;
};

static bool network_differs(const struct helper *h, const struct sandbox *b)
{
	return b->network != b->request.spec.network && !h->without_network &&
	       h->network.to_relay >= 0;
}

/* A spare was made before it was known what is asked for. */
static int set_network(void *arg)
{
	const struct inside *in = arg;

	if (!network_differs(in->h, in->b))
		return 0;
	in->b->network = in->b->request.spec.network;
	return network_inside_route(in->b->network, in->h->network.ipv6);
}

static int open_ports(void *arg)
{
	struct sandbox *b = ((const struct inside *)arg)->b;
	const uint16_t ports[] = { b->request.spec.runtime_port, b->request.spec.endpoint_port };
	static const int which[] = { SANDBOX_FD_RUNTIME, SANDBOX_FD_ENDPOINT };

	for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
		int fd = ports[i] ? listen_on(ports[i]) : -1;
		if (ports[i] && fd < 0)
			return fd;
		b->reply.fds[which[i]] = fd;
	}
	return set_network(arg);
}

struct connecting {
	uint16_t port;
	int fd;
};

static int connect_inside(void *arg)
{
	struct connecting *c = arg;
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(c->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd CLEANUP(fd_closep) = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || (connect(fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS))
		return -errno;
	c->fd = fd_take(&fd);
	return 0;
}

int spawn_connect(struct helper *h, struct sandbox *b, uint16_t port)
{
	struct connecting c = { .port = port, .fd = -1 };
	int error = mounts_inside(&h->mounts, b->init_pidfd, connect_inside, &c);

	return error ? error : c.fd;
}

static int open_log(struct sandbox *b)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	b->reply.fds[SANDBOX_FD_LOG] = ends[0];
	b->log_fd = ends[1];
	return 0;
}

static int set_limits(struct helper *h, struct sandbox *b, const struct sandbox_spec *s)
{
	uint32_t max_pids = s->max_pids ? s->max_pids : 1024;

	b->memory_mib = s->memory_mib;
	/* Pid 1 is one of them. */
	TRY(cgroup_limit(&h->cgroups, &b->cgroup, b->slot, s->memory_mib, max_pids + 1));
	return cgroup_cpu(&h->cgroups, &b->cgroup, b->slot, 0);
}

void spawn_run(struct helper *h, struct sandbox *b, const struct sandbox_message *m)
{
	struct sandbox_message to_init = { .type = SANDBOX_RUN, .number = m->number },
	                       reply = { .type = SANDBOX_REPLY, .number = m->number };
	int ends[2];

	if (b->control.fd < 0 || pipe2(ends, O_CLOEXEC) < 0) {
		helper_answer(h, m->number, -ESRCH, "its pid 1 has gone");
		return;
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	to_init.spec = m->spec;
	memset(to_init.fds, -1, sizeof to_init.fds);
	memset(reply.fds, -1, sizeof reply.fds);
	to_init.fds[SANDBOX_FD_LOG] = ends[1];
	reply.fds[SANDBOX_FD_LOG] = ends[0];
	int error = sandbox_send(b->control.fd, &to_init);
	if (error) {
		helper_answer(h, m->number, error, "program");
	} else {
		b->n_children++;
		helper_send(h, &reply);
	}
	close(ends[0]);
	close(ends[1]);
}

static struct mounts_target target(const struct helper *h, const struct sandbox *b, bool again)
{
	uid_t uid = h->rootless ? 0 : 1900000000u + (uid_t)b->slot;

	return (struct mounts_target){ b->init_pidfd, uid, uid, again };
}

static int start_program(struct helper *h, struct sandbox *b)
{
	const struct sandbox_spec *s = &b->request.spec;
	struct sandbox_message m = { .type = SANDBOX_SPAWN, .spec = *s };

	b->state = SANDBOX_STARTING;
	if (s->zygote.n)
		return zygote_fork(h, b);
	m.fds[SANDBOX_FD_LOG] = b->log_fd;
	TRY(sandbox_send(b->control.fd, &m));
	fd_closep(&b->log_fd);
	return 0;
}

static int gather(struct helper *h, struct sandbox *b, const char **step)
{
	struct mounts_target t = target(h, b, false);
	struct inside in = { h, b };
	struct str what;
	int error;

	*step = "limits";
	TRY(set_limits(h, b, &b->request.spec));
	*step = "mounts";
	if ((error = mounts_attach(&h->mounts, b->arena, &t, &b->request.spec, &what))) {
		if (what.n)
			*step = str_cstr(b->arena, what);
		return error;
	}
	*step = "ports";
	TRY(mounts_inside(&h->mounts, b->init_pidfd, open_ports, &in));
	*step = "log";
	TRY(open_log(b));
	b->reply.fds[SANDBOX_FD_PIDFD] = fcntl(b->init_pidfd, F_DUPFD_CLOEXEC, 3);
	b->reply.fds[SANDBOX_FD_MEMORY] = cgroup_open_peak(&h->cgroups, b->slot);
	b->reply.fds[SANDBOX_FD_CPU] = cgroup_open_cpu(&h->cgroups, b->slot);
	*step = "program";
	return 0;
}

void spawn_continue(struct helper *h, struct sandbox *b)
{
	const char *step;
	int error;

	if (!b->arena) {
		b->state = SANDBOX_SPARE;
		return;
	}
	if ((error = gather(h, b, &step))) {
		spawn_failed(h, b, error, step);
		return;
	}
	if (!b->request.spec.n_argv && !b->request.spec.zygote.n)
		succeed(h, b, SANDBOX_EMPTY);
	else if ((error = start_program(h, b)))
		spawn_failed(h, b, error, step);
}

static bool id_is_good(struct str id)
{
	for (size_t i = 0; i < id.n; i++)
		if (!((id.p[i] >= '0' && id.p[i] <= '9') ||
		            ((id.p[i] | 32) >= 'a' && (id.p[i] | 32) <= 'z')))
			return false;
	return id.n >= 1 && id.n <= 40;
}

/* Strings become the sandbox's own: the request outlives its message. */
static void copy_list(struct arena *a, struct str **v, size_t n)
{
	struct str *copy = arena_new_n(a, struct str, n);

	for (size_t i = 0; i < n; i++)
		copy[i] = str_dup(a, (*v)[i]);
	*v = copy;
}

static void keep_request(struct sandbox *b, const struct sandbox_message *m)
{
	struct sandbox_spec *s = &b->request.spec;

	b->arena = arena_create();
	b->request = *m;
	s->id = str_dup(b->arena, s->id);
	s->zygote = str_dup(b->arena, s->zygote);
	s->code_dir = str_dup(b->arena, s->code_dir);
	s->runtime_dir = str_dup(b->arena, s->runtime_dir);
	copy_list(b->arena, &s->argv, s->n_argv);
	copy_list(b->arena, &s->env, s->n_env);
	copy_list(b->arena, &s->layers, s->n_layers);
	copy_list(b->arena, &s->extra, s->n_extra);
	b->reply = (struct sandbox_message){ 0 };
	memset(b->reply.fds, -1, sizeof b->reply.fds);
}

void spawn_request(struct helper *h, struct arena *a, const struct sandbox_message *m)
{
	struct str id = m->spec.id.n ? m->spec.id : m->id;

	if (!id_is_good(id) || map_get(&h->by_id, id)) {
		helper_answer(h, m->number, -EINVAL, "id is not good, or in use");
		return;
	}
	struct sandbox *b = slot_take(h);
	if (!b) {
		helper_answer(h, m->number, -EAGAIN, "no new process or cgroup can be made");
		return;
	}
	keep_request(b, m);
	snprintf(b->id, sizeof b->id, "%.*s", STR(id));
	map_put(&h->by_id, id, b);
	if (b->state == SANDBOX_SPARE)
		spawn_continue(h, b);
}

static int assign(struct helper *h, struct sandbox *b, const char **step)
{
	struct mounts_target t = target(h, b, true);
	struct sandbox_spec *s = &b->request.spec;
	struct inside in = { h, b };
	struct str what = S("");
	int error;

	*step = "limits";
	if (s->memory_mib || s->max_pids)
		TRY(set_limits(h, b, s));
	*step = "network";
	if (network_differs(h, b))
		TRY(mounts_inside(&h->mounts, b->init_pidfd, set_network, &in));
	*step = "mounts";
	if ((error = mounts_attach(&h->mounts, b->arena, &t, s, &what)) && what.n)
		*step = str_cstr(b->arena, what);
	return error;
}

/* A program that runs already keeps what it has; an empty sandbox starts what is brought. */
void spawn_assign(struct helper *h, struct arena *a, const struct sandbox_message *m)
{
	struct sandbox *b = map_get(&h->by_id, m->spec.id.n ? m->spec.id : m->id);
	const char *step;
	int error;

	if (!b || (b->state != SANDBOX_EMPTY && b->state != SANDBOX_RUNNING)) {
		helper_answer(
		        h, m->number, -ESRCH, "no such sandbox, or not one that can be assigned");
		return;
	}
	keep_request(b, m);
	error = assign(h, b, &step);
	if (!error && b->state == SANDBOX_EMPTY && (m->spec.n_argv || m->spec.zygote.n)) {
		step = "program";
		error = start_program(h, b);
		if (!error)
			return;
	}
	if (error)
		spawn_failed(h, b, error, step);
	else
		succeed(h, b, b->state);
}
