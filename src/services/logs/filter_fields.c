/*
 * filter_fields: conditions on the fields of a message, which are separated by white space; what
 * stands between square brackets or double quotes is one field.
 */
#include "services/logs/filter_parse.h"

#define FIELDS_MAX 1000

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.' || c == '/' || c == '@' || c == '#';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct str read_name(struct filter_parser *p)
{
	size_t n = 0;

	filter_skip_space(p);
	while (n < p->rest.n && is_name(p->rest.p[n]))
		n++;
	struct str name = str_sub(p->rest, 0, n);
	p->rest = str_sub(p->rest, n, p->rest.n);
	return name;
}

/* All conditions of a field carry its name. */
static int read_condition(struct filter_parser *p, void *arg, struct filter_node *node)
{
	struct filter_field *field = arg;
	struct str name = read_name(p);

	if (name.n == 0 || (field->name.p && !str_eq(field->name, name)))
		return FILTER_PATTERN_BAD;
	field->name = name;
	node->op = filter_read_op(p);
	if (node->op == OP_NONE)
		return 0;
	TRY(filter_read_operand(p, S("(),&|"), &node->operand));
	bool ordered = node->op != OP_EQ && node->op != OP_NE;
	return ordered && !node->operand.is_number ? FILTER_PATTERN_BAD : 0;
}

static int read_field(struct filter_parser *p, struct filter_field *field)
{
	filter_skip_space(p);
	if (filter_accept(p, S("..."))) {
		field->ellipsis = true;
		return 0;
	}
	if (p->rest.n == 0 || p->rest.p[0] == ',')
		return 0;
	TRY(filter_read_expression(p, read_condition, field, &field->condition));
	/* A name alone is no condition; as a part of one it is none either. */
	if (field->condition->kind == NODE_CONDITION && field->condition->op == OP_NONE)
		field->condition = NULL;
	return 0;
}

static bool has_bare_name(const struct filter_node *n)
{
	if (n->kind == NODE_CONDITION)
		return n->op == OP_NONE;
	return has_bare_name(n->left) || has_bare_name(n->right);
}

int filter_fields_parse(struct filter_parser *p, struct filter_pattern *f)
{
	unsigned n_ellipses = 0;

	f->fields = arena_new_n(p->a, struct filter_field, p->rest.n + 1);
	do {
		struct filter_field *field = &f->fields[f->n_fields++];
		TRY(read_field(p, field));
		if (field->condition && has_bare_name(field->condition))
			return FILTER_PATTERN_BAD;
		n_ellipses += field->ellipsis;
	} while (filter_accept(p, S(",")));
	filter_skip_space(p);
	return p->rest.n || n_ellipses > 1 ? FILTER_PATTERN_BAD : 0;
}

/* ---- matching ---- */

static struct str next_field(struct str *rest)
{
	char close = rest->p[0] == '[' ? ']' : rest->p[0] == '"' ? '"' : 0;
	ptrdiff_t end = close ? str_find_char(str_sub(*rest, 1, rest->n), close) : -1;
	size_t n = 0;

	if (end >= 0) {
		struct str field = str_sub(*rest, 1, (size_t)end);
		*rest = str_sub(*rest, (size_t)end + 2, rest->n);
		return field;
	}
	while (n < rest->n && !is_space(rest->p[n]))
		n++;
	struct str field = str_sub(*rest, 0, n);
	*rest = str_sub(*rest, n, rest->n);
	return field;
}

/* One more than FIELDS_MAX: too many to fit any pattern. */
static size_t split(struct str message, struct str *v)
{
	size_t n = 0;

	for (;;) {
		while (message.n && is_space(message.p[0]))
			message = str_sub(message, 1, message.n);
		if (message.n == 0 || n > FIELDS_MAX)
			return n;
		v[n++] = next_field(&message);
	}
}

static bool evaluate(struct arena *a, const struct filter_node *node, struct str text)
{
	switch (node->kind) {
	case NODE_AND:
		return evaluate(a, node->left, text) && evaluate(a, node->right, text);
	case NODE_OR:
		return evaluate(a, node->left, text) || evaluate(a, node->right, text);
	default:
		return filter_compare(a, node->op, &node->operand, text);
	}
}

/* The pattern's field for the i-th of n in the message; NULL: under the ellipsis. */
static const struct filter_field *field_for(const struct filter_pattern *f, size_t i, size_t n)
{
	size_t at = 0;

	while (at < f->n_fields && !f->fields[at].ellipsis)
		at++;
	if (i < at)
		return &f->fields[i];
	size_t behind = f->n_fields - at - 1;
	return n - i <= behind ? &f->fields[f->n_fields - (n - i)] : NULL;
}

static bool count_fits(const struct filter_pattern *f, size_t n)
{
	for (size_t i = 0; i < f->n_fields; i++)
		if (f->fields[i].ellipsis)
			return n + 1 >= f->n_fields;
	return n == f->n_fields;
}

static void extract(const struct filter_pattern *f, struct arena *a, const struct str *v, size_t n,
        struct filter_values *values)
{
	values->v = arena_new_n(a, struct filter_value, n + 1);
	for (size_t i = 0; i < n; i++) {
		const struct filter_field *field = field_for(f, i, n);
		struct str name = field && field->name.n ? str_concat(a, 2, S("$"), field->name)
		                                         : str_printf(a, "$%zu", i + 1);
		values->v[values->n++] = (struct filter_value){ name, v[i] };
	}
}

bool filter_fields_match(const struct filter_pattern *f, struct arena *a, struct str message,
        struct filter_values *values)
{
	struct str *v = arena_new_n(a, struct str, FIELDS_MAX + 1);
	size_t n = split(message, v);

	if (n > FIELDS_MAX || !count_fits(f, n))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct filter_field *field = field_for(f, i, n);
		if (field && field->condition && !evaluate(a, field->condition, v[i]))
			return false;
	}
	if (values)
		extract(f, a, v, n, values);
	return true;
}
