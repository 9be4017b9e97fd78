#pragma once
/*
 * names: the rules for bucket names and keys, and how a bucket is found in a host name. Pure.
 */
#include "base/arena.h"
#include "base/str.h"

#define S3_KEY_MAX 1024

/* General purpose buckets: 3 to 63 of a-z, 0-9, '.', '-'; begins and ends with a letter or digit;
 * no "..", no IP address, no reserved prefix or suffix. */
bool s3_bucket_name_is_valid(struct str name);
bool s3_utf8_is_valid(struct str s);

/* The bucket that a virtual-hosted request names: what stands before the label "s3" or "s3-region".
 * Absent: path style. */
struct str s3_bucket_of_host(struct str host);

/* An x-amz-copy-source: "[/]bucket/key[?versionId=id]", escaped. False: malformed. */
struct s3_copy_source {
	struct str bucket, key, version_id;
};
bool s3_copy_source_parse(struct arena *a, struct str text, struct s3_copy_source *source) MUST_USE;
