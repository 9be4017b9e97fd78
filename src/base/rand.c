/* rand: a per-thread store of getrandom() bytes, so that small requests cost no system call. */
#include "base/rand.h"

#include "base/arena.h"

#include <stdio.h>
#include <sys/random.h>

static _Thread_local unsigned char pool[512];
static _Thread_local size_t pool_left;

static void fill(unsigned char *p, size_t n)
{
	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);
		ensure(got > 0 || errno == EINTR);
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
}

void rand_bytes(void *p, size_t n)
{
	if (n > sizeof pool) {
		fill(p, n);
		return;
	}
	if (n > pool_left) {
		fill(pool, sizeof pool);
		pool_left = sizeof pool;
	}
	pool_left -= n;
	memcpy(p, pool + pool_left, n);
	memset(pool + pool_left, 0, n);
}

uint64_t rand_u64(void)
{
	uint64_t v;

	rand_bytes(&v, sizeof v);
	return v;
}

struct str rand_text(struct arena *a, size_t n, struct str alphabet)
{
	char *p = arena_bytes(a, n + 1);

	for (size_t i = 0; i < n; i++)
		p[i] = alphabet.p[rand_u64() % alphabet.n];
	p[n] = 0;
	return (struct str){ p, n };
}

struct str rand_uuid(struct arena *a)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char b[16];
	char *p = arena_bytes(a, 37), *at = p;

	rand_bytes(b, sizeof b);
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		*at++ = hex[b[i] >> 4];
		*at++ = hex[b[i] & 15];
	}
	*at = 0;
	return (struct str){ p, 36 };
}

void rand_hex32(char id[33])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char bytes[16];

	rand_bytes(bytes, sizeof bytes);
	for (int i = 0; i < 16; i++) {
		id[2 * i] = hex[bytes[i] >> 4];
		id[2 * i + 1] = hex[bytes[i] & 15];
	}
	id[32] = 0;
}
