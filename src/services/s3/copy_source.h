#pragma once
/*
 * copy_source: the object that CopyObject and UploadPartCopy read.
 */
#include "services/s3/object.h"

struct s3_copying {
	struct s3_ref ref;
	struct s3_object_record object;
	struct s3_content content;
	bool has_versions;
};

/* Parses, authorizes, finds; checks the x-amz-copy-source-if-* of the input. */
int s3_copy_source_find(struct task *t, const void *in, struct s3_copying *c) MUST_USE;
