#pragma once
/*
 * sigv4_internal: the steps of Signature Version 4 that verifying, signing and chunks share.
 */
#include "api/sigv4.h"

#define SIGV4_ALGORITHM S("AWS4-HMAC-SHA256")
#define SIGV4_UNSIGNED  S("UNSIGNED-PAYLOAD")
#define SIGV4_EMPTY_SHA S("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")

/* What is signed. */
struct sigv4_request {
	struct str method;
	struct str path, query; /* as sent; query absent: none */
	const struct http_headers *headers;
	struct str signed_headers; /* "host;x-amz-date" */
	struct str payload_hash;
	bool s3;        /* path neither normalised nor encoded twice */
	bool as_sent;   /* s3: nor escaped in the one canonical way */
	bool presigned; /* X-Amz-Signature is no part of the query */
};

struct str sigv4_canonical(struct arena *a, const struct sigv4_request *r);
/* Is name (lower case) in the list? */
bool sigv4_is_signed(struct str signed_headers, struct str name);

/* Derives, or finds in the thread's cache, the key of secret and the scope of s. */
void sigv4_key(struct arena *a, struct str secret, const struct sigv4 *s, unsigned char key[32]);
/* S3's dialect: path as it is, its own error texts. */
bool sigv4_is_s3(struct str service);
/* "20130524/us-east-1/s3/aws4_request" */
void sigv4_add_scope(struct buf *b, const struct sigv4 *s);
/* The hex signature of a canonical request. */
void sigv4_signature(
        struct arena *a, const struct sigv4 *s, struct str canonical, char signature[64]);
void sigv4_hex(const unsigned char *bytes, size_t n, char *out);

/* S3's presigned query of version 2 (sigv2.c). */
bool sigv2_is_presigned(struct str query);
int sigv2_parse(
        struct arena *a, const struct http_request *r, struct sigv4 *s, struct str *why) MUST_USE;
int sigv2_verify(struct arena *a, struct sigv4 *s, const struct http_request *r, struct str secret,
        struct str *why) MUST_USE;
