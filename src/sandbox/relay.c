/* relay: the process, its loop, sandboxes that come and go. */
#include "sandbox/relay.h"
#include "base/arena.h"
#include "base/clock.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Packets taken from one sandbox before others have their turn. */
#define CAUGHT_AT_ONCE 32

void relay_watch(struct relay *r, struct source *s, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = s };

	s->fd = fd;
	s->events = events;
	ensure(epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &e) == 0);
}

/* What nothing is asked of is taken out: epoll would tell its hang-up again and again. */
void relay_change(struct relay *r, struct source *s, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = s };
	int what = !events ? EPOLL_CTL_DEL : s->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (s->events != events)
		ensure(epoll_ctl(r->epoll, what, s->fd, &e) == 0);
	s->events = events;
}

void relay_unwatch(struct relay *r, struct source *s)
{
	fd_closep(&s->fd); /* no one else has it: epoll forgets it, too */
}

void relay_deadline(struct relay *r, struct flow *f, unsigned seconds)
{
	heap_remove(&r->deadlines, &f->deadline);
	if (seconds)
		heap_push(&r->deadlines, &f->deadline, clock_mono_ns() / 1000000000 + seconds + 1);
}

void relay_inject(const struct guest *g, const struct packet_flow *f, const char *packet, size_t n,
        bool outwards)
{
	const uint8_t *to = outwards ? f->to : f->from;
	struct sockaddr_in to4 = { .sin_family = AF_INET };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };
	bool is4 = f->family == AF_INET;

	memcpy(&to4.sin_addr, to, sizeof to4.sin_addr);
	memcpy(&to6.sin6_addr, to, sizeof to6.sin6_addr);
	/* What does not fit is lost, as packets are. */
	if (n)
		(void)!sendto(is4 ? g->raw : g->raw6, packet, n, 0,
		        is4 ? (struct sockaddr *)&to4 : (struct sockaddr *)&to6,
		        is4 ? sizeof to4 : sizeof to6);
}

/* Closing a packet socket waits until no CPU looks at it: milliseconds, which are not the loop's.
 */
static void *close_slowly(void *arg)
{
	struct relay *r = arg;
	int fd;

	while (read(r->closer[0], &fd, sizeof fd) == sizeof fd)
		close(fd);
	return NULL;
}

static void start_closer(struct relay *r)
{
	pthread_attr_t small;
	pthread_t thread;

	ensure(pipe2(r->closer, O_CLOEXEC) == 0 && pthread_attr_init(&small) == 0);
	pthread_attr_setstacksize(&small, 64 * 1024);
	ensure(pthread_create(&thread, &small, close_slowly, r) == 0);
	pthread_attr_destroy(&small);
}

static void close_caught(struct relay *r, struct source *s)
{
	if (s->fd < 0)
		return;
	relay_change(r, s, 0);
	if (write(r->closer[1], &s->fd, sizeof s->fd) != sizeof s->fd)
		close(s->fd);
}

static void guest_ended(struct relay *r, struct guest *g)
{
	relay_tcp_clear(r, g);
	relay_udp_clear(r, g);
	relay_unwatch(r, &g->pidfd);
	relay_unwatch(r, &g->listener);
	close_caught(r, &g->caught);
	close_caught(r, &g->caught6);
	fd_closep(&g->raw);
	fd_closep(&g->raw6);
	mem_free(g);
}

static void pidfd_ready(struct relay *r, struct source *s, uint32_t events)
{
	guest_ended(r, CONTAINER_OF(s, struct guest, pidfd));
}

static void listener_ready(struct relay *r, struct source *s, uint32_t events)
{
	relay_tcp_accept(r, CONTAINER_OF(s, struct guest, listener));
}

static void take_caught(struct relay *r, struct guest *g, int fd)
{
	struct packet p;

	for (int i = 0; i < CAUGHT_AT_ONCE; i++) {
		ssize_t n = recv(fd, r->room, sizeof r->room, 0);
		if (n < 0)
			return;
		struct str bytes = { r->room, (size_t)n };
		if (!packet_read(bytes, &p))
			continue;
		if (p.flow.protocol == IPPROTO_TCP)
			relay_tcp_caught(r, g, &p, bytes);
		else
			relay_udp_caught(r, g, &p, bytes);
	}
}

static void caught_ready(struct relay *r, struct source *s, uint32_t events)
{
	take_caught(r, CONTAINER_OF(s, struct guest, caught), s->fd);
}

static void caught6_ready(struct relay *r, struct source *s, uint32_t events)
{
	take_caught(r, CONTAINER_OF(s, struct guest, caught6), s->fd);
}

static void guest_add(struct relay *r, const int fds[NETWORK_FDS])
{
	struct guest *g = mem_new(struct guest);

	*g = (struct guest){ .pidfd.ready = pidfd_ready,
		.listener.ready = listener_ready,
		.caught.ready = caught_ready,
		.caught6 = { .fd = -1, .ready = caught6_ready },
		.raw = fds[NETWORK_FD_RAW],
		.raw6 = fds[NETWORK_FD_RAW6] };
	list_init(&g->offered);
	list_init(&g->open);
	list_init(&g->datagrams);
	relay_watch(r, &g->pidfd, fds[NETWORK_FD_PIDFD], EPOLLIN);
	relay_watch(r, &g->listener, fds[NETWORK_FD_LISTENER], EPOLLIN);
	relay_watch(r, &g->caught, fds[NETWORK_FD_CATCH], EPOLLIN);
	if (fds[NETWORK_FD_CATCH6] >= 0)
		relay_watch(r, &g->caught6, fds[NETWORK_FD_CATCH6], EPOLLIN);
}

static void arrivals_ready(struct relay *r, struct source *s, uint32_t events)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int) * NETWORK_FDS)];
	} control;
	char byte;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control };
	int fds[NETWORK_FDS];

	if (recvmsg(s->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0)
		return;
	memset(fds, -1, sizeof fds);
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(fds, CMSG_DATA(c), MIN(c->cmsg_len - CMSG_LEN(0), sizeof fds));
	/* Out of descriptors: this sandbox has no network. */
	if (fds[NETWORK_FD_CATCH] < 0 || (fds[NETWORK_FD_RAW6] >= 0 && fds[NETWORK_FD_CATCH6] < 0))
		for (int i = 0; i < NETWORK_FDS; i++)
			fd_closep(&fds[i]);
	else
		guest_add(r, fds);
}

static void expire(struct relay *r)
{
	uint64_t now_s = clock_mono_ns() / 1000000000;
	struct heap_node *n;

	while ((n = heap_first(&r->deadlines)) && n->key <= now_s) {
		struct flow *f = CONTAINER_OF(n, struct flow, deadline);
		heap_remove(&r->deadlines, n);
		f->expired(r, f);
	}
}

/* One event at a time: what it does may end what others are about. */
_Noreturn void relay_run(int arrivals, const struct network_options *o)
{
	struct relay *r = mem_new(struct relay);
	struct epoll_event e;

	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	r->options = o;
	r->arrivals.ready = arrivals_ready;
	start_closer(r);
	relay_watch(r, &r->arrivals, arrivals, EPOLLIN);
	for (;;) {
		int n = epoll_wait(r->epoll, &e, 1, heap_first(&r->deadlines) ? 1000 : -1);
		if (n > 0) {
			struct source *s = e.data.ptr;
			s->ready(r, s, e.events);
		}
		if (heap_first(&r->deadlines))
			expire(r);
	}
}
