/* vtl_value: values, and their text. */
#include "services/apigateway/vtl_value.h"

#define DEPTH_MAX 40
#define TEXT_MAX  (20u << 20) /* of one value: lists may contain themselves */

struct vtl_value vtl_list(struct arena *a)
{
	return (struct vtl_value){ VTL_LIST, { .list = arena_new(a, struct vtl_list) } };
}

struct vtl_value vtl_map(struct arena *a)
{
	return (struct vtl_value){ VTL_MAP, { .map = arena_new(a, struct vtl_map) } };
}

/* Room for one more element. */
static void *grown(struct arena *a, const void *v, size_t n, size_t *capacity, size_t size)
{
	if (n < *capacity)
		return (void *)(uintptr_t)v;
	*capacity = *capacity ? *capacity * 2 : 4;
	void *more = arena_alloc(a, arena_product(size, *capacity));
	if (n)
		memcpy(more, v, n * size);
	return more;
}

void vtl_list_add(struct arena *a, struct vtl_list *l, struct vtl_value v)
{
	l->v = grown(a, l->v, l->n, &l->capacity, sizeof *l->v);
	l->v[l->n++] = v;
}

struct vtl_value *vtl_map_get(const struct vtl_map *m, struct str key)
{
	for (size_t i = 0; i < m->n; i++)
		if (str_eq(m->v[i].key, key))
			return &m->v[i].value;
	return NULL;
}

static void append(struct arena *a, struct vtl_map *m, struct str key, struct vtl_value v)
{
	m->v = grown(a, m->v, m->n, &m->capacity, sizeof *m->v);
	m->v[m->n++] = (struct vtl_pair){ key, v };
}

void vtl_map_put(struct arena *a, struct vtl_map *m, struct str key, struct vtl_value v)
{
	struct vtl_value *old = vtl_map_get(m, key);

	if (old) {
		*old = v;
		return;
	}
	append(a, m, key, v);
}

void vtl_map_remove(struct vtl_map *m, struct str key)
{
	for (size_t i = 0; i < m->n; i++) {
		if (!str_eq(m->v[i].key, key))
			continue;
		memmove(m->v + i, m->v + i + 1, (m->n - i - 1) * sizeof *m->v);
		m->n--;
		return;
	}
}

bool vtl_is_true(struct vtl_value v)
{
	return v.type == VTL_BOOL ? v.b : v.type != VTL_NULL;
}

static bool is_number(struct vtl_value v)
{
	return v.type == VTL_INT || v.type == VTL_DOUBLE;
}

static double number(struct vtl_value v)
{
	return v.type == VTL_INT ? (double)v.i : v.d;
}

bool vtl_equals(struct arena *a, struct vtl_value x, struct vtl_value y)
{
	if (x.type == VTL_NULL || y.type == VTL_NULL)
		return x.type == y.type;
	if (x.type == VTL_INT && y.type == VTL_INT)
		return x.i == y.i;
	if (is_number(x) && is_number(y))
		return !(number(x) < number(y)) && !(number(x) > number(y));
	return str_eq(vtl_text(a, x), vtl_text(a, y));
}

/* ---- text ---- */

static void print(struct buf *b, struct vtl_value v, int depth);

static void print_list(struct buf *b, const struct vtl_list *l, int depth)
{
	buf_add_char(b, '[');
	for (size_t i = 0; i < l->n; i++) {
		if (i)
			buf_add(b, S(", "));
		print(b, l->v[i], depth);
	}
	buf_add_char(b, ']');
}

static void print_map(struct buf *b, const struct vtl_map *m, int depth)
{
	buf_add_char(b, '{');
	for (size_t i = 0; i < m->n; i++) {
		if (i)
			buf_add(b, S(", "));
		buf_add(b, m->v[i].key);
		buf_add_char(b, '=');
		print(b, m->v[i].value, depth);
	}
	buf_add_char(b, '}');
}

static void write_json(struct json_writer *w, struct vtl_value v, int depth);

/* Java's: at least one digit behind the point. */
static void print_double(struct buf *b, double d)
{
	struct buf text = buf_init(b->arena);
	struct json_writer w = json_writer(&text);

	json_double(&w, d);
	buf_add(b, buf_str(&text));
	if (str_find_char(buf_str(&text), '.') < 0 && str_find_char(buf_str(&text), 'e') < 0)
		buf_add(b, S(".0"));
}

static void print(struct buf *b, struct vtl_value v, int depth)
{
	struct json_writer w = json_writer(b);

	if (depth > DEPTH_MAX || b->n > TEXT_MAX)
		return;
	switch (v.type) {
	case VTL_NULL:
		buf_add(b, S("null"));
		break;
	case VTL_BOOL:
		buf_add(b, v.b ? S("true") : S("false"));
		break;
	case VTL_INT:
		buf_add_i64(b, v.i);
		break;
	case VTL_DOUBLE:
		print_double(b, v.d);
		break;
	case VTL_STRING:
		buf_add(b, v.s);
		break;
	case VTL_LIST:
		if (v.list->json)
			write_json(&w, v, depth);
		else
			print_list(b, v.list, depth + 1);
		break;
	case VTL_MAP:
		print_map(b, v.map, depth + 1);
		break;
	case VTL_INPUT:
	case VTL_UTIL:
		break;
	}
}

struct str vtl_text(struct arena *a, struct vtl_value v)
{
	struct buf b = buf_init(a);

	if (v.type == VTL_STRING)
		return v.s;
	print(&b, v, 0);
	return buf_str(&b);
}

/* ---- JSON ---- */

static void write_members(struct json_writer *w, const struct vtl_map *m, int depth)
{
	json_object(w);
	for (size_t i = 0; i < m->n; i++) {
		json_key(w, m->v[i].key);
		write_json(w, m->v[i].value, depth);
	}
	json_end(w);
}

static void write_elements(struct json_writer *w, const struct vtl_list *l, int depth)
{
	json_array(w);
	for (size_t i = 0; i < l->n; i++)
		write_json(w, l->v[i], depth);
	json_end(w);
}

static void write_json(struct json_writer *w, struct vtl_value v, int depth)
{
	if (depth > DEPTH_MAX || w->b->n > TEXT_MAX) {
		json_null(w);
		return;
	}
	switch (v.type) {
	case VTL_BOOL:
		json_bool(w, v.b);
		break;
	case VTL_INT:
		json_i64(w, v.i);
		break;
	case VTL_DOUBLE:
		json_double(w, v.d);
		break;
	case VTL_STRING:
		json_str(w, v.s);
		break;
	case VTL_LIST:
		write_elements(w, v.list, depth + 1);
		break;
	case VTL_MAP:
		write_members(w, v.map, depth + 1);
		break;
	default:
		json_null(w);
	}
}

void vtl_write_json(struct json_writer *w, struct vtl_value v)
{
	write_json(w, v, 0);
}

static struct vtl_value of_number(yyjson_val *v)
{
	if (yyjson_is_uint(v) && yyjson_get_uint(v) <= INT64_MAX)
		return vtl_int((int64_t)yyjson_get_uint(v));
	return yyjson_is_sint(v) ? vtl_int(yyjson_get_sint(v)) : vtl_double(yyjson_get_num(v));
}

/* Depth is bounded by json_parse. */
struct vtl_value vtl_of_json(struct arena *a, yyjson_val *v)
{
	size_t i, max;
	yyjson_val *key, *element;
	struct vtl_value made;

	switch (yyjson_get_type(v)) {
	case YYJSON_TYPE_BOOL:
		return vtl_bool(yyjson_get_bool(v));
	case YYJSON_TYPE_NUM:
		return of_number(v);
	case YYJSON_TYPE_STR:
		return vtl_str(json_str_of(v));
	case YYJSON_TYPE_ARR:
		made = vtl_list(a);
		made.list->json = true;
		yyjson_arr_foreach(v, i, max, element)
		        vtl_list_add(a, made.list, vtl_of_json(a, element));
		return made;
	case YYJSON_TYPE_OBJ:
		made = vtl_map(a);
		yyjson_obj_foreach(v, i, max, key, element)
		        append(a, made.map, json_str_of(key), vtl_of_json(a, element));
		return made;
	default:
		return vtl_null();
	}
}
