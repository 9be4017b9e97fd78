/* sigv4_sign: signs the requests that wolke itself sends. */
#include "api/sigv4_internal.h"

#include <stdlib.h>

static bool is_signable(struct str name)
{
	static const struct str never[] = { S_INIT("authorization"), S_INIT("connection"),
		S_INIT("content-length"), S_INIT("expect"), S_INIT("transfer-encoding"),
		S_INIT("user-agent"), S_INIT("x-amzn-trace-id") };

	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		if (str_eq_nocase(name, never[i]))
			return false;
	return true;
}

static int by_text(const void *x, const void *y)
{
	return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

static struct str list_signed(struct arena *a, const struct http_headers *headers)
{
	struct str *names = arena_new_n(a, struct str, headers->n);
	struct buf b = buf_init(a);
	size_t n = 0;

	for (size_t i = 0; i < headers->n; i++)
		if (is_signable(headers->v[i].name))
			names[n++] = str_lower(a, headers->v[i].name);
	qsort(names, n, sizeof *names, by_text);
	for (size_t i = 0; i < n; i++) {
		if (i && str_eq(names[i], names[i - 1]))
			continue;
		if (i)
			buf_add_char(&b, ';');
		buf_add(&b, names[i]);
	}
	return buf_str(&b);
}

static struct str host_header(struct arena *a, const struct uri *uri)
{
	bool v6 = str_find_char(uri->host, ':') >= 0;
	struct buf b = buf_init(a);

	buf_printf(&b, v6 ? "[%.*s]" : "%.*s", STR(uri->host));
	if (uri->port)
		buf_printf(&b, ":%d", uri->port);
	return buf_str(&b);
}

static void add_own_headers(struct arena *a, const struct sigv4_credentials *c,
        const struct sigv4 *s, struct http_headers *headers)
{
	http_header_set(a, headers, S("X-Amz-Date"), s->timestamp);
	if (c->session_token.n)
		http_header_set(a, headers, S("X-Amz-Security-Token"), c->session_token);
	if (sigv4_is_s3(s->service))
		http_header_set(a, headers, S("X-Amz-Content-Sha256"), s->payload_hash);
}

void sigv4_sign(struct arena *a, const struct sigv4_credentials *c, struct str method,
        struct str url, struct http_headers *headers, struct str body, struct str region,
        struct str service, int64_t now_ms)
{
	struct uri uri;
	struct sigv4 s = { .access_key_id = c->access_key_id,
		.region = region,
		.service = service,
		.timestamp = time_basic(a, now_ms),
		.payload_hash = http_header_get(headers, S("x-amz-content-sha256")) };
	char signature[64];

	ensure(uri_parse(url, &uri) == 0);
	s.date = str_sub(s.timestamp, 0, 8);
	if (!s.payload_hash.n)
		s.payload_hash = hash_sha256_hex(a, body);
	if (!http_header_get(headers, S("host")).p)
		http_header_add(a, headers, S("Host"), host_header(a, &uri));
	add_own_headers(a, c, &s, headers);
	s.signed_headers = list_signed(a, headers);
	struct sigv4_request request = {
		.method = method,
		.path = uri.path,
		.query = uri.query,
		.headers = headers,
		.signed_headers = s.signed_headers,
		.payload_hash = s.payload_hash,
		.s3 = sigv4_is_s3(service),
	};
	sigv4_key(a, c->secret, &s, s.signing_key);
	sigv4_signature(a, &s, sigv4_canonical(a, &request), signature);

	struct buf b = buf_init(a);
	buf_printf(&b, "AWS4-HMAC-SHA256 Credential=%.*s/", STR(c->access_key_id));
	sigv4_add_scope(&b, &s);
	buf_printf(&b, ", SignedHeaders=%.*s, Signature=%.64s", STR(s.signed_headers), signature);
	http_header_set(a, headers, S("Authorization"), buf_str(&b));
}
