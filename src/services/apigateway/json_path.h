#pragma once
/*
 * json_path: JSONPath as API Gateway's $input.json() and $input.path() take it: $, .name, ['name'],
 * [n], [-1], [a:b], [1,2], *, ..name and filters [?(@.price < 10 && @.kind == 'x')]. Pure.
 */
#include "codec/json.h"

#define JSON_PATH_BAD 1

struct json_path_result {
	yyjson_val **v;
	size_t n;
	bool definite; /* names one value: the result is it, not a list of one */
};

/* 0 (nothing found: n == 0) or JSON_PATH_BAD. Values belong to root's document. */
int json_path(struct arena *a, yyjson_val *root, struct str path,
        struct json_path_result *result) MUST_USE;
