/* packet: see packet.h. */
#include "sandbox/packet.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum { SIZE4 = 20, SIZE6 = 40, SIZE_UDP = 8, SIZE_TCP = 20, SIZE_ICMP = 8 };

static uint16_t get16(const char *p)
{
	return (uint16_t)((uint8_t)p[0] << 8 | (uint8_t)p[1]);
}

static void set16(char *p, size_t v)
{
	p[0] = (char)(v >> 8);
	p[1] = (char)v;
}

static void set32(char *p, uint32_t v)
{
	set16(p, v >> 16);
	set16(p + 2, v & 0xffff);
}

static uint64_t sum(const char *p, size_t n, uint64_t s)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		s += get16(p + i);
	return n % 2 ? s + ((uint64_t)(uint8_t)p[n - 1] << 8) : s;
}

static uint16_t fold(uint64_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

static size_t address_size(uint8_t family)
{
	return family == AF_INET ? 4 : 16;
}

bool packet_flow_equal(const struct packet_flow *a, const struct packet_flow *b)
{
	return a->family == b->family && a->protocol == b->protocol &&
	       a->from_port == b->from_port && a->to_port == b->to_port &&
	       memcmp(a->from, b->from, address_size(a->family)) == 0 &&
	       memcmp(a->to, b->to, address_size(a->family)) == 0;
}

/* Fills in the flow's addresses; returns the size of the IP header, 0: none. *n becomes the size
 * the header claims. */
static size_t read_ip(const char *p, size_t *n, struct packet_flow *f)
{
	size_t header = *n ? (size_t)(p[0] & 0xf) * 4 : 0, total;

	if (*n >= SIZE4 && (uint8_t)p[0] >> 4 == 4) {
		total = get16(p + 2);
		if (header < SIZE4 || total < header || total > *n || get16(p + 6) & 0x3fff)
			return 0;
		*f = (struct packet_flow){ .family = AF_INET, .protocol = (uint8_t)p[9] };
		memcpy(f->from, p + 12, 4);
		memcpy(f->to, p + 16, 4);
	} else if (*n >= SIZE6 && (uint8_t)p[0] >> 4 == 6) {
		header = SIZE6;
		total = header + get16(p + 4);
		if (total > *n)
			return 0;
		*f = (struct packet_flow){ .family = AF_INET6, .protocol = (uint8_t)p[6] };
		memcpy(f->from, p + 8, 16);
		memcpy(f->to, p + 24, 16);
	} else {
		return 0;
	}
	*n = total;
	return header;
}

bool packet_read(struct str bytes, struct packet *p)
{
	size_t n = bytes.n, header = read_ip(bytes.p, &n, &p->flow);
	const char *inner = bytes.p + header;

	if (!header || n - header < SIZE_UDP)
		return false;
	p->flow.from_port = get16(inner);
	p->flow.to_port = get16(inner + 2);
	p->payload = (struct str){ 0 };
	p->sequence = 0;
	n -= header;
	if (p->flow.protocol == IPPROTO_UDP) {
		size_t size = get16(inner + 4);
		p->payload = (struct str){ inner + SIZE_UDP, size - SIZE_UDP };
		return size >= SIZE_UDP && size <= n;
	}
	if (p->flow.protocol != IPPROTO_TCP || n < SIZE_TCP || (inner[13] & 0x12) != 0x02)
		return false;
	p->sequence = (uint32_t)get16(inner + 4) << 16 | get16(inner + 6);
	return true;
}

/* Of the n bytes behind the header, in which it lies at offset at. */
static void set_checksum(
        char *packet, size_t header, const struct packet_flow *f, size_t n, size_t at)
{
	const char *addresses = packet + (f->family == AF_INET ? 12 : 8);
	char *inner = packet + header;
	uint64_t s = f->protocol == IPPROTO_ICMP
	                     ? 0
	                     : sum(addresses, 2 * address_size(f->family), n + f->protocol);

	set16(inner + at, 0);
	uint16_t v = fold(sum(inner, n, s));
	set16(inner + at, v ? v : 0xffff);
}

void packet_complete(char *bytes, size_t n)
{
	struct packet_flow f;
	size_t header = read_ip(bytes, &n, &f);

	if (!header || n - header < SIZE_TCP || f.protocol != IPPROTO_TCP)
		return;
	set_checksum(bytes, header, &f, n - header, 16);
}

/* From the flow's destination to its source, or the other way round; returns where n bytes go. */
static char *write_ip(
        char *room, const struct packet_flow *f, uint8_t protocol, size_t n, bool back)
{
	const uint8_t *from = back ? f->to : f->from, *to = back ? f->from : f->to;

	if (f->family == AF_INET) {
		memset(room, 0, SIZE4);
		room[0] = 0x45;
		set16(room + 2, SIZE4 + n);
		room[6] = 0x40; /* not to be fragmented */
		room[8] = 64;
		room[9] = (char)protocol;
		memcpy(room + 12, from, 4);
		memcpy(room + 16, to, 4);
		set16(room + 10, fold(sum(room, SIZE4, 0)));
		return room + SIZE4;
	}
	memset(room, 0, SIZE6);
	room[0] = 0x60;
	set16(room + 4, n);
	room[6] = (char)protocol;
	room[7] = 64;
	memcpy(room + 8, from, 16);
	memcpy(room + 24, to, 16);
	return room + SIZE6;
}

static size_t total(const struct packet_flow *f, size_t n)
{
	return n + (f->family == AF_INET ? SIZE4 : SIZE6);
}

size_t packet_datagram(char *room, const struct packet_flow *f, struct str payload)
{
	size_t n = SIZE_UDP + payload.n;

	if (n > 65535 - SIZE4)
		return 0;
	char *udp = write_ip(room, f, IPPROTO_UDP, n, true);
	set16(udp, f->to_port);
	set16(udp + 2, f->from_port);
	set16(udp + 4, n);
	if (payload.n)
		memcpy(udp + SIZE_UDP, payload.p, payload.n);
	set_checksum(room, total(f, 0), f, n, 6);
	return total(f, n);
}

size_t packet_reset(char *room, const struct packet *syn)
{
	char *tcp = write_ip(room, &syn->flow, IPPROTO_TCP, SIZE_TCP, true);

	memset(tcp, 0, SIZE_TCP);
	set16(tcp, syn->flow.to_port);
	set16(tcp + 2, syn->flow.from_port);
	set32(tcp + 8, syn->sequence + 1);
	tcp[12] = SIZE_TCP / 4 << 4;
	tcp[13] = 0x14; /* RST, ACK */
	set_checksum(room, total(&syn->flow, 0), &syn->flow, SIZE_TCP, 16);
	return total(&syn->flow, SIZE_TCP);
}

/* ICMP's codes of "destination unreachable". */
static const struct {
	int error;
	char code, code6;
} codes[] = {
	{ ENETUNREACH, 0, 0 },
	{ EHOSTUNREACH, 1, 3 },
	{ ECONNREFUSED, 3, 4 },
	{ EACCES, 13, 1 },
	{ EPERM, 13, 1 },
};

/* As much of the original as identifies it: its header and the first 8 bytes behind. */
static size_t put_original(char *room, const struct packet_flow *f, struct str original)
{
	if (original.n) {
		size_t n = MIN(original.n, 128u);
		memcpy(room, original.p, n);
		return n;
	}
	char *udp = write_ip(room, f, f->protocol, SIZE_UDP, false);
	memset(udp, 0, SIZE_UDP);
	set16(udp, f->from_port);
	set16(udp + 2, f->to_port);
	set16(udp + 4, SIZE_UDP);
	return total(f, SIZE_UDP);
}

size_t packet_unreachable(char *room, const struct packet_flow *f, struct str original, int error)
{
	struct packet_flow icmp = *f;
	size_t i = 0;

	while (i < ARRAY_LEN(codes) - 1 && codes[i].error != error)
		i++;
	icmp.protocol = f->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	char *inner = room + total(f, 0);
	memset(inner, 0, SIZE_ICMP);
	inner[0] = f->family == AF_INET ? 3 : 1;
	inner[1] = f->family == AF_INET ? codes[i].code : codes[i].code6;
	size_t n = SIZE_ICMP + put_original(inner + SIZE_ICMP, f, original);
	write_ip(room, f, icmp.protocol, n, true);
	set_checksum(room, total(f, 0), &icmp, n, 2);
	return total(f, n);
}
