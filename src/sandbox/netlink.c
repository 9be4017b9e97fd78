/* netlink: see netlink.h. */
#include "sandbox/netlink.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void *append(struct netlink *m, size_t n)
{
	size_t aligned = NLMSG_ALIGN(n);

	ensure(aligned <= sizeof m->room - m->n);
	void *p = memset(m->room + m->n, 0, aligned);
	m->n += aligned;
	return p;
}

void netlink_begin(struct netlink *m, uint16_t type, uint16_t flags, const void *header, size_t n)
{
	m->message = m->n;
	struct nlmsghdr *h = append(m, sizeof *h);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	h->nlmsg_seq = 1;
	memcpy(append(m, n), header, n);
	m->expected += (flags & NLM_F_ACK) != 0;
}

void netlink_put(struct netlink *m, uint16_t type, const void *p, size_t n)
{
	struct nlattr *at = append(m, NLA_HDRLEN + n);

	at->nla_type = type;
	at->nla_len = (uint16_t)(NLA_HDRLEN + n);
	memcpy((char *)at + NLA_HDRLEN, p, n);
}

void netlink_put_text(struct netlink *m, uint16_t type, const char *text)
{
	netlink_put(m, type, text, strlen(text) + 1);
}

void netlink_put_be32(struct netlink *m, uint16_t type, uint32_t v)
{
	uint32_t wire = htonl(v);

	netlink_put(m, type, &wire, sizeof wire);
}

size_t netlink_nest(struct netlink *m, uint16_t type)
{
	size_t at = m->n;
	struct nlattr *nest = append(m, NLA_HDRLEN);

	nest->nla_type = type | NLA_F_NESTED;
	return at;
}

void netlink_nest_end(struct netlink *m, size_t at)
{
	((struct nlattr *)(void *)(m->room + at))->nla_len = (uint16_t)(m->n - at);
}

void netlink_end(struct netlink *m)
{
	((struct nlmsghdr *)(void *)(m->room + m->message))->nlmsg_len =
	        (uint32_t)(m->n - m->message);
}

/* Answers in one datagram; counts acknowledgements down. */
static int check(char *p, size_t n, uint32_t *expected)
{
	while (n >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr *h = (struct nlmsghdr *)(void *)p;
		if (h->nlmsg_len < sizeof *h || h->nlmsg_len > n)
			return -EPROTO;
		if (h->nlmsg_type == NLMSG_ERROR) {
			int error = ((struct nlmsgerr *)NLMSG_DATA(h))->error;
			if (error)
				return error;
			(*expected)--;
		}
		size_t step = MIN(NLMSG_ALIGN(h->nlmsg_len), n);
		p += step;
		n -= step;
	}
	return 0;
}

int netlink_send(const struct netlink *m, int protocol)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	_Alignas(8) char answer[4096];
	uint32_t expected = m->expected;
	int on = 1, fd CLEANUP(fd_closep) = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
	if (sendto(fd, m->room, m->n, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0)
		return -errno;
	/* The kernel has answered before sendto() returns; a batch of the packet filter only what
	 * it refuses. */
	for (ssize_t n; (n = recv(fd, answer, sizeof answer, MSG_DONTWAIT)) >= 0;)
		TRY(check(answer, (size_t)n, &expected));
	return expected ? -EPROTO : 0;
}
