/* vtl_parse: text and directives of a template. */
#include "services/apigateway/vtl.h"
#include "services/apigateway/vtl_ast.h"

/* What ended a block. */
enum ending { END_OF_TEXT, END_END, END_ELSE, END_ELSEIF };

static int block(struct vtl_parser *p, struct vtl_node **first, enum ending *ending);

static struct vtl_node *node(struct vtl_parser *p, enum vtl_node_kind kind)
{
	struct vtl_node *n = arena_new(p->arena, struct vtl_node);

	n->kind = kind;
	return n;
}

/* Directives take the rest of their line with them when it is empty. */
static void skip_line_end(struct vtl_parser *p)
{
	size_t at = p->at;

	while (at < p->text.n &&
	        (p->text.p[at] == ' ' || p->text.p[at] == '\t' || p->text.p[at] == '\r'))
		at++;
	if (at < p->text.n && p->text.p[at] == '\n')
		p->at = at + 1;
}

static bool is_word_end(const struct vtl_parser *p, size_t at)
{
	if (at >= p->text.n)
		return true;
	char c = p->text.p[at];
	return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	         c == '_');
}

/* "#word" or "#{word}" */
static bool take_directive(struct vtl_parser *p, const char *word)
{
	struct str plain = str_printf(p->arena, "#%s", word);
	struct str formal = str_printf(p->arena, "#{%s}", word);
	struct str rest = str_sub(p->text, p->at, p->text.n);

	if (str_starts(rest, formal)) {
		p->at += formal.n;
		return true;
	}
	if (!str_starts(rest, plain) || !is_word_end(p, p->at + plain.n))
		return false;
	p->at += plain.n;
	return true;
}

static int open_parenthesis(struct vtl_parser *p)
{
	vtl_skip_space(p);
	return vtl_take(p, "(") ? 0 : vtl_parse_error(p, "'(' is missing");
}

static int close_parenthesis(struct vtl_parser *p)
{
	vtl_skip_space(p);
	return vtl_take(p, ")") ? 0 : vtl_parse_error(p, "')' is missing");
}

static int set(struct vtl_parser *p, struct vtl_node **out)
{
	struct vtl_node *n = *out = node(p, VTL_NODE_SET);

	TRY(open_parenthesis(p));
	vtl_skip_space(p);
	if (!vtl_peek(p, "$"))
		return vtl_parse_error(p, "#set needs a reference");
	TRY(vtl_parse_reference(p, &n->reference));
	vtl_skip_space(p);
	if (!n->reference || !vtl_take(p, "="))
		return vtl_parse_error(p, "#set needs '='");
	TRY(vtl_parse_expression(p, &n->expression));
	TRY(close_parenthesis(p));
	skip_line_end(p);
	return 0;
}

/* Behind "#if" or "#elseif"; the branches hang on `otherwise`. */
static int branches(struct vtl_parser *p, struct vtl_node *first)
{
	struct vtl_node *n = first;
	enum ending ending;

	for (;;) {
		TRY(open_parenthesis(p));
		TRY(vtl_parse_expression(p, &n->expression));
		TRY(close_parenthesis(p));
		skip_line_end(p);
		TRY(block(p, &n->body, &ending));
		if (ending == END_END)
			return 0;
		if (ending == END_OF_TEXT)
			return vtl_parse_error(p, "#if without #end");
		n = n->otherwise = node(p, VTL_NODE_IF);
		if (ending == END_ELSEIF)
			continue;
		TRY(block(p, &n->body, &ending));
		return ending == END_END ? 0 : vtl_parse_error(p, "#else without #end");
	}
}

static int condition(struct vtl_parser *p, struct vtl_node **out)
{
	*out = node(p, VTL_NODE_IF);
	return branches(p, *out);
}

static int loop(struct vtl_parser *p, struct vtl_node **out)
{
	struct vtl_node *n = *out = node(p, VTL_NODE_FOREACH);
	enum ending ending;

	TRY(open_parenthesis(p));
	vtl_skip_space(p);
	bool formal = vtl_take(p, "${");
	if (!formal && !vtl_take(p, "$"))
		return vtl_parse_error(p, "#foreach needs a variable");
	n->text = vtl_parse_name(p);
	if (!n->text.n || (formal && !vtl_take(p, "}")))
		return vtl_parse_error(p, "#foreach needs a variable");
	vtl_skip_space(p);
	if (!vtl_take(p, "in"))
		return vtl_parse_error(p, "#foreach needs 'in'");
	TRY(vtl_parse_expression(p, &n->expression));
	TRY(close_parenthesis(p));
	skip_line_end(p);
	TRY(block(p, &n->body, &ending));
	return ending == END_END ? 0 : vtl_parse_error(p, "#foreach without #end");
}

static int macro(struct vtl_parser *p, struct vtl_node **out)
{
	struct vtl_node *n = *out = node(p, VTL_NODE_MACRO);
	enum ending ending;

	TRY(open_parenthesis(p));
	vtl_skip_space(p);
	n->text = vtl_parse_name(p);
	if (!n->text.n)
		return vtl_parse_error(p, "#macro needs a name");
	n->params = arena_new_n(p->arena, struct str, 16);
	for (vtl_skip_space(p); !vtl_take(p, ")"); vtl_skip_space(p)) {
		vtl_take(p, ",");
		vtl_skip_space(p);
		if (n->n == 16 || !vtl_take(p, "$"))
			return vtl_parse_error(p, "#macro needs parameters");
		n->params[n->n] = vtl_parse_name(p);
		if (!n->params[n->n++].n)
			return vtl_parse_error(p, "#macro needs parameters");
	}
	skip_line_end(p);
	TRY(block(p, &n->body, &ending));
	return ending == END_END ? 0 : vtl_parse_error(p, "#macro without #end");
}

static int simple(struct vtl_parser *p, struct vtl_node **out, enum vtl_node_kind kind)
{
	*out = node(p, kind);
	skip_line_end(p);
	return 0;
}

/* "#name(...)": the call of a macro. *out NULL: not one. */
static int call(struct vtl_parser *p, struct vtl_node **out)
{
	size_t begin = p->at;

	*out = NULL;
	p->at++;
	bool formal = vtl_take(p, "{");
	struct str name = vtl_parse_name(p);
	if (formal && !vtl_take(p, "}"))
		name.n = 0;
	if (!name.n || !vtl_take(p, "(")) {
		p->at = begin;
		return 0;
	}
	struct vtl_node *n = node(p, VTL_NODE_CALL);
	n->text = name;
	/* Arguments may be separated by spaces alone. */
	n->args = arena_new_n(p->arena, struct vtl_expression *, 16);
	for (vtl_skip_space(p); !vtl_take(p, ")"); vtl_skip_space(p)) {
		vtl_take(p, ",");
		if (n->n == 16)
			return vtl_parse_error(p, "too many arguments");
		TRY(vtl_parse_expression(p, &n->args[n->n]));
		n->n++;
	}
	*out = n;
	return 0;
}

static int directive(struct vtl_parser *p, struct vtl_node **out)
{
	*out = NULL;
	if (take_directive(p, "set"))
		return set(p, out);
	if (take_directive(p, "if"))
		return condition(p, out);
	if (take_directive(p, "foreach"))
		return loop(p, out);
	if (take_directive(p, "macro"))
		return macro(p, out);
	if (take_directive(p, "break"))
		return simple(p, out, VTL_NODE_BREAK);
	if (take_directive(p, "stop"))
		return simple(p, out, VTL_NODE_STOP);
	if (take_directive(p, "return"))
		return simple(p, out, VTL_NODE_RETURN);
	return call(p, out);
}

static bool take_ending(struct vtl_parser *p, enum ending *ending)
{
	if (take_directive(p, "end"))
		*ending = END_END;
	else if (take_directive(p, "elseif"))
		*ending = END_ELSEIF;
	else if (take_directive(p, "else"))
		*ending = END_ELSE;
	else
		return false;
	if (*ending != END_ELSEIF)
		skip_line_end(p);
	return true;
}

/* ---- blocks ---- */

struct writing {
	struct vtl_node **first, **last;
	struct buf text;
};

static void flush(struct vtl_parser *p, struct writing *w)
{
	if (!w->text.n)
		return;
	struct vtl_node *n = node(p, VTL_NODE_TEXT);
	n->text = str_dup(p->arena, buf_str(&w->text));
	buf_clear(&w->text);
	*w->last = n;
	w->last = &n->next;
}

static void append(struct vtl_parser *p, struct writing *w, struct vtl_node *n)
{
	/* #set also takes the blanks that begin its line. */
	size_t blank = w->text.n;

	while (blank > 0 && strchr(" \t", w->text.p[blank - 1]) && w->text.p[blank - 1])
		blank--;
	if (n->kind == VTL_NODE_SET && (blank ? w->text.p[blank - 1] == '\n' : w->last == w->first))
		w->text.n = blank;
	flush(p, w);
	*w->last = n;
	w->last = &n->next;
}

static size_t find_from(const struct vtl_parser *p, const char *what)
{
	ptrdiff_t at = str_find(str_sub(p->text, p->at, p->text.n), str_of(what));

	return at < 0 ? p->text.n : p->at + (size_t)at + strlen(what);
}

/* Comments, text that is not parsed, escapes. False: something else. */
static bool plain(struct vtl_parser *p, struct writing *w)
{
	if (vtl_peek(p, "##")) {
		p->at = find_from(p, "\n");
		return true;
	}
	if (vtl_peek(p, "#*")) {
		p->at = find_from(p, "*#");
		return true;
	}
	if (vtl_peek(p, "#[[")) {
		size_t end = find_from(p, "]]#");
		size_t n = end - p->at;
		buf_add(&w->text, str_sub(p->text, p->at + 3, n >= 6 ? n - 6 : 0));
		p->at = end;
		return true;
	}
	if (vtl_peek(p, "\\$") || vtl_peek(p, "\\#")) {
		buf_add_char(&w->text, p->text.p[p->at + 1]);
		p->at += 2;
		return true;
	}
	return false;
}

static int one(struct vtl_parser *p, struct writing *w)
{
	struct vtl_node *n = NULL;
	struct vtl_reference *r = NULL;
	char c = p->text.p[p->at];

	if (plain(p, w))
		return 0;
	if (c == '$') {
		TRY(vtl_parse_reference(p, &r));
		if (r) {
			n = node(p, VTL_NODE_REFERENCE);
			n->reference = r;
		}
	} else if (c == '#') {
		TRY(directive(p, &n));
	}
	if (n) {
		append(p, w, n);
		return 0;
	}
	buf_add_char(&w->text, c);
	p->at++;
	return 0;
}

static int block(struct vtl_parser *p, struct vtl_node **first, enum ending *ending)
{
	struct writing w = { first, first, buf_init(p->arena) };

	if (++p->depth > VTL_PARSE_DEPTH)
		return vtl_parse_error(p, "too deep");
	*ending = END_OF_TEXT;
	while (p->at < p->text.n) {
		if (p->text.p[p->at] == '#' && take_ending(p, ending))
			break;
		TRY(one(p, &w));
	}
	flush(p, &w);
	p->depth--;
	return 0;
}

int vtl_parse(struct arena *a, struct str template, struct vtl_node **first, struct str *why)
{
	return vtl_parse_nested(a, template, 0, first, why);
}

int vtl_parse_nested(
        struct arena *a, struct str template, int depth, struct vtl_node **first, struct str *why)
{
	struct vtl_parser p = { .arena = a, .text = template, .depth = depth };
	enum ending ending;

	*first = NULL;
	*why = (struct str){ 0 };
	int bad = block(&p, first, &ending);
	if (!bad && ending != END_OF_TEXT)
		bad = vtl_parse_error(&p, "#end or #else without its beginning");
	*why = p.why;
	return bad;
}
