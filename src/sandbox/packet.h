#pragma once
/*
 * packet: IP packets that sandboxes send, read; and those that the relay answers with, written.
 * Both are complete packets from the IP header on; IPv6 without extension headers.
 */
#include "base/str.h"

#define PACKET_MAX 65600

/* A flow as the one inside sees it: it is the source. */
struct packet_flow {
	uint8_t family, protocol;
	uint16_t from_port, to_port;
	uint8_t from[16], to[16]; /* IPv4: the first 4 */
};

struct packet {
	struct packet_flow flow;
	struct str payload; /* UDP */
	uint32_t sequence;  /* TCP */
};

bool packet_flow_equal(const struct packet_flow *a, const struct packet_flow *b);
/* false: neither a datagram nor a first SYN, or damaged. */
bool packet_read(struct str bytes, struct packet *p);
/* The checksum of a SYN that has not passed a network card yet is not complete. */
void packet_complete(char *bytes, size_t n);

/* Each writes an answer to the flow's source into room (PACKET_MAX bytes) and returns its size; 0:
 * too long. */
size_t packet_datagram(char *room, const struct packet_flow *f, struct str payload);
size_t packet_reset(char *room, const struct packet *syn);
/* Nothing is at the flow's destination: error is what connect() or recv() said. original is the
 * packet, or absent: one is made up from the flow. */
size_t packet_unreachable(char *room, const struct packet_flow *f, struct str original, int error);
