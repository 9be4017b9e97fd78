/* Fuzzes what reads packets of sandboxes, and writes every answer to those that are any. */
#include "sandbox/packet.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void answer(char *room, const struct packet *p, struct str bytes)
{
	struct packet back;
	size_t n = packet_datagram(room, &p->flow, p->payload);

	if (p->flow.protocol == IPPROTO_TCP) {
		packet_reset(room, p);
		packet_unreachable(room, &p->flow, bytes, EHOSTUNREACH);
		return;
	}
	ensure(n == 0 || packet_read((struct str){ room, n }, &back));
	ensure(n == 0 ||
	        (back.payload.n == p->payload.n && back.flow.to_port == p->flow.from_port));
	packet_unreachable(room, &p->flow, (struct str){ 0 }, ECONNREFUSED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1), *room = malloc(PACKET_MAX);
	struct packet p;

	ensure(copy && room);
	if (size)
		memcpy(copy, data, size);
	if (packet_read((struct str){ copy, size }, &p))
		answer(room, &p, (struct str){ copy, size });
	packet_complete(copy, size);
	free(copy);
	free(room);
	return 0;
}
