#pragma once
/*
 * json: yyjson, with our arena, our limits and our slices; and a writer that streams into a buf.
 *
 *	yyjson_val *root;
 *	if (json_parse(a, text, &root) != 0) ...		// JSON_BAD
 *	struct str name = json_get_str(root, "FunctionName");	// p == NULL: absent or not a string
 *
 *	struct json_writer w = json_writer(&b);
 *	json_object(&w);
 *	json_key(&w, S("Arn")); json_str(&w, arn);
 *	json_end(&w);
 */
#include "base/buf.h"

#include <yyjson.h>

#define JSON_BAD       1
#define JSON_MAX_DEPTH 128

/* Strict RFC 8259, one value, nesting at most JSON_MAX_DEPTH. The tree lives in the arena; strings
 * of it point into a copy there. 0 or JSON_BAD. */
int json_parse(struct arena *a, struct str text, yyjson_val **root) MUST_USE;
/* As json_parse; on JSON_BAD says where and why ("unexpected character at 17"). */
int json_parse_explain(struct arena *a, struct str text, yyjson_val **root, struct str *why) MUST_USE;
bool json_is_valid(struct str text);

struct str json_str_of(yyjson_val *v);                        /* absent unless a string */
yyjson_val *json_get(yyjson_val *object, const char *key);    /* NULL unless an object that has it */
struct str json_get_str(yyjson_val *object, const char *key);
int64_t json_get_i64(yyjson_val *object, const char *key, int64_t otherwise);
bool json_get_bool(yyjson_val *object, const char *key, bool otherwise);
/* Serialises a value compactly / with two spaces. */
struct str json_text(struct arena *a, yyjson_val *v);
struct str json_text_pretty(struct arena *a, yyjson_val *v);

struct json_writer {
	struct buf *b;
	uint64_t comma; /* bit per level: an element was written */
	uint64_t array;
	int depth;
	bool after_key;
};

static inline struct json_writer json_writer(struct buf *b)
{
	return (struct json_writer){ .b = b };
}

void json_object(struct json_writer *w);
void json_array(struct json_writer *w);
void json_end(struct json_writer *w); /* of the innermost object or array */
void json_key(struct json_writer *w, struct str key);
void json_str(struct json_writer *w, struct str s); /* bytes that are not UTF-8 become U+FFFD */
void json_i64(struct json_writer *w, int64_t v);
void json_double(struct json_writer *w, double v); /* shortest that reads back; no NaN: null */
void json_bool(struct json_writer *w, bool v);
void json_null(struct json_writer *w);
void json_raw(struct json_writer *w, struct str json_text); /* a value already serialised */
void json_value(struct json_writer *w, yyjson_val *v);
/* Key and string in one; does nothing when s is absent. */
void json_member_str(struct json_writer *w, struct str key, struct str s);
void json_member_i64(struct json_writer *w, struct str key, int64_t v);
void json_member_bool(struct json_writer *w, struct str key, bool v);
/* Just the quoted and escaped string. */
void json_quote(struct buf *b, struct str s);
