#pragma once
/*
 * arn: Amazon Resource Names. arn:partition:service:region:account:resource
 */
#include "base/str.h"

struct arn {
	struct str partition, service, region, account, resource;
};

bool arn_parse(struct str text, struct arn *arn) MUST_USE;
/* arn_make(a, "lambda", region, account, "function:%.*s", STR(name)) in partition aws */
struct str arn_make(struct arena *a, const char *service, struct str region, struct str account, const char *format, ...) PRINTF(5, 6);
