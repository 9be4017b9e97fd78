/* Tests of packets: what is read of those that sandboxes send, and what the answers carry. */
#include "sandbox/packet.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static char room[PACKET_MAX];

static const char syn4[] = "\x45\0\0\x28\0\1\x40\0\x40\6\0\0\xa9\xfe\x4c\1\xc6\x33\x64\1"
                           "\x9c\x40\1\xbb\0\0\0\7\0\0\0\0\x50\2\xff\xff\0\0\0\0";
static const char udp6[] = "\x60\0\0\0\0\x0c\x11\x40"
                           "\xfd\x77\x6f\x6c\0\0\0\0\0\0\0\0\0\0\0\1"
                           "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
                           "\x14\xe9\0\x35\0\x0c\0\0"
                           "abcd";

#define BYTES(s) ((struct str){ s, sizeof(s) - 1 })

/* A complete checksum makes the sum over pseudo header and contents all ones. */
static void assert_checksum(const char *p, size_t n, size_t header, int protocol)
{
	size_t addresses = header == 20 ? 12 : 8;
	uint64_t s = protocol == IPPROTO_ICMP ? 0 : (uint64_t)(n - header) + (uint64_t)protocol;

	for (size_t i = protocol == IPPROTO_ICMP ? header : addresses; i < n; i++)
		s += (uint64_t)(uint8_t)p[i] << ((i - header) % 2 ? 0 : 8);
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	assert_int_equal(s, 0xffff);
}

static void test_syn(void **state)
{
	char copy[sizeof syn4];
	struct packet p;

	assert_true(packet_read(BYTES(syn4), &p));
	assert_int_equal(p.flow.family, AF_INET);
	assert_int_equal(p.flow.from_port, 40000);
	assert_int_equal(p.flow.to_port, 443);
	assert_int_equal(p.sequence, 7);
	assert_memory_equal(p.flow.to, "\xc6\x33\x64\1", 4);
	memcpy(copy, syn4, sizeof syn4);
	packet_complete(copy, sizeof syn4 - 1);
	assert_checksum(copy, sizeof syn4 - 1, 20, IPPROTO_TCP);
	copy[33] = 0x12; /* an answer is no beginning */
	assert_false(packet_read((struct str){ copy, sizeof syn4 - 1 }, &p));
}

static void test_reset(void **state)
{
	struct packet p;

	assert_true(packet_read(BYTES(syn4), &p));
	assert_int_equal(packet_reset(room, &p), 40);
	assert_memory_equal(room + 12, "\xc6\x33\x64\1\xa9\xfe\x4c\1", 8);
	assert_memory_equal(room + 20, "\1\xbb\x9c\x40\0\0\0\0\0\0\0\x08\x50\x14", 14);
	assert_checksum(room, 40, 20, IPPROTO_TCP);
}

static void test_datagram(void **state)
{
	struct packet p, back;

	assert_true(packet_read(BYTES(udp6), &p));
	assert_true(str_eq(p.payload, S("abcd")));
	size_t n = packet_datagram(room, &p.flow, S("answer"));
	assert_checksum(room, n, 40, IPPROTO_UDP);
	assert_true(packet_read((struct str){ room, n }, &back));
	assert_true(str_eq(back.payload, S("answer")));
	assert_int_equal(back.flow.from_port, 53);
	assert_int_equal(back.flow.to_port, 5353);
	assert_memory_equal(back.flow.to, p.flow.from, 16);
}

static void test_unreachable(void **state)
{
	struct packet p;

	assert_true(packet_read(BYTES(syn4), &p));
	size_t n = packet_unreachable(room, &p.flow, BYTES(syn4), EHOSTUNREACH);
	assert_memory_equal(room + 20, "\3\1", 2);
	assert_memory_equal(room + 28, syn4, sizeof syn4 - 1);
	assert_checksum(room, n, 20, IPPROTO_ICMP);
	assert_true(packet_read(BYTES(udp6), &p));
	n = packet_unreachable(room, &p.flow, (struct str){ 0 }, ECONNREFUSED);
	assert_memory_equal(room + 40, "\1\4", 2);
	assert_memory_equal(room + 48 + 40, "\x14\xe9\0\x35", 4);
	assert_checksum(room, n, 40, IPPROTO_ICMPV6);
}

static void test_damaged(void **state)
{
	char copy[sizeof udp6];
	struct packet p;

	for (size_t n = 0; n < sizeof udp6 - 1; n++)
		assert_false(packet_read((struct str){ udp6, n }, &p));
	memcpy(copy, udp6, sizeof udp6);
	copy[45] = 13; /* longer than the packet */
	assert_false(packet_read((struct str){ copy, sizeof udp6 - 1 }, &p));
	copy[45] = 7; /* shorter than its header */
	assert_false(packet_read((struct str){ copy, sizeof udp6 - 1 }, &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syn),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_datagram),
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
