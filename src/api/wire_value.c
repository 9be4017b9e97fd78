/*
 * wire_value: values in the generated structs, and scalars as text.
 */
#include "api/wire_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Every list and map of the generated code has this form. */
struct any_list {
	char *v;
	size_t n;
};

static bool is_present(const struct shape *shape, const void *slot)
{
	switch ((enum shape_type)shape->type) {
	case SHAPE_BOOLEAN:
		return ((const struct opt_bool *)slot)->set;
	case SHAPE_INTEGER:
	case SHAPE_LONG:
		return ((const struct opt_int *)slot)->set;
	case SHAPE_FLOAT:
	case SHAPE_DOUBLE:
		return ((const struct opt_double *)slot)->set;
	case SHAPE_TIMESTAMP:
		return ((const struct opt_time *)slot)->set;
	case SHAPE_EVENTS:
		return false;
	default:
		/* a string, a list, a map, a pointer: each starts with one */
		return *(void *const *)slot != NULL;
	}
}

const void *wire_member_get(const struct shape_member *m, const void *s)
{
	if (m->offset == UINT32_MAX)
		return NULL;
	const void *slot = shape_member_at(m, s);
	if (!is_present(m->shape, slot))
		return NULL;
	return m->shape->type == SHAPE_STRUCTURE ? *(void *const *)slot : slot;
}

void *wire_member_new(struct arena *a, const struct shape_member *m, void *s)
{
	void *slot = shape_member_at(m, s);

	if (m->shape->type != SHAPE_STRUCTURE)
		return slot;
	void *made = arena_alloc(a, MAX(m->shape->size, (uint32_t)1));
	*(void **)slot = made;
	return made;
}

void *wire_append(struct arena *a, const struct shape *shape, void *value, size_t *capacity)
{
	struct any_list *l = value;
	size_t size = shape->entry_size;

	if (!l->v || l->n == *capacity) {
		size_t more = *capacity ? *capacity * 2 : 4;
		char *v = arena_alloc(a, arena_product(size, more));
		if (l->n)
			memcpy(v, l->v, l->n * size);
		l->v = v;
		*capacity = more;
	}
	return l->v + size * l->n++;
}

size_t wire_count(const void *value)
{
	return ((const struct any_list *)value)->n;
}

void *wire_entry(const struct shape *shape, const void *value, size_t i)
{
	return ((const struct any_list *)value)->v + shape->entry_size * i;
}

void wire_make_present(struct arena *a, void *value)
{
	struct any_list *l = value;

	if (!l->v)
		l->v = arena_alloc(a, 1);
}

static int read_bool(struct str text, struct opt_bool *value)
{
	if (str_eq_nocase(text, S("true")))
		*value = opt_bool(true);
	else if (str_eq_nocase(text, S("false")))
		*value = opt_bool(false);
	else
		return 1;
	return 0;
}

static int read_int(const struct shape *shape, struct str text, struct opt_int *value)
{
	int64_t v;

	if (!str_to_i64(text, &v))
		return 1;
	if (shape->type == SHAPE_INTEGER && (v < INT32_MIN || v > INT32_MAX))
		return 1;
	*value = opt_int(v);
	return 0;
}

static int read_double(struct arena *a, struct str text, struct opt_double *value)
{
	char *end;

	if (text.n == 0 || text.n > 64)
		return 1;
	const char *s = str_cstr(a, text);
	double v = strtod(s, &end);
	if (*end)
		return 1;
	*value = opt_double(v);
	return 0;
}

static int read_time(struct arena *a, struct str text, struct opt_time *value)
{
	int64_t ms;
	struct opt_double seconds;

	if (time_parse_iso8601(text, &ms) != 0 && time_parse_rfc822(text, &ms) != 0) {
		if (read_double(a, text, &seconds) != 0 || !isfinite(seconds.v) ||
		        fabs(seconds.v) > 1e12)
			return 1;
		ms = (int64_t)llround(seconds.v * 1000);
	}
	*value = opt_time(ms);
	return 0;
}

int wire_text_read(
        struct arena *a, const struct shape *shape, uint8_t time, struct str text, void *value)
{
	switch ((enum shape_type)shape->type) {
	case SHAPE_BOOLEAN:
		return read_bool(text, value);
	case SHAPE_INTEGER:
	case SHAPE_LONG:
		return read_int(shape, str_trim(text), value);
	case SHAPE_FLOAT:
	case SHAPE_DOUBLE:
		return read_double(a, str_trim(text), value);
	case SHAPE_TIMESTAMP:
		return read_time(a, str_trim(text), value);
	case SHAPE_BLOB:
		return base64_decode(a, str_trim(text), value);
	default:
		*(struct str *)value = text.p ? text : S("");
		return 0;
	}
}

void wire_number(struct buf *b, double v)
{
	char *p = buf_reserve(b, 40);
	int n = 0;

	if (isnan(v)) {
		buf_add(b, S("NaN"));
		return;
	}
	if (isinf(v)) {
		buf_add(b, v > 0 ? S("Infinity") : S("-Infinity"));
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		n = snprintf(p, 40, "%.*g", digits, v);
		if (strtod(p, NULL) == v)
			break;
	}
	buf_commit(b, (size_t)n);
}

static struct str time_text(struct arena *a, uint8_t time, int64_t ms)
{
	if (time == TIME_RFC822)
		return time_rfc822(a, ms);
	if (time == TIME_ISO8601_MS)
		return time_iso8601(a, ms, true);
	if (time == TIME_ISO8601)
		return time_iso8601(a, ms, ms % 1000 != 0);
	if (ms % 1000 == 0)
		return str_printf(a, "%lld", (long long)(ms / 1000));
	return str_printf(a, "%.3f", (double)ms / 1000);
}

static struct str number_text(struct arena *a, double v)
{
	struct buf b = buf_init(a);

	wire_number(&b, v);
	return buf_str(&b);
}

struct str wire_text_of(struct arena *a, const struct shape *shape, uint8_t time, const void *value)
{
	switch ((enum shape_type)shape->type) {
	case SHAPE_BOOLEAN:
		return ((const struct opt_bool *)value)->v ? S("true") : S("false");
	case SHAPE_INTEGER:
	case SHAPE_LONG:
		return str_printf(a, "%lld", (long long)((const struct opt_int *)value)->v);
	case SHAPE_FLOAT:
	case SHAPE_DOUBLE:
		return number_text(a, ((const struct opt_double *)value)->v);
	case SHAPE_TIMESTAMP:
		return time_text(a, time, ((const struct opt_time *)value)->ms);
	case SHAPE_BLOB:
		return base64_encode(a, *(const struct str *)value);
	default:
		return *(const struct str *)value;
	}
}
