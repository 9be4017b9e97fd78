#pragma once
/*
 * sigv4: AWS Signature Version 4, both directions. Header and presigned query authentication,
 * chunked payload signatures (STREAMING-AWS4-HMAC-SHA256-PAYLOAD, -TRAILER,
 * STREAMING-UNSIGNED-PAYLOAD-TRAILER), UNSIGNED-PAYLOAD.
 */
#include "codec/codec.h"
#include "net/server.h"

/* PRESIGNED_V2: S3's older query (AWSAccessKeyId, Expires, Signature), which SDKs still make; its
 * region is absent, and r->path must start with the bucket. */
enum sigv4_kind { SIGV4_NONE, SIGV4_HEADER, SIGV4_PRESIGNED, SIGV4_PRESIGNED_V2 };

struct sigv4 {
	enum sigv4_kind kind;
	struct str access_key_id, session_token; /* token absent: none */
	struct str date;                         /* yyyymmdd of the scope */
	struct str region, service;
	struct str signed_headers;               /* as sent */
	struct str signature;
	struct str timestamp;                    /* x-amz-date */
	int64_t time_ms;
	int64_t expires_s;                       /* presigned */
	struct str payload_hash;                 /* x-amz-content-sha256, UNSIGNED-PAYLOAD, or absent: hash the body */
	unsigned char signing_key[32];           /* after sigv4_verify */
	bool verified;                           /* sigv4_verify said 0; chunks are checked only then */
};

enum sigv4_error {
	SIGV4_INCOMPLETE = 1, /* the Authorization header lacks something: IncompleteSignature */
	SIGV4_MISMATCH,       /* SignatureDoesNotMatch */
	SIGV4_EXPIRED,        /* past its time: presigned or the clock's skew beyond 15 minutes */
	SIGV4_NOT_YET,        /* in the future */
	SIGV4_BAD_CHUNK,      /* of an aws-chunked body */
};

/* Reads the request's authentication; kind NONE when it has none. *why gets AWS's message. */
int sigv4_parse(struct arena *a, const struct http_request *r, struct sigv4 *s, struct str *why) MUST_USE;
/* Verifies against the secret; body_hash is the hex SHA-256 of the body when s->payload_hash is
 * absent (service other than S3). Times are checked against clock_now_ms(),
 * but not against a manual clock, which clients do not know; presigned expiry always is. The derived signing key of the
 * last few (key, date, region, service) is cached per thread. S3's path is not encoded twice.
 * The path and query are taken from r->target, which must be as sent. */
int sigv4_verify(struct arena *a, struct sigv4 *s, const struct http_request *r, struct str secret, struct str body_hash, struct str *why) MUST_USE;

/* Its times alone, which sigv4_verify checks too: for requests whose signature nobody can verify. */
int sigv4_check_time(struct arena *a, const struct sigv4 *s, struct str *why) MUST_USE;

/* Wraps a body sent with Content-Encoding: aws-chunked (x-amz-content-sha256 STREAMING-...):
 * yields the decoded bytes, checks each chunk's signature and the trailer's; read returns
 * SIGV4_BAD_CHUNK. Trailers (x-amz-checksum-*) are there once the end was read. */
struct stream *sigv4_chunked(struct arena *a, struct stream *raw, const struct sigv4 *s, const struct http_request *r, struct http_headers *trailers);

/* Signs a request that we send: adds Host (unless given), x-amz-date, for S3 x-amz-content-sha256,
 * x-amz-security-token and Authorization. */
struct sigv4_credentials {
	struct str access_key_id, secret, session_token;
};
void sigv4_sign(struct arena *a, const struct sigv4_credentials *c, struct str method, struct str url, struct http_headers *headers, struct str body, struct str region, struct str service, int64_t now_ms);
