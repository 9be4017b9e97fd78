/* relay_udp: datagrams, and who answers them. */
#include "base/arena.h"
#include "base/clock.h"
#include "sandbox/relay.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define DATAGRAMS_MAX 256 /* flows of a sandbox; the one unused for longest makes room */
#define QUIET_S       60
#define DOMAIN_S      15

/* What libc asks in one go: an address of each family. */
#define QUESTIONS    2
#define QUESTION_MAX 1500

struct udp {
	struct flow flow;
	struct source host;
	char *questions; /* to the resolver: kept until it has answered */
	size_t sizes[QUESTIONS], n_questions;
	struct sockaddr_storage to; /* what host is connected to */
};

static void udp_free(struct relay *r, struct udp *u)
{
	relay_deadline(r, &u->flow, 0);
	relay_unwatch(r, &u->host);
	list_remove(&u->flow.node);
	u->flow.guest->n_datagrams--;
	mem_free(u->questions);
	mem_free(u);
}

static void udp_expired(struct relay *r, struct flow *f)
{
	udp_free(r, CONTAINER_OF(f, struct udp, flow));
}

/* Connected, so that only who was asked can answer. */
static int connect_host(struct relay *r, struct udp *u)
{
	struct sockaddr_storage to;
	socklen_t size;

	TRY(relay_destination(r, &u->flow, &to, &size));
	if (u->host.fd >= 0 && memcmp(&to, &u->to, sizeof to) == 0)
		return 0;
	int fd CLEANUP(fd_closep) =
	        socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, size) < 0)
		return -errno;
	relay_unwatch(r, &u->host);
	relay_watch(r, &u->host, fd_take(&fd), EPOLLIN);
	u->to = to;
	return 0;
}

static void keep_question(struct udp *u, struct str question)
{
	size_t i = u->n_questions++ % QUESTIONS;

	if (!u->questions)
		u->questions = mem_alloc(QUESTIONS * QUESTION_MAX);
	u->sizes[i] = question.n <= QUESTION_MAX ? question.n : 0;
	memcpy(u->questions + i * QUESTION_MAX, question.p, u->sizes[i]);
}

/* The next of the host's resolvers is asked at once when one is not there. */
static bool ask_next(struct relay *r, struct udp *u)
{
	if (!u->questions || ++u->flow.server >= r->resolver.n || connect_host(r, u) < 0)
		return false;
	for (size_t i = 0; i < QUESTIONS; i++)
		if (u->sizes[i])
			(void)!send(u->host.fd, u->questions + i * QUESTION_MAX, u->sizes[i],
			        MSG_NOSIGNAL);
	return true;
}

static void failed(struct relay *r, struct udp *u, int error)
{
	const struct packet_flow *f = &u->flow.key;

	if (error == EAGAIN || error == EMSGSIZE || error == ENOBUFS || ask_next(r, u))
		return;
	relay_inject(u->flow.guest, f, r->room,
	        packet_unreachable(r->room, f, (struct str){ 0 }, error), false);
}

static void host_ready(struct relay *r, struct source *s, uint32_t events)
{
	struct udp *u = CONTAINER_OF(s, struct udp, host);
	char *payload = r->room + PACKET_MAX;
	ssize_t n = recv(s->fd, payload, PACKET_MAX, 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0)
		failed(r, u, errno);
	else
		relay_inject(u->flow.guest, &u->flow.key, r->room,
		        packet_datagram(r->room, &u->flow.key, (struct str){ payload, (size_t)n }),
		        false);
}

static struct udp *find(const struct guest *g, const struct packet_flow *key)
{
	list_for_each (n, &g->datagrams) {
		struct flow *f = CONTAINER_OF(n, struct flow, node);
		if (packet_flow_equal(&f->key, key))
			return CONTAINER_OF(f, struct udp, flow);
	}
	return NULL;
}

static struct udp *begin(struct relay *r, struct guest *g, const struct packet_flow *key)
{
	struct udp *u = mem_new(struct udp);

	if (g->n_datagrams == DATAGRAMS_MAX)
		udp_free(r, CONTAINER_OF(list_last(&g->datagrams), struct udp, flow.node));
	*u = (struct udp){ .flow = { .guest = g,
		                   .key = *key,
		                   .expired = udp_expired,
		                   .began_ms = clock_mono_ns() / 1000000 },
		.host = { .fd = -1, .ready = host_ready } };
	g->n_datagrams++;
	list_push_front(&g->datagrams, &u->flow.node);
	return u;
}

void relay_udp_caught(struct relay *r, struct guest *g, const struct packet *p, struct str bytes)
{
	struct udp *u = find(g, &p->flow);
	bool domain = p->flow.to_port == 53;
	int error = 0;

	if (!u)
		u = begin(r, g, &p->flow);
	list_remove(&u->flow.node);
	list_push_front(&g->datagrams, &u->flow.node);
	/* A question that is asked again may go to another server. */
	if (u->host.fd < 0 || domain)
		error = connect_host(r, u);
	if (!error && send(u->host.fd, p->payload.p, p->payload.n, MSG_NOSIGNAL) < 0)
		error = -errno;
	if (domain && relay_is_host(&p->flow))
		keep_question(u, p->payload);
	relay_deadline(r, &u->flow, domain ? DOMAIN_S : QUIET_S);
	if (!error)
		return;
	failed(r, u, -error);
	if (u->host.fd < 0)
		udp_free(r, u);
}

void relay_udp_clear(struct relay *r, struct guest *g)
{
	struct list_node *n;

	while ((n = list_first(&g->datagrams)))
		udp_free(r, CONTAINER_OF(n, struct udp, flow.node));
}
