#pragma once
/*
 * conditions: If-* and Range of reads. Pure.
 */
#include "base/str.h"

struct s3_read_conditions {
	struct str if_match, if_none_match;
	bool has_modified_since, has_unmodified_since;
	int64_t modified_since_ms, unmodified_since_ms;
	int64_t now_ms;
};

enum s3_verdict { S3_READ, S3_READ_NOT_MODIFIED, S3_READ_FAILED };

/* *failed: the header that did not hold, of S3_READ_FAILED. */
enum s3_verdict s3_read_verdict(const struct s3_read_conditions *c, struct str e_tag,
        int64_t last_modified_ms, const char **failed);

/* True when a list of entity tags ("a", W/"b", *) names this one. */
bool s3_etag_matches(struct str list, struct str e_tag);

enum s3_range { S3_RANGE_NONE, S3_RANGE_PART, S3_RANGE_UNSATISFIABLE };
/* "bytes=first-last", "bytes=first-", "bytes=-last"; what is no single such range is ignored, as S3
 * does. */
enum s3_range s3_range_parse(struct str text, int64_t size, int64_t *offset, int64_t *n);
