#pragma once
/*
 * netlink: messages to the kernel's routing and packet filter, put together in a fixed buffer, sent
 * at once, all answers checked.
 *
 *	struct netlink m = { 0 };
 *	netlink_begin(&m, RTM_NEWADDR, NLM_F_CREATE, &header, sizeof header);
 *	netlink_put(&m, IFA_LOCAL, &address, sizeof address);
 *	netlink_end(&m);
 *	return netlink_send(&m, NETLINK_ROUTE);
 */
#include "base/err.h"

struct netlink {
	size_t n, message; /* offset of the message that is being written */
	uint32_t expected; /* how many are to be acknowledged */
	_Alignas(8) char room[4096];
};

void netlink_begin(struct netlink *m, uint16_t type, uint16_t flags, const void *header, size_t n);
void netlink_put(struct netlink *m, uint16_t type, const void *p, size_t n);
void netlink_put_text(struct netlink *m, uint16_t type, const char *text);
void netlink_put_be32(struct netlink *m, uint16_t type, uint32_t v);
/* Attributes within an attribute; nest_end() takes what nest() returned. */
size_t netlink_nest(struct netlink *m, uint16_t type);
void netlink_nest_end(struct netlink *m, size_t at);
/* With NLM_F_ACK in its flags the message is to be acknowledged. */
void netlink_end(struct netlink *m);
/* The first error, or 0 when all that were to be acknowledged have been. */
int netlink_send(const struct netlink *m, int protocol) MUST_USE;
