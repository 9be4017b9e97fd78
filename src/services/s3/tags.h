#pragma once
/*
 * tags: of objects and buckets, their limits and the header that carries them.
 */
#include "s3_gen.h"
#include "services/s3/bucket.h"

/* "a=1&b=2" of x-amz-tagging. */
int s3_tags_from_header(struct task *t, struct str text, struct s3_tag_set *tags) MUST_USE;
/* Lengths, characters, reserved names, duplicates, how many: 10 for objects, 50 for buckets. */
int s3_tags_check(struct task *t, const struct s3_tag_set *tags, size_t max) MUST_USE;
