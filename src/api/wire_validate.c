/*
 * wire_validate: the constraints of the models, and AWS's words for what breaks them. All that is
 * wrong is said in one message.
 */
#include "api/wire_internal.h"

#include "base/map.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define VIOLATIONS_MAX 10
#define SHOWN_MAX      256
#define MATCH_LIMIT    100000

struct checking {
	struct arena *a;
	struct buf path; /* of the value being looked at */
	struct buf words;
	int n;
	int depth;
	bool required_only; /* S3 checks its values itself */
};

static void check(struct checking *c, const struct shape *shape, const void *value);

static void show_value(struct checking *c, const struct shape *shape, const void *value)
{
	struct str text;

	if (shape->type == SHAPE_STRUCTURE || shape->type == SHAPE_MAP)
		text = wire_to_json(c->a, shape, value);
	else if (shape->type == SHAPE_LIST)
		text = wire_to_json(c->a, shape, value);
	else
		text = wire_text_of(c->a, shape, TIME_ISO8601, value);
	buf_printf(&c->words, "'%.*s' ", STR(str_sub(text, 0, SHOWN_MAX)));
}

static void add(struct checking *c, const struct shape *shape, const void *value,
        const char *format, ...) PRINTF(4, 5);

static void add(
        struct checking *c, const struct shape *shape, const void *value, const char *format, ...)
{
	va_list args;

	if (++c->n > VIOLATIONS_MAX)
		return;
	buf_add(&c->words, c->n > 1 ? S("; Value ") : S("Value "));
	if (!value)
		buf_add(&c->words, S("null "));
	else if (!shape->sensitive)
		show_value(c, shape, value);
	buf_printf(&c->words, "at '%.*s' failed to satisfy constraint: Member must ",
	        STR(buf_str(&c->path)));
	va_start(args, format);
	buf_add(&c->words, str_vprintf(c->a, format, args));
	va_end(args);
}

/* "FunctionName" at the root is 'functionName'. */
static size_t push_member(struct checking *c, struct str name)
{
	size_t before = c->path.n;

	if (before)
		buf_add_char(&c->path, '.');
	if (name.n) {
		char first = name.p[0];
		buf_add_char(&c->path, first >= 'A' && first <= 'Z' ? (char)(first + 32) : first);
		buf_add(&c->path, str_sub(name, 1, name.n));
	}
	return before;
}

static size_t count_characters(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static void check_length(struct checking *c, const struct shape *shape, const void *value)
{
	int64_t n;

	if (shape->type == SHAPE_STRING)
		n = (int64_t)count_characters(*(const struct str *)value);
	else if (shape->type == SHAPE_BLOB)
		n = (int64_t)((const struct str *)value)->n;
	else
		n = (int64_t)wire_count(value);
	if (shape->has_min && n < shape->min)
		add(c, shape, value, "have length greater than or equal to %lld",
		        (long long)shape->min);
	if (shape->has_max && n > shape->max)
		add(c, shape, value, "have length less than or equal to %lld",
		        (long long)shape->max);
}

static void check_number(struct checking *c, const struct shape *shape, const void *value)
{
	int64_t v = ((const struct opt_int *)value)->v;

	if (shape->has_min && v < shape->min)
		add(c, shape, value, "have value greater than or equal to %lld",
		        (long long)shape->min);
	if (shape->has_max && v > shape->max)
		add(c, shape, value, "have value less than or equal to %lld",
		        (long long)shape->max);
}

/* Patterns are compiled when they are first needed, one cache a thread; a pattern that PCRE2 does
 * not take as the models write it is not checked. */
static pcre2_code *compiled(const struct shape *shape)
{
	static _Thread_local struct map cache;
	static char none;
	struct str key = { (const char *)&shape, sizeof shape };
	void *found = map_get(&cache, key);
	int error;
	PCRE2_SIZE at;

	if (found)
		return found == &none ? NULL : found;
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	pcre2_set_compile_extra_options(context, PCRE2_EXTRA_ALT_BSUX);
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)shape->pattern.p, shape->pattern.n,
	        PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY, &error, &at,
	        context);
	pcre2_compile_context_free(context);
	map_put(&cache, key, code ? (void *)code : &none);
	return code;
}

static bool matches_pattern(const struct shape *shape, struct str s)
{
	pcre2_code *code = compiled(shape);

	if (!code)
		return true;
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	pcre2_match_context *context = pcre2_match_context_create(NULL);
	pcre2_set_match_limit(context, MATCH_LIMIT);
	int got = pcre2_match(code, (PCRE2_SPTR)s.p, s.n, 0, 0, data, context);
	pcre2_match_context_free(context);
	pcre2_match_data_free(data);
	return got >= 0;
}

static bool is_listed(const struct shape *shape, struct str s)
{
	for (uint32_t i = 0; i < shape->n_values; i++)
		if (str_eq(shape->values[i], s))
			return true;
	return false;
}

static struct str listed(struct arena *a, const struct shape *shape)
{
	struct buf b = buf_init(a);

	for (uint32_t i = 0; i < shape->n_values; i++) {
		if (i)
			buf_add(&b, S(", "));
		buf_add(&b, shape->values[i]);
	}
	return buf_str(&b);
}

static void check_string(struct checking *c, const struct shape *shape, const void *value)
{
	struct str s = *(const struct str *)value;

	check_length(c, shape, value);
	if (shape->n_values && !is_listed(shape, s))
		add(c, shape, value, "satisfy enum value set: [%.*s]", STR(listed(c->a, shape)));
	else if (shape->pattern.n && !shape->n_values && !matches_pattern(shape, s))
		add(c, shape, value, "satisfy regular expression pattern: %.*s",
		        STR(shape->pattern));
}

static void check_structure(struct checking *c, const struct shape *shape, const void *value)
{
	for (uint32_t i = 0; i < shape->n_members; i++) {
		const struct shape_member *m = &shape->members[i];
		const void *v = wire_member_get(m, value);
		if (!v && !m->required)
			continue;
		if (m->offset == UINT32_MAX || m->shape->type == SHAPE_STREAM)
			continue;
		size_t before = push_member(c, m->name);
		if (v)
			check(c, m->shape, v);
		else
			add(c, m->shape, NULL, "not be null");
		c->path.n = before;
	}
}

static void check_list(struct checking *c, const struct shape *shape, const void *value)
{
	check_length(c, shape, value);
	for (size_t i = 0; i < wire_count(value); i++) {
		size_t before = c->path.n;
		buf_printf(&c->path, ".%zu.member", i + 1);
		check(c, shape->element, wire_entry(shape, value, i));
		c->path.n = before;
	}
}

static void check_map(struct checking *c, const struct shape *shape, const void *value)
{
	check_length(c, shape, value);
	for (size_t i = 0; i < wire_count(value); i++) {
		char *entry = wire_entry(shape, value, i);
		size_t before = c->path.n;
		check_string(c, shape->key, entry);
		buf_printf(&c->path, ".%.*s.member", STR(*(struct str *)entry));
		check(c, shape->element, entry + shape->value_offset);
		c->path.n = before;
	}
}

static void check_scalar(struct checking *c, const struct shape *shape, const void *value)
{
	if (c->required_only)
		return;
	if (shape->type == SHAPE_STRING)
		check_string(c, shape, value);
	else if (shape->type == SHAPE_BLOB)
		check_length(c, shape, value);
	else if (shape->type == SHAPE_INTEGER || shape->type == SHAPE_LONG)
		check_number(c, shape, value);
}

static void check(struct checking *c, const struct shape *shape, const void *value)
{
	if (++c->depth <= WIRE_DEPTH_MAX) {
		if (shape->type == SHAPE_STRUCTURE)
			check_structure(c, shape, value);
		else if (shape->type == SHAPE_LIST)
			check_list(c, shape, value);
		else if (shape->type == SHAPE_MAP)
			check_map(c, shape, value);
		else
			check_scalar(c, shape, value);
	}
	c->depth--;
}

int wire_validate(struct task *t, const struct shape_service *service, const struct shape *shape,
        const void *in)
{
	struct arena *a = task_arena(t);
	struct checking c = { .a = a, .path = buf_init(a), .words = buf_init(a) };

	c.required_only = service->protocol == WIRE_REST_XML;
	check(&c, shape, in);
	if (c.n == 0)
		return 0;
	if (c.required_only)
		return fail(t, API_ERROR_SERIALIZATION, "%.*s", STR(buf_str(&c.words)));
	return fail(t, API_ERROR_VALIDATION, "%d validation error%s detected: %.*s", c.n,
	        c.n > 1 ? "s" : "", STR(buf_str(&c.words)));
}
