/* access_key: making and reading ids. */
#include "api/access_key.h"

#include "base/arena.h"
#include "base/rand.h"

#define ID_BYTES 10

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

static void base32_encode(const unsigned char bytes[ID_BYTES], char out[16])
{
	for (size_t i = 0; i < 16; i++) {
		size_t bit = i * 5;
		unsigned two = (unsigned)bytes[bit / 8] << 8;
		if (bit / 8 + 1 < ID_BYTES)
			two |= bytes[bit / 8 + 1];
		out[i] = base32[two >> (11 - bit % 8) & 31];
	}
}

static bool base32_decode(struct str text, unsigned char bytes[ID_BYTES])
{
	uint64_t window = 0;
	size_t bits = 0, n = 0;

	for (size_t i = 0; i < text.n; i++) {
		const char *at = memchr(base32, text.p[i], 32);
		if (!at)
			return false;
		window = window << 5 | (uint64_t)(at - base32);
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			bytes[n++] = (unsigned char)(window >> bits);
		}
	}
	return n == ID_BYTES;
}

struct str access_key_make(struct arena *a, struct str prefix, struct str account)
{
	unsigned char bytes[ID_BYTES];
	char text[16];
	uint64_t number = 0;

	rand_bytes(bytes, sizeof bytes);
	ensure(str_to_u64(account, &number));
	uint64_t head = UINT64_C(1) << 47 | number << 7 | (bytes[5] & 127);
	for (size_t i = 0; i < 6; i++)
		bytes[i] = (unsigned char)(head >> (40 - 8 * i));
	base32_encode(bytes, text);
	return str_concat(a, 2, prefix, (struct str){ text, sizeof text });
}

bool access_key_account(struct arena *a, struct str id, struct str *account)
{
	unsigned char bytes[ID_BYTES];
	uint64_t head = 0;

	if (id.n != 20 || !base32_decode(str_sub(id, 4, 16), bytes))
		return false;
	for (size_t i = 0; i < 6; i++)
		head = head << 8 | bytes[i];
	head = (head & UINT64_C(0x7fffffffff80)) >> 7;
	if (head > UINT64_C(999999999999))
		return false;
	*account = str_printf(a, "%012llu", (unsigned long long)head);
	return true;
}
