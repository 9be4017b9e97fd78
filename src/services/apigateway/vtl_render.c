/* vtl_render: runs a parsed template. */
#include "services/apigateway/vtl_run.h"

/* How a block ended, beside errors. */
enum { GOES_ON = 0, BREAKS = 100, STOPS = 101 };

int vtl_failed(struct vtl_run *r, const char *why)
{
	if (!r->why.p)
		r->why = str_of(why);
	return VTL_BAD;
}

int vtl_step(struct vtl_run *r)
{
	if (++r->steps > VTL_STEPS_MAX)
		return vtl_failed(r, "the template does too much");
	if (r->out->n > VTL_OUTPUT_MAX)
		return vtl_failed(r, "the template's output is too large");
	if (arena_used(r->arena) - r->memory_before > VTL_MEMORY_MAX)
		return vtl_failed(r, "the template needs too much memory");
	return 0;
}

/* ---- expressions ---- */

static bool is_number(struct vtl_value v)
{
	return v.type == VTL_INT || v.type == VTL_DOUBLE;
}

static double number(struct vtl_value v)
{
	return v.type == VTL_INT ? (double)v.i : v.d;
}

static struct vtl_value integers(enum vtl_operator op, int64_t x, int64_t y)
{
	int64_t v = 0;

	switch (op) {
	case VTL_ADD:
		return __builtin_add_overflow(x, y, &v) ? vtl_null() : vtl_int(v);
	case VTL_SUB:
		return __builtin_sub_overflow(x, y, &v) ? vtl_null() : vtl_int(v);
	case VTL_MUL:
		return __builtin_mul_overflow(x, y, &v) ? vtl_null() : vtl_int(v);
	default:
		if (y == 0 || (x == INT64_MIN && y == -1))
			return vtl_null();
		return vtl_int(op == VTL_DIV ? x / y : x % y);
	}
}

static struct vtl_value arithmetic(
        struct vtl_run *r, enum vtl_operator op, struct vtl_value x, struct vtl_value y)
{
	if (op == VTL_ADD && (x.type == VTL_STRING || y.type == VTL_STRING))
		return vtl_str(
		        str_concat(r->arena, 2, vtl_text(r->arena, x), vtl_text(r->arena, y)));
	if (x.type == VTL_INT && y.type == VTL_INT)
		return integers(op, x.i, y.i);
	if (!is_number(x) || !is_number(y))
		return vtl_null();
	switch (op) {
	case VTL_ADD:
		return vtl_double(number(x) + number(y));
	case VTL_SUB:
		return vtl_double(number(x) - number(y));
	case VTL_MUL:
		return vtl_double(number(x) * number(y));
	case VTL_DIV:
		return number(y) != 0 ? vtl_double(number(x) / number(y)) : vtl_null();
	default:
		return vtl_null();
	}
}

static struct vtl_value order(
        struct vtl_run *r, enum vtl_operator op, struct vtl_value x, struct vtl_value y)
{
	int c;

	if (is_number(x) && is_number(y))
		c = (number(x) > number(y)) - (number(x) < number(y));
	else if (x.type == VTL_STRING && y.type == VTL_STRING)
		c = str_cmp(x.s, y.s);
	else
		return vtl_bool(false);
	switch (op) {
	case VTL_LT:
		return vtl_bool(c < 0);
	case VTL_LE:
		return vtl_bool(c <= 0);
	case VTL_GT:
		return vtl_bool(c > 0);
	default:
		return vtl_bool(c >= 0);
	}
}

static int binary(struct vtl_run *r, const struct vtl_expression *e, struct vtl_value *v)
{
	struct vtl_value x, y;

	TRY(vtl_evaluate(r, e->parts[0], &x));
	if (e->op == VTL_OR || e->op == VTL_AND) {
		*v = vtl_bool(vtl_is_true(x));
		if (v->b == (e->op == VTL_OR))
			return 0;
		TRY(vtl_evaluate(r, e->parts[1], &y));
		*v = vtl_bool(vtl_is_true(y));
		return 0;
	}
	TRY(vtl_evaluate(r, e->parts[1], &y));
	if (e->op == VTL_EQ || e->op == VTL_NE)
		*v = vtl_bool(vtl_equals(r->arena, x, y) == (e->op == VTL_EQ));
	else if (e->op < VTL_ADD)
		*v = order(r, e->op, x, y);
	else
		*v = arithmetic(r, e->op, x, y);
	return 0;
}

static int make_list(struct vtl_run *r, const struct vtl_expression *e, struct vtl_value *v)
{
	struct vtl_value part;

	*v = vtl_list(r->arena);
	for (size_t i = 0; i < e->n; i++) {
		TRY(vtl_evaluate(r, e->parts[i], &part));
		vtl_list_add(r->arena, v->list, part);
	}
	return 0;
}

static int make_map(struct vtl_run *r, const struct vtl_expression *e, struct vtl_value *v)
{
	struct vtl_value key, value;

	*v = vtl_map(r->arena);
	for (size_t i = 0; i + 1 < e->n; i += 2) {
		TRY(vtl_evaluate(r, e->parts[i], &key));
		TRY(vtl_evaluate(r, e->parts[i + 1], &value));
		vtl_map_put(r->arena, v->map, vtl_text(r->arena, key), value);
	}
	return 0;
}

static int make_range(struct vtl_run *r, const struct vtl_expression *e, struct vtl_value *v)
{
	struct vtl_value from, to;

	TRY(vtl_evaluate(r, e->parts[0], &from));
	TRY(vtl_evaluate(r, e->parts[1], &to));
	*v = vtl_list(r->arena);
	if (from.type != VTL_INT || to.type != VTL_INT)
		return 0;
	int64_t step = from.i <= to.i ? 1 : -1;
	for (int64_t i = from.i;; i += step) {
		TRY(vtl_step(r));
		vtl_list_add(r->arena, v->list, vtl_int(i));
		if (i == to.i)
			return 0;
	}
}

static int interpolate(struct vtl_run *r, const struct vtl_expression *e, struct vtl_value *v)
{
	struct buf text = buf_init(r->arena), *before = r->out;

	r->out = &text;
	int bad = vtl_run_nodes(r, e->block);
	r->out = before;
	*v = vtl_str(buf_str(&text));
	return bad == BREAKS || bad == STOPS ? 0 : bad;
}

static int negate(struct vtl_run *r, const struct vtl_expression *e, struct vtl_value *v)
{
	struct vtl_value x;

	TRY(vtl_evaluate(r, e->parts[0], &x));
	if (e->kind == VTL_NOT)
		*v = vtl_bool(!vtl_is_true(x));
	else if (x.type == VTL_INT && x.i != INT64_MIN)
		*v = vtl_int(-x.i);
	else
		*v = x.type == VTL_DOUBLE ? vtl_double(-x.d) : vtl_null();
	return 0;
}

static int evaluate(struct vtl_run *r, const struct vtl_expression *e, struct vtl_value *v)
{
	switch (e->kind) {
	case VTL_LITERAL:
		*v = e->literal;
		return 0;
	case VTL_TEMPLATE:
		return interpolate(r, e, v);
	case VTL_REFERENCE:
		return vtl_resolve(r, e->reference, v);
	case VTL_MAKE_LIST:
		return make_list(r, e, v);
	case VTL_MAKE_MAP:
		return make_map(r, e, v);
	case VTL_RANGE:
		return make_range(r, e, v);
	case VTL_NOT:
	case VTL_NEGATE:
		return negate(r, e, v);
	case VTL_BINARY:
		return binary(r, e, v);
	}
	return 0;
}

int vtl_evaluate(struct vtl_run *r, const struct vtl_expression *e, struct vtl_value *v)
{
	*v = vtl_null();
	TRY(vtl_step(r));
	if (++r->depth > VTL_DEPTH_MAX)
		return vtl_failed(r, "the template goes too deep");
	TRY(evaluate(r, e, v));
	r->depth--;
	return 0;
}

/* ---- nodes ---- */

static int print_reference(struct vtl_run *r, const struct vtl_reference *ref)
{
	struct vtl_value v;

	TRY(vtl_resolve(r, ref, &v));
	if (v.type != VTL_NULL)
		buf_add(r->out, vtl_text(r->arena, v));
	else if (!ref->quiet)
		buf_add(r->out, ref->source);
	return 0;
}

static int assign(struct vtl_run *r, const struct vtl_node *n)
{
	struct vtl_value v, *at;
	const struct vtl_reference *ref = n->reference;

	TRY(vtl_evaluate(r, n->expression, &v));
	if (!ref->accessors) {
		vtl_map_put(r->arena, r->variables, ref->name, v);
		return 0;
	}
	at = vtl_map_get(r->variables, ref->name);
	for (const struct vtl_accessor *x = ref->accessors; x; x = x->next) {
		struct str key = x->name;
		if (!at || at->type != VTL_MAP || x->kind == VTL_METHOD)
			return 0;
		if (x->kind == VTL_INDEX) {
			struct vtl_value index;
			TRY(vtl_evaluate(r, x->args[0], &index));
			key = vtl_text(r->arena, index);
		}
		if (!x->next)
			vtl_map_put(r->arena, at->map, key, v);
		at = vtl_map_get(at->map, key);
	}
	return 0;
}

static int choose(struct vtl_run *r, const struct vtl_node *n)
{
	struct vtl_value v = vtl_bool(true);

	for (; n; n = n->otherwise) {
		if (n->expression)
			TRY(vtl_evaluate(r, n->expression, &v));
		if (!n->expression || vtl_is_true(v))
			return vtl_run_nodes(r, n->body);
	}
	return 0;
}

static void set_loop(struct vtl_run *r, size_t i, size_t n)
{
	struct vtl_value loop = vtl_map(r->arena);

	vtl_map_put(r->arena, loop.map, S("index"), vtl_int((int64_t)i));
	vtl_map_put(r->arena, loop.map, S("count"), vtl_int((int64_t)i + 1));
	vtl_map_put(r->arena, loop.map, S("hasNext"), vtl_bool(i + 1 < n));
	vtl_map_put(r->arena, loop.map, S("first"), vtl_bool(i == 0));
	vtl_map_put(r->arena, loop.map, S("last"), vtl_bool(i + 1 == n));
	vtl_map_put(r->arena, r->variables, S("foreach"), loop);
	vtl_map_put(r->arena, r->variables, S("velocityCount"), vtl_int((int64_t)i + 1));
	vtl_map_put(r->arena, r->variables, S("velocityHasNext"), vtl_bool(i + 1 < n));
}

static struct vtl_value saved(struct vtl_run *r, struct str name)
{
	struct vtl_value *v = vtl_map_get(r->variables, name);

	return v ? *v : vtl_null();
}

static void restore(struct vtl_run *r, struct str name, struct vtl_value v)
{
	if (v.type == VTL_NULL)
		vtl_map_remove(r->variables, name);
	else
		vtl_map_put(r->arena, r->variables, name, v);
}

static int loop(struct vtl_run *r, const struct vtl_node *n)
{
	struct vtl_value over, outer = saved(r, S("foreach")), hidden = saved(r, n->text);
	int end = 0;

	TRY(vtl_evaluate(r, n->expression, &over));
	if (over.type == VTL_MAP)
		over = vtl_method(r, over, S("values"), NULL, 0);
	if (over.type != VTL_LIST)
		return 0;
	size_t size = over.list->n;
	for (size_t i = 0; i < size && i < over.list->n && !end; i++) {
		vtl_map_put(r->arena, r->variables, n->text, over.list->v[i]);
		set_loop(r, i, size);
		end = vtl_run_nodes(r, n->body);
	}
	restore(r, S("foreach"), outer);
	restore(r, n->text, hidden);
	return end == BREAKS ? 0 : end;
}

static int call(struct vtl_run *r, const struct vtl_node *n)
{
	const struct vtl_node *m = NULL;
	struct vtl_value args[16], hidden[16];

	for (size_t i = 0; i < r->n_macros; i++)
		if (str_eq(r->macros[i]->text, n->text))
			m = r->macros[i];
	if (!m)
		return vtl_failed(r, "a macro does not exist");
	for (size_t i = 0; i < m->n; i++) {
		args[i] = vtl_null();
		if (i < n->n)
			TRY(vtl_evaluate(r, n->args[i], &args[i]));
	}
	for (size_t i = 0; i < m->n; i++) {
		hidden[i] = saved(r, m->params[i]);
		restore(r, m->params[i], args[i]);
	}
	int end = vtl_run_nodes(r, m->body);
	for (size_t i = 0; i < m->n; i++)
		restore(r, m->params[i], hidden[i]);
	return end;
}

static int define(struct vtl_run *r, const struct vtl_node *n)
{
	struct vtl_node **more = arena_new_n(r->arena, struct vtl_node *, r->n_macros + 1);

	if (r->n_macros)
		memcpy(more, r->macros, r->n_macros * sizeof *more);
	more[r->n_macros++] = (struct vtl_node *)(uintptr_t)n;
	r->macros = more;
	return 0;
}

static int run_node(struct vtl_run *r, const struct vtl_node *n)
{
	switch (n->kind) {
	case VTL_NODE_TEXT:
		buf_add(r->out, n->text);
		return 0;
	case VTL_NODE_REFERENCE:
		return print_reference(r, n->reference);
	case VTL_NODE_SET:
		return assign(r, n);
	case VTL_NODE_IF:
		return choose(r, n);
	case VTL_NODE_FOREACH:
		return loop(r, n);
	case VTL_NODE_MACRO:
		return define(r, n);
	case VTL_NODE_CALL:
		return call(r, n);
	case VTL_NODE_BREAK:
		return BREAKS;
	case VTL_NODE_STOP:
	case VTL_NODE_RETURN:
		return STOPS;
	}
	return 0;
}

int vtl_run_nodes(struct vtl_run *r, const struct vtl_node *n)
{
	if (++r->depth > VTL_DEPTH_MAX)
		return vtl_failed(r, "the template goes too deep");
	for (; n; n = n->next) {
		TRY(vtl_step(r));
		int end = run_node(r, n);
		if (end == BREAKS || end == STOPS)
			r->depth--;
		TRY(end);
	}
	r->depth--;
	return 0;
}

/* ---- beginning and end ---- */

static struct vtl_value map_at(struct vtl_run *r, struct vtl_map *m, struct str key)
{
	struct vtl_value made = vtl_map(r->arena);

	vtl_map_put(r->arena, m, key, made);
	return made;
}

static void set_context(struct vtl_run *r)
{
	struct vtl_value context = vtl_map(r->arena);
	yyjson_val *root;

	if (r->input->context_json.p && json_parse(r->arena, r->input->context_json, &root) == 0 &&
	        yyjson_is_obj(root))
		context = vtl_of_json(r->arena, root);
	context.map->lenient = true;
	struct vtl_value request = map_at(r, context.map, S("requestOverride"));
	struct vtl_value response = map_at(r, context.map, S("responseOverride"));
	map_at(r, request.map, S("header"));
	map_at(r, request.map, S("querystring"));
	map_at(r, request.map, S("path"));
	map_at(r, response.map, S("header"));
	vtl_map_put(r->arena, r->variables, S("context"), context);
}

static void set_stage_variables(struct vtl_run *r)
{
	struct vtl_value variables = vtl_map(r->arena);
	const struct http_headers *v = r->input->stage_variables;

	variables.map->lenient = true;
	for (size_t i = 0; v && i < v->n; i++)
		vtl_map_put(r->arena, variables.map, v->v[i].name, vtl_str(v->v[i].value));
	vtl_map_put(r->arena, r->variables, S("stageVariables"), variables);
}

static struct str overrides(struct vtl_run *r)
{
	struct vtl_value *context = vtl_map_get(r->variables, S("context"));
	struct buf b = buf_init(r->arena);
	struct json_writer w = json_writer(&b);
	static const struct str names[] = { S_INIT("requestOverride"), S_INIT("responseOverride") };

	json_object(&w);
	for (size_t i = 0; context && context->type == VTL_MAP && i < ARRAY_LEN(names); i++) {
		struct vtl_value *v = vtl_map_get(context->map, names[i]);
		json_key(&w, names[i]);
		vtl_write_json(&w, v ? *v : vtl_null());
	}
	json_end(&w);
	return buf_str(&b);
}

int vtl_render(
        struct arena *a, struct str template, const struct vtl_input *in, struct vtl_output *out)
{
	struct buf text = buf_init(a);
	struct vtl_run r = {
		.arena = a, .input = in, .out = &text, .memory_before = arena_used(a)
	};
	struct vtl_node *first;

	*out = (struct vtl_output){ .text = S("") };
	if (vtl_parse(a, template, &first, &out->why) != 0)
		return VTL_BAD;
	r.variables = vtl_map(a).map;
	/* Making $context costs more than most templates do: only for those that look at it. */
	if (str_find(template, S("context")) >= 0)
		set_context(&r);
	set_stage_variables(&r);
	vtl_map_put(a, r.variables, S("input"), (struct vtl_value){ VTL_INPUT });
	vtl_map_put(a, r.variables, S("util"), (struct vtl_value){ VTL_UTIL });
	int end = vtl_run_nodes(&r, first);
	out->why = r.why;
	out->text = buf_str(&text);
	out->overrides = overrides(&r);
	return end == VTL_BAD ? VTL_BAD : 0;
}
