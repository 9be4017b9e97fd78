/* filter_scan: tokens, operands and the grammar of expressions. */
#include "services/logs/filter_parse.h"

#include <stdlib.h>

#define DEPTH_MAX  50
#define NUMBER_MAX 64

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

void filter_skip_space(struct filter_parser *p)
{
	while (p->rest.n && is_space(p->rest.p[0]))
		p->rest = str_sub(p->rest, 1, p->rest.n);
}

bool filter_accept(struct filter_parser *p, struct str token)
{
	filter_skip_space(p);
	if (!str_starts(p->rest, token))
		return false;
	p->rest = str_sub(p->rest, token.n, p->rest.n);
	return true;
}

bool filter_accept_word(struct filter_parser *p, struct str word)
{
	filter_skip_space(p);
	if (!str_eq_nocase(str_sub(p->rest, 0, word.n), word) ||
	        (p->rest.n > word.n && is_word(p->rest.p[word.n])))
		return false;
	p->rest = str_sub(p->rest, word.n, p->rest.n);
	return true;
}

int filter_quoted(struct filter_parser *p, struct str *text)
{
	struct buf b = buf_init(p->a);
	size_t i = 1;

	for (; i < p->rest.n && p->rest.p[i] != '"'; i++) {
		if (p->rest.p[i] == '\\' && i + 1 < p->rest.n &&
		        (p->rest.p[i + 1] == '"' || p->rest.p[i + 1] == '\\'))
			i++;
		buf_add_char(&b, p->rest.p[i]);
	}
	if (i >= p->rest.n)
		return FILTER_PATTERN_BAD;
	p->rest = str_sub(p->rest, i + 1, p->rest.n);
	*text = buf_str(&b);
	return 0;
}

int filter_read_regex(struct filter_parser *p, struct filter_regex **regex)
{
	size_t i = 1;

	while (i < p->rest.n && p->rest.p[i] != '%')
		i += p->rest.p[i] == '\\' ? 2 : 1;
	if (i >= p->rest.n || i == 1)
		return FILTER_PATTERN_BAD;
	TRY(filter_regex_compile(p->a, str_sub(p->rest, 1, i - 1), regex));
	p->rest = str_sub(p->rest, i + 1, p->rest.n);
	p->n_regex++;
	return 0;
}

enum filter_op filter_read_op(struct filter_parser *p)
{
	static const struct {
		struct str token;
		enum filter_op op;
	} ops[] = {
		{ S_INIT("!="), OP_NE },
		{ S_INIT("=!"), OP_NE },
		{ S_INIT("="), OP_EQ },
		{ S_INIT("<="), OP_LE },
		{ S_INIT("<"), OP_LT },
		{ S_INIT(">="), OP_GE },
		{ S_INIT(">"), OP_GT },
	};

	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		if (filter_accept(p, ops[i].token))
			return ops[i].op;
	return OP_NONE;
}

/* [+-] digits [. digits] [e [+-] digits] */
bool filter_number(struct str text, double *v)
{
	char copy[NUMBER_MAX];
	char *end;

	if (text.n == 0 || text.n >= sizeof copy)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if ((c < '0' || c > '9') && c != '+' && c != '-' && c != '.' && c != 'e' &&
		        c != 'E')
			return false;
	}
	memcpy(copy, text.p, text.n);
	copy[text.n] = 0;
	*v = strtod(copy, &end);
	return end == copy + text.n;
}

static void set_text(struct filter_operand *o, struct str text)
{
	o->open_start = str_starts(text, S("*"));
	if (o->open_start)
		text = str_sub(text, 1, text.n);
	o->open_end = str_ends(text, S("*")) || (o->open_start && text.n == 0);
	if (text.n && o->open_end)
		text = str_sub(text, 0, text.n - 1);
	o->text = text;
}

int filter_read_operand(struct filter_parser *p, struct str stops, struct filter_operand *operand)
{
	struct str text;
	size_t n = 0;

	*operand = (struct filter_operand){ 0 };
	filter_skip_space(p);
	if (p->rest.n && p->rest.p[0] == '%')
		return filter_read_regex(p, &operand->regex);
	if (p->rest.n && p->rest.p[0] == '"') {
		TRY(filter_quoted(p, &text));
		set_text(operand, text);
		return 0;
	}
	while (n < p->rest.n && !is_space(p->rest.p[n]) && str_find_char(stops, p->rest.p[n]) < 0)
		n++;
	text = str_sub(p->rest, 0, n);
	if (n == 0 || str_find_char(text, '"') >= 0)
		return FILTER_PATTERN_BAD;
	p->rest = str_sub(p->rest, n, p->rest.n);
	set_text(operand, text);
	operand->is_number = filter_number(text, &operand->number);
	return 0;
}

struct expression {
	filter_condition_fn *condition;
	void *arg;
};

static int read_or(struct filter_parser *p, const struct expression *e, struct filter_node **node);

static int read_primary(
        struct filter_parser *p, const struct expression *e, struct filter_node **node)
{
	if (++p->depth > DEPTH_MAX)
		return FILTER_PATTERN_BAD;
	if (filter_accept(p, S("("))) {
		TRY(read_or(p, e, node));
		if (!filter_accept(p, S(")")))
			return FILTER_PATTERN_BAD;
	} else {
		*node = arena_new(p->a, struct filter_node);
		TRY(e->condition(p, e->arg, *node));
	}
	p->depth--;
	return 0;
}

static void join(struct arena *a, enum filter_node_kind kind, struct filter_node **left,
        struct filter_node *right)
{
	struct filter_node *n = arena_new(a, struct filter_node);

	*n = (struct filter_node){ .kind = kind, .left = *left, .right = right };
	*left = n;
}

static int read_and(struct filter_parser *p, const struct expression *e, struct filter_node **node)
{
	struct filter_node *right;

	TRY(read_primary(p, e, node));
	while (filter_accept(p, S("&&"))) {
		TRY(read_primary(p, e, &right));
		join(p->a, NODE_AND, node, right);
	}
	return 0;
}

static int read_or(struct filter_parser *p, const struct expression *e, struct filter_node **node)
{
	struct filter_node *right;

	TRY(read_and(p, e, node));
	while (filter_accept(p, S("||"))) {
		TRY(read_and(p, e, &right));
		join(p->a, NODE_OR, node, right);
	}
	return 0;
}

int filter_read_expression(struct filter_parser *p, filter_condition_fn *condition, void *arg,
        struct filter_node **node)
{
	struct expression e = { condition, arg };

	return read_or(p, &e, node);
}
