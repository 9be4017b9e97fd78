#pragma once
/*
 * cors: what browsers are told. Actual requests get the headers of the first rule that matches;
 * OPTIONS requests are answered before any service sees them.
 */
#include "s3_gen.h"

void s3_cors_headers(struct task *t, const struct s3_bucket_record *b);
bool s3_preflight_match(const struct http_request *r);
int s3_preflight_serve(struct task *t, struct http_exchange *x);
