/* message: packing, and the socket that carries it. */
#include "sandbox/message.h"

#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

enum kind { TYPE, U32, U16, INT, BOOL, STRING, LIST };

struct field {
	enum kind kind;
	size_t at;
	size_t count_at; /* LIST */
};

#define M(field)          offsetof(struct sandbox_message, field)
#define LIST_OF(v, count) LIST, M(v), M(count)

static const struct field fields[] = {
	{ TYPE, M(type) },
	{ U32, M(number) },
	{ STRING, M(id) },
	{ INT, M(error) },
	{ STRING, M(why) },
	{ INT, M(pid) },
	{ INT, M(signal) },
	{ INT, M(exit_code) },
	{ INT, M(exit_signal) },
	{ BOOL, M(oom_killed) },
	{ STRING, M(spec.id) },
	{ STRING, M(spec.zygote) },
	{ LIST_OF(spec.argv, spec.n_argv) },
	{ LIST_OF(spec.env, spec.n_env) },
	{ STRING, M(spec.code_dir) },
	{ LIST_OF(spec.layers, spec.n_layers) },
	{ STRING, M(spec.runtime_dir) },
	{ LIST_OF(spec.extra, spec.n_extra) },
	{ U32, M(spec.memory_mib) },
	{ U32, M(spec.tmp_mib) },
	{ U32, M(spec.max_pids) },
	{ U32, M(spec.max_fds) },
	{ U16, M(spec.runtime_port) },
	{ U16, M(spec.endpoint_port) },
	{ BOOL, M(spec.network) },
	{ BOOL, M(spec.code_writable) },
};

struct writer {
	char *p;
	size_t n, size;
	bool full;
};

static void put(struct writer *w, const void *p, size_t n)
{
	if (n > w->size - w->n) {
		w->full = true;
		return;
	}
	if (n)
		memcpy(w->p + w->n, p, n);
	w->n += n;
}

static void put_u32(struct writer *w, uint32_t v)
{
	put(w, &v, sizeof v);
}

static void put_str(struct writer *w, struct str s)
{
	put_u32(w, (uint32_t)MIN(s.n, UINT32_MAX));
	put(w, s.p, s.n);
}

static void put_field(struct writer *w, const struct field *f, const char *base)
{
	const char *p = base + f->at;

	switch (f->kind) {
	case TYPE:
		put_u32(w, *(const enum sandbox_message_type *)p);
		break;
	case U32:
	case INT:
		put(w, p, sizeof(uint32_t));
		break;
	case U16:
		put_u32(w, *(const uint16_t *)p);
		break;
	case BOOL:
		put_u32(w, *(const bool *)p);
		break;
	case STRING:
		put_str(w, *(const struct str *)p);
		break;
	case LIST: {
		size_t n = *(const size_t *)(base + f->count_at);
		put_u32(w, (uint32_t)MIN(n, UINT32_MAX));
		for (size_t i = 0; i < n && !w->full; i++)
			put_str(w, (*(struct str *const *)p)[i]);
	}
	}
}

ssize_t message_pack(const struct sandbox_message *m, char *room, size_t size)
{
	struct writer w = { .p = room, .size = size };

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		put_field(&w, &fields[i], (const char *)m);
	return w.full ? -EMSGSIZE : (ssize_t)w.n;
}

static bool take_u32(struct str *rest, uint32_t *v)
{
	if (rest->n < sizeof *v)
		return false;
	memcpy(v, rest->p, sizeof *v);
	*rest = (struct str){ rest->p + sizeof *v, rest->n - sizeof *v };
	return true;
}

static bool take_str(struct str *rest, struct str *s)
{
	uint32_t n;

	if (!take_u32(rest, &n) || n > rest->n)
		return false;
	*s = (struct str){ rest->p, n };
	*rest = (struct str){ rest->p + n, rest->n - n };
	return true;
}

static bool take_list(struct str *rest, struct arena *a, struct str **v, size_t *count)
{
	uint32_t n;

	if (!take_u32(rest, &n) || n > rest->n / sizeof n)
		return false;
	*v = n ? arena_new_n(a, struct str, n) : NULL;
	*count = n;
	for (size_t i = 0; i < n; i++)
		if (!take_str(rest, &(*v)[i]))
			return false;
	return true;
}

static bool take_number(struct str *rest, const struct field *f, char *p)
{
	uint32_t v;

	if (!take_u32(rest, &v))
		return false;
	switch (f->kind) {
	case TYPE:
		*(enum sandbox_message_type *)p = v;
		return v >= SANDBOX_SPAWN && v <= SANDBOX_CHILD;
	case U16:
		*(uint16_t *)p = (uint16_t)v;
		return v <= UINT16_MAX;
	case BOOL:
		*(bool *)p = v;
		return v <= 1;
	default:
		memcpy(p, &v, sizeof v);
		return true;
	}
}

static bool take_field(struct str *rest, struct arena *a, const struct field *f, char *base)
{
	char *p = base + f->at;

	if (f->kind == STRING)
		return take_str(rest, (struct str *)p);
	if (f->kind == LIST)
		return take_list(rest, a, (struct str **)p, (size_t *)(base + f->count_at));
	return take_number(rest, f, p);
}

int message_unpack(struct str bytes, struct arena *a, struct sandbox_message *m)
{
	*m = (struct sandbox_message){ 0 };
	memset(m->fds, -1, sizeof m->fds);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (!take_field(&bytes, a, &fields[i], (char *)m))
			return -EBADMSG;
	return bytes.n ? -EBADMSG : 0;
}

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int) * SANDBOX_FD_N)];
};

/* A mask says which descriptors follow. 0 is none, too: a request that never thought of them. */
static uint32_t gather_fds(const struct sandbox_message *m, struct msghdr *h, union control *c)
{
	uint32_t mask = 0;
	size_t n = 0;
	int v[SANDBOX_FD_N];

	for (int i = 0; i < SANDBOX_FD_N; i++)
		if (m->fds[i] > 0) {
			mask |= 1u << i;
			v[n++] = m->fds[i];
		}
	if (n) {
		h->msg_control = c;
		h->msg_controllen = CMSG_SPACE(sizeof(int) * n);
		c->header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int) * n),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&c->header), v, sizeof(int) * n);
	}
	return mask;
}

int sandbox_send(int socket_fd, const struct sandbox_message *m)
{
	struct arena *a CLEANUP(arena_destroyp) = arena_create();
	char *room = arena_bytes(a, SANDBOX_MESSAGE_MAX);
	ssize_t size = message_pack(m, room, SANDBOX_MESSAGE_MAX - sizeof(uint32_t));
	union control control = { 0 };
	struct msghdr h = { 0 };
	ssize_t sent;

	if (size < 0)
		return (int)size;
	uint32_t mask = gather_fds(m, &h, &control);
	struct iovec v[] = { { &mask, sizeof mask }, { room, (size_t)size } };
	h.msg_iov = v;
	h.msg_iovlen = 2;
	do
		sent = sendmsg(socket_fd, &h, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

static void close_all(const int *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(v[i]);
}

/* Puts received descriptors where the mask says; any other number of them is no message of ours. */
static int scatter_fds(struct msghdr *h, uint32_t mask, struct sandbox_message *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(h);
	int v[SANDBOX_FD_N];
	size_t n = 0, at = 0;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		n = MIN((c->cmsg_len - CMSG_LEN(0)) / sizeof(int), ARRAY_LEN(v));
		memcpy(v, CMSG_DATA(c), n * sizeof(int));
	}
	if ((size_t)__builtin_popcount(mask) != n || mask >> SANDBOX_FD_N) {
		close_all(v, n);
		return -EBADMSG;
	}
	for (int i = 0; i < SANDBOX_FD_N; i++)
		if (mask & (1u << i))
			m->fds[i] = v[at++];
	return 0;
}

static int receive_into(int fd, struct msghdr *h)
{
	ssize_t n;

	do
		n = recvmsg(fd, h, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == 0 ? -EPIPE : (int)n;
}

int sandbox_receive(int socket_fd, struct arena *a, struct sandbox_message *m)
{
	union control control = { 0 };
	uint32_t mask = 0;
	ssize_t size;

	do
		size = recv(socket_fd, NULL, 0, MSG_PEEK | MSG_TRUNC);
	while (size < 0 && errno == EINTR);
	if (size <= 0)
		return size ? -errno : -EPIPE;
	size = MIN(size, SANDBOX_MESSAGE_MAX);
	char *room = arena_bytes(a, (size_t)size);
	struct iovec v[] = { { &mask, sizeof mask }, { room, (size_t)size } };
	struct msghdr h = { .msg_iov = v,
		.msg_iovlen = 2,
		.msg_control = &control,
		.msg_controllen = sizeof control };
	int n = receive_into(socket_fd, &h);
	if (n < 0)
		return n;
	int bad = message_unpack(
	        (struct str){ room, n > (int)sizeof mask ? (size_t)n - sizeof mask : 0 }, a, m);
	int bad_fds = scatter_fds(&h, mask, m);
	if (bad && !bad_fds)
		for (int i = 0; i < SANDBOX_FD_N; i++)
			fd_closep(&m->fds[i]);
	return bad ? bad : bad_fds;
}
