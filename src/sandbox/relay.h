#pragma once
/*
 * relay: the process that is the network for sandboxes. One thread, one epoll loop over every
 * sandbox's sockets (see network.h) and over the connections it makes for them. It knows nothing of
 * slots or names: a sandbox arrives as descriptors, and goes when its pid 1 ends.
 */
#include "base/heap.h"
#include "base/list.h"
#include "sandbox/network.h"
#include "sandbox/packet.h"

#include <sys/socket.h>

#define RELAY_BUFFER (256 * 1024)

struct relay;

/* What epoll points to. */
struct source {
	int fd;
	uint32_t events; /* that are asked for */
	void (*ready)(struct relay *r, struct source *s, uint32_t events);
};

struct relay {
	int epoll;
	struct source arrivals;
	const struct network_options *options;
	int closer[2];         /* descriptors for the thread that closes them */
	struct heap deadlines; /* of struct flow, in seconds */
	struct {
		int64_t changed_ns; /* of the resolver's configuration */
		uint64_t inode;
		struct sockaddr_storage servers[3];
		size_t n;
	} resolver;
	char room[RELAY_BUFFER];
};

/* A sandbox. */
struct guest {
	struct source pidfd, listener, caught, caught6;
	int raw, raw6;
	struct list offered; /* of TCP flows that are not accepted yet */
	struct list open;    /* of TCP flows */
	struct list datagrams;
	size_t n_offered, n_datagrams;
};

/* Begins every flow. */
struct flow {
	struct list_node node;
	struct guest *guest;
	struct packet_flow key;
	struct heap_node deadline;
	void (*expired)(struct relay *r, struct flow *f);
	uint64_t began_ms;
	size_t server; /* of the resolver */
};

/* relay.c */
_Noreturn void relay_run(int arrivals, const struct network_options *o);
void relay_watch(struct relay *r, struct source *s, int fd, uint32_t events);
void relay_change(struct relay *r, struct source *s, uint32_t events);
void relay_unwatch(struct relay *r, struct source *s);                  /* closes it */
void relay_deadline(struct relay *r, struct flow *f, unsigned seconds); /* 0: none */
/* Puts a packet into the sandbox. */
void relay_inject(const struct guest *g, const struct packet_flow *f, const char *packet, size_t n,
        bool outwards);

/* relay_host.c: is it to NETWORK_HOST; and where its destination is on the host: 0 or -errno, for
 * the one inside. */
bool relay_is_host(const struct packet_flow *f);
int relay_destination(struct relay *r, const struct flow *f, struct sockaddr_storage *to,
        socklen_t *size) MUST_USE;

/* relay_tcp.c, relay_udp.c: a packet was caught; a connection waits; the sandbox is gone. */
void relay_tcp_caught(struct relay *r, struct guest *g, const struct packet *p, struct str bytes);
void relay_tcp_accept(struct relay *r, struct guest *g);
void relay_tcp_clear(struct relay *r, struct guest *g);
void relay_udp_caught(struct relay *r, struct guest *g, const struct packet *p, struct str bytes);
void relay_udp_clear(struct relay *r, struct guest *g);
