/* hash: OpenSSL's digests, and the three CRCs of S3. */
#include "codec/codec.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <zlib.h>

static struct {
	const EVP_MD *md5, *sha1, *sha256;
	uint32_t crc32c[256];
	uint64_t crc64[256];
} tables;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init(void)
{
	tables.md5 = EVP_MD_fetch(NULL, "MD5", NULL);
	tables.sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	tables.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;
		uint64_t d = i;
		for (int k = 0; k < 8; k++) {
			c = c & 1 ? c >> 1 ^ 0x82f63b78u : c >> 1;
			d = d & 1 ? d >> 1 ^ 0x9a6c9329ac4bc9b5u : d >> 1;
		}
		tables.crc32c[i] = c;
		tables.crc64[i] = d;
	}
}

static struct str digest(struct arena *a, const EVP_MD *md, struct str s)
{
	unsigned char *out = (unsigned char *)arena_bytes(a, EVP_MAX_MD_SIZE);
	unsigned n = 0;

	ensure(EVP_Digest(s.p ? s.p : "", s.n, out, &n, md, NULL) == 1);
	return (struct str){ (char *)out, n };
}

/* The low-level function costs a third of what the provider's way costs on short input, and short
 * input, signed requests, is the hot path. */
static void sha256_into(struct str s, unsigned char out[32])
{
	SHA256((const unsigned char *)(s.p ? s.p : ""), s.n, out);
}

struct str hash_sha256(struct arena *a, struct str s)
{
	unsigned char *out = (unsigned char *)arena_bytes(a, 32);

	sha256_into(s, out);
	return (struct str){ (char *)out, 32 };
}

struct str hash_sha256_hex(struct arena *a, struct str s)
{
	unsigned char out[32];

	sha256_into(s, out);
	return hex_encode(a, (struct str){ (char *)out, 32 });
}

struct str hash_sha1(struct arena *a, struct str s)
{
	pthread_once(&once, init);
	return digest(a, tables.sha1, s);
}

struct str hash_md5(struct arena *a, struct str s)
{
	pthread_once(&once, init);
	return digest(a, tables.md5, s);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
void hash_hmac_sha256(struct str key, struct str s, unsigned char out[32])
{
	unsigned char block[64] = { 0 }, pad[64];
	SHA256_CTX c;

	if (key.n > 64)
		sha256_into(key, block);
	else if (key.n)
		memcpy(block, key.p, key.n);
	for (int i = 0; i < 64; i++)
		pad[i] = block[i] ^ 0x36;
	SHA256_Init(&c);
	SHA256_Update(&c, pad, 64);
	SHA256_Update(&c, s.p ? s.p : "", s.n);
	SHA256_Final(out, &c);
	for (int i = 0; i < 64; i++)
		pad[i] = block[i] ^ 0x5c;
	SHA256_Init(&c);
	SHA256_Update(&c, pad, 64);
	SHA256_Update(&c, out, 32);
	SHA256_Final(out, &c);
}
#pragma GCC diagnostic pop

uint32_t hash_crc32(uint32_t before, struct str s)
{
	return (uint32_t)crc32_z(before, (const unsigned char *)s.p, s.n);
}

#if defined(__x86_64__)
#include <nmmintrin.h>
__attribute__((target("sse4.2"))) static uint32_t crc32c_fast(uint32_t c, struct str s)
{
	uint64_t v = c;

	for (; s.n >= 8; s = str_sub(s, 8, s.n)) {
		uint64_t w;
		memcpy(&w, s.p, 8);
		v = _mm_crc32_u64(v, w);
	}
	c = (uint32_t)v;
	for (size_t i = 0; i < s.n; i++)
		c = _mm_crc32_u8(c, (unsigned char)s.p[i]);
	return c;
}
#endif

uint32_t hash_crc32c(uint32_t before, struct str s)
{
	uint32_t c = ~before;

	pthread_once(&once, init);
#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2"))
		return ~crc32c_fast(c, s);
#endif
	for (size_t i = 0; i < s.n; i++)
		c = tables.crc32c[(c ^ (unsigned char)s.p[i]) & 255] ^ c >> 8;
	return ~c;
}

uint64_t hash_crc64nvme(uint64_t before, struct str s)
{
	uint64_t c = ~before;

	pthread_once(&once, init);
	for (size_t i = 0; i < s.n; i++)
		c = tables.crc64[(c ^ (unsigned char)s.p[i]) & 255] ^ c >> 8;
	return ~c;
}

bool hash_equal(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}

struct hash {
	enum hash_kind kind;
	EVP_MD_CTX *md;
	uint64_t crc;
};

struct hash *hash_new(enum hash_kind kind)
{
	struct hash *h = mem_new(struct hash);

	pthread_once(&once, init);
	h->kind = kind;
	if (kind > HASH_SHA256)
		return h;
	h->md = EVP_MD_CTX_new();
	ensure(h->md != NULL);
	const EVP_MD *md = kind == HASH_MD5    ? tables.md5
	                   : kind == HASH_SHA1 ? tables.sha1
	                                       : tables.sha256;
	ensure(EVP_DigestInit_ex2(h->md, md, NULL) == 1);
	return h;
}

void hash_add(struct hash *h, struct str s)
{
	if (h->md)
		ensure(EVP_DigestUpdate(h->md, s.p, s.n) == 1);
	else if (h->kind == HASH_CRC32)
		h->crc = hash_crc32((uint32_t)h->crc, s);
	else if (h->kind == HASH_CRC32C)
		h->crc = hash_crc32c((uint32_t)h->crc, s);
	else
		h->crc = hash_crc64nvme(h->crc, s);
}

struct str hash_take(struct hash *h, struct arena *a)
{
	unsigned char *out = (unsigned char *)arena_bytes(a, EVP_MAX_MD_SIZE);
	unsigned n = h->kind == HASH_CRC64NVME ? 8 : 4;

	if (h->md) {
		ensure(EVP_DigestFinal_ex(h->md, out, &n) == 1);
	} else {
		for (unsigned i = 0; i < n; i++)
			out[i] = (unsigned char)(h->crc >> (8 * (n - 1 - i)));
	}
	hash_free(h);
	return (struct str){ (char *)out, n };
}

void hash_free(struct hash *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->md);
	mem_free(h);
}
