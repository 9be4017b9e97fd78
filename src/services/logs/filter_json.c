/* filter_json: conditions on the members of a message that is a JSON object. */
#include "services/logs/filter_parse.h"

#define STEPS_MAX     64
#define WILDCARDS_MAX 3

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '@' || c == '/' || (unsigned char)c >= 0x80;
}

static bool read_char(struct filter_parser *p, char c)
{
	if (!p->rest.n || p->rest.p[0] != c)
		return false;
	p->rest = str_sub(p->rest, 1, p->rest.n);
	return true;
}

static int read_name(struct filter_parser *p, struct filter_step *step)
{
	size_t n = 0;

	if (read_char(p, '*')) {
		step->any = true;
		return ++p->n_wildcards > WILDCARDS_MAX ? FILTER_PATTERN_BAD : 0;
	}
	while (n < p->rest.n && is_name(p->rest.p[n]))
		n++;
	step->name = str_sub(p->rest, 0, n);
	p->rest = str_sub(p->rest, n, p->rest.n);
	return n ? 0 : FILTER_PATTERN_BAD;
}

/* [3], [*], ['name'], ["name"] */
static int read_bracket(struct filter_parser *p, struct filter_step *step)
{
	ptrdiff_t end = str_find_char(p->rest, ']');

	if (end < 1)
		return FILTER_PATTERN_BAD;
	struct str text = str_sub(p->rest, 0, (size_t)end);
	p->rest = str_sub(p->rest, (size_t)end + 1, p->rest.n);
	char first = text.p[0];
	if (str_eq(text, S("*"))) {
		step->any = true;
		return ++p->n_wildcards > WILDCARDS_MAX ? FILTER_PATTERN_BAD : 0;
	}
	if ((first == '"' || first == '\'') && text.n > 2 && text.p[text.n - 1] == first) {
		step->name = str_sub(text, 1, text.n - 2);
		return 0;
	}
	step->is_index = true;
	return str_to_u64(text, &step->index) ? 0 : FILTER_PATTERN_BAD;
}

static int read_selector(struct filter_parser *p, struct filter_node *node)
{
	if (!filter_accept(p, S("$")))
		return FILTER_PATTERN_BAD;
	node->steps = arena_new_n(p->a, struct filter_step, STEPS_MAX);
	while (p->rest.n && (p->rest.p[0] == '.' || p->rest.p[0] == '[')) {
		if (node->n_steps == STEPS_MAX)
			return FILTER_PATTERN_BAD;
		struct filter_step *step = &node->steps[node->n_steps++];
		bool dot = read_char(p, '.');
		if (read_char(p, '['))
			TRY(read_bracket(p, step));
		else if (dot)
			TRY(read_name(p, step));
	}
	return node->n_steps ? 0 : FILTER_PATTERN_BAD;
}

static int read_test(struct filter_parser *p, struct filter_node *node)
{
	if (filter_accept_word(p, S("NOT"))) {
		node->op = OP_NOT_EXISTS;
		return filter_accept_word(p, S("EXISTS")) ? 0 : FILTER_PATTERN_BAD;
	}
	if (!filter_accept_word(p, S("IS")))
		return FILTER_PATTERN_BAD;
	if (filter_accept_word(p, S("NULL")))
		node->op = OP_IS_NULL;
	else if (filter_accept_word(p, S("TRUE")))
		node->op = OP_IS_TRUE;
	else if (filter_accept_word(p, S("FALSE")))
		node->op = OP_IS_FALSE;
	return node->op == OP_NONE ? FILTER_PATTERN_BAD : 0;
}

static int read_condition(struct filter_parser *p, void *arg, struct filter_node *node)
{
	TRY(read_selector(p, node));
	node->op = filter_read_op(p);
	if (node->op == OP_NONE)
		return read_test(p, node);
	TRY(filter_read_operand(p, S("()&|"), &node->operand));
	bool ordered = node->op != OP_EQ && node->op != OP_NE;
	return ordered && !node->operand.is_number ? FILTER_PATTERN_BAD : 0;
}

int filter_json_parse(struct filter_parser *p, struct filter_pattern *f)
{
	TRY(filter_read_expression(p, read_condition, NULL, &f->json));
	filter_skip_space(p);
	return p->rest.n ? FILTER_PATTERN_BAD : 0;
}

/* ---- matching ---- */

static bool compare_number(struct arena *a, const struct filter_node *node, yyjson_val *v)
{
	if (node->operand.is_number && !node->operand.regex) {
		double n = yyjson_get_num(v), m = node->operand.number;
		switch (node->op) {
		case OP_EQ:
			return n == m;
		case OP_NE:
			return n != m;
		case OP_LT:
			return n < m;
		case OP_LE:
			return n <= m;
		case OP_GT:
			return n > m;
		default:
			return n >= m;
		}
	}
	return filter_compare(a, node->op, &node->operand, json_text(a, v));
}

static bool test_value(struct arena *a, const struct filter_node *node, yyjson_val *v)
{
	switch (node->op) {
	case OP_IS_NULL:
		return yyjson_is_null(v);
	case OP_IS_TRUE:
		return yyjson_is_true(v);
	case OP_IS_FALSE:
		return yyjson_is_false(v);
	case OP_NOT_EXISTS:
		return true; /* asked the other way around */
	default:
		if (yyjson_is_str(v))
			return filter_compare(a, node->op, &node->operand, json_str_of(v));
		return yyjson_is_num(v) && compare_number(a, node, v);
	}
}

static bool find(struct arena *a, const struct filter_node *node, size_t step, yyjson_val *v);

static bool find_any(struct arena *a, const struct filter_node *node, size_t step, yyjson_val *v)
{
	yyjson_val *key, *one;
	size_t i, n;

	if (yyjson_is_arr(v)) {
		yyjson_arr_foreach(v, i, n, one) if (find(a, node, step, one)) return true;
	} else {
		yyjson_obj_foreach(v, i, n, key, one) if (find(a, node, step, one)) return true;
	}
	return false;
}

/* Is there a value at the selector's steps from here on that passes? */
static bool find(struct arena *a, const struct filter_node *node, size_t step, yyjson_val *v)
{
	if (step == node->n_steps)
		return test_value(a, node, v);
	const struct filter_step *s = &node->steps[step];
	if (s->any)
		return find_any(a, node, step + 1, v);
	v = s->is_index ? yyjson_arr_get(v, s->index) : yyjson_obj_getn(v, s->name.p, s->name.n);
	return v && find(a, node, step + 1, v);
}

static bool evaluate(struct arena *a, const struct filter_node *node, yyjson_val *root)
{
	switch (node->kind) {
	case NODE_AND:
		return evaluate(a, node->left, root) && evaluate(a, node->right, root);
	case NODE_OR:
		return evaluate(a, node->left, root) || evaluate(a, node->right, root);
	default:
		return find(a, node, 0, root) != (node->op == OP_NOT_EXISTS);
	}
}

bool filter_json_match(const struct filter_pattern *f, struct arena *a, struct str message)
{
	struct str trimmed = str_trim(message);
	yyjson_val *root;

	if (!str_starts(trimmed, S("{")) && !str_starts(trimmed, S("[")))
		return false;
	return json_parse(a, trimmed, &root) == 0 && evaluate(a, f->json, root);
}
