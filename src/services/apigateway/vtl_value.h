#pragma once
/* vtl_value: what variables of a template hold. Lists and maps are shared and mutable, as in Java.
 */
#include "codec/json.h"

enum vtl_type {
	VTL_NULL,
	VTL_BOOL,
	VTL_INT,
	VTL_DOUBLE,
	VTL_STRING,
	VTL_LIST,
	VTL_MAP,
	VTL_INPUT, /* $input */
	VTL_UTIL,  /* $util */
};

struct vtl_list;
struct vtl_map;

struct vtl_value {
	enum vtl_type type;
	union {
		bool b;
		int64_t i;
		double d;
		struct str s;
		struct vtl_list *list;
		struct vtl_map *map;
	};
};

struct vtl_list {
	struct vtl_value *v;
	size_t n, capacity;
	bool json; /* came out of a document: printed as JSON */
};

struct vtl_pair {
	struct str key;
	struct vtl_value value;
};

struct vtl_map {
	struct vtl_pair *v; /* in the order of insertion */
	size_t n, capacity;
	bool lenient; /* what it lacks is the empty string: $context, $stageVariables */
};

static inline struct vtl_value vtl_null(void)
{
	return (struct vtl_value){ VTL_NULL };
}

static inline struct vtl_value vtl_bool(bool b)
{
	return (struct vtl_value){ VTL_BOOL, { .b = b } };
}

static inline struct vtl_value vtl_int(int64_t i)
{
	return (struct vtl_value){ VTL_INT, { .i = i } };
}

static inline struct vtl_value vtl_double(double d)
{
	return (struct vtl_value){ VTL_DOUBLE, { .d = d } };
}

static inline struct vtl_value vtl_str(struct str s)
{
	return (struct vtl_value){ VTL_STRING, { .s = s } };
}

struct vtl_value vtl_list(struct arena *a);
struct vtl_value vtl_map(struct arena *a);
void vtl_list_add(struct arena *a, struct vtl_list *l, struct vtl_value v);
struct vtl_value *vtl_map_get(const struct vtl_map *m, struct str key); /* NULL: none */
void vtl_map_put(struct arena *a, struct vtl_map *m, struct str key, struct vtl_value v);
void vtl_map_remove(struct vtl_map *m, struct str key);

bool vtl_is_true(struct vtl_value v);
bool vtl_equals(struct arena *a, struct vtl_value x, struct vtl_value y);
/* As a template prints it: lists "[a, b]", maps "{k=v}", values of documents as JSON lists. */
struct str vtl_text(struct arena *a, struct vtl_value v);
struct vtl_value vtl_of_json(struct arena *a, yyjson_val *v);
void vtl_write_json(struct json_writer *w, struct vtl_value v);
