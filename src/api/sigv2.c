/*
 * sigv2: Signature Version 2 of S3's presigned links: what AWS's own tools still make by default
 * for us-east-1 ("aws s3 presign"). Nothing else signs this way.
 */
#include "api/sigv4_internal.h"

#include <stdlib.h>

bool sigv2_is_presigned(struct str query)
{
	return query.n && str_find(query, S("AWSAccessKeyId=")) >= 0 &&
	       str_find(query, S("Signature=")) >= 0;
}

int sigv2_parse(struct arena *a, const struct http_request *r, struct sigv4 *s, struct str *why)
{
	struct uri_params q;

	s->kind = SIGV2_PRESIGNED;
	s->service = S("s3");
	s->payload_hash = SIGV4_UNSIGNED;
	*why = S("Query-string authentication requires the Signature, Expires and AWSAccessKeyId "
	         "parameters");
	if (uri_query_parse(a, r->query, &q) != 0)
		return SIGV4_INCOMPLETE;
	s->access_key_id = uri_params_get(&q, S("AWSAccessKeyId"));
	s->signature = uri_params_get(&q, S("Signature"));
	s->session_token = uri_params_get(&q, S("x-amz-security-token"));
	s->timestamp = uri_params_get(&q, S("Expires"));
	if (!s->access_key_id.n || !s->signature.n || !str_to_i64(s->timestamp, &s->expires_s) ||
	        s->expires_s < 0 || s->expires_s > INT64_MAX / 2000)
		return SIGV4_INCOMPLETE;
	return 0;
}

/* Headers that are signed may stand in the query instead. */
static struct str header_or_param(
        const struct http_request *r, const struct uri_params *q, struct str name)
{
	struct str value = http_header_get(&r->headers, name);

	if (!value.p)
		value = uri_params_get(q, name);
	return value.p ? value : S("");
}

static int by_name(const void *x, const void *y)
{
	return str_cmp(((const struct uri_param *)x)->name, ((const struct uri_param *)y)->name);
}

static bool is_amz(struct str name)
{
	return str_eq_nocase(str_sub(name, 0, 6), S("x-amz-"));
}

/* "x-amz-meta-a:1\n", sorted, of headers and query. */
static void add_amz_headers(
        struct arena *a, struct buf *b, const struct http_request *r, const struct uri_params *q)
{
	struct uri_param *v = arena_new_n(a, struct uri_param, r->headers.n + q->n + 1);
	size_t n = 0;

	for (size_t i = 0; i < r->headers.n; i++)
		if (is_amz(r->headers.v[i].name))
			v[n++] = (struct uri_param){ str_lower(a, r->headers.v[i].name),
				str_trim(r->headers.v[i].value), true };
	for (size_t i = 0; i < q->n; i++)
		if (is_amz(q->v[i].name))
			v[n++] = (struct uri_param){ str_lower(a, q->v[i].name), q->v[i].value,
				true };
	qsort(v, n, sizeof *v, by_name);
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%.*s:%.*s\n", STR(v[i].name), STR(v[i].value));
}

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
		if (str_eq(name, names[i]))
			return true;
	return false;
}

/* r->path has the bucket in front however it was addressed. */
static void add_resource(struct buf *b, const struct http_request *r, struct uri_params *q)
{
	char mark = '?';

	buf_add(b, r->path);
	qsort(q->v, q->n, sizeof *q->v, by_name);
	for (size_t i = 0; i < q->n; i++) {
		if (!is_subresource(q->v[i].name))
			continue;
		buf_add_char(b, mark);
		buf_add(b, q->v[i].name);
		if (q->v[i].has_value) {
			buf_add_char(b, '=');
			buf_add(b, q->v[i].value);
		}
		mark = '&';
	}
}

int sigv2_verify(struct arena *a, struct sigv4 *s, const struct http_request *r, struct str secret,
        struct str *why)
{
	struct buf b = buf_init(a);
	struct uri_params q;
	unsigned char mac[20];

	*why = S("The request signature we calculated does not match the signature you provided. "
	         "Check your key and signing method.");
	if (uri_query_parse(a, r->query, &q) != 0)
		return SIGV4_MISMATCH;
	buf_printf(
	        &b, "%.*s\n%.*s\n", STR(r->method), STR(header_or_param(r, &q, S("content-md5"))));
	buf_printf(&b, "%.*s\n%.*s\n", STR(header_or_param(r, &q, S("content-type"))),
	        STR(s->timestamp));
	add_amz_headers(a, &b, r, &q);
	add_resource(&b, r, &q);
	hash_hmac_sha1(secret, buf_str(&b), mac);
	struct str expected = base64_encode(a, (struct str){ (const char *)mac, sizeof mac });
	if (!hash_equal(s->signature, expected))
		return SIGV4_MISMATCH;
	s->verified = true;
	return 0;
}
