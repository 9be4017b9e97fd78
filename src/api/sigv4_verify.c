/*
 * sigv4_verify: signing keys, signatures, and whether a request's own is right and in time.
 */
#include "api/sigv4_internal.h"

#include "base/clock.h"

#define SKEW_MS     (15 * 60 * 1000)
#define EARLY_MS    (5 * 60 * 1000)
#define CACHE_SLOTS 64
#define CACHE_TEXT  192

void sigv4_hex(const unsigned char *bytes, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
}

/* ---- the signing key ---- */

/* Per thread, so without a lock. The whole of secret and scope is compared. */
struct cached_key {
	size_t n;
	char text[CACHE_TEXT];
	unsigned char key[32];
};
static _Thread_local struct cached_key cache[CACHE_SLOTS];

static struct str bytes32(const unsigned char *p)
{
	return (struct str){ (const char *)p, 32 };
}

static void derive(struct arena *a, struct str secret, const struct sigv4 *s, unsigned char key[32])
{
	unsigned char k[32];

	hash_hmac_sha256(str_concat(a, 2, S("AWS4"), secret), s->date, k);
	hash_hmac_sha256(bytes32(k), s->region, k);
	hash_hmac_sha256(bytes32(k), s->service, k);
	hash_hmac_sha256(bytes32(k), S("aws4_request"), key);
}

/* 0: too long to be cached. */
static size_t key_text(struct str secret, const struct sigv4 *s, char text[CACHE_TEXT])
{
	const struct str parts[] = { secret, s->date, s->region, s->service };
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (parts[i].n + 1 > CACHE_TEXT - n)
			return 0;
		if (parts[i].n)
			memcpy(text + n, parts[i].p, parts[i].n);
		n += parts[i].n;
		text[n++] = '\n';
	}
	return n;
}

void sigv4_key(struct arena *a, struct str secret, const struct sigv4 *s, unsigned char key[32])
{
	char text[CACHE_TEXT];
	size_t n = key_text(secret, s, text);
	uint64_t hash = 14695981039346656037u;

	if (n == 0) {
		derive(a, secret, s, key);
		return;
	}
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
	struct cached_key *slot = &cache[(hash >> 32) % CACHE_SLOTS];
	if (slot->n != n || memcmp(slot->text, text, n) != 0) {
		derive(a, secret, s, slot->key);
		memcpy(slot->text, text, n);
		slot->n = n;
	}
	memcpy(key, slot->key, 32);
}

/* ---- the signature ---- */

void sigv4_add_scope(struct buf *b, const struct sigv4 *s)
{
	buf_add(b, s->date);
	buf_add_char(b, '/');
	buf_add(b, s->region);
	buf_add_char(b, '/');
	buf_add(b, s->service);
	buf_add(b, S("/aws4_request"));
}

void sigv4_signature(
        struct arena *a, const struct sigv4 *s, struct str canonical, char signature[64])
{
	struct buf b = buf_init(a);
	unsigned char mac[32];

	buf_reserve(&b, 256);
	buf_add(&b, S("AWS4-HMAC-SHA256\n"));
	buf_add(&b, s->timestamp);
	buf_add_char(&b, '\n');
	sigv4_add_scope(&b, s);
	buf_add_char(&b, '\n');
	buf_add(&b, hash_sha256_hex(a, canonical));
	hash_hmac_sha256(bytes32(s->signing_key), buf_str(&b), mac);
	sigv4_hex(mac, 32, signature);
}

/* ---- verifying ---- */

bool sigv4_is_s3(struct str service)
{
	static const struct str names[] = { S_INIT("s3"), S_INIT("s3express"),
		S_INIT("s3-outposts"), S_INIT("s3-object-lambda") };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(service, names[i]))
			return true;
	return false;
}

static int expired(struct arena *a, const struct sigv4 *s, int64_t now, struct str *why)
{
	int64_t limit = s->kind != SIGV4_HEADER ? s->expires_s * 1000 : SKEW_MS;
	struct str at = time_basic(a, now), earliest = time_basic(a, now - limit);

	if (sigv4_is_s3(s->service))
		*why = s->kind != SIGV4_HEADER ? S("Request has expired")
		                               : S("The difference between the request time and "
		                                   "the current time is too large.");
	else
		*why = str_printf(a,
		        "Signature expired: %.*s is now earlier than %.*s (%.*s - %lld min.)",
		        STR(s->timestamp), STR(earliest), STR(at), (long long)(limit / 60000));
	return SIGV4_EXPIRED;
}

static int not_yet(struct arena *a, const struct sigv4 *s, int64_t now, struct str *why)
{
	struct str at = time_basic(a, now), latest = time_basic(a, now + EARLY_MS);

	if (!sigv4_is_s3(s->service)) {
		*why = str_printf(a,
		        "Signature not yet current: %.*s is still later than %.*s (%.*s + 5 min.)",
		        STR(s->timestamp), STR(latest), STR(at));
		return SIGV4_NOT_YET;
	}
	if (s->kind == SIGV4_PRESIGNED) {
		*why = S("Request is not yet valid");
		return SIGV4_NOT_YET;
	}
	*why = S("The difference between the request time and the current time is too large.");
	return SIGV4_EXPIRED;
}

int sigv4_check_time(struct arena *a, const struct sigv4 *s, struct str *why)
{
	int64_t now = clock_now_ms();
	bool presigned = s->kind != SIGV4_HEADER;
	int64_t late = presigned ? s->expires_s * 1000 : SKEW_MS;
	int64_t early = sigv4_is_s3(s->service) ? SKEW_MS : EARLY_MS;

	if (!presigned && clock_is_manual())
		return 0;
	if (s->time_ms + late < now)
		return expired(a, s, now, why);
	/* Version 2 knows no beginning. */
	if (s->kind == SIGV4_PRESIGNED_V2 || clock_is_manual())
		return 0;
	return s->time_ms - early > now ? not_yet(a, s, now, why) : 0;
}

static bool starts_nocase(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq_nocase(str_sub(s, 0, prefix.n), prefix);
}

/* Host must be signed, and for S3 every x-amz- header that was sent. */
static int check_signed_headers(
        const struct sigv4 *s, const struct http_request *r, struct str *why)
{
	if (!sigv4_is_signed(s->signed_headers, S("host"))) {
		*why = S("'Host' or ':authority' must be a 'SignedHeader' in the AWS "
		         "Authorization.");
		return SIGV4_MISMATCH;
	}
	for (size_t i = 0; sigv4_is_s3(s->service) && i < r->headers.n; i++) {
		struct str name = r->headers.v[i].name;
		if (!starts_nocase(name, S("x-amz-")) || sigv4_is_signed(s->signed_headers, name))
			continue;
		*why = S("There were headers present in the request which were not signed");
		return SIGV4_MISMATCH;
	}
	return 0;
}

static struct str mismatch_words(const struct sigv4 *s)
{
	if (sigv4_is_s3(s->service))
		return S("The request signature we calculated does not match the signature you "
		         "provided. Check your key and signing method.");
	return S("The request signature we calculated does not match the signature you provided. "
	         "Check your AWS Secret Access Key and signing method. Consult the service "
	         "documentation for details.");
}

static bool signature_matches(struct arena *a, const struct sigv4 *s, const struct sigv4_request *r)
{
	char signature[64];

	sigv4_signature(a, s, sigv4_canonical(a, r), signature);
	return hash_equal(s->signature, (struct str){ signature, 64 });
}

int sigv4_verify(struct arena *a, struct sigv4 *s, const struct http_request *r, struct str secret,
        struct str body_hash, struct str *why)
{
	struct str query = r->target, path = str_cut(&query, '?');
	struct sigv4_request sent = {
		.method = r->method,
		.path = path,
		.query = query,
		.headers = &r->headers,
		.signed_headers = s->signed_headers,
		.payload_hash = s->payload_hash.n ? s->payload_hash : body_hash,
		.s3 = sigv4_is_s3(s->service),
		.presigned = s->kind == SIGV4_PRESIGNED,
	};

	s->verified = false;
	if (s->kind == SIGV4_PRESIGNED_V2) {
		TRY(sigv4_check_time(a, s, why));
		return sigv2_verify(a, s, r, secret, why);
	}
	TRY(check_signed_headers(s, r, why));
	TRY(sigv4_check_time(a, s, why));
	sigv4_key(a, secret, s, s->signing_key);
	s->verified = signature_matches(a, s, &sent);
	/* Some clients escape less of S3's path than they might, and sign it like that. */
	if (!s->verified && sent.s3) {
		sent.as_sent = true;
		s->verified = signature_matches(a, s, &sent);
	}
	if (s->verified)
		return 0;
	*why = mismatch_words(s);
	return SIGV4_MISMATCH;
}
