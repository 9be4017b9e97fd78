/* network_inside: addresses, routes and sockets within a sandbox's network namespace. */
#include "sandbox/netlink.h"
#include "sandbox/network.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOOPBACK 1 /* the index of its interface in every network namespace */

static const struct in6_addr own6 = { { { 0xfd, 0x77, 0x6f, 0x6c, [15] = 1 } } };

static void put_up(struct netlink *m)
{
	struct ifinfomsg up = { .ifi_index = LOOPBACK, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };

	netlink_begin(m, RTM_NEWLINK, NLM_F_ACK, &up, sizeof up);
	netlink_end(m);
}

static void put_address(struct netlink *m, uint8_t family, const void *address, size_t n)
{
	struct ifaddrmsg to = { .ifa_family = family,
		.ifa_prefixlen = (uint8_t)(n * 8),
		.ifa_flags = family == AF_INET6 ? IFA_F_NODAD : 0,
		.ifa_index = LOOPBACK };

	netlink_begin(m, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE, &to, sizeof to);
	netlink_put(m, IFA_LOCAL, address, n);
	netlink_put(m, IFA_ADDRESS, address, n);
	netlink_end(m);
}

static void put_route(struct netlink *m, uint8_t family, bool on)
{
	struct rtmsg to = { .rtm_family = family,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = RT_SCOPE_HOST,
		.rtm_type = RTN_LOCAL };
	uint32_t device = LOOPBACK, own = htonl(NETWORK_OWN);

	netlink_begin(m, on ? RTM_NEWROUTE : RTM_DELROUTE, NLM_F_ACK | (on ? NLM_F_CREATE : 0), &to,
	        sizeof to);
	netlink_put(m, RTA_OIF, &device, sizeof device);
	if (family == AF_INET6)
		netlink_put(m, RTA_PREFSRC, &own6, sizeof own6);
	else
		netlink_put(m, RTA_PREFSRC, &own, sizeof own);
	netlink_end(m);
}

int network_inside_route(bool on, bool ipv6)
{
	struct netlink m = { 0 };

	put_route(&m, AF_INET, on);
	if (ipv6)
		put_route(&m, AF_INET6, on);
	return netlink_send(&m, NETLINK_ROUTE);
}

static int raise_loopback(void)
{
	struct netlink m = { 0 };

	put_up(&m);
	return netlink_send(&m, NETLINK_ROUTE);
}

static int set_up_links(const struct network_inside *n)
{
	struct netlink m = { 0 };
	uint32_t own = htonl(NETWORK_OWN);

	put_up(&m);
	put_address(&m, AF_INET, &own, sizeof own);
	if (n->ipv6)
		put_address(&m, AF_INET6, &own6, sizeof own6);
	if (n->route)
		put_route(&m, AF_INET, true);
	if (n->route && n->ipv6)
		put_route(&m, AF_INET6, true);
	return netlink_send(&m, NETLINK_ROUTE);
}

/* ---- sockets ---- */

/* First SYNs and datagrams to the outside that the relay has not sent itself. */
static struct sock_filter catch4[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_MARK)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NETWORK_MARK, 14, 0),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 16),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 127, 12, 0),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NETWORK_OWN, 10, 0),
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6), /* of fragments, none */
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x3fff, 8, 0),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 5, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 5),
	BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
	BPF_STMT(BPF_LD | BPF_B | BPF_IND, 13),
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, 0xffff),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

static struct sock_filter catch6[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_MARK)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NETWORK_MARK, 12, 0),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 24),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NETWORK_OWN6_32, 10, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2), /* ::1 and its like: not to the outside */
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 28),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 7, 0),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 4, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 4),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 40 + 13),
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, 0xffff),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

static int open_catch(uint16_t protocol, struct sock_filter *filter, unsigned short n)
{
	struct sockaddr_ll all = {
		.sll_family = AF_PACKET, .sll_protocol = htons(protocol), .sll_ifindex = LOOPBACK
	};
	struct sock_fprog program = { n, filter };
	/* Protocol 0: nothing is received before the filter stands. */
	int fd CLEANUP(fd_closep) = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ||
	        bind(fd, (struct sockaddr *)&all, sizeof all) < 0)
		return -errno;
	return fd_take(&fd);
}

static int open_raw(int family)
{
	uint32_t mark = NETWORK_MARK;
	int fd CLEANUP(fd_closep) =
	        socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) < 0)
		return -errno;
	return fd_take(&fd);
}

/* For both families when there are both. */
static int open_listener(bool ipv6)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(NETWORK_PORT) };
	struct sockaddr_in6 any6 = { .sin6_family = AF_INET6, .sin6_port = htons(NETWORK_PORT) };
	int on = 1, off = 0, bad = 0;
	int fd CLEANUP(fd_closep) =
	        socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (ipv6)
		bad = setsockopt(fd, SOL_IPV6, IPV6_TRANSPARENT, &on, sizeof on) < 0 ||
		      setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0 ||
		      bind(fd, (struct sockaddr *)&any6, sizeof any6) < 0;
	else
		bad = setsockopt(fd, SOL_IP, IP_TRANSPARENT, &on, sizeof on) < 0 ||
		      bind(fd, (struct sockaddr *)&any, sizeof any) < 0;
	if (bad || listen(fd, 128) < 0)
		return -errno;
	return fd_take(&fd);
}

static int open_sockets(bool ipv6, int fds[NETWORK_FDS])
{
	fds[NETWORK_FD_PIDFD] = (int)syscall(SYS_pidfd_open, getpid(), 0);
	fds[NETWORK_FD_LISTENER] = open_listener(ipv6);
	fds[NETWORK_FD_RAW] = open_raw(AF_INET);
	fds[NETWORK_FD_CATCH] = open_catch(ETH_P_IP, catch4, ARRAY_LEN(catch4));
	if (ipv6) {
		fds[NETWORK_FD_RAW6] = open_raw(AF_INET6);
		fds[NETWORK_FD_CATCH6] = open_catch(ETH_P_IPV6, catch6, ARRAY_LEN(catch6));
	}
	for (int i = 0; i < (ipv6 ? NETWORK_FDS : NETWORK_FD_RAW6); i++)
		if (fds[i] < 0)
			return fds[i];
	return 0;
}

static int hand_over(const struct network_inside *n, const int fds[NETWORK_FDS])
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int) * NETWORK_FDS)];
	} control = { 0 };
	size_t size = sizeof(int) * (n->ipv6 ? NETWORK_FDS : NETWORK_FD_RAW6);
	char byte = 0;
	struct iovec v = { &byte, 1 };

	control.header = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(size), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS
	};
	memcpy(CMSG_DATA(&control.header), fds, size);
	struct msghdr m = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(size) };
	return sendmsg(n->to_relay, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int set_up_way_out(const struct network_inside *n, const char **step)
{
	int fds[NETWORK_FDS], error;

	*step = "packet filter (nf_tables, nft_tproxy)";
	TRY(network_inside_rules());
	memset(fds, -1, sizeof fds);
	*step = "sockets";
	error = open_sockets(n->ipv6, fds);
	if (!error) {
		*step = "relay";
		error = hand_over(n, fds);
	}
	for (int i = 0; i < NETWORK_FDS; i++)
		fd_closep(&fds[i]);
	return error;
}

int network_inside_make(const struct network_inside *n, const char **step)
{
	int error;

	*step = NULL;
	if (n->to_relay < 0)
		return raise_loopback();
	if ((error = set_up_links(n))) {
		TRY(raise_loopback());
		*step = "addresses and routes";
		return error;
	}
	error = set_up_way_out(n, step);
	if (error && n->route) /* or all the world would be this sandbox */
		(void)!network_inside_route(false, n->ipv6);
	return error;
}
