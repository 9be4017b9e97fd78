/* checksum: see checksum.h. */
#include "services/s3/checksum.h"

#include "services/s3/bucket.h"

const struct s3_algorithm s3_algorithms[] = {
	{ S_INIT("CRC64NVME"), S_INIT("ChecksumCRC64NVME"), S_INIT("x-amz-checksum-crc64nvme"),
	        HASH_CRC64NVME, 8, 0x9a6c9329ac4bc9b5 },
	{ S_INIT("CRC32"), S_INIT("ChecksumCRC32"), S_INIT("x-amz-checksum-crc32"), HASH_CRC32, 4,
	        0xedb88320 },
	{ S_INIT("CRC32C"), S_INIT("ChecksumCRC32C"), S_INIT("x-amz-checksum-crc32c"), HASH_CRC32C,
	        4, 0x82f63b78 },
	{ S_INIT("SHA1"), S_INIT("ChecksumSHA1"), S_INIT("x-amz-checksum-sha1"), HASH_SHA1, 20, 0 },
	{ S_INIT("SHA256"), S_INIT("ChecksumSHA256"), S_INIT("x-amz-checksum-sha256"), HASH_SHA256,
	        32, 0 },
};
const size_t s3_n_algorithms = ARRAY_LEN(s3_algorithms);

const struct s3_algorithm *s3_algorithm_default(void)
{
	return &s3_algorithms[0];
}

const struct s3_algorithm *s3_algorithm_by_name(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(s3_algorithms); i++)
		if (str_eq_nocase(s3_algorithms[i].name, name))
			return &s3_algorithms[i];
	return NULL;
}

static struct str *member_at(const struct shape *shape, const void *value, struct str name)
{
	for (uint32_t i = 0; shape && i < shape->n_members; i++)
		if (str_eq(shape->members[i].name, name))
			return shape_member_at(&shape->members[i], value);
	return NULL;
}

void s3_checksum_show(const struct shape *shape, void *out, struct str algorithm, struct str value)
{
	const struct s3_algorithm *a = s3_algorithm_by_name(algorithm);
	struct str *member = a ? member_at(shape, out, a->member) : NULL;

	if (member)
		*member = value;
}

struct str s3_checksum_in(
        const struct shape *shape, const void *value, const struct s3_algorithm *algorithm)
{
	struct str *member = member_at(shape, value, algorithm->member);

	return member ? *member : (struct str){ 0 };
}

/* ---- what a request says ---- */

static int bad_value(struct task *t, const struct s3_algorithm *a)
{
	return fail_named(
	        t, "InvalidRequest", 400, "Value for %.*s header is invalid.", STR(a->header));
}

static int read_values(struct task *t, const void *in, struct s3_claims *c)
{
	const struct shape *shape = call_of(t)->operation->in;
	struct str raw;

	for (size_t i = 0; i < ARRAY_LEN(s3_algorithms); i++) {
		const struct s3_algorithm *a = &s3_algorithms[i];
		struct str value = s3_checksum_in(shape, in, a);
		if (!value.p)
			continue;
		if (c->checksum.p)
			return fail_named(t, "InvalidRequest", 400,
			        "Expecting a single x-amz-checksum- header. Multiple checksum "
			        "Types are not allowed.");
		if (base64_decode(task_arena(t), value, &raw) != 0 || raw.n != a->n_bytes)
			return bad_value(t, a);
		c->algorithm = a;
		c->checksum = value;
		c->stated = true;
	}
	return 0;
}

static int read_trailer(struct task *t, struct s3_claims *c)
{
	const struct call *call = call_of(t);
	struct str trailer =
	        call->http ? http_header_get(&call->http->request.headers, S("x-amz-trailer"))
	                   : (struct str){ 0 };

	if (!trailer.p || c->checksum.p)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(s3_algorithms); i++)
		if (str_eq_nocase(str_trim(trailer), s3_algorithms[i].header)) {
			c->algorithm = &s3_algorithms[i];
			c->in_trailer = c->stated = true;
			return 0;
		}
	return fail_named(t, "InvalidRequest", 400,
	        "The value specified in the x-amz-trailer header is not supported");
}

/* Algorithms that S3 has and this store has not are refused rather than ignored. */
static int read_other(struct task *t, const void *in, struct s3_claims *c)
{
	struct str named = s3_input(t, in, "ChecksumAlgorithm");
	static const char *const others[] = { "ChecksumSHA512", "ChecksumMD5", "ChecksumXXHASH64",
		"ChecksumXXHASH3", "ChecksumXXHASH128" };

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (s3_input(t, in, others[i]).p)
			return fail(t, API_ERROR_NOT_IMPLEMENTED,
			        "A header you provided implies functionality that is not "
			        "implemented");
	if (!named.p || !call_of(t)->http || c->stated)
		return 0;
	return fail_named(t, "InvalidRequest", 400,
	        "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or "
	        "x-amz-trailer headers were found.");
}

static int read_md5(struct task *t, struct str text, struct s3_claims *c)
{
	if (!text.p)
		return 0;
	if (base64_decode(task_arena(t), text, &c->md5) != 0 || c->md5.n != 16)
		return s3_fail(t, NULL, "InvalidDigest", 400,
		        "The Content-MD5 you specified was invalid.");
	return 0;
}

static void read_headers(struct task *t, struct s3_claims *c)
{
	const struct call *call = call_of(t);

	if (!call->http)
		return;
	const struct http_headers *h = &call->http->request.headers;
	struct str sha = http_header_get(h, S("x-amz-content-sha256"));
	struct str length = http_header_get(h, S("x-amz-decoded-content-length"));
	if (sha.n == 64)
		c->sha256_hex = sha;
	if (!length.p)
		length = http_header_get(h, S("content-length"));
	if (!length.p || !str_to_i64(length, &c->length))
		c->length = -1;
}

int s3_claims_read(struct task *t, const void *in, struct s3_claims *c)
{
	*c = (struct s3_claims){ .algorithm = s3_algorithm_default(), .length = -1 };
	TRY(read_values(t, in, c));
	TRY(read_trailer(t, c));
	TRY(read_other(t, in, c));
	c->store = c->algorithm;
	read_headers(t, c);
	return read_md5(t, s3_input(t, in, "ContentMD5"), c);
}

struct s3_claims s3_claims_none(const struct s3_algorithm *store)
{
	return (struct s3_claims){ .algorithm = store, .store = store, .length = -1 };
}

static struct str digest(struct arena *a, enum hash_kind kind, struct str bytes)
{
	struct hash *h = hash_new(kind);

	hash_add(h, bytes);
	return hash_take(h, a);
}

static int check_value(struct task *t, const struct s3_algorithm *al, struct str value)
{
	struct arena *a = task_arena(t);

	if (str_eq(value, base64_encode(a, digest(a, al->hash, call_of(t)->body))))
		return 0;
	return fail_named(t, "BadDigest", 400,
	        "The %.*s you specified did not match the calculated checksum.", STR(al->name));
}

int s3_body_check(struct task *t, bool required)
{
	const struct call *call = call_of(t);
	struct s3_claims c = { 0 };

	if (!call->http)
		return 0;
	const struct http_headers *h = &call->http->request.headers;
	TRY(read_md5(t, http_header_get(h, S("content-md5")), &c));
	if (c.md5.p && !str_eq(c.md5, digest(task_arena(t), HASH_MD5, call->body)))
		return s3_fail(t, NULL, "BadDigest", 400,
		        "The Content-MD5 you specified did not match what we received.");
	for (size_t i = 0; i < ARRAY_LEN(s3_algorithms); i++) {
		struct str value = http_header_get(h, s3_algorithms[i].header);
		required = required && !value.p;
		if (value.p)
			TRY(check_value(t, &s3_algorithms[i], value));
	}
	if (required && !c.md5.p)
		return s3_fail(t, NULL, "InvalidRequest", 400,
		        "Missing required header for this request: Content-MD5 OR "
		        "x-amz-checksum-*");
	return 0;
}

/* ---- combining: polynomials over GF(2), reflected, the highest bit is x^0 ---- */

static uint64_t top_bit(const struct s3_algorithm *al)
{
	return (uint64_t)1 << (8 * al->n_bytes - 1);
}

/* a * b modulo the algorithm's polynomial. */
static uint64_t multiply(const struct s3_algorithm *al, uint64_t a, uint64_t b)
{
	uint64_t product = 0;

	for (uint64_t bit = top_bit(al); bit; bit >>= 1) {
		if (a & bit)
			product ^= b;
		b = b & 1 ? (b >> 1) ^ al->polynomial : b >> 1;
	}
	return product;
}

/* x^(8 * n_bytes) by squaring. */
static uint64_t power(const struct s3_algorithm *al, uint64_t n_bytes)
{
	uint64_t result = top_bit(al), base = top_bit(al) >> 8;

	for (; n_bytes; n_bytes >>= 1) {
		if (n_bytes & 1)
			result = multiply(al, result, base);
		base = multiply(al, base, base);
	}
	return result;
}

uint64_t s3_crc_combine(const struct s3_algorithm *al, uint64_t a, uint64_t b, uint64_t b_bytes)
{
	return multiply(al, power(al, b_bytes), a) ^ b;
}

uint64_t s3_crc_read(struct str raw)
{
	uint64_t v = 0;

	for (size_t i = 0; i < raw.n; i++)
		v = v << 8 | (unsigned char)raw.p[i];
	return v;
}

struct str s3_crc_write(struct arena *a, const struct s3_algorithm *al, uint64_t crc)
{
	char *p = arena_bytes(a, al->n_bytes);

	for (size_t i = 0; i < al->n_bytes; i++)
		p[i] = (char)(crc >> (8 * (al->n_bytes - 1 - i)));
	return (struct str){ p, al->n_bytes };
}
