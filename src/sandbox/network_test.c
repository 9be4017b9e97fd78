/* Tests of the way out: shell commands that try to reach servers of this machine. */
#include "sandbox/trying.h"

#include <arpa/inet.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

static char own_text[INET_ADDRSTRLEN]; /* of this machine, not loopback; "": it has none */
static pid_t server;

static struct in_addr own_address(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	socklen_t size = sizeof to;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	to.sin_addr.s_addr = inet_addr("198.51.100.1");
	if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0 ||
	        getsockname(fd, (struct sockaddr *)&to, &size) < 0)
		to.sin_addr.s_addr = 0;
	close(fd);
	return to.sin_addr;
}

static int bind_to(int type, struct in_addr address, uint16_t *port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_addr = address, .sin_port = htons(*port)
	};
	socklen_t size = sizeof to;
	int fd = socket(AF_INET, type, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof to), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&to, &size), 0);
	assert_true(type == SOCK_DGRAM || listen(fd, 10) == 0);
	*port = ntohs(to.sin_port);
	return fd;
}

/* Answers each line and each datagram with "seen " before it. */
_Noreturn static void serve(int tcp, int udp)
{
	struct sockaddr_in from;
	socklen_t size = sizeof from;
	char room[128] = "seen ";

	for (;;) {
		struct pollfd v[] = { { tcp, POLLIN, 0 }, { udp, POLLIN, 0 } };
		poll(v, 2, -1);
		if (v[0].revents) {
			int fd = accept(tcp, NULL, NULL);
			ssize_t n = read(fd, room + 5, sizeof room - 5);
			(void)!write(fd, room, (size_t)MAX(n, 0) + 5);
			close(fd);
		}
		if (v[1].revents) {
			ssize_t n = recvfrom(
			        udp, room + 5, sizeof room - 5, 0, (struct sockaddr *)&from, &size);
			sendto(udp, room, (size_t)MAX(n, 0) + 5, 0, (struct sockaddr *)&from, size);
		}
	}
}

static uint16_t start_server(struct in_addr address)
{
	uint16_t port = 0;
	int tcp = bind_to(SOCK_STREAM, address, &port), udp = bind_to(SOCK_DGRAM, address, &port);

	server = fork();
	if (server == 0)
		serve(tcp, udp);
	close(tcp);
	close(udp);
	return port;
}

static void end_server(void)
{
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
}

static struct sandbox_spec bash(const char *id, const char *format, uint16_t port)
{
	struct sandbox_spec s = shell(id, "");

	s.argv[0] = S("/usr/bin/bash");
	s.argv[2] = str_printf(a,
	        "say() { exec 3<>$1 && echo hi >&3 && head -n1 <&3; }; "
	        "IP=%s PORT=%u; %s",
	        own_text, port, format);
	s.network = true;
	return s;
}

#define NEEDS_ADDRESS()                                              \
	do {                                                         \
		if (!own_text[0]) {                                  \
			print_message("skipped: no address here\n"); \
			skip();                                      \
		}                                                    \
	} while (0)

static void test_network(void **state)
{
	NEEDS_ADDRESS();
	uint16_t port = start_server(own_address());
	struct str out = run(bash("net",
	                             "say /dev/tcp/$IP/$PORT; say /dev/udp/$IP/$PORT;"
	                             "say /dev/tcp/host.wolke.internal/$PORT",
	                             port),
	        NULL);
	assert_true(str_eq(out, S("seen hi\nseen hi\nseen hi\n")));
	end_server();
	out = run(bash("net", "say /dev/tcp/$IP/$PORT; say /dev/udp/$IP/$PORT", port), NULL);
	assert_has(out, "tcp/");
	assert_has(out, "Connection refused\n");
	assert_has(out, "error reading"); /* of head: the datagram was refused */
}

static void test_network_is_closed(void **state)
{
	NEEDS_ADDRESS();
	struct sandbox_spec s = bash("net", "say /dev/tcp/$IP/1", 0);

	s.network = false;
	assert_has(run(s, NULL), "Network is unreachable");
	/* Metadata services, multicast, nobody's. */
	struct str out = run(bash("net", "say /dev/tcp/169.254.169.254/80", 0), NULL);
	assert_has(out, "Network is unreachable");
	assert_has(
	        run(bash("net", "say /dev/tcp/240.0.0.1/80", 0), NULL), "Network is unreachable");
}

/* Of the host's loopback only what was asked for; of other sandboxes nothing. */
static void test_network_of_host(void **state)
{
	NEEDS_ADDRESS();
	struct in_addr loopback = { htonl(INADDR_LOOPBACK) };
	uint16_t port = start_server(loopback);
	struct sandbox_spec other = shell("other", "sleep 98765");

	other.runtime_port = 9001;
	struct sandbox_message m = spawn(other);
	struct str out = run(bash("net",
	                             "say /dev/tcp/127.0.0.1/$PORT;"
	                             "say /dev/tcp/host.wolke.internal/$PORT;"
	                             "say /dev/tcp/127.0.0.1/9001; say /dev/tcp/169.254.76.1/9001;"
	                             "say /dev/tcp/host.wolke.internal/9001",
	                             port),
	        NULL);
	end_server();
	assert_has_not(out, "seen");
	assert_int_equal(
	        ask((struct sandbox_message){ .type = SANDBOX_KILL, .id = S("other") }).error, 0);
	wait_exit("other");
	close_fds(&m);
	int fd = bind_to(SOCK_STREAM, loopback, &opened_port);
	m = spawn(bash("net", "say /dev/tcp/host.wolke.internal/$PORT", opened_port));
	struct pollfd p = { fd, POLLIN, 0 };
	assert_int_equal(poll(&p, 1, 20000), 1);
	int accepted = accept(fd, NULL, NULL);
	assert_int_equal(write(accepted, "opened\n", 7), 7);
	assert_true(str_eq(read_all(m.fds[SANDBOX_FD_LOG]), S("opened\n")));
	wait_exit("net");
	close_fds(&m);
	close(accepted);
	close(fd);
}

static void test_network_by_assign(void **state)
{
	NEEDS_ADDRESS();
	struct sandbox_spec empty = { .id = S("net"), .memory_mib = 128 }, off = bash("net", "", 0);
	struct sandbox_message m = spawn(empty);
	uint16_t port = start_server(own_address());
	struct sandbox_spec s = bash("net", "say /dev/tcp/$IP/$PORT", port);

	assert_int_equal(
	        ask((struct sandbox_message){ .type = SANDBOX_ASSIGN, .spec = s }).error, 0);
	assert_true(str_eq(read_all(m.fds[SANDBOX_FD_LOG]), S("seen hi\n")));
	wait_exit("net");
	close_fds(&m);
	empty.network = true;
	m = spawn(empty);
	off.argv[2] = s.argv[2];
	off.network = false;
	assert_int_equal(
	        ask((struct sandbox_message){ .type = SANDBOX_ASSIGN, .spec = off }).error, 0);
	assert_has(read_all(m.fds[SANDBOX_FD_LOG]), "Network is unreachable");
	wait_exit("net");
	close_fds(&m);
	end_server();
}

static void choose_addresses(void)
{
	struct in_addr own = own_address(), loopback = { htonl(INADDR_LOOPBACK) };

	if (own.s_addr)
		inet_ntop(AF_INET, &own, own_text, sizeof own_text);
	close(bind_to(SOCK_STREAM, loopback, &opened_port));
}

static int start_all(void **state)
{
	choose_addresses();
	return start(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_network_is_closed),
		cmocka_unit_test(test_network_of_host),
		cmocka_unit_test(test_network_by_assign),
	};

	return cmocka_run_group_tests(tests, start_all, stop);
}
