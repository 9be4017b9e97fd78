#pragma once
/*
 * codec: the small encodings. Pure; results in the arena. Decoders return 0 or CODEC_BAD.
 */
#include "base/buf.h"

#define CODEC_BAD 1

struct str base64_encode(struct arena *a, struct str bytes);
int base64_decode(struct arena *a, struct str text, struct str *bytes) MUST_USE; /* strict, padded */
struct str base64url_encode(struct arena *a, struct str bytes);                  /* no padding */
int base64url_decode(struct arena *a, struct str text, struct str *bytes) MUST_USE;
struct str hex_encode(struct arena *a, struct str bytes); /* lower case */
int hex_decode(struct arena *a, struct str text, struct str *bytes) MUST_USE;

/* RFC 3986: all but unreserved characters; keep_slash leaves '/'. As SigV4 wants it. */
struct str uri_encode(struct arena *a, struct str s, bool keep_slash);
/* %XX; plus_is_space for form bodies. CODEC_BAD on a broken escape. */
int uri_decode(struct arena *a, struct str s, bool plus_is_space, struct str *decoded) MUST_USE;

struct uri_param {
	struct str name, value; /* decoded */
	bool has_value;         /* "a=" has, "a" has not */
};
struct uri_params {
	struct uri_param *v;
	size_t n;
};
/* A query string or form body; at most 1000 parameters. Order kept. */
int uri_query_parse(struct arena *a, struct str query, struct uri_params *params) MUST_USE;
struct str uri_params_get(const struct uri_params *params, struct str name); /* first; absent: p NULL */

struct uri {
	struct str scheme, host, path, query; /* host without brackets; path at least "/" ; query without '?', p NULL: none */
	int port;                              /* 0: not given */
};
int uri_parse(struct str text, struct uri *uri) MUST_USE; /* absolute http(s) URIs; slices of text */

/* Times: Unix milliseconds UTC. */
struct str time_iso8601(struct arena *a, int64_t ms, bool with_ms); /* 2026-01-31T12:00:00[.000]Z */
struct str time_rfc822(struct arena *a, int64_t ms);                /* Sat, 31 Jan 2026 12:00:00 GMT */
struct str time_basic(struct arena *a, int64_t ms);                 /* 20260131T120000Z */
int time_parse_iso8601(struct str s, int64_t *ms) MUST_USE;         /* with fraction, Z or +hh:mm; a date alone too */
int time_parse_rfc822(struct str s, int64_t *ms) MUST_USE;
int time_parse_basic(struct str s, int64_t *ms) MUST_USE;

/* Hashes (OpenSSL): raw digests in the arena, or into the caller's bytes. */
struct str hash_sha256(struct arena *a, struct str s);
struct str hash_sha256_hex(struct arena *a, struct str s);
struct str hash_sha1(struct arena *a, struct str s);
struct str hash_md5(struct arena *a, struct str s);
void hash_hmac_sha256(struct str key, struct str s, unsigned char out[32]);
uint32_t hash_crc32(uint32_t before, struct str s);   /* zlib's; start with 0 */
uint32_t hash_crc32c(uint32_t before, struct str s);
uint64_t hash_crc64nvme(uint64_t before, struct str s);
bool hash_equal(struct str a, struct str b); /* constant time */

/* Incremental, for streams. */
enum hash_kind { HASH_MD5, HASH_SHA1, HASH_SHA256, HASH_CRC32, HASH_CRC32C, HASH_CRC64NVME };
struct hash;
struct hash *hash_new(enum hash_kind kind);
void hash_add(struct hash *h, struct str s);
struct str hash_take(struct hash *h, struct arena *a); /* raw, CRCs big-endian; frees h */
void hash_free(struct hash *h);                        /* NULL is fine */
