#pragma once
/*
 * json_schema: JSON Schema draft 4, as request validators use it: types, properties, required,
 * additionalProperties, patternProperties, items, ranges, lengths, pattern, enum, format
 * (date-time), allOf, anyOf, oneOf, not, dependencies, definitions and $ref. Pure.
 */
#include "codec/json.h"

#define JSON_SCHEMA_BAD 1

struct json_schema {
	struct str schema;
	/* The schema that another document's reference names; absent: unknown. */
	struct str (*resolve)(void *arg, struct str ref);
	void *arg;
};

/* 0, or JSON_SCHEMA_BAD with what is wrong. A schema that is broken itself accepts everything. */
int json_schema_check(
        struct arena *a, const struct json_schema *s, struct str body, struct str *why) MUST_USE;
