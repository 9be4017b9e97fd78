#pragma once
/*
 * filter_pattern: CloudWatch Logs' filter patterns. Pure: text in, matches out.
 *
 *	ERROR -Exiting "a phrase" ?or ?or %regex%	terms, case-sensitive, anywhere in the
 *message { $.a.b[0] = "x*" && ($.n >= 5 || $.k IS NULL) }	conditions on a JSON message [ip,
 *..., status = 4*, bytes > 1000]		conditions on fields between spaces
 *
 * "Filter pattern syntax" in the CloudWatch Logs User Guide.
 */
#include "base/buf.h"

#define FILTER_PATTERN_BAD 1

struct filter_pattern;

/* 0, or FILTER_PATTERN_BAD with AWS's words on *why. The pattern lives in the arena. */
int filter_pattern_parse(
        struct arena *a, struct str text, struct filter_pattern **p, struct str *why) MUST_USE;

/* What a space-delimited pattern names in a message: "$ip" or "$3", in the message's order. */
struct filter_value {
	struct str name, value;
};
struct filter_values {
	struct filter_value *v;
	size_t n;
};

/* values may be NULL; a is for what the match needs and returns. NULL as pattern matches all. */
bool filter_pattern_match(const struct filter_pattern *p, struct arena *a, struct str message,
        struct filter_values *values);
