/* relay_tcp: connections. One is made to the destination first; when it stands, the SYN that was
 * caught goes on to the sandbox's listener, and what is accepted there is the other half. */
#include "base/arena.h"
#include "sandbox/relay.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define OFFERED_MAX  256 /* of a sandbox, not accepted; its kernel asks again later */
#define OFFERED_S    20  /* who asked has given up by then */
#define CONNECTING_S 150
#define SYN_MAX      128

enum state { CONNECTING, OFFERED, OPEN };

struct end {
	struct source source;
	struct end *other;
	char *pending; /* what it has not taken yet */
	size_t at, n;
	bool ended; /* it sends no more */
	bool told;  /* that the other sends no more */
};

struct tcp {
	struct flow flow;
	enum state state;
	struct end host, guest;
	uint32_t sequence;
	size_t n_syn;
	char syn[SYN_MAX];
};

static void end_close(struct relay *r, struct end *e, bool reset)
{
	struct linger at_once = { 1, 0 };

	if (reset && e->source.fd >= 0)
		setsockopt(e->source.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	relay_unwatch(r, &e->source);
	mem_free(e->pending);
	e->pending = NULL;
}

static void tcp_free(struct relay *r, struct tcp *c, bool reset)
{
	relay_deadline(r, &c->flow, 0);
	end_close(r, &c->host, reset);
	end_close(r, &c->guest, reset);
	list_remove(&c->flow.node);
	c->flow.guest->n_offered -= c->state != OPEN;
	mem_free(c);
}

static void tcp_expired(struct relay *r, struct flow *f)
{
	tcp_free(r, CONTAINER_OF(f, struct tcp, flow), true);
}

/* ---- while it is being made ---- */

static struct str syn_of(const struct tcp *c)
{
	return (struct str){ c->syn, c->n_syn };
}

/* Nothing is said when nothing was answered: the one inside waits as long as we did. */
static void refuse(struct relay *r, struct tcp *c, int error)
{
	struct packet syn = { .flow = c->flow.key, .sequence = c->sequence };
	size_t n = error == ECONNREFUSED ? packet_reset(r->room, &syn)
	           : error == ETIMEDOUT
	                   ? 0
	                   : packet_unreachable(r->room, &c->flow.key, syn_of(c), error);

	relay_inject(c->flow.guest, &c->flow.key, r->room, n, false);
	tcp_free(r, c, true);
}

static void offer(struct relay *r, struct tcp *c)
{
	relay_inject(c->flow.guest, &c->flow.key, c->syn, c->n_syn, true);
}

static void connected(struct relay *r, struct source *s, uint32_t events)
{
	struct tcp *c = CONTAINER_OF(s, struct tcp, host.source);
	socklen_t size = sizeof(int);
	int error = 0;

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	if (error) {
		refuse(r, c, error);
		return;
	}
	c->state = OFFERED;
	relay_change(r, s, 0);
	relay_deadline(r, &c->flow, OFFERED_S);
	offer(r, c);
}

static int connect_host(struct relay *r, struct tcp *c)
{
	struct sockaddr_storage to;
	socklen_t size;

	TRY(relay_destination(r, &c->flow, &to, &size));
	int fd CLEANUP(fd_closep) =
	        socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || (connect(fd, (struct sockaddr *)&to, size) < 0 && errno != EINPROGRESS))
		return -errno;
	relay_watch(r, &c->host.source, fd_take(&fd), EPOLLOUT);
	return 0;
}

static struct tcp *find_offered(const struct guest *g, const struct packet_flow *key)
{
	list_for_each (n, &g->offered) {
		struct flow *f = CONTAINER_OF(n, struct flow, node);
		if (packet_flow_equal(&f->key, key))
			return CONTAINER_OF(f, struct tcp, flow);
	}
	return NULL;
}

static struct tcp *begin(struct guest *g, const struct packet_flow *key)
{
	struct tcp *c = mem_new(struct tcp);

	*c = (struct tcp){ .flow = { .guest = g, .key = *key, .expired = tcp_expired },
		.host = { .source = { .fd = -1, .ready = connected }, .other = &c->guest },
		.guest = { .source = { .fd = -1 }, .other = &c->host } };
	g->n_offered++;
	list_push_front(&g->offered, &c->flow.node);
	return c;
}

void relay_tcp_caught(struct relay *r, struct guest *g, const struct packet *p, struct str bytes)
{
	struct tcp *c = find_offered(g, &p->flow);
	bool again = c != NULL;

	if (bytes.n > SYN_MAX || (!c && g->n_offered == OFFERED_MAX))
		return;
	if (!c)
		c = begin(g, &p->flow);
	c->n_syn = bytes.n;
	c->sequence = p->sequence;
	memcpy(c->syn, bytes.p, bytes.n);
	packet_complete(c->syn, c->n_syn);
	if (again && c->state == OFFERED)
		offer(r, c);
	if (again)
		return;
	relay_deadline(r, &c->flow, CONNECTING_S);
	int error = connect_host(r, c);
	if (error)
		refuse(r, c, -error);
}

/* ---- when it stands ---- */

static bool is_done(const struct end *e)
{
	return e->ended && !e->other->n;
}

/* Asks for what can be done now. */
static void ask(struct relay *r, struct end *e)
{
	uint32_t events = (e->n ? EPOLLOUT : 0u) | (!e->ended && !e->other->n ? EPOLLIN : 0u);

	relay_change(r, &e->source, events);
}

/* Negative: the connection is broken. */
static int give(struct end *e, const char *p, size_t n)
{
	ssize_t sent = send(e->source.fd, p, n, MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN)
		return -errno;
	size_t done = (size_t)MAX(sent, 0);
	if (done == n)
		return 0;
	e->pending = mem_resize(NULL, n - done);
	memcpy(e->pending, p + done, n - done);
	e->at = 0;
	e->n = n - done;
	return 0;
}

static int give_pending(struct end *e)
{
	ssize_t sent = send(e->source.fd, e->pending + e->at, e->n, MSG_NOSIGNAL);

	if (sent < 0)
		return errno == EAGAIN ? 0 : -errno;
	e->at += (size_t)sent;
	e->n -= (size_t)sent;
	if (!e->n) {
		mem_free(e->pending);
		e->pending = NULL;
	}
	return 0;
}

static int take(struct relay *r, struct end *e)
{
	ssize_t n = recv(e->source.fd, r->room, sizeof r->room, 0);

	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (n > 0)
		return give(e->other, r->room, (size_t)n);
	e->ended = true;
	return 0;
}

static void tell_end(struct end *e)
{
	if (e->told || !is_done(e->other))
		return;
	e->told = true;
	shutdown(e->source.fd, SHUT_WR);
}

static void step(struct relay *r, struct tcp *c, struct end *e, uint32_t events)
{
	int error = 0;

	if (e->n && events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
		error = give_pending(e);
	if (!error && !e->ended && !e->other->n && events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		error = take(r, e);
	if (error || (is_done(&c->host) && is_done(&c->guest))) {
		tcp_free(r, c, error != 0);
		return;
	}
	tell_end(&c->host);
	tell_end(&c->guest);
	ask(r, &c->host);
	ask(r, &c->guest);
}

static void host_ready(struct relay *r, struct source *s, uint32_t events)
{
	struct tcp *c = CONTAINER_OF(s, struct tcp, host.source);

	step(r, c, &c->host, events);
}

static void guest_ready(struct relay *r, struct source *s, uint32_t events)
{
	struct tcp *c = CONTAINER_OF(s, struct tcp, guest.source);

	step(r, c, &c->guest, events);
}

static void set_options(int fd)
{
	int on = 1, idle_s = 120;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
}

static void open_flow(struct relay *r, struct tcp *c, int fd)
{
	struct guest *g = c->flow.guest;

	c->state = OPEN;
	g->n_offered--;
	list_remove(&c->flow.node);
	list_push_front(&g->open, &c->flow.node);
	relay_deadline(r, &c->flow, 0);
	set_options(fd);
	set_options(c->host.source.fd);
	c->host.source.ready = host_ready;
	c->guest.source.ready = guest_ready;
	relay_watch(r, &c->guest.source, fd, EPOLLIN);
	relay_change(r, &c->host.source, EPOLLIN);
}

static void set_side(
        struct packet_flow *f, const struct sockaddr_storage *s, uint8_t *address, uint16_t *port)
{
	const struct sockaddr_in *s4 = (const void *)s;
	const struct sockaddr_in6 *s6 = (const void *)s;
	bool mapped = s->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&s6->sin6_addr);

	f->family = s->ss_family == AF_INET || mapped ? AF_INET : AF_INET6;
	*port = ntohs(s->ss_family == AF_INET ? s4->sin_port : s6->sin6_port);
	if (s->ss_family == AF_INET)
		memcpy(address, &s4->sin_addr, 4);
	else if (mapped)
		memcpy(address, s6->sin6_addr.s6_addr + 12, 4);
	else
		memcpy(address, &s6->sin6_addr, 16);
}

void relay_tcp_accept(struct relay *r, struct guest *g)
{
	struct sockaddr_storage peer, local;
	socklen_t n_peer = sizeof peer, n_local = sizeof local;
	struct packet_flow key = { .protocol = IPPROTO_TCP };
	int fd CLEANUP(fd_closep) = accept4(
	        g->listener.fd, (struct sockaddr *)&peer, &n_peer, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0 || getsockname(fd, (struct sockaddr *)&local, &n_local) < 0)
		return;
	set_side(&key, &peer, key.from, &key.from_port);
	set_side(&key, &local, key.to, &key.to_port);
	struct tcp *c = find_offered(g, &key);
	if (c && c->state == OFFERED)
		open_flow(r, c, fd_take(&fd));
}

void relay_tcp_clear(struct relay *r, struct guest *g)
{
	struct list_node *n;

	while ((n = list_first(&g->offered)) || (n = list_first(&g->open)))
		tcp_free(r, CONTAINER_OF(n, struct tcp, flow.node), false);
}
