/*
 * sigv2: S3's older presigned query (AWSAccessKeyId, Expires, Signature), which boto3 and others
 * still make for S3 unless told otherwise. The path signed is the one with the bucket in front, as
 * S3's prepare leaves it in r->path.
 */
#include "api/sigv4_internal.h"

#include <stdlib.h>

bool sigv2_is_presigned(struct str query)
{
	return query.n && str_find(query, S("AWSAccessKeyId=")) >= 0;
}

int sigv2_parse(struct arena *a, const struct http_request *r, struct sigv4 *s, struct str *why)
{
	struct uri_params q;

	*why = S("Query-string authentication requires the Signature, Expires and AWSAccessKeyId "
	         "parameters");
	if (uri_query_parse(a, r->query, &q) != 0)
		return SIGV4_INCOMPLETE;
	struct str expires = uri_params_get(&q, S("Expires"));
	s->kind = SIGV4_PRESIGNED_V2;
	s->service = S("s3");
	s->payload_hash = SIGV4_UNSIGNED;
	s->access_key_id = uri_params_get(&q, S("AWSAccessKeyId"));
	s->signature = uri_params_get(&q, S("Signature"));
	s->session_token = uri_params_get(&q, S("x-amz-security-token"));
	s->timestamp = expires;
	if (!s->access_key_id.n || !s->signature.n || !expires.p)
		return SIGV4_INCOMPLETE;
	/* The time itself, so nothing is left to be added to it. */
	int64_t seconds;
	if (str_to_i64(expires, &seconds) && !__builtin_mul_overflow(seconds, 1000, &s->time_ms))
		return 0;
	*why = str_printf(a, "Invalid date (should be seconds since epoch): %.*s", STR(expires));
	return SIGV4_INCOMPLETE;
}

/* ---- what is signed ---- */

struct pair {
	struct str name, value;
	bool has_value;
};

struct pairs {
	struct pair *v;
	size_t n;
};

static int by_name(const void *x, const void *y)
{
	return str_cmp(((const struct pair *)x)->name, ((const struct pair *)y)->name);
}

static bool is_amz(struct str lower_name)
{
	return str_starts(lower_name, S("x-amz-"));
}

/* x-amz- headers, also those that stand in the query. */
static void add_amz_headers(
        struct arena *a, struct buf *b, const struct http_request *r, const struct uri_params *q)
{
	struct pairs pairs = { arena_new_n(a, struct pair, r->headers.n + q->n + 1), 0 };

	for (size_t i = 0; i < r->headers.n; i++)
		pairs.v[pairs.n++] = (struct pair){ str_lower(a, r->headers.v[i].name),
			str_trim(r->headers.v[i].value), true };
	for (size_t i = 0; i < q->n; i++)
		pairs.v[pairs.n++] =
		        (struct pair){ str_lower(a, q->v[i].name), q->v[i].value, true };
	qsort(pairs.v, pairs.n, sizeof *pairs.v, by_name);
	for (size_t i = 0; i < pairs.n; i++) {
		if (!is_amz(pairs.v[i].name))
			continue;
		buf_add(b, pairs.v[i].name);
		buf_add_char(b, ':');
		buf_add(b, pairs.v[i].value);
		while (i + 1 < pairs.n && str_eq(pairs.v[i + 1].name, pairs.v[i].name)) {
			buf_add_char(b, ',');
			buf_add(b, pairs.v[++i].value);
		}
		buf_add_char(b, '\n');
	}
}

/* The parameters that name another resource than the object's bytes. */
static bool is_subresource(struct str name)
{
	static const struct str names[] = { S_INIT("accelerate"), S_INIT("acl"),
		S_INIT("analytics"), S_INIT("cors"), S_INIT("defaultObjectAcl"), S_INIT("delete"),
		S_INIT("inventory"), S_INIT("lifecycle"), S_INIT("location"), S_INIT("logging"),
		S_INIT("metrics"), S_INIT("notification"), S_INIT("object-lock"),
		S_INIT("partNumber"), S_INIT("policy"), S_INIT("replication"),
		S_INIT("requestPayment"), S_INIT("response-cache-control"),
		S_INIT("response-content-disposition"), S_INIT("response-content-encoding"),
		S_INIT("response-content-language"), S_INIT("response-content-type"),
		S_INIT("response-expires"), S_INIT("restore"), S_INIT("select"),
		S_INIT("select-type"), S_INIT("storageClass"), S_INIT("tagging"), S_INIT("torrent"),
		S_INIT("uploadId"), S_INIT("uploads"), S_INIT("versionId"), S_INIT("versioning"),
		S_INIT("versions"), S_INIT("website") };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(names[i], name))
			return true;
	return false;
}

static void add_resource(
        struct arena *a, struct buf *b, const struct http_request *r, const struct uri_params *q)
{
	struct pairs pairs = { arena_new_n(a, struct pair, q->n + 1), 0 };

	buf_add(b, r->path);
	for (size_t i = 0; i < q->n; i++)
		if (is_subresource(q->v[i].name))
			pairs.v[pairs.n++] =
			        (struct pair){ q->v[i].name, q->v[i].value, q->v[i].has_value };
	qsort(pairs.v, pairs.n, sizeof *pairs.v, by_name);
	for (size_t i = 0; i < pairs.n; i++) {
		buf_add_char(b, i ? '&' : '?');
		buf_add(b, pairs.v[i].name);
		if (!pairs.v[i].has_value)
			continue;
		buf_add_char(b, '=');
		buf_add(b, pairs.v[i].value);
	}
}

static struct str header_or_query(
        const struct http_request *r, const struct uri_params *q, struct str name)
{
	struct str value = http_header_get(&r->headers, name);

	return value.p ? value : uri_params_get(q, name);
}

static struct str string_to_sign(struct arena *a, const struct sigv4 *s,
        const struct http_request *r, const struct uri_params *q)
{
	struct buf b = buf_init(a);

	buf_add(&b, r->method);
	buf_add_char(&b, '\n');
	buf_add(&b, header_or_query(r, q, S("content-md5")));
	buf_add_char(&b, '\n');
	buf_add(&b, header_or_query(r, q, S("content-type")));
	buf_add_char(&b, '\n');
	buf_add(&b, s->timestamp);
	buf_add_char(&b, '\n');
	add_amz_headers(a, &b, r, q);
	add_resource(a, &b, r, q);
	return buf_str(&b);
}

static struct str hmac_sha1(struct arena *a, struct str key, struct str text)
{
	char inner[64] = { 0 }, outer[64];

	if (key.n > 64)
		key = hash_sha1(a, key);
	if (key.n)
		memcpy(inner, key.p, key.n);
	for (int i = 0; i < 64; i++) {
		outer[i] = inner[i] ^ 0x5c;
		inner[i] ^= 0x36;
	}
	struct str digest = hash_sha1(a, str_concat(a, 2, (struct str){ inner, 64 }, text));
	return hash_sha1(a, str_concat(a, 2, (struct str){ outer, 64 }, digest));
}

int sigv2_verify(struct arena *a, struct sigv4 *s, const struct http_request *r, struct str secret,
        struct str *why)
{
	struct uri_params q;

	if (uri_query_parse(a, r->query, &q) != 0)
		return SIGV4_INCOMPLETE;
	struct str mac = hmac_sha1(a, secret, string_to_sign(a, s, r, &q));
	s->verified = hash_equal(base64_encode(a, mac), s->signature);
	if (s->verified)
		return 0;
	*why = S("The request signature we calculated does not match the signature you provided. "
	         "Check your key and signing method.");
	return SIGV4_MISMATCH;
}
