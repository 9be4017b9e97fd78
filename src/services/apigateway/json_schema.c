/* json_schema: one function for each keyword. */
#include "services/apigateway/json_schema.h"

#include "codec/codec.h"
#include "services/apigateway/regex.h"

#include <math.h>

#define DEPTH_MAX  64
#define STEPS_MAX  200000
#define ERRORS_MAX 10

struct check {
	struct arena *arena;
	const struct json_schema *schema;
	yyjson_val *root; /* of the schema that is being read */
	struct buf why;
	int n_errors, quiet, depth;
	size_t steps;
};

static bool conforms(struct check *c, yyjson_val *schema, yyjson_val *v);

static bool wrong(struct check *c, const char *format, ...) PRINTF(2, 3);

static bool wrong(struct check *c, const char *format, ...)
{
	va_list args;

	if (c->quiet || c->n_errors++ >= ERRORS_MAX)
		return false;
	if (c->why.n)
		buf_add(&c->why, S(", "));
	va_start(args, format);
	buf_add(&c->why, str_vprintf(c->arena, format, args));
	va_end(args);
	return false;
}

static bool tries(struct check *c, yyjson_val *schema, yyjson_val *v)
{
	c->quiet++;
	bool good = conforms(c, schema, v);
	c->quiet--;
	return good;
}

/* ---- keywords: rule is the keyword's value, schema the object it stands in ---- */

typedef bool keyword_fn(struct check *c, yyjson_val *rule, yyjson_val *schema, yyjson_val *v);

static const char *type_name(yyjson_val *v)
{
	switch (yyjson_get_type(v)) {
	case YYJSON_TYPE_NULL:
		return "null";
	case YYJSON_TYPE_BOOL:
		return "boolean";
	case YYJSON_TYPE_NUM:
		return yyjson_is_real(v) ? "number" : "integer";
	case YYJSON_TYPE_STR:
		return "string";
	case YYJSON_TYPE_ARR:
		return "array";
	default:
		return "object";
	}
}

static bool has_type(yyjson_val *v, struct str type)
{
	struct str name = str_of(type_name(v));

	return str_eq(name, type) || (str_eq(type, S("number")) && yyjson_is_num(v));
}

static bool check_type(struct check *c, yyjson_val *rule, yyjson_val *schema, yyjson_val *v)
{
	size_t i, max;
	yyjson_val *one;
	bool good = yyjson_is_str(rule) && has_type(v, json_str_of(rule));

	yyjson_arr_foreach(rule, i, max, one) good = good || has_type(v, json_str_of(one));
	return good || wrong(c,
	                       "instance type (%s) does not match any allowed primitive type "
	                       "(allowed: %.*s)",
	                       type_name(v), STR(json_text(c->arena, rule)));
}

static bool check_enum(struct check *c, yyjson_val *rule, yyjson_val *schema, yyjson_val *v)
{
	size_t i, max;
	yyjson_val *one;

	yyjson_arr_foreach(rule, i, max, one) if (yyjson_equals(one, v)) return true;
	return wrong(c, "instance value (%.*s) not found in enum (possible values: %.*s)",
	        STR(json_text(c->arena, v)), STR(json_text(c->arena, rule)));
}

static bool check_required(struct check *c, yyjson_val *rule, yyjson_val *schema, yyjson_val *v)
{
	size_t i, max;
	yyjson_val *name;
	bool good = true;

	if (!yyjson_is_obj(v))
		return true;
	yyjson_arr_foreach(rule, i, max, name)
	{
		struct str n = json_str_of(name);
		if (n.p && !yyjson_obj_getn(v, n.p, n.n))
			good = wrong(
			        c, "object has missing required properties ([\"%.*s\"])", STR(n));
	}
	return good;
}

static bool check_properties(struct check *c, yyjson_val *rule, yyjson_val *schema, yyjson_val *v)
{
	size_t i, max;
	yyjson_val *key, *sub;
	bool good = true;

	if (!yyjson_is_obj(v))
		return true;
	yyjson_obj_foreach(rule, i, max, key, sub)
	{
		yyjson_val *member =
		        yyjson_obj_getn(v, unsafe_yyjson_get_str(key), unsafe_yyjson_get_len(key));
		if (member)
			good = conforms(c, sub, member) && good;
	}
	return good;
}

static bool check_pattern_properties(
        struct check *c, yyjson_val *rule, yyjson_val *schema, yyjson_val *v)
{
	size_t i, imax, k, kmax;
	yyjson_val *pattern, *sub, *key, *member;
	bool good = true;

	yyjson_obj_foreach(rule, i, imax, pattern, sub)
	{
		yyjson_obj_foreach(v, k, kmax, key, member)
		{
			if (regex_finds(json_str_of(pattern), json_str_of(key)))
				good = conforms(c, sub, member) && good;
		}
	}
	return good;
}

static bool is_declared(yyjson_val *schema, struct str name)
{
	yyjson_val *properties = json_get(schema, "properties"), *pattern, *sub;
	size_t i, max;

	if (yyjson_is_obj(properties) && yyjson_obj_getn(properties, name.p, name.n))
		return true;
	yyjson_obj_foreach(json_get(schema, "patternProperties"), i, max, pattern, sub)
	{
		if (regex_finds(json_str_of(pattern), name))
			return true;
	}
	return false;
}

static bool check_additional(struct check *c, yyjson_val *rule, yyjson_val *schema, yyjson_val *v)
{
	size_t i, max;
	yyjson_val *key, *member;
	bool good = true;

	yyjson_obj_foreach(v, i, max, key, member)
	{
		if (is_declared(schema, json_str_of(key)))
			continue;
		if (yyjson_is_obj(rule))
			good = conforms(c, rule, member) && good;
		else if (yyjson_is_false(rule))
			good = wrong(c,
			        "object instance has properties which are not allowed by the "
			        "schema: [\"%.*s\"]",
			        STR(json_str_of(key)));
	}
	return good;
}

static bool check_items(struct check *c, yyjson_val *rule, yyjson_val *schema, yyjson_val *v)
{
	size_t i, max, n = yyjson_arr_size(rule);
	yyjson_val *element;
	yyjson_val *more = json_get(schema, "additionalItems");
	bool good = true;

	yyjson_arr_foreach(v, i, max, element)
	{
		if (yyjson_is_obj(rule))
			good = conforms(c, rule, element) && good;
		else if (i < n)
			good = conforms(c, yyjson_arr_get(rule, i), element) && good;
		else if (yyjson_is_obj(more))
			good = conforms(c, more, element) && good;
		else if (yyjson_is_false(more))
			good = wrong(c, "array is too long");
	}
	return good;
}

static bool check_unique(struct check *c, yyjson_val *rule, yyjson_val *schema, yyjson_val *v)
{
	size_t i, imax, k, kmax;
	yyjson_val *x, *y;

	if (!yyjson_is_true(rule))
		return true;
	yyjson_arr_foreach(v, i, imax, x)
	{
		yyjson_arr_foreach(v, k, kmax, y)
		{
			if (++c->steps > STEPS_MAX)
				return wrong(c, "the body is too large to be checked");
			if (k < i && yyjson_equals(x, y))
				return wrong(c, "array must not contain duplicate elements");
		}
	}
	return true;
}

static size_t characters(yyjson_val *v)
{
	struct str s = json_str_of(v);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static bool bound(struct check *c, double is, yyjson_val *rule, bool minimum, const char *what)
{
	if (!yyjson_is_num(rule))
		return true;
	double limit = yyjson_get_num(rule);
	bool good = minimum ? is >= limit : is <= limit;
	return good ||
	       wrong(c, "%s is %s (%g, %s allowed: %g)", what, minimum ? "too small" : "too large",
	               is, minimum ? "minimum" : "maximum", limit);
}

static bool check_min_length(struct check *c, yyjson_val *rule, yyjson_val *schema, yyjson_val *v)
{
	return !yyjson_is_str(v) || bound(c, (double)characters(v), rule, true, "string length");
}

static bool check_max_length(struct check *c, yyjson_val *rule, yyjson_val *schema, yyjson_val *v)
{
	return !yyjson_is_str(v) || bound(c, (double)characters(v), rule, false, "string length");
}

static bool check_min_items(struct check *c, yyjson_val *rule, yyjson_val *schema, yyjson_val *v)
{
	return !yyjson_is_arr(v) ||
	       bound(c, (double)yyjson_arr_size(v), rule, true, "array length");
}

static bool check_max_items(struct check *c, yyjson_val *rule, yyjson_val *schema, yyjson_val *v)
{
	return !yyjson_is_arr(v) ||
	       bound(c, (double)yyjson_arr_size(v), rule, false, "array length");
}

static bool check_min_properties(
        struct check *c, yyjson_val *rule, yyjson_val *schema, yyjson_val *v)
{
	return !yyjson_is_obj(v) || bound(c, (double)yyjson_obj_size(v), rule, true, "object size");
}

static bool check_max_properties(
        struct check *c, yyjson_val *rule, yyjson_val *schema, yyjson_val *v)
{
	return !yyjson_is_obj(v) ||
	       bound(c, (double)yyjson_obj_size(v), rule, false, "object size");
}

static bool check_minimum(struct check *c, yyjson_val *rule, yyjson_val *schema, yyjson_val *v)
{
	if (!yyjson_is_num(v) || !yyjson_is_num(rule))
		return true;
	if (yyjson_is_true(json_get(schema, "exclusiveMinimum")) &&
	        yyjson_get_num(v) <= yyjson_get_num(rule))
		return wrong(
		        c, "numeric instance is not strictly greater than the required minimum");
	return bound(c, yyjson_get_num(v), rule, true, "numeric instance");
}

static bool check_maximum(struct check *c, yyjson_val *rule, yyjson_val *schema, yyjson_val *v)
{
	if (!yyjson_is_num(v) || !yyjson_is_num(rule))
		return true;
	if (yyjson_is_true(json_get(schema, "exclusiveMaximum")) &&
	        yyjson_get_num(v) >= yyjson_get_num(rule))
		return wrong(c, "numeric instance is not strictly lower than the required maximum");
	return bound(c, yyjson_get_num(v), rule, false, "numeric instance");
}

static bool check_multiple(struct check *c, yyjson_val *rule, yyjson_val *schema, yyjson_val *v)
{
	if (!yyjson_is_num(v) || !(yyjson_get_num(rule) > 0))
		return true;
	double ratio = yyjson_get_num(v) / yyjson_get_num(rule);
	return fabs(ratio - round(ratio)) < 1e-9 || wrong(c, "remainder of division is not zero");
}

static bool check_pattern(struct check *c, yyjson_val *rule, yyjson_val *schema, yyjson_val *v)
{
	return !yyjson_is_str(v) || regex_finds(json_str_of(rule), json_str_of(v)) ||
	       wrong(c, "ECMA 262 regex \"%.*s\" does not match input string \"%.*s\"",
	               STR(json_str_of(rule)), STR(json_str_of(v)));
}

static bool check_format(struct check *c, yyjson_val *rule, yyjson_val *schema, yyjson_val *v)
{
	int64_t ms;

	if (!yyjson_is_str(v) || !str_eq(json_str_of(rule), S("date-time")))
		return true;
	return time_parse_iso8601(json_str_of(v), &ms) == 0 ||
	       wrong(c, "string \"%.*s\" is invalid against requested date format(s)",
	               STR(json_str_of(v)));
}

static bool check_all_of(struct check *c, yyjson_val *rule, yyjson_val *schema, yyjson_val *v)
{
	size_t i, max;
	yyjson_val *sub;
	bool good = true;

	yyjson_arr_foreach(rule, i, max, sub) good = conforms(c, sub, v) && good;
	return good;
}

static size_t count_matches(struct check *c, yyjson_val *rule, yyjson_val *v)
{
	size_t i, max, n = 0;
	yyjson_val *sub;

	yyjson_arr_foreach(rule, i, max, sub) n += tries(c, sub, v);
	return n;
}

static bool check_any_of(struct check *c, yyjson_val *rule, yyjson_val *schema, yyjson_val *v)
{
	return count_matches(c, rule, v) > 0 ||
	       wrong(c, "instance failed to match at least one required schema");
}

static bool check_one_of(struct check *c, yyjson_val *rule, yyjson_val *schema, yyjson_val *v)
{
	return count_matches(c, rule, v) == 1 ||
	       wrong(c, "instance failed to match exactly one schema");
}

static bool check_not(struct check *c, yyjson_val *rule, yyjson_val *schema, yyjson_val *v)
{
	return !tries(c, rule, v) || wrong(c, "instance matched a schema which it should not have");
}

static bool check_dependencies(struct check *c, yyjson_val *rule, yyjson_val *schema, yyjson_val *v)
{
	size_t i, max;
	yyjson_val *key, *sub;
	bool good = true;

	yyjson_obj_foreach(rule, i, max, key, sub)
	{
		if (!yyjson_is_obj(v) ||
		        !yyjson_obj_getn(v, unsafe_yyjson_get_str(key), unsafe_yyjson_get_len(key)))
			continue;
		good = (yyjson_is_arr(sub) ? check_required(c, sub, schema, v)
		                           : conforms(c, sub, v)) &&
		       good;
	}
	return good;
}

static const struct {
	const char *name;
	keyword_fn *check;
} keywords[] = {
	{ "type", check_type },
	{ "enum", check_enum },
	{ "required", check_required },
	{ "properties", check_properties },
	{ "patternProperties", check_pattern_properties },
	{ "additionalProperties", check_additional },
	{ "items", check_items },
	{ "uniqueItems", check_unique },
	{ "minLength", check_min_length },
	{ "maxLength", check_max_length },
	{ "minItems", check_min_items },
	{ "maxItems", check_max_items },
	{ "minProperties", check_min_properties },
	{ "maxProperties", check_max_properties },
	{ "minimum", check_minimum },
	{ "maximum", check_maximum },
	{ "multipleOf", check_multiple },
	{ "pattern", check_pattern },
	{ "format", check_format },
	{ "allOf", check_all_of },
	{ "anyOf", check_any_of },
	{ "oneOf", check_one_of },
	{ "not", check_not },
	{ "dependencies", check_dependencies },
};

/* ---- references ---- */

static bool follow(struct check *c, struct str ref, yyjson_val *v)
{
	yyjson_val *root = c->root, *target = NULL;

	if (str_starts(ref, S("#"))) {
		struct str pointer = str_sub(ref, 1, ref.n);
		target = yyjson_ptr_getn(root, pointer.p, pointer.n);
		return !target || conforms(c, target, v);
	}
	struct str text =
	        c->schema->resolve ? c->schema->resolve(c->schema->arg, ref) : (struct str){ 0 };
	if (!text.p || json_parse(c->arena, text, &target) != 0)
		return true;
	c->root = target;
	bool good = conforms(c, target, v);
	c->root = root;
	return good;
}

static bool conforms(struct check *c, yyjson_val *schema, yyjson_val *v)
{
	bool good = true;

	if (!yyjson_is_obj(schema))
		return true;
	if (c->depth >= DEPTH_MAX || ++c->steps > STEPS_MAX)
		return wrong(c, "the schema goes too deep");
	c->depth++;
	struct str ref = json_get_str(schema, "$ref");
	if (ref.p) {
		good = follow(c, ref, v);
	} else {
		for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
			yyjson_val *rule = json_get(schema, keywords[i].name);
			if (rule)
				good = keywords[i].check(c, rule, schema, v) && good;
		}
	}
	c->depth--;
	return good;
}

int json_schema_check(
        struct arena *a, const struct json_schema *s, struct str body, struct str *why)
{
	struct check c = { .arena = a, .schema = s, .why = buf_init(a) };
	yyjson_val *v;

	*why = S("");
	if (json_parse(a, s->schema, &c.root) != 0)
		return 0;
	if (json_parse(a, body.n ? body : S("null"), &v) != 0) {
		*why = S("the body is not JSON");
		return JSON_SCHEMA_BAD;
	}
	bool good = conforms(&c, c.root, v);
	*why = buf_str(&c.why);
	return good ? 0 : JSON_SCHEMA_BAD;
}
