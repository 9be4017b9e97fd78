/* vtl_method: methods of lists and maps, and of everything. */
#include "services/apigateway/vtl_run.h"

static struct vtl_value none(void)
{
	return vtl_str(S(""));
}

/* ---- lists ---- */

static ptrdiff_t list_find(struct vtl_run *r, const struct vtl_list *l, struct vtl_value v)
{
	for (size_t i = 0; i < l->n; i++)
		if (vtl_equals(r->arena, l->v[i], v))
			return (ptrdiff_t)i;
	return -1;
}

static struct vtl_value list_at(struct vtl_list *l, struct vtl_value index)
{
	if (index.type != VTL_INT || index.i < 0 || index.i >= (int64_t)l->n)
		return vtl_null();
	return l->v[index.i];
}

static struct vtl_value list_remove(struct vtl_list *l, struct vtl_value index)
{
	struct vtl_value old = list_at(l, index);

	if (index.type == VTL_INT && index.i >= 0 && index.i < (int64_t)l->n) {
		memmove(l->v + index.i, l->v + index.i + 1,
		        (l->n - (size_t)index.i - 1) * sizeof *l->v);
		l->n--;
	}
	return old;
}

static struct vtl_value list_changed(
        struct vtl_run *r, struct vtl_list *l, struct str name, struct vtl_value *args, size_t n)
{
	if (n == 1 && str_eq(name, S("add"))) {
		vtl_list_add(r->arena, l, args[0]);
		return vtl_bool(true);
	}
	if (n == 1 && str_eq(name, S("addAll")) && args[0].type == VTL_LIST) {
		size_t many = args[0].list->n; /* may be l itself */
		for (size_t i = 0; i < many; i++)
			vtl_list_add(r->arena, l, args[0].list->v[i]);
		return vtl_bool(true);
	}
	if (n == 2 && str_eq(name, S("set"))) {
		struct vtl_value old = list_at(l, args[0]);
		if (args[0].type == VTL_INT && args[0].i >= 0 && args[0].i < (int64_t)l->n)
			l->v[args[0].i] = args[1];
		return old;
	}
	if (n == 1 && str_eq(name, S("remove")))
		return list_remove(l, args[0]);
	return vtl_null();
}

static struct vtl_value list_method(
        struct vtl_run *r, struct vtl_list *l, struct str name, struct vtl_value *args, size_t n)
{
	if (n == 0 && (str_eq(name, S("size")) || str_eq(name, S("length"))))
		return vtl_int((int64_t)l->n);
	if (n == 0 && str_eq(name, S("isEmpty")))
		return vtl_bool(l->n == 0);
	if (n == 1 && str_eq(name, S("get")))
		return list_at(l, args[0]);
	if (n == 1 && str_eq(name, S("contains")))
		return vtl_bool(list_find(r, l, args[0]) >= 0);
	if (n == 1 && str_eq(name, S("indexOf")))
		return vtl_int(list_find(r, l, args[0]));
	return list_changed(r, l, name, args, n);
}

/* ---- maps ---- */

static struct vtl_value entry(struct vtl_run *r, const struct vtl_pair *p)
{
	struct vtl_value e = vtl_map(r->arena);

	vtl_map_put(r->arena, e.map, S("key"), vtl_str(p->key));
	vtl_map_put(r->arena, e.map, S("value"), p->value);
	return e;
}

static struct vtl_value map_listed(struct vtl_run *r, const struct vtl_map *m, struct str name)
{
	struct vtl_value list = vtl_list(r->arena);

	for (size_t i = 0; i < m->n; i++) {
		struct vtl_value v = m->v[i].value;
		if (str_eq(name, S("keySet")))
			v = vtl_str(m->v[i].key);
		else if (str_eq(name, S("entrySet")))
			v = entry(r, &m->v[i]);
		vtl_list_add(r->arena, list.list, v);
	}
	return list;
}

static struct vtl_value map_put_all(
        struct vtl_run *r, struct vtl_map *m, const struct vtl_map *from)
{
	size_t n = from->n;

	for (size_t i = 0; i < n; i++)
		vtl_map_put(r->arena, m, from->v[i].key, from->v[i].value);
	return none();
}

static struct vtl_value map_keyed(
        struct vtl_run *r, struct vtl_map *m, struct str name, struct vtl_value *args, size_t n)
{
	struct str key = vtl_text(r->arena, args[0]);
	struct vtl_value *at = vtl_map_get(m, key);
	struct vtl_value old = at ? *at : m->lenient ? none() : vtl_null();

	if (n == 1 && str_eq(name, S("get")))
		return old;
	if (n == 1 && str_eq(name, S("containsKey")))
		return vtl_bool(at != NULL);
	if (n == 2 && str_eq(name, S("getOrDefault")))
		return at ? *at : args[1];
	if (n == 2 && str_eq(name, S("put"))) {
		vtl_map_put(r->arena, m, key, args[1]);
		return at ? old : none();
	}
	if (n == 1 && str_eq(name, S("remove"))) {
		vtl_map_remove(m, key);
		return old;
	}
	if (n == 1 && str_eq(name, S("putAll")) && args[0].type == VTL_MAP)
		return map_put_all(r, m, args[0].map);
	return vtl_null();
}

static struct vtl_value map_method(
        struct vtl_run *r, struct vtl_map *m, struct str name, struct vtl_value *args, size_t n)
{
	struct vtl_value *v;

	if (n > 0)
		return map_keyed(r, m, name, args, n);
	if (str_eq(name, S("size")))
		return vtl_int((int64_t)m->n);
	if (str_eq(name, S("isEmpty")))
		return vtl_bool(m->n == 0);
	if (str_eq(name, S("keySet")) || str_eq(name, S("entrySet")) || str_eq(name, S("values")))
		return map_listed(r, m, name);
	if (str_eq(name, S("getKey")) || str_eq(name, S("getValue"))) {
		v = vtl_map_get(m, str_eq(name, S("getKey")) ? S("key") : S("value"));
		return v ? *v : vtl_null();
	}
	return vtl_null();
}

/* ---- all ---- */

static struct vtl_value number_method(struct vtl_value on, struct str name)
{
	if (str_eq(name, S("intValue")) || str_eq(name, S("longValue"))) {
		if (on.type == VTL_INT)
			return on;
		return on.d > -9e18 && on.d < 9e18 ? vtl_int((int64_t)on.d) : vtl_null();
	}
	if (str_eq(name, S("doubleValue")))
		return on.type == VTL_DOUBLE ? on : vtl_double((double)on.i);
	return vtl_null();
}

struct vtl_value vtl_method(
        struct vtl_run *r, struct vtl_value on, struct str name, struct vtl_value *args, size_t n)
{
	if (n == 1 && str_eq(name, S("equals")))
		return vtl_bool(vtl_equals(r->arena, on, args[0]));
	if (n == 0 && str_eq(name, S("toString")))
		return vtl_str(vtl_text(r->arena, on));
	switch (on.type) {
	case VTL_STRING:
		return vtl_string_method(r, on.s, name, args, n);
	case VTL_LIST:
		return list_method(r, on.list, name, args, n);
	case VTL_MAP:
		return map_method(r, on.map, name, args, n);
	case VTL_INPUT:
		return vtl_input_method(r, name, args, n);
	case VTL_UTIL:
		return vtl_util_method(r, name, args, n);
	case VTL_INT:
	case VTL_DOUBLE:
		return n == 0 ? number_method(on, name) : vtl_null();
	default:
		return vtl_null();
	}
}
