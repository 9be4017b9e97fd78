#pragma once
/*
 * checksum: the algorithms that S3 stores with an object, what a request says about its bytes, and
 * the arithmetic that makes the checksum of a whole out of the checksums of its parts.
 */
#include "codec/codec.h"
#include "s3_gen.h"

struct s3_algorithm {
	struct str name;   /* "CRC32" */
	struct str member; /* of requests and answers: "ChecksumCRC32" */
	struct str header; /* "x-amz-checksum-crc32" */
	enum hash_kind hash;
	size_t n_bytes;
	uint64_t polynomial; /* reflected; 0: no CRC */
};

extern const struct s3_algorithm s3_algorithms[];
extern const size_t s3_n_algorithms;

/* NULL: none of the name. */
const struct s3_algorithm *s3_algorithm_by_name(struct str name);
const struct s3_algorithm *s3_algorithm_default(void); /* CRC64NVME */

/* What a request says about the bytes it brings. */
struct s3_claims {
	const struct s3_algorithm *algorithm; /* of what is stated; CRC64NVME when nothing is */
	const struct s3_algorithm *store;     /* to compute and store; the same unless changed */
	bool stated;                          /* the client chose it */
	bool as_blob;                         /* never as a row: a part of an upload */
	struct str checksum;                  /* base64; absent: in a trailer, or not stated */
	bool in_trailer;
	struct str md5;        /* raw; absent */
	struct str sha256_hex; /* of a signed payload; absent */
	int64_t length;        /* -1: not known */
};
int s3_claims_read(struct task *t, const void *in, struct s3_claims *claims) MUST_USE;
/* Bytes that S3 itself moves: nothing is stated. */
struct s3_claims s3_claims_none(const struct s3_algorithm *store);
/* Checks a whole body (a document) against its Content-MD5 and checksum headers. */
int s3_body_check(struct task *t, bool required) MUST_USE;

/* Sets the answer's Checksum<algorithm> member, where its shape has one. */
void s3_checksum_show(const struct shape *shape, void *out, struct str algorithm, struct str value);
/* The Checksum<algorithm> member of a structure; absent when not set. */
struct str s3_checksum_in(
        const struct shape *shape, const void *value, const struct s3_algorithm *algorithm);

/* The CRC of a + b, out of both CRCs and b's length. */
uint64_t s3_crc_combine(
        const struct s3_algorithm *algorithm, uint64_t a, uint64_t b, uint64_t b_bytes);
/* Big-endian bytes to and from numbers. */
uint64_t s3_crc_read(struct str raw);
struct str s3_crc_write(struct arena *a, const struct s3_algorithm *algorithm, uint64_t crc);
