#pragma once
/*
 * openapi: Swagger 2.0 and OpenAPI 3.0 documents with API Gateway's extensions, as an API. Pure but
 * for the ids it draws.
 *
 *	yyjson_val *root;
 *	TRY(openapi_parse(a, body, &root, &why));		// JSON or YAML
 *	struct openapi_import import = { .root = root };
 *	TRY(openapi_build(c, &import));				// into c->api
 */
#include "codec/json.h"
#include "services/apigateway/store.h"

#define OPENAPI_BAD 1

enum openapi_base_path { OPENAPI_IGNORE, OPENAPI_PREPEND, OPENAPI_SPLIT };

struct openapi_import {
	yyjson_val *root;
	enum openapi_base_path base_path;
	bool fail_on_warnings;
	struct apigateway_list_of_string warnings;
	/* while building */
	struct apigw_change *change;
	bool v3;
	struct str default_validator;
};

int openapi_parse(struct arena *a, struct str text, yyjson_val **root, struct str *why) MUST_USE;
/* Adds what the document says to c->api; a refusal is noted in c. */
int openapi_build(struct apigw_change *c, struct openapi_import *import) MUST_USE;

/* ---- between its files ---- */

void openapi_warn(struct openapi_import *i, const char *format, ...) PRINTF(2, 3);
/* Follows "$ref" inside the document; v itself when it is none. */
yyjson_val *openapi_resolve(struct openapi_import *i, yyjson_val *v);
/* The model that a schema is, made when it is written in place; absent: none. */
struct str openapi_model(struct openapi_import *i, yyjson_val *schema);
void openapi_string_map(
        struct arena *a, yyjson_val *object, struct apigateway_map_of_string_to_string *map);
struct str openapi_upper(struct arena *a, struct str s);
/* openapi_operation.c: one operation of a path onto a resource. */
int openapi_operation(struct openapi_import *i, struct str resource_id, struct str verb,
        yyjson_val *path_item, yyjson_val *operation) MUST_USE;
