/* relay_host: which of the host's addresses a destination inside stands for, and which it may not
 * be. */
#include "base/arena.h"
#include "base/clock.h"
#include "sandbox/relay.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESOLVER    "/etc/resolv.conf"
#define RESOLVER_MS 4000 /* before the next server gets the question: less than what libc waits */
#define DOMAIN_PORT 53

static void set_address(
        struct sockaddr_storage *to, uint8_t family, const void *address, uint16_t port)
{
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	*to = (struct sockaddr_storage){ 0 };
	if (family == AF_INET) {
		memcpy(&to4.sin_addr, address, sizeof to4.sin_addr);
		memcpy(to, &to4, sizeof to4);
	} else {
		memcpy(&to6.sin6_addr, address, sizeof to6.sin6_addr);
		memcpy(to, &to6, sizeof to6);
	}
}

/* ---- the host's resolver ---- */

static void add_server(struct relay *r, struct str line)
{
	char text[64], address[16];
	struct str word = S("nameserver");

	if (!str_starts(line, word) || r->resolver.n == ARRAY_LEN(r->resolver.servers))
		return;
	line = str_trim(str_sub(line, word.n, line.n));
	if (line.n >= sizeof text)
		return;
	memcpy(text, line.p, line.n);
	text[line.n] = 0;
	uint8_t family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(family, text, address) == 1)
		set_address(&r->resolver.servers[r->resolver.n++], family, address, DOMAIN_PORT);
}

/* Laptops change networks: looked at again when it has changed. */
static void read_resolver(struct relay *r)
{
	const uint32_t loopback = htonl(INADDR_LOOPBACK);
	char text[4096];
	struct stat st = { 0 };
	int fd CLEANUP(fd_closep) = open(RESOLVER, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		fstat(fd, &st);
	int64_t changed_ns = st.st_mtim.tv_sec * 1000000000ll + st.st_mtim.tv_nsec;
	if (r->resolver.n && r->resolver.changed_ns == changed_ns && r->resolver.inode == st.st_ino)
		return;
	r->resolver.changed_ns = changed_ns;
	r->resolver.inode = st.st_ino;
	r->resolver.n = 0;
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text) : 0;
	struct str rest = { text, (size_t)MAX(n, 0) };
	while (rest.n)
		add_server(r, str_cut(&rest, '\n'));
	if (!r->resolver.n)
		set_address(&r->resolver.servers[r->resolver.n++], AF_INET, &loopback, DOMAIN_PORT);
}

static int resolver(struct relay *r, const struct flow *f, struct sockaddr_storage *to)
{
	uint64_t waited_ms = clock_mono_ns() / 1000000 - f->began_ms;

	read_resolver(r);
	*to = r->resolver.servers[(f->server + waited_ms / RESOLVER_MS) % r->resolver.n];
	return 0;
}

/* ---- the host ---- */

/* From which it reaches others, asked of the kernel by a connection that sends nothing. */
static int own_address(struct sockaddr_storage *to, uint16_t port)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(9) };
	socklen_t size = sizeof any;
	int fd CLEANUP(fd_closep) = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	any.sin_addr.s_addr = htonl(0xc6336401); /* for documentation: nobody's */
	if (fd < 0 || connect(fd, (struct sockaddr *)&any, sizeof any) < 0 ||
	        getsockname(fd, (struct sockaddr *)&any, &size) < 0)
		return -EHOSTUNREACH;
	set_address(to, AF_INET, &any.sin_addr, port);
	return 0;
}

static int host(struct relay *r, uint16_t port, struct sockaddr_storage *to)
{
	const uint32_t loopback = htonl(INADDR_LOOPBACK);

	for (size_t i = 0; i < r->options->n_host_ports; i++)
		if (r->options->host_ports[i] == port) {
			set_address(to, AF_INET, &loopback, port);
			return 0;
		}
	return own_address(to, port);
}

/* ---- what may not be reached ---- */

static const struct {
	uint32_t address, mask;
} closed4[] = {
	{ 0x00000000, 0xff000000 }, /* this host */
	{ 0x7f000000, 0xff000000 }, /* loopback */
	{ 0xa9fe0000, 0xffff0000 }, /* link-local: metadata services with the host's credentials */
	{ 0xe0000000, 0xe0000000 }, /* multicast, reserved, broadcast */
};

static const struct {
	uint16_t address, mask;
} closed6[] = {
	{ 0x0000, 0xffff }, /* loopback, and IPv4 in other words */
	{ 0xfe80, 0xffc0 }, /* link-local */
	{ 0xff00, 0xff00 }, /* multicast */
};

static bool is_closed(const struct packet_flow *f)
{
	uint32_t word = (uint32_t)f->to[0] << 24 | (uint32_t)f->to[1] << 16 |
	                (uint32_t)f->to[2] << 8 | f->to[3];
	bool closed = false;

	for (size_t i = 0; f->family == AF_INET && i < ARRAY_LEN(closed4); i++)
		closed = closed || (word & closed4[i].mask) == closed4[i].address;
	for (size_t i = 0; f->family == AF_INET6 && i < ARRAY_LEN(closed6); i++)
		closed = closed || (word >> 16 & closed6[i].mask) == closed6[i].address;
	return closed;
}

bool relay_is_host(const struct packet_flow *f)
{
	const uint32_t address = htonl(NETWORK_HOST);

	return f->family == AF_INET && memcmp(f->to, &address, sizeof address) == 0;
}

int relay_destination(
        struct relay *r, const struct flow *f, struct sockaddr_storage *to, socklen_t *size)
{
	int error = 0;

	if (relay_is_host(&f->key))
		error = f->key.to_port == DOMAIN_PORT ? resolver(r, f, to)
		                                      : host(r, f->key.to_port, to);
	else if (is_closed(&f->key))
		error = -ENETUNREACH;
	else
		set_address(to, f->key.family, f->key.to, f->key.to_port);
	*size = to->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	return error;
}
