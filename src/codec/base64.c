/* base64, base64url and hexadecimal. */
#include "codec/codec.h"

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static struct str encode(struct arena *a, struct str in, const char *alphabet, bool pad)
{
	char *out = arena_bytes(a, (in.n + 2) / 3 * 4 + 1), *at = out;
	const unsigned char *p = (const unsigned char *)in.p;
	size_t i = 0;

	for (; i + 2 < in.n; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16 | (uint32_t)p[i + 1] << 8 | p[i + 2];
		*at++ = alphabet[v >> 18];
		*at++ = alphabet[v >> 12 & 63];
		*at++ = alphabet[v >> 6 & 63];
		*at++ = alphabet[v & 63];
	}
	if (i < in.n) {
		bool two = i + 1 < in.n;
		uint32_t v = (uint32_t)p[i] << 16 | (two ? (uint32_t)p[i + 1] << 8 : 0);
		*at++ = alphabet[v >> 18];
		*at++ = alphabet[v >> 12 & 63];
		if (two)
			*at++ = alphabet[v >> 6 & 63];
		else if (pad)
			*at++ = '=';
		if (pad)
			*at++ = '=';
	}
	return (struct str){ out, (size_t)(at - out) };
}

static int value_of(char c, bool url)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == (url ? '-' : '+'))
		return 62;
	return c == (url ? '_' : '/') ? 63 : -1;
}

static int decode(struct arena *a, struct str in, bool url, struct str *bytes)
{
	char *out = arena_bytes(a, in.n / 4 * 3 + 4);
	size_t n = 0;
	uint32_t v = 0;
	int bits = 0;

	if (in.n % 4 == 1)
		return CODEC_BAD;
	for (size_t i = 0; i < in.n; i++) {
		int six = value_of(in.p[i], url);
		if (six < 0)
			return CODEC_BAD;
		v = v << 6 | (uint32_t)six;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (char)(v >> bits & 0xff);
		}
	}
	*bytes = (struct str){ out, n };
	return 0;
}

struct str base64_encode(struct arena *a, struct str bytes)
{
	return encode(a, bytes, standard, true);
}

struct str base64url_encode(struct arena *a, struct str bytes)
{
	return encode(a, bytes, url_safe, false);
}

int base64_decode(struct arena *a, struct str text, struct str *bytes)
{
	if (text.n % 4 != 0)
		return CODEC_BAD;
	for (int i = 0; i < 2 && text.n > 0 && text.p[text.n - 1] == '='; i++)
		text.n--;
	return decode(a, text, false, bytes);
}

int base64url_decode(struct arena *a, struct str text, struct str *bytes)
{
	return decode(a, text, true, bytes);
}

struct str hex_encode(struct arena *a, struct str bytes)
{
	static const char digits[] = "0123456789abcdef";
	char *out = arena_bytes(a, bytes.n * 2 + 1);

	for (size_t i = 0; i < bytes.n; i++) {
		out[2 * i] = digits[(unsigned char)bytes.p[i] >> 4];
		out[2 * i + 1] = digits[(unsigned char)bytes.p[i] & 15];
	}
	return (struct str){ out, bytes.n * 2 };
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 32);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int hex_decode(struct arena *a, struct str text, struct str *bytes)
{
	char *out = arena_bytes(a, text.n / 2 + 1);

	if (text.n % 2)
		return CODEC_BAD;
	for (size_t i = 0; i < text.n; i += 2) {
		int high = hex_value(text.p[i]), low = hex_value(text.p[i + 1]);
		if (high < 0 || low < 0)
			return CODEC_BAD;
		out[i / 2] = (char)(high << 4 | low);
	}
	*bytes = (struct str){ out, text.n / 2 };
	return 0;
}
