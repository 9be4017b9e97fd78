/* patch: JSON-pointer paths over the shape tables. */
#include "services/apigateway/patch.h"

#include <stdlib.h>

#define BAD 1

struct str patch_unescape(struct arena *a, struct str s)
{
	struct buf b = buf_init(a);

	for (size_t i = 0; i < s.n; i++) {
		bool escape =
		        s.p[i] == '~' && i + 1 < s.n && (s.p[i + 1] == '1' || s.p[i + 1] == '0');
		buf_add_char(&b, escape ? (s.p[++i] == '1' ? '/' : '~') : s.p[i]);
	}
	return buf_str(&b);
}

static unsigned op_bit(struct str op)
{
	static const struct {
		struct str name;
		unsigned bit;
	} ops[] = {
		{ S_INIT("add"), PATCH_ADD },
		{ S_INIT("remove"), PATCH_REMOVE },
		{ S_INIT("replace"), PATCH_REPLACE },
		{ S_INIT("copy"), PATCH_COPY },
	};

	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		if (str_eq(ops[i].name, op))
			return ops[i].bit;
	return 0;
}

/* A rule's last character '/' stands for one segment more. */
static bool rule_matches(struct str rule, struct str path)
{
	if (!str_ends(rule, S("/")))
		return str_eq(rule, path);
	return str_starts(path, rule) && path.n > rule.n &&
	       str_find_char(str_sub(path, rule.n, path.n), '/') < 0;
}

static int refuse_path(struct apigw_change *c, const struct apigateway_patch_operation *o,
        const struct patch_target *target)
{
	struct buf b = buf_init(c->arena);

	for (size_t i = 0; i < target->n_rules; i++) {
		if (!(target->rules[i].ops & op_bit(o->op)))
			continue;
		struct str path = str_of(target->rules[i].path);
		buf_printf(&b, "%s%.*s%s", b.n ? ", " : "", STR(path),
		        str_ends(path, S("/")) ? "{name}" : "");
	}
	return apigw_refuse(c, APIGATEWAY_BAD_REQUEST_EXCEPTION,
	        "Invalid patch path  '%.*s' specified for op '%.*s'. Must be one of: [%.*s]",
	        STR(o->path), STR(o->op), STR(buf_str(&b)));
}

static const struct shape_member *member_by_wire(const struct shape *shape, struct str name)
{
	for (uint32_t i = 0; i < shape->n_members; i++)
		if (str_eq(shape->members[i].wire, name))
			return &shape->members[i];
	return NULL;
}

/* ---- setting one value ---- */

static int set_bool(void *at, struct str text)
{
	bool yes = str_eq_nocase(text, S("true"));

	if (!yes && !str_eq_nocase(text, S("false")))
		return BAD;
	*(struct opt_bool *)at = opt_bool(yes);
	return 0;
}

static int set_double(struct arena *a, void *at, struct str text)
{
	const char *begin = str_cstr(a, text);
	char *end;
	double v = strtod(begin, &end);

	if (text.n == 0 || *end)
		return BAD;
	*(struct opt_double *)at = opt_double(v);
	return 0;
}

static int set_int(void *at, struct str text)
{
	int64_t v;

	if (!str_to_i64(text, &v))
		return BAD;
	*(struct opt_int *)at = opt_int(v);
	return 0;
}

static bool enum_allows(const struct shape *shape, struct str text)
{
	for (uint32_t i = 0; i < shape->n_values; i++)
		if (str_eq(shape->values[i], text))
			return true;
	return shape->n_values == 0;
}

struct any_list {
	char *v;
	size_t n;
};

/* A list given whole: "a,b". */
static void set_list(struct arena *a, const struct shape *shape, void *at, struct str text)
{
	struct any_list *l = at;

	*l = (struct any_list){ arena_alloc(a, 1), 0 };
	while (text.n) {
		struct str one = str_cut(&text, ',');
		l->v = grow_add(a, l->v, l->n, shape->entry_size);
		*(struct str *)(void *)(l->v + l->n++ * shape->entry_size) = one;
	}
}

/* text absent: removes. */
static int set_value(struct arena *a, const struct shape *shape, void *at, struct str text)
{
	if (!text.p) {
		memset(at, 0, shape->type == SHAPE_STRUCTURE ? sizeof(void *) : shape->size);
		return 0;
	}
	switch (shape->type) {
	case SHAPE_STRING:
		if (!enum_allows(shape, text))
			return BAD;
		*(struct str *)at = text;
		return 0;
	case SHAPE_BOOLEAN:
		return set_bool(at, text);
	case SHAPE_INTEGER:
	case SHAPE_LONG:
		return set_int(at, text);
	case SHAPE_DOUBLE:
	case SHAPE_FLOAT:
		return set_double(a, at, text);
	case SHAPE_LIST:
		if (shape->element->type != SHAPE_STRING)
			return BAD;
		set_list(a, shape, at, text);
		return 0;
	default:
		return BAD;
	}
}

/* ---- walking ---- */

static int walk(
        struct arena *a, const struct shape *shape, void *value, struct str rest, struct str text);

static char *map_find(const struct shape *map, const struct any_list *l, struct str key)
{
	return grow_find(l->v, l->n, map->entry_size, 0, key);
}

static int walk_map(struct arena *a, const struct shape *map, struct any_list *l, struct str rest,
        struct str text)
{
	struct str key = patch_unescape(a, str_cut(&rest, '/'));
	char *entry = map_find(map, l, key);

	if (!rest.p && !text.p) {
		if (!entry)
			return BAD;
		grow_remove(l->v, &l->n, map->entry_size, (size_t)(entry - l->v) / map->entry_size);
		return 0;
	}
	if (!entry) {
		l->v = grow_add(a, l->v, l->n, map->entry_size);
		entry = l->v + l->n++ * map->entry_size;
		*(struct str *)(void *)entry = key;
	}
	void *at = entry + map->value_offset;
	return rest.p ? walk(a, map->element, at, rest, text)
	              : set_value(a, map->element, at, text);
}

/* Lists of strings are sets: the segment is the element, or its index with a new value. */
static int walk_list(struct arena *a, const struct shape *list, struct any_list *l, struct str rest,
        struct str text)
{
	struct str name = patch_unescape(a, rest);
	uint64_t index;
	char *found = grow_find(l->v, l->n, list->entry_size, 0, name);

	if (list->element->type != SHAPE_STRING)
		return BAD;
	if (!found && str_to_u64(name, &index) && index < l->n)
		found = l->v + index * list->entry_size;
	if (!text.p) {
		if (!found)
			return BAD;
		grow_remove(
		        l->v, &l->n, list->entry_size, (size_t)(found - l->v) / list->entry_size);
		return 0;
	}
	if (!found) {
		l->v = grow_add(a, l->v, l->n, list->entry_size);
		found = l->v + l->n++ * list->entry_size;
	}
	*(struct str *)(void *)found = text.n ? text : name;
	return enum_allows(list->element, *(struct str *)(void *)found) ? 0 : BAD;
}

static int walk_structure(
        struct arena *a, const struct shape *shape, void *value, struct str rest, struct str text)
{
	struct str name = patch_unescape(a, str_cut(&rest, '/'));
	const struct shape_member *m = member_by_wire(shape, name);

	if (!m)
		return BAD;
	void *at = shape_member_at(m, value);
	if (!rest.p)
		return set_value(a, m->shape, at, text);
	if (m->shape->type != SHAPE_STRUCTURE)
		return walk(a, m->shape, at, rest, text);
	void **pointer = at;
	if (!*pointer)
		*pointer = arena_alloc(a, m->shape->size);
	return walk(a, m->shape, *pointer, rest, text);
}

static int walk(
        struct arena *a, const struct shape *shape, void *value, struct str rest, struct str text)
{
	switch (shape->type) {
	case SHAPE_STRUCTURE:
		return walk_structure(a, shape, value, rest, text);
	case SHAPE_MAP:
		return walk_map(a, shape, value, rest, text);
	case SHAPE_LIST:
		return walk_list(a, shape, value, rest, text);
	default:
		return BAD;
	}
}

int patch_set(struct arena *a, const struct shape *shape, void *value, struct str pointer,
        struct str text)
{
	return walk(a, shape, value, str_sub(pointer, 1, pointer.n), text);
}

/* ---- operations ---- */

static bool allowed(const struct apigateway_patch_operation *o, const struct patch_target *target)
{
	for (size_t i = 0; i < target->n_rules; i++)
		if ((target->rules[i].ops & op_bit(o->op)) &&
		        rule_matches(str_of(target->rules[i].path), o->path))
			return true;
	return false;
}

int patch_apply_one(struct apigw_change *c, const struct apigateway_patch_operation *o,
        const struct patch_target *target)
{
	struct str text = o->value.p ? o->value : S("");

	if (!str_starts(o->path, S("/")) || !allowed(o, target))
		return refuse_path(c, o, target);
	if (op_bit(o->op) == PATCH_REMOVE)
		text = (struct str){ 0 };
	if (patch_set(c->arena, target->shape, target->value, o->path, text) == 0)
		return 0;
	if (op_bit(o->op) == PATCH_REMOVE)
		return apigw_refuse(c, APIGATEWAY_NOT_FOUND_EXCEPTION,
		        "Invalid patch path  '%.*s' specified for op 'remove'. It names nothing "
		        "that exists",
		        STR(o->path));
	return apigw_refuse(c, APIGATEWAY_BAD_REQUEST_EXCEPTION,
	        "Invalid patch value '%.*s' specified for path '%.*s'", STR(text), STR(o->path));
}

int patch_apply(struct apigw_change *c, const struct apigateway_list_of_patch_operation *operations,
        const struct patch_target *target)
{
	for (size_t i = 0; i < operations->n; i++)
		TRY(patch_apply_one(c, &operations->v[i], target));
	return 0;
}
