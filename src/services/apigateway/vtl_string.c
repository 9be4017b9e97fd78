/* vtl_string: methods of strings, as java.lang.String has them. Positions count bytes. */
#include "services/apigateway/regex.h"
#include "services/apigateway/vtl_run.h"

#include <ctype.h>

typedef struct vtl_value string_fn(struct vtl_run *r, struct str s, struct vtl_value *args);

static struct str arg(struct vtl_run *r, struct vtl_value v)
{
	return vtl_text(r->arena, v);
}

static struct vtl_value length(struct vtl_run *r, struct str s, struct vtl_value *args)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return vtl_int((int64_t)n);
}

static struct vtl_value is_empty(struct vtl_run *r, struct str s, struct vtl_value *args)
{
	return vtl_bool(s.n == 0);
}

static struct vtl_value upper(struct vtl_run *r, struct str s, struct vtl_value *args)
{
	char *p = arena_bytes(r->arena, s.n + 1);

	for (size_t i = 0; i < s.n; i++)
		p[i] = (char)((unsigned char)s.p[i] < 0x80 ? toupper((unsigned char)s.p[i])
		                                           : s.p[i]);
	return vtl_str((struct str){ p, s.n });
}

static struct vtl_value lower(struct vtl_run *r, struct str s, struct vtl_value *args)
{
	return vtl_str(str_lower(r->arena, s));
}

static struct vtl_value trim(struct vtl_run *r, struct str s, struct vtl_value *args)
{
	return vtl_str(str_trim(s));
}

static struct vtl_value contains(struct vtl_run *r, struct str s, struct vtl_value *args)
{
	return vtl_bool(str_find(s, arg(r, args[0])) >= 0);
}

static struct vtl_value starts(struct vtl_run *r, struct str s, struct vtl_value *args)
{
	return vtl_bool(str_starts(s, arg(r, args[0])));
}

static struct vtl_value ends(struct vtl_run *r, struct str s, struct vtl_value *args)
{
	return vtl_bool(str_ends(s, arg(r, args[0])));
}

static struct vtl_value index_of(struct vtl_run *r, struct str s, struct vtl_value *args)
{
	return vtl_int(str_find(s, arg(r, args[0])));
}

static struct vtl_value last_index_of(struct vtl_run *r, struct str s, struct vtl_value *args)
{
	struct str what = arg(r, args[0]);

	for (size_t i = s.n + 1; i-- > 0;)
		if (str_starts(str_sub(s, i, s.n), what))
			return vtl_int((int64_t)i);
	return vtl_int(-1);
}

static struct vtl_value equals_nocase(struct vtl_run *r, struct str s, struct vtl_value *args)
{
	return vtl_bool(str_eq_nocase(s, arg(r, args[0])));
}

static struct vtl_value concat(struct vtl_run *r, struct str s, struct vtl_value *args)
{
	return vtl_str(str_concat(r->arena, 2, s, arg(r, args[0])));
}

static struct vtl_value matches(struct vtl_run *r, struct str s, struct vtl_value *args)
{
	return vtl_bool(regex_matches(arg(r, args[0]), s));
}

static struct vtl_value char_at(struct vtl_run *r, struct str s, struct vtl_value *args)
{
	if (args[0].type != VTL_INT || args[0].i < 0 || args[0].i >= (int64_t)s.n)
		return vtl_null();
	return vtl_str(str_sub(s, (size_t)args[0].i, 1));
}

static struct vtl_value substring(struct vtl_run *r, struct str s, int64_t from, int64_t to)
{
	if (from < 0 || to < from || to > (int64_t)s.n)
		return vtl_null();
	return vtl_str(str_sub(s, (size_t)from, (size_t)(to - from)));
}

static struct vtl_value substring_1(struct vtl_run *r, struct str s, struct vtl_value *args)
{
	return args[0].type == VTL_INT ? substring(r, s, args[0].i, (int64_t)s.n) : vtl_null();
}

static struct vtl_value substring_2(struct vtl_run *r, struct str s, struct vtl_value *args)
{
	return args[0].type == VTL_INT && args[1].type == VTL_INT
	               ? substring(r, s, args[0].i, args[1].i)
	               : vtl_null();
}

static struct vtl_value replace(struct vtl_run *r, struct str s, struct vtl_value *args)
{
	struct str what = arg(r, args[0]), with = arg(r, args[1]);
	struct buf b = buf_init(r->arena);
	ptrdiff_t at;

	while (what.n && (at = str_find(s, what)) >= 0) {
		if (b.n + s.n > VTL_OUTPUT_MAX)
			return vtl_null();
		buf_add(&b, str_sub(s, 0, (size_t)at));
		buf_add(&b, with);
		s = str_sub(s, (size_t)at + what.n, s.n);
	}
	buf_add(&b, s);
	return vtl_str(buf_str(&b));
}

static struct vtl_value replaced(struct vtl_run *r, struct str s, struct vtl_value *args, bool all)
{
	struct str out = regex_replace(r->arena, s, arg(r, args[0]), arg(r, args[1]), all);

	return out.p ? vtl_str(out) : vtl_null();
}

static struct vtl_value replace_all(struct vtl_run *r, struct str s, struct vtl_value *args)
{
	return replaced(r, s, args, true);
}

static struct vtl_value replace_first(struct vtl_run *r, struct str s, struct vtl_value *args)
{
	return replaced(r, s, args, false);
}

struct splitting {
	struct vtl_run *run;
	struct vtl_list *list;
};

static void add_piece(void *arg_, struct str piece)
{
	struct splitting *s = arg_;

	vtl_list_add(s->run->arena, s->list, vtl_str(piece));
}

/* As in Java, empty pieces at the end fall away. */
static struct vtl_value split(struct vtl_run *r, struct str s, struct vtl_value *args)
{
	struct vtl_value list = vtl_list(r->arena);
	struct splitting splitting = { r, list.list };

	if (regex_split(s, arg(r, args[0]), add_piece, &splitting) != 0)
		return vtl_null();
	while (list.list->n > 1 && list.list->v[list.list->n - 1].s.n == 0)
		list.list->n--;
	return list;
}

struct vtl_value vtl_string_method(
        struct vtl_run *r, struct str on, struct str name, struct vtl_value *args, size_t n)
{
	static const struct {
		const char *name;
		size_t n;
		string_fn *fn;
	} methods[] = {
		{ "length", 0, length },
		{ "size", 0, length },
		{ "isEmpty", 0, is_empty },
		{ "toUpperCase", 0, upper },
		{ "toLowerCase", 0, lower },
		{ "trim", 0, trim },
		{ "contains", 1, contains },
		{ "startsWith", 1, starts },
		{ "endsWith", 1, ends },
		{ "indexOf", 1, index_of },
		{ "lastIndexOf", 1, last_index_of },
		{ "equalsIgnoreCase", 1, equals_nocase },
		{ "concat", 1, concat },
		{ "matches", 1, matches },
		{ "charAt", 1, char_at },
		{ "substring", 1, substring_1 },
		{ "substring", 2, substring_2 },
		{ "replace", 2, replace },
		{ "replaceAll", 2, replace_all },
		{ "replaceFirst", 2, replace_first },
		{ "split", 1, split },
	};

	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (methods[i].n == n && str_eq(str_of(methods[i].name), name))
			return methods[i].fn(r, on, args);
	return vtl_null();
}
