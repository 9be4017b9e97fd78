#pragma once
/*
 * network: how a sandbox reaches the outside.
 *
 * No interface, bridge, address or firewall rule of the host is touched, and no packet of a sandbox
 * ever leaves its network namespace. In there every address is local (a default route of type
 * "local"), so that connections end in sockets which pid 1 opens before it gives up its rights and
 * hands to the relay: a process of wolke's without any rights, which lives in the host's network
 * namespace and is an ordinary client there, as if the function's program ran on the host itself.
 *
 *   TCP  The first SYN is caught (a packet socket sees it, a rule drops it). The relay connects to
 *        the destination and only then lets the SYN through, to a transparent listener: until then
 *        the function waits, and what the destination answers, refusal or silence, it is told.
 *        After that bytes are copied between the two connections.
 *   UDP  Datagrams are caught likewise and sent from a socket of the relay's; answers are put into
 *        packets from whom they come.
 *
 * Inside, NETWORK_OWN is the sandbox and NETWORK_HOST the host, under the name
 * host.wolke.internal: its port 53 is the host's resolver, other ports are those of the host's own
 * address (what listens on the host's loopback alone is not there, but for the ports in
 * host_ports). Link-local (so no cloud's metadata service), multicast and loopback addresses are
 * unreachable. IPv6 is there if the host has a default route for it when wolke starts.
 */
#include "base/str.h"
#include "sandbox/protocol.h"

#define NETWORK_OWN_TEXT  "169.254.76.1"
#define NETWORK_HOST_TEXT "169.254.76.2"
#define NETWORK_OWN       0xa9fe4c01u
#define NETWORK_HOST      0xa9fe4c02u
#define NETWORK_OWN6_32   0xfd776f6cu /* the first 32 bits of fd77:6f6c::1: all of it is inside */
#define NETWORK_PORT      1           /* of the listener; nobody inside may bind it */
#define NETWORK_MARK      0x776fu     /* on packets that the relay puts inside */
#define NETWORK_PORTS_MAX 32

struct network_options {
	uint16_t host_ports[NETWORK_PORTS_MAX]; /* of the host's loopback, reachable from inside */
	size_t n_host_ports;
	bool possible; /* false: no function reaches anything */
	bool standard; /* what a sandbox is made with; SPAWN and ASSIGN change it */
};

/* What the relay holds of a sandbox. RAW sends packets, CATCH receives those that leave. */
enum {
	NETWORK_FD_PIDFD,
	NETWORK_FD_LISTENER,
	NETWORK_FD_RAW,
	NETWORK_FD_CATCH,
	NETWORK_FD_RAW6,
	NETWORK_FD_CATCH6,
	NETWORK_FDS
};

struct network {
	struct network_options options;
	pid_t pid;
	int to_relay; /* sandboxes' pids 1 hand over through it */
	bool ipv6;
};

/* Forks the relay: in the host's network namespace, before anything is unshared. */
int network_start(
        struct network *n, const struct network_options *o, const struct filter *f) MUST_USE;

/* In a sandbox's network namespace, with all rights there. */
struct network_inside {
	int to_relay; /* -1: there is no way out, only the loopback interface is raised */
	bool ipv6, route;
};
/* Raises the loopback interface; an error of the rest leaves *step naming it, not NULL. */
int network_inside_make(const struct network_inside *n, const char **step) MUST_USE;
/* Opens (or closes) the way out: without the route, connect() fails with ENETUNREACH. */
int network_inside_route(bool on, bool ipv6) MUST_USE;
/* The rules, network_rules.c. */
int network_inside_rules(void) MUST_USE;
