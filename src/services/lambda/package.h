#pragma once
/*
 * package: a function's code on its way into the store: from the request or from S3, checked, as a
 * durable blob.
 */
#include "services/lambda/function.h"

#define LAMBDA_ZIP_MAX      (50 << 20)
#define LAMBDA_UNZIPPED_MAX 262144000

struct lambda_package {
	struct str blob; /* id; refer to it in the update that stores the function */
	int64_t size;
	struct str sha256; /* base64 */
	int64_t unpacked;  /* bytes */
};

struct lambda_source {
	struct str zip_file, s3_bucket, s3_key, s3_version, image_uri;
};

int lambda_package_store(
        struct task *t, const struct lambda_source *source, struct lambda_package *p) MUST_USE;
