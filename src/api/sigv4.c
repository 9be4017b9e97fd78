/*
 * sigv4: reads a request's authentication, from the Authorization header or a presigned query.
 */
#include "api/sigv4_internal.h"

#define MAX_EXPIRES_S 604800

static int incomplete(struct str *why, struct str message)
{
	*why = message;
	return SIGV4_INCOMPLETE;
}

/* AKID/20130524/us-east-1/s3/aws4_request; the key id may itself hold no slash. */
static int parse_credential(
        struct arena *a, struct str credential, struct sigv4 *s, struct str *why)
{
	struct str rest = credential, part[5] = { 0 };
	size_t n = 0;

	while (rest.p && n < 5)
		part[n++] = str_cut(&rest, '/');
	if (n != 5 || rest.p || part[0].n == 0)
		return incomplete(why,
		        str_printf(a,
		                "Credential must have exactly 5 slash-delimited elements, e.g. "
		                "keyid/date/region/service/term, got '%.*s'",
		                STR(credential)));
	if (!str_eq(part[4], S("aws4_request")))
		return incomplete(
		        why, str_printf(a,
		                     "Credential should be scoped with a valid terminator: "
		                     "'aws4_request', not '%.*s'.",
		                     STR(part[4])));
	s->access_key_id = part[0];
	s->date = part[1];
	s->region = part[2];
	s->service = part[3];
	return 0;
}

static int check_scope_date(struct arena *a, const struct sigv4 *s, struct str *why)
{
	if (str_eq(s->date, str_sub(s->timestamp, 0, 8)))
		return 0;
	if (sigv4_is_s3(s->service))
		return incomplete(why, S("The authorization header is malformed; Invalid "
		                         "credential date. Date is not the same as X-Amz-Date."));
	*why = str_printf(a,
	        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of "
	        "date from HTTP: '%.*s' != '%.*s', from '%.*s'.",
	        STR(s->date), STR(str_sub(s->timestamp, 0, 8)), STR(s->timestamp));
	return SIGV4_MISMATCH;
}

/* ---- the Authorization header ---- */

struct authorization {
	struct str credential, signed_headers, signature;
};

static int parse_pairs(
        struct arena *a, struct str text, struct authorization *auth, struct str *why)
{
	struct str rest = text;

	while (rest.p) {
		struct str value = str_trim(str_cut(&rest, ','));
		if (value.n == 0)
			continue;
		struct str pair = value, name = str_cut(&value, '=');
		if (!value.p)
			return incomplete(why,
			        str_printf(a,
			                "'%.*s' not a valid key=value pair (missing equal-sign) in "
			                "Authorization header.",
			                STR(pair)));
		if (str_eq(name, S("Credential")))
			auth->credential = value;
		else if (str_eq(name, S("SignedHeaders")))
			auth->signed_headers = value;
		else if (str_eq(name, S("Signature")))
			auth->signature = value;
	}
	return 0;
}

/* X-Amz-Date, else Date in either form. */
static void read_date(struct arena *a, const struct http_request *r, struct sigv4 *s)
{
	struct str date = http_header_get(&r->headers, S("x-amz-date"));

	if (!date.p)
		date = http_header_get(&r->headers, S("date"));
	if (time_parse_basic(date, &s->time_ms) == 0)
		s->timestamp = date;
	else if (time_parse_rfc822(date, &s->time_ms) == 0)
		s->timestamp = time_basic(a, s->time_ms);
}

static int check_complete(struct arena *a, const struct authorization *auth, const struct sigv4 *s,
        struct str header, struct str *why)
{
	struct buf b = buf_init(a);

	if (!auth->credential.n)
		buf_add(&b, S("Authorization header requires 'Credential' parameter. "));
	if (!auth->signature.n)
		buf_add(&b, S("Authorization header requires 'Signature' parameter. "));
	if (!auth->signed_headers.n)
		buf_add(&b, S("Authorization header requires 'SignedHeaders' parameter. "));
	if (!s->timestamp.n)
		buf_add(&b, S("Authorization header requires existence of either a 'X-Amz-Date' or "
		              "a 'Date' header. "));
	if (b.n == 0)
		return 0;
	/* The header may hold a secret sent by mistake: it is named by its hash only. */
	struct str hash = base64_encode(a, hash_sha256(a, header));
	buf_printf(
	        &b, "(Hashed with SHA-256 and encoded with Base64) Authorization=%.*s", STR(hash));
	return incomplete(why, buf_str(&b));
}

static int parse_header(struct arena *a, const struct http_request *r, struct str header,
        struct sigv4 *s, struct str *why)
{
	struct authorization auth = { 0 };

	s->kind = SIGV4_HEADER;
	TRY(parse_pairs(a, str_sub(header, SIGV4_ALGORITHM.n, header.n), &auth, why));
	read_date(a, r, s);
	TRY(check_complete(a, &auth, s, header, why));
	TRY(parse_credential(a, auth.credential, s, why));
	s->signed_headers = auth.signed_headers;
	s->signature = auth.signature;
	s->session_token = http_header_get(&r->headers, S("x-amz-security-token"));
	s->payload_hash = http_header_get(&r->headers, S("x-amz-content-sha256"));
	return check_scope_date(a, s, why);
}

/* ---- the presigned query ---- */

#define QUERY_INCOMPLETE                                                           \
	"Query-string authentication version 4 requires the X-Amz-Algorithm, "     \
	"X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and " \
	"X-Amz-Expires parameters."

static int parse_expires(struct str text, struct sigv4 *s, struct str *why)
{
	if (!str_to_i64(text, &s->expires_s))
		return incomplete(why, S("X-Amz-Expires should be a number"));
	if (s->expires_s < 0)
		return incomplete(why, S("X-Amz-Expires must be non-negative"));
	if (s->expires_s > MAX_EXPIRES_S)
		return incomplete(why, S("X-Amz-Expires must be less than a week (in seconds); "
		                         "that is, the given X-Amz-Expires must be less than "
		                         "604800 seconds"));
	return 0;
}

static void presigned_payload(
        const struct http_request *r, const struct uri_params *q, struct sigv4 *s)
{
	s->payload_hash = uri_params_get(q, S("X-Amz-Content-Sha256"));
	if (!s->payload_hash.p)
		s->payload_hash = http_header_get(&r->headers, S("x-amz-content-sha256"));
	if (!s->payload_hash.p && sigv4_is_s3(s->service))
		s->payload_hash = SIGV4_UNSIGNED;
}

static int parse_presigned(
        struct arena *a, const struct http_request *r, struct sigv4 *s, struct str *why)
{
	struct uri_params q;

	s->kind = SIGV4_PRESIGNED;
	if (uri_query_parse(a, r->query, &q) != 0)
		return incomplete(why, S("The query string is not well formed."));
	if (!str_eq(uri_params_get(&q, S("X-Amz-Algorithm")), SIGV4_ALGORITHM))
		return incomplete(why, S("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\""));
	struct str credential = uri_params_get(&q, S("X-Amz-Credential"));
	struct str expires = uri_params_get(&q, S("X-Amz-Expires"));
	s->timestamp = uri_params_get(&q, S("X-Amz-Date"));
	s->signed_headers = uri_params_get(&q, S("X-Amz-SignedHeaders"));
	s->signature = uri_params_get(&q, S("X-Amz-Signature"));
	s->session_token = uri_params_get(&q, S("X-Amz-Security-Token"));
	if (!credential.n || !s->timestamp.n || !s->signed_headers.n || !s->signature.n)
		return incomplete(why, S(QUERY_INCOMPLETE));
	TRY(parse_credential(a, credential, s, why));
	/* Only S3 insists on it; elsewhere a quarter of an hour is meant. */
	s->expires_s = 900;
	if (expires.p || sigv4_is_s3(s->service))
		TRY(expires.p ? parse_expires(expires, s, why)
		              : incomplete(why, S(QUERY_INCOMPLETE)));
	if (time_parse_basic(s->timestamp, &s->time_ms) != 0)
		return incomplete(why, S("X-Amz-Date must be in the ISO8601 Long Format "
		                         "\"yyyyMMdd'T'HHmmss'Z'\""));
	presigned_payload(r, &q, s);
	return check_scope_date(a, s, why);
}

static bool has_presigned(struct str query)
{
	return query.n && (str_find(query, S("X-Amz-Algorithm=")) >= 0 ||
	                          str_find(query, S("X-Amz-Signature=")) >= 0);
}

int sigv4_parse(struct arena *a, const struct http_request *r, struct sigv4 *s, struct str *why)
{
	struct str header = http_header_get(&r->headers, S("authorization"));

	*s = (struct sigv4){ 0 };
	if (!header.p && has_presigned(r->query))
		return parse_presigned(a, r, s, why);
	if (!header.p)
		return sigv2_is_presigned(r->query) ? sigv2_parse(a, r, s, why) : 0;
	if (str_starts(header, S("AWS4-HMAC-SHA256 ")))
		return parse_header(a, r, header, s, why);
	s->kind = SIGV4_HEADER;
	if (str_starts(header, S("AWS ")) || str_starts(header, S("AWS4-")))
		return incomplete(why, S("The authorization mechanism you have provided is not "
		                         "supported. Please use AWS4-HMAC-SHA256."));
	/* Bearer and Basic are no signature; who needs one will miss it. */
	s->kind = SIGV4_NONE;
	return 0;
}
