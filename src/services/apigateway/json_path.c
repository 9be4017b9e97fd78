/* json_path: steps over sets of values. Each step maps the values found so far to the next. */
#include "services/apigateway/json_path.h"

#include "services/apigateway/grow.h"

#include <stdlib.h>

#define NODES_MAX 100000
#define DEPTH_MAX 20
#define STEPS_MAX 200000 /* filters look at everything again and again */

struct nodes {
	yyjson_val **v;
	size_t n, capacity;
};

struct path {
	struct arena *arena;
	struct str rest;
	yyjson_val *root;
	bool definite;
	int depth;
	size_t steps;
};

static void add(struct arena *a, struct nodes *n, yyjson_val *v)
{
	if (!v || n->n >= NODES_MAX)
		return;
	if (n->n == n->capacity) {
		size_t capacity = n->capacity ? n->capacity * 2 : 8;
		yyjson_val **grown = arena_new_n(a, yyjson_val *, capacity);
		if (n->n)
			memcpy(grown, n->v, n->n * sizeof *grown);
		n->v = grown;
		n->capacity = capacity;
	}
	n->v[n->n++] = v;
}

static bool peek(const struct path *p, const char *text)
{
	return str_starts(p->rest, str_of(text));
}

static bool take(struct path *p, const char *text)
{
	if (!peek(p, text))
		return false;
	p->rest = str_sub(p->rest, strlen(text), p->rest.n);
	return true;
}

static void spaces(struct path *p)
{
	while (peek(p, " ") || peek(p, "\t"))
		p->rest = str_sub(p->rest, 1, p->rest.n);
}

/* ---- what a step takes from one value ---- */

static void children(struct arena *a, yyjson_val *v, struct nodes *out)
{
	size_t i, max;
	yyjson_val *key, *value;

	if (yyjson_is_obj(v))
		yyjson_obj_foreach(v, i, max, key, value) add(a, out, value);
	else
		yyjson_arr_foreach(v, i, max, value) add(a, out, value);
}

static void descendants(struct arena *a, yyjson_val *v, struct nodes *out)
{
	struct nodes below = { 0 };

	add(a, out, v);
	children(a, v, &below);
	for (size_t i = 0; i < below.n && out->n < NODES_MAX; i++)
		descendants(a, below.v[i], out);
}

static void named(struct arena *a, yyjson_val *v, struct str name, struct nodes *out)
{
	if (yyjson_is_obj(v))
		add(a, out, yyjson_obj_getn(v, name.p, name.n));
}

static void indexed(struct arena *a, yyjson_val *v, int64_t index, struct nodes *out)
{
	int64_t n = (int64_t)yyjson_arr_size(v);

	if (index < 0)
		index += n;
	if (yyjson_is_arr(v) && index >= 0 && index < n)
		add(a, out, yyjson_arr_get(v, (size_t)index));
}

static void sliced(struct arena *a, yyjson_val *v, int64_t from, int64_t to, struct nodes *out)
{
	int64_t n = (int64_t)yyjson_arr_size(v);

	from = MAX(from < 0 ? from + n : from, 0);
	to = MIN(to < 0 ? to + n : to, n);
	for (int64_t i = from; i < to; i++)
		add(a, out, yyjson_arr_get(v, (size_t)i));
}

/* ---- words ---- */

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '$' || (unsigned char)c >= 0x80;
}

static struct str word(struct path *p)
{
	size_t n = 0;

	while (n < p->rest.n && is_name_char(p->rest.p[n]))
		n++;
	struct str s = str_sub(p->rest, 0, n);
	p->rest = str_sub(p->rest, n, p->rest.n);
	return s;
}

static bool quoted(struct path *p, struct str *s)
{
	char quote = p->rest.n ? p->rest.p[0] : 0;
	struct buf b = buf_init(p->arena);

	if (quote != '\'' && quote != '"')
		return false;
	for (size_t i = 1; i < p->rest.n; i++) {
		if (p->rest.p[i] == quote) {
			*s = buf_str(&b);
			p->rest = str_sub(p->rest, i + 1, p->rest.n);
			return true;
		}
		if (p->rest.p[i] == '\\' && i + 1 < p->rest.n)
			i++;
		buf_add_char(&b, p->rest.p[i]);
	}
	return false;
}

static bool integer(struct path *p, int64_t *v)
{
	size_t n = 0;

	while (n < p->rest.n &&
	        ((n == 0 && p->rest.p[n] == '-') || (p->rest.p[n] >= '0' && p->rest.p[n] <= '9')))
		n++;
	if (!str_to_i64(str_sub(p->rest, 0, n), v))
		return false;
	p->rest = str_sub(p->rest, n, p->rest.n);
	return true;
}

/* ---- filters ---- */

static int steps(struct path *p, struct nodes *now);

/* One side of a comparison: a path from @ or $, or a literal. NULL: absent. */
static int operand(struct path *p, yyjson_val *here, yyjson_val **out)
{
	*out = NULL;
	spaces(p);
	if (peek(p, "@") || peek(p, "$")) {
		struct nodes n = { 0 };
		add(p->arena, &n, peek(p, "@") ? here : p->root);
		p->rest = str_sub(p->rest, 1, p->rest.n);
		TRY(steps(p, &n));
		*out = n.n ? n.v[0] : NULL;
		return 0;
	}
	struct str text;
	if (quoted(p, &text)) {
		struct buf b = buf_init(p->arena);
		json_quote(&b, text);
		text = buf_str(&b);
	} else {
		size_t n = 0;
		while (n < p->rest.n &&
		        (is_name_char(p->rest.p[n]) || p->rest.p[n] == '.' || p->rest.p[n] == '+'))
			n++;
		text = str_sub(p->rest, 0, n);
		p->rest = str_sub(p->rest, n, p->rest.n);
	}
	return json_parse(p->arena, text, out) == 0 ? 0 : JSON_PATH_BAD;
}

enum comparison { CMP_NONE, CMP_EQ, CMP_NE, CMP_LE, CMP_GE, CMP_LT, CMP_GT };

static enum comparison comparison(struct path *p)
{
	static const char *const words[] = { [CMP_EQ] = "==",
		[CMP_NE] = "!=",
		[CMP_LE] = "<=",
		[CMP_GE] = ">=",
		[CMP_LT] = "<",
		[CMP_GT] = ">" };

	spaces(p);
	for (int i = CMP_EQ; i <= CMP_GT; i++)
		if (take(p, words[i]))
			return (enum comparison)i;
	return CMP_NONE;
}

static bool compare(yyjson_val *x, enum comparison op, yyjson_val *y)
{
	int order;

	if (!x || !y)
		return op == CMP_NE;
	if (yyjson_is_num(x) && yyjson_is_num(y))
		order = (yyjson_get_num(x) > yyjson_get_num(y)) -
		        (yyjson_get_num(x) < yyjson_get_num(y));
	else if (yyjson_is_str(x) && yyjson_is_str(y))
		order = str_cmp(json_str_of(x), json_str_of(y));
	else
		return (op == CMP_EQ && yyjson_equals(x, y)) ||
		       (op == CMP_NE && !yyjson_equals(x, y));
	switch (op) {
	case CMP_EQ:
		return order == 0;
	case CMP_NE:
		return order != 0;
	case CMP_LE:
		return order <= 0;
	case CMP_GE:
		return order >= 0;
	case CMP_LT:
		return order < 0;
	default:
		return order > 0;
	}
}

static int either(struct path *p, yyjson_val *here, bool *yes);

static int condition(struct path *p, yyjson_val *here, bool *yes)
{
	yyjson_val *x, *y;

	spaces(p);
	if (take(p, "!")) {
		if (++p->depth > DEPTH_MAX)
			return JSON_PATH_BAD;
		TRY(condition(p, here, yes));
		p->depth--;
		*yes = !*yes;
		return 0;
	}
	if (take(p, "(")) {
		TRY(either(p, here, yes));
		spaces(p);
		return take(p, ")") ? 0 : JSON_PATH_BAD;
	}
	TRY(operand(p, here, &x));
	enum comparison op = comparison(p);
	if (op == CMP_NONE) {
		*yes = x != NULL;
		return 0;
	}
	TRY(operand(p, here, &y));
	*yes = compare(x, op, y);
	return 0;
}

static int both(struct path *p, yyjson_val *here, bool *yes)
{
	TRY(condition(p, here, yes));
	for (spaces(p); take(p, "&&"); spaces(p)) {
		bool more;
		TRY(condition(p, here, &more));
		*yes = *yes && more;
	}
	return 0;
}

static int either(struct path *p, yyjson_val *here, bool *yes)
{
	if (++p->depth > DEPTH_MAX)
		return JSON_PATH_BAD;
	TRY(both(p, here, yes));
	for (spaces(p); take(p, "||"); spaces(p)) {
		bool more;
		TRY(both(p, here, &more));
		*yes = *yes || more;
	}
	p->depth--;
	return 0;
}

/* Behind "?(": keeps the children for which it holds. */
static int filter(struct path *p, const struct nodes *now, struct nodes *next)
{
	struct str begin = p->rest;
	struct nodes all = { 0 };
	bool definite = p->definite, yes;

	for (size_t i = 0; i < now->n; i++)
		children(p->arena, now->v[i], &all);
	/* Read once even when there is nothing, to find its end. */
	TRY(either(p, NULL, &yes));
	struct str end = p->rest;
	for (size_t i = 0; i < all.n; i++) {
		p->rest = begin;
		TRY(either(p, all.v[i], &yes));
		if (yes)
			add(p->arena, next, all.v[i]);
	}
	p->rest = end;
	p->definite = definite;
	spaces(p);
	return take(p, ")") ? 0 : JSON_PATH_BAD;
}

/* ---- steps ---- */

static int slice(struct path *p, int64_t from, const struct nodes *now, struct nodes *next)
{
	int64_t to = INT64_MAX;

	spaces(p);
	if (!peek(p, "]") && !integer(p, &to))
		return JSON_PATH_BAD;
	p->definite = false;
	for (size_t i = 0; i < now->n; i++)
		sliced(p->arena, now->v[i], from, to, next);
	return 0;
}

static int subscript(struct path *p, const struct nodes *now, struct nodes *next)
{
	struct str name;
	int64_t index = 0;

	spaces(p);
	if (quoted(p, &name)) {
		for (size_t i = 0; i < now->n; i++)
			named(p->arena, now->v[i], name, next);
		return 0;
	}
	bool number = integer(p, &index);
	if (take(p, ":"))
		return slice(p, number ? index : 0, now, next);
	if (!number)
		return JSON_PATH_BAD;
	for (size_t i = 0; i < now->n; i++)
		indexed(p->arena, now->v[i], index, next);
	return 0;
}

static int bracket(struct path *p, const struct nodes *now, struct nodes *next)
{
	spaces(p);
	if (take(p, "*")) {
		p->definite = false;
		for (size_t i = 0; i < now->n; i++)
			children(p->arena, now->v[i], next);
	} else if (take(p, "?(")) {
		p->definite = false;
		TRY(filter(p, now, next));
	} else {
		TRY(subscript(p, now, next));
		for (spaces(p); take(p, ","); spaces(p)) {
			p->definite = false;
			TRY(subscript(p, now, next));
		}
	}
	spaces(p);
	return take(p, "]") ? 0 : JSON_PATH_BAD;
}

static int dotted(struct path *p, const struct nodes *now, struct nodes *next)
{
	if (take(p, "*")) {
		p->definite = false;
		for (size_t i = 0; i < now->n; i++)
			children(p->arena, now->v[i], next);
		return 0;
	}
	struct str name = word(p);
	if (!name.n)
		return JSON_PATH_BAD;
	for (size_t i = 0; i < now->n; i++)
		named(p->arena, now->v[i], name, next);
	return 0;
}

static int one_step(struct path *p, struct nodes *now, struct nodes *next)
{
	if (take(p, "..")) {
		struct nodes all = { 0 };
		p->definite = false;
		for (size_t i = 0; i < now->n; i++)
			descendants(p->arena, now->v[i], &all);
		return take(p, "[") ? bracket(p, &all, next) : dotted(p, &all, next);
	}
	if (take(p, "."))
		return dotted(p, now, next);
	if (take(p, "["))
		return bracket(p, now, next);
	return JSON_PATH_BAD;
}

static int steps(struct path *p, struct nodes *now)
{
	while (peek(p, ".") || peek(p, "[")) {
		struct nodes next = { 0 };
		if (++p->steps > STEPS_MAX)
			return JSON_PATH_BAD;
		TRY(one_step(p, now, &next));
		*now = next;
	}
	return 0;
}

int json_path(struct arena *a, yyjson_val *root, struct str text, struct json_path_result *result)
{
	struct path p = { .arena = a, .rest = str_trim(text), .root = root, .definite = true };
	struct nodes now = { 0 };

	*result = (struct json_path_result){ 0 };
	add(a, &now, root);
	if (!take(&p, "$"))
		p.rest = str_concat(a, 2, peek(&p, "[") ? S("") : S("."), p.rest);
	TRY(steps(&p, &now));
	if (p.rest.n)
		return JSON_PATH_BAD;
	*result = (struct json_path_result){ now.v, now.n, p.definite };
	return 0;
}
