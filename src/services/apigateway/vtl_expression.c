/* vtl_expression: references and expressions of a template. */
#include "services/apigateway/vtl.h"
#include "services/apigateway/vtl_ast.h"

#include <stdlib.h>

bool vtl_peek(const struct vtl_parser *p, const char *word)
{
	return str_starts(str_sub(p->text, p->at, p->text.n), str_of(word));
}

bool vtl_take(struct vtl_parser *p, const char *word)
{
	if (!vtl_peek(p, word))
		return false;
	p->at += strlen(word);
	return true;
}

void vtl_skip_space(struct vtl_parser *p)
{
	while (p->at < p->text.n && strchr(" \t\r\n", p->text.p[p->at]) && p->text.p[p->at])
		p->at++;
}

int vtl_parse_error(struct vtl_parser *p, const char *what)
{
	if (!p->why.p)
		p->why = str_printf(p->arena, "%s at position %zu", what, p->at);
	return VTL_BAD;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

struct str vtl_parse_name(struct vtl_parser *p)
{
	size_t begin = p->at;

	if (p->at >= p->text.n || !is_letter(p->text.p[p->at]))
		return S("");
	while (p->at < p->text.n && (is_letter(p->text.p[p->at]) || p->text.p[p->at] == '-' ||
	                                    (p->text.p[p->at] >= '0' && p->text.p[p->at] <= '9')))
		p->at++;
	return str_sub(p->text, begin, p->at - begin);
}

static struct vtl_expression *expression(struct vtl_parser *p, enum vtl_expression_kind kind)
{
	struct vtl_expression *e = arena_new(p->arena, struct vtl_expression);

	e->kind = kind;
	return e;
}

static void add_part(
        struct vtl_parser *p, struct vtl_expression ***v, size_t *n, struct vtl_expression *e)
{
	/* Grows at powers of two. */
	if ((*n & (*n - 1)) == 0) {
		struct vtl_expression **more =
		        arena_new_n(p->arena, struct vtl_expression *, *n ? *n * 2 : 1);
		if (*n)
			memcpy(more, *v, *n * sizeof *more);
		*v = more;
	}
	(*v)[(*n)++] = e;
}

int vtl_parse_arguments(
        struct vtl_parser *p, const char *end, struct vtl_expression ***args, size_t *n)
{
	for (vtl_skip_space(p); !vtl_take(p, end); vtl_skip_space(p)) {
		struct vtl_expression *e;
		TRY(vtl_parse_expression(p, &e));
		add_part(p, args, n, e);
		vtl_skip_space(p);
		if (!vtl_take(p, ",") && !vtl_peek(p, end))
			return vtl_parse_error(p, "',' is missing");
	}
	return 0;
}

/* ---- references ---- */

/* Behind "[": an index and "]". Anything else there is text. */
static bool take_index(struct vtl_parser *p, struct vtl_accessor *x)
{
	struct vtl_expression *index;
	int depth = p->depth;

	x->kind = VTL_INDEX;
	if (vtl_parse_expression(p, &index) == 0) {
		add_part(p, &x->args, &x->n_args, index);
		vtl_skip_space(p);
		if (vtl_take(p, "]"))
			return true;
	}
	p->depth = depth;
	p->why = (struct str){ 0 };
	return false;
}

/* Behind a name: one accessor. *got false: there is none. */
static int accessor(struct vtl_parser *p, struct vtl_accessor **out, bool *got)
{
	size_t begin = p->at;
	struct vtl_accessor *x = arena_new(p->arena, struct vtl_accessor);

	*out = x;
	*got = true;
	if (vtl_take(p, "[")) {
		if (take_index(p, x))
			return 0;
		p->at = begin;
		*got = false;
		return 0;
	}
	if (vtl_take(p, ".")) {
		x->name = vtl_parse_name(p);
		x->kind = VTL_PROPERTY;
		if (x->name.n && vtl_take(p, "(")) {
			x->kind = VTL_METHOD;
			return vtl_parse_arguments(p, ")", &x->args, &x->n_args);
		}
		if (x->name.n)
			return 0;
	}
	p->at = begin;
	*got = false;
	return 0;
}

int vtl_parse_reference(struct vtl_parser *p, struct vtl_reference **out)
{
	size_t begin = p->at;
	struct vtl_reference *r = arena_new(p->arena, struct vtl_reference);
	struct vtl_accessor **last = &r->accessors;
	bool formal, more = true;

	*out = NULL;
	p->at++;
	r->quiet = vtl_take(p, "!");
	formal = vtl_take(p, "{");
	r->name = vtl_parse_name(p);
	if (!r->name.n) {
		p->at = begin;
		return 0;
	}
	while (more) {
		struct vtl_accessor *x;
		TRY(accessor(p, &x, &more));
		if (!more)
			break;
		*last = x;
		last = &x->next;
	}
	if (formal && !vtl_take(p, "}"))
		return vtl_parse_error(p, "'}' is missing");
	r->source = str_sub(p->text, begin, p->at - begin);
	*out = r;
	return 0;
}

/* ---- literals ---- */

static int text_literal(struct vtl_parser *p, char quote, struct vtl_expression **out)
{
	struct buf b = buf_init(p->arena);

	for (p->at++; p->at < p->text.n; p->at++) {
		char c = p->text.p[p->at];
		if (c == quote && p->at + 1 < p->text.n && p->text.p[p->at + 1] == quote)
			p->at++; /* doubled: the quote itself */
		else if (c == quote)
			break;
		buf_add_char(&b, c);
	}
	if (p->at >= p->text.n)
		return vtl_parse_error(p, "a string does not end");
	p->at++;
	*out = expression(p, VTL_LITERAL);
	(*out)->literal = vtl_str(buf_str(&b));
	if (quote == '\'' ||
	        (str_find_char(buf_str(&b), '$') < 0 && str_find_char(buf_str(&b), '#') < 0))
		return 0;
	(*out)->kind = VTL_TEMPLATE;
	struct str why = { 0 };
	int bad = vtl_parse_nested(p->arena, buf_str(&b), p->depth + 4, &(*out)->block, &why);
	return bad ? vtl_parse_error(p, "a string's template does not parse") : 0;
}

static int number_literal(struct vtl_parser *p, struct vtl_expression **out)
{
	size_t begin = p->at, n = 0;
	bool real = false;
	struct str rest = str_sub(p->text, begin, p->text.n);

	if (str_starts(rest, S("-")))
		n++;
	for (; n < rest.n; n++) {
		bool point = rest.p[n] == '.' && !real && n + 1 < rest.n && rest.p[n + 1] >= '0' &&
		             rest.p[n + 1] <= '9';
		if (!point && !(rest.p[n] >= '0' && rest.p[n] <= '9'))
			break;
		real = real || point;
	}
	struct str text = str_sub(rest, 0, n);
	int64_t i;
	*out = expression(p, VTL_LITERAL);
	p->at += n;
	if (!real && str_to_i64(text, &i))
		(*out)->literal = vtl_int(i);
	else
		(*out)->literal = vtl_double(strtod(str_cstr(p->arena, text), NULL));
	return 0;
}

/* "[a, b]" or "[1..5]" */
static int list_literal(struct vtl_parser *p, struct vtl_expression **out)
{
	struct vtl_expression *e = expression(p, VTL_MAKE_LIST), *first;

	*out = e;
	p->at++;
	vtl_skip_space(p);
	if (vtl_take(p, "]"))
		return 0;
	TRY(vtl_parse_expression(p, &first));
	add_part(p, &e->parts, &e->n, first);
	vtl_skip_space(p);
	if (vtl_take(p, "..")) {
		struct vtl_expression *end;
		e->kind = VTL_RANGE;
		TRY(vtl_parse_expression(p, &end));
		add_part(p, &e->parts, &e->n, end);
		vtl_skip_space(p);
		return vtl_take(p, "]") ? 0 : vtl_parse_error(p, "']' is missing");
	}
	if (vtl_take(p, "]"))
		return 0;
	if (!vtl_take(p, ","))
		return vtl_parse_error(p, "',' is missing");
	return vtl_parse_arguments(p, "]", &e->parts, &e->n);
}

static int map_literal(struct vtl_parser *p, struct vtl_expression **out)
{
	struct vtl_expression *e = expression(p, VTL_MAKE_MAP), *part;

	*out = e;
	p->at++;
	for (vtl_skip_space(p); !vtl_take(p, "}"); vtl_skip_space(p)) {
		TRY(vtl_parse_expression(p, &part));
		add_part(p, &e->parts, &e->n, part);
		vtl_skip_space(p);
		if (!vtl_take(p, ":"))
			return vtl_parse_error(p, "':' is missing");
		TRY(vtl_parse_expression(p, &part));
		add_part(p, &e->parts, &e->n, part);
		vtl_skip_space(p);
		if (!vtl_take(p, ",") && !vtl_peek(p, "}"))
			return vtl_parse_error(p, "',' is missing");
	}
	return 0;
}

static int word_literal(struct vtl_parser *p, struct vtl_expression **out)
{
	struct str word = vtl_parse_name(p);

	*out = expression(p, VTL_LITERAL);
	if (str_eq(word, S("true")) || str_eq(word, S("false")))
		(*out)->literal = vtl_bool(word.n == 4);
	else if (!str_eq(word, S("null")))
		return vtl_parse_error(p, "an expression is expected");
	return 0;
}

/* ---- operators ---- */

static int unary(struct vtl_parser *p, struct vtl_expression **out)
{
	vtl_skip_space(p);
	char c = p->at < p->text.n ? p->text.p[p->at] : 0;
	char after = p->at + 1 < p->text.n ? p->text.p[p->at + 1] : 0;

	if (c == '(') {
		p->at++;
		TRY(vtl_parse_expression(p, out));
		vtl_skip_space(p);
		return vtl_take(p, ")") ? 0 : vtl_parse_error(p, "')' is missing");
	}
	if (c == '\'' || c == '"')
		return text_literal(p, c, out);
	if ((c >= '0' && c <= '9') || (c == '-' && after >= '0' && after <= '9'))
		return number_literal(p, out);
	if (c == '[')
		return list_literal(p, out);
	if (c == '{')
		return map_literal(p, out);
	if (c != '$')
		return word_literal(p, out);
	struct vtl_reference *r;
	TRY(vtl_parse_reference(p, &r));
	if (!r)
		return vtl_parse_error(p, "a reference is expected");
	*out = expression(p, VTL_REFERENCE);
	(*out)->reference = r;
	return 0;
}

/* "!x", "not x", "-x": prefixes may be many, so they are counted. */
static int prefixed(struct vtl_parser *p, struct vtl_expression **out)
{
	struct vtl_expression *inner, *e;
	bool negation;

	vtl_skip_space(p);
	negation = (vtl_peek(p, "!") && !vtl_peek(p, "!=")) || vtl_peek(p, "not ");
	bool minus = vtl_peek(p, "-$") || vtl_peek(p, "-(");
	if (!negation && !minus)
		return unary(p, out);
	if (++p->depth > VTL_PARSE_DEPTH)
		return vtl_parse_error(p, "too deep");
	p->at += vtl_peek(p, "not ") ? 4 : 1;
	TRY(prefixed(p, &inner));
	p->depth--;
	e = expression(p, negation ? VTL_NOT : VTL_NEGATE);
	add_part(p, &e->parts, &e->n, inner);
	*out = e;
	return 0;
}

static const struct {
	const char *word;
	enum vtl_operator op;
	int level; /* the higher, the closer it binds */
	bool is_word;
} operators[] = {
	{ "||", VTL_OR, 1, false },
	{ "or", VTL_OR, 1, true },
	{ "&&", VTL_AND, 2, false },
	{ "and", VTL_AND, 2, true },
	{ "==", VTL_EQ, 3, false },
	{ "eq", VTL_EQ, 3, true },
	{ "!=", VTL_NE, 3, false },
	{ "ne", VTL_NE, 3, true },
	{ "<=", VTL_LE, 4, false },
	{ "le", VTL_LE, 4, true },
	{ ">=", VTL_GE, 4, false },
	{ "ge", VTL_GE, 4, true },
	{ "<", VTL_LT, 4, false },
	{ "lt", VTL_LT, 4, true },
	{ ">", VTL_GT, 4, false },
	{ "gt", VTL_GT, 4, true },
	{ "+", VTL_ADD, 5, false },
	{ "-", VTL_SUB, 5, false },
	{ "*", VTL_MUL, 6, false },
	{ "/", VTL_DIV, 6, false },
	{ "%", VTL_MOD, 6, false },
};

static bool take_operator(struct vtl_parser *p, int level, enum vtl_operator *op)
{
	vtl_skip_space(p);
	for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
		size_t end = p->at + strlen(operators[i].word);
		if (operators[i].level != level || !vtl_peek(p, operators[i].word))
			continue;
		if (operators[i].is_word && end < p->text.n && is_letter(p->text.p[end]))
			continue;
		p->at = end;
		*op = operators[i].op;
		return true;
	}
	return false;
}

static int binary(struct vtl_parser *p, int level, struct vtl_expression **out)
{
	enum vtl_operator op;

	if (level > 6)
		return prefixed(p, out);
	TRY(binary(p, level + 1, out));
	while (take_operator(p, level, &op)) {
		struct vtl_expression *e = expression(p, VTL_BINARY), *right;
		e->op = op;
		TRY(binary(p, level + 1, &right));
		add_part(p, &e->parts, &e->n, *out);
		add_part(p, &e->parts, &e->n, right);
		*out = e;
	}
	return 0;
}

int vtl_parse_expression(struct vtl_parser *p, struct vtl_expression **e)
{
	if (++p->depth > VTL_PARSE_DEPTH)
		return vtl_parse_error(p, "too deep");
	TRY(binary(p, 1, e));
	p->depth--;
	return 0;
}
