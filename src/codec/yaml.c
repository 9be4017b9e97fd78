/* yaml: libyaml's events as JSON text. */
#include "codec/yaml.h"

#include "codec/json.h"

#include <yaml.h>

#define MAX_DEPTH   60
#define MAX_OUTPUT  (64u << 20)
#define MAX_ANCHORS 1000

struct anchor {
	struct str name, json;
};

struct reader {
	struct arena *arena;
	yaml_parser_t parser;
	struct buf out;
	struct anchor *anchors;
	size_t n_anchors;
	struct str why;
};

static int complain(struct reader *r, const char *what, size_t line)
{
	r->why = str_printf(r->arena, "%s at line %zu", what, line + 1);
	return YAML_BAD;
}

static void event_delete(yaml_event_t *e)
{
	yaml_event_delete(e);
}

static int next(struct reader *r, yaml_event_t *e)
{
	if (yaml_parser_parse(&r->parser, e))
		return 0;
	memset(e, 0, sizeof *e);
	return complain(
	        r, r->parser.problem ? r->parser.problem : "not YAML", r->parser.problem_mark.line);
}

static struct str text_of(const yaml_char_t *p)
{
	return p ? str_of((const char *)p) : (struct str){ 0 };
}

static bool is_json_number(struct str s)
{
	yyjson_val *v;
	CLEANUP(arena_destroyp) struct arena *a = arena_create();

	return s.n && s.n < 40 && (s.p[0] == '-' || (s.p[0] >= '0' && s.p[0] <= '9')) &&
	       json_parse(a, s, &v) == 0 && yyjson_is_num(v);
}

static const struct {
	struct str text, json;
} words[] = {
	{ S_INIT("true"), S_INIT("true") },
	{ S_INIT("True"), S_INIT("true") },
	{ S_INIT("TRUE"), S_INIT("true") },
	{ S_INIT("false"), S_INIT("false") },
	{ S_INIT("False"), S_INIT("false") },
	{ S_INIT("FALSE"), S_INIT("false") },
	{ S_INIT("null"), S_INIT("null") },
	{ S_INIT("Null"), S_INIT("null") },
	{ S_INIT("NULL"), S_INIT("null") },
	{ S_INIT("~"), S_INIT("null") },
	{ S_INIT(""), S_INIT("null") },
};

static void plain_scalar(struct reader *r, struct str s)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq(s, words[i].text)) {
			buf_add(&r->out, words[i].json);
			return;
		}
	if (is_json_number(s))
		buf_add(&r->out, s);
	else
		json_quote(&r->out, s);
}

/* "!GetAtt" -> "Fn::GetAtt"; "!Ref" and "!Condition" keep their names. Absent for YAML's own tags.
 */
static struct str intrinsic(struct reader *r, struct str tag)
{
	if (tag.n < 2 || tag.p[0] != '!' || tag.p[1] == '!')
		return (struct str){ 0 };
	tag = str_sub(tag, 1, tag.n);
	if (str_eq(tag, S("Ref")) || str_eq(tag, S("Condition")))
		return tag;
	return str_concat(r->arena, 2, S("Fn::"), tag);
}

static void get_att(struct reader *r, struct str s)
{
	ptrdiff_t dot = str_find_char(s, '.');

	buf_add_char(&r->out, '[');
	json_quote(&r->out, dot < 0 ? s : str_sub(s, 0, (size_t)dot));
	if (dot >= 0) {
		buf_add_char(&r->out, ',');
		json_quote(&r->out, str_sub(s, (size_t)dot + 1, s.n));
	}
	buf_add_char(&r->out, ']');
}

static void scalar(struct reader *r, const yaml_event_t *e, struct str function)
{
	struct str s = { (const char *)e->data.scalar.value, e->data.scalar.length };
	struct str tag = text_of(e->data.scalar.tag);

	if (str_eq(function, S("Fn::GetAtt")))
		get_att(r, s);
	else if (e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !tag.p)
		plain_scalar(r, s);
	else
		json_quote(&r->out, s);
}

static int value(struct reader *r, yaml_event_t *e, int depth);

static int sequence(struct reader *r, int depth)
{
	buf_add_char(&r->out, '[');
	for (bool first = true;; first = false) {
		CLEANUP(event_delete) yaml_event_t e = { 0 };
		TRY(next(r, &e));
		if (e.type == YAML_SEQUENCE_END_EVENT)
			break;
		if (!first)
			buf_add_char(&r->out, ',');
		TRY(value(r, &e, depth + 1));
	}
	buf_add_char(&r->out, ']');
	return 0;
}

/* "<<": the members of another mapping, spliced in. */
static int merge(struct reader *r, int depth, bool *first)
{
	CLEANUP(event_delete) yaml_event_t e = { 0 };
	struct buf kept = r->out;
	struct str json;

	TRY(next(r, &e));
	r->out = buf_init(r->arena);
	TRY(value(r, &e, depth + 1));
	json = buf_str(&r->out);
	r->out = kept;
	if (json.n < 2 || json.p[0] != '{')
		return complain(r, "a merge key takes a mapping", e.start_mark.line);
	json = str_sub(json, 1, json.n - 2);
	if (json.n && !*first)
		buf_add_char(&r->out, ',');
	*first = *first && json.n == 0;
	buf_add(&r->out, json);
	return 0;
}

static int mapping(struct reader *r, int depth)
{
	bool first = true;

	buf_add_char(&r->out, '{');
	for (;;) {
		CLEANUP(event_delete) yaml_event_t k = { 0 };
		CLEANUP(event_delete) yaml_event_t v = { 0 };
		TRY(next(r, &k));
		if (k.type == YAML_MAPPING_END_EVENT)
			break;
		if (k.type != YAML_SCALAR_EVENT)
			return complain(r, "keys are scalars", k.start_mark.line);
		struct str key = { (const char *)k.data.scalar.value, k.data.scalar.length };
		if (str_eq(key, S("<<")) && k.data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
			TRY(merge(r, depth, &first));
			continue;
		}
		if (!first)
			buf_add_char(&r->out, ',');
		first = false;
		json_quote(&r->out, key);
		buf_add_char(&r->out, ':');
		TRY(next(r, &v));
		TRY(value(r, &v, depth + 1));
	}
	buf_add_char(&r->out, '}');
	return 0;
}

static int alias(struct reader *r, const yaml_event_t *e)
{
	struct str name = text_of(e->data.alias.anchor);

	for (size_t i = r->n_anchors; i-- > 0;)
		if (str_eq(r->anchors[i].name, name)) {
			if (r->out.n + r->anchors[i].json.n > MAX_OUTPUT)
				return complain(
				        r, "aliases expand to too much", e->start_mark.line);
			buf_add(&r->out, r->anchors[i].json);
			return 0;
		}
	return complain(r, "unknown alias", e->start_mark.line);
}

static int remember(struct reader *r, struct str anchor, size_t from)
{
	if (!anchor.p)
		return 0;
	if (!r->anchors)
		r->anchors = arena_new_n(r->arena, struct anchor, MAX_ANCHORS);
	if (r->n_anchors == MAX_ANCHORS)
		return complain(r, "too many anchors", 0);
	struct str json = { r->out.p + from, r->out.n - from };
	r->anchors[r->n_anchors++] =
	        (struct anchor){ str_dup(r->arena, anchor), str_dup(r->arena, json) };
	return 0;
}

static int value(struct reader *r, yaml_event_t *e, int depth)
{
	size_t from = r->out.n;
	struct str anchor = { 0 }, tag = { 0 };
	int bad = 0;

	if (depth > MAX_DEPTH)
		return complain(r, "nested too deeply", e->start_mark.line);
	if (e->type == YAML_ALIAS_EVENT)
		return alias(r, e);
	if (e->type == YAML_SCALAR_EVENT) {
		anchor = text_of(e->data.scalar.anchor);
		tag = text_of(e->data.scalar.tag);
	} else if (e->type == YAML_SEQUENCE_START_EVENT) {
		anchor = text_of(e->data.sequence_start.anchor);
		tag = text_of(e->data.sequence_start.tag);
	} else if (e->type == YAML_MAPPING_START_EVENT) {
		anchor = text_of(e->data.mapping_start.anchor);
		tag = text_of(e->data.mapping_start.tag);
	} else {
		return complain(r, "a value is missing", e->start_mark.line);
	}
	struct str function = intrinsic(r, tag);
	if (function.p) {
		buf_add_char(&r->out, '{');
		json_quote(&r->out, function);
		buf_add_char(&r->out, ':');
	}
	if (e->type == YAML_SCALAR_EVENT)
		scalar(r, e, function);
	else
		bad = e->type == YAML_SEQUENCE_START_EVENT ? sequence(r, depth) : mapping(r, depth);
	if (function.p)
		buf_add_char(&r->out, '}');
	return bad ? bad : remember(r, anchor, from);
}

static int document(struct reader *r)
{
	for (;;) {
		CLEANUP(event_delete) yaml_event_t e = { 0 };
		TRY(next(r, &e));
		if (e.type == YAML_STREAM_END_EVENT)
			return complain(r, "empty", 0);
		if (e.type != YAML_STREAM_START_EVENT && e.type != YAML_DOCUMENT_START_EVENT)
			return value(r, &e, 0);
	}
}

int yaml_to_json(struct arena *a, struct str text, struct str *json, struct str *why)
{
	struct reader r = { .arena = a, .out = buf_init(a), .why = S("") };

	ensure(yaml_parser_initialize(&r.parser));
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.p, text.n);
	int bad = document(&r);
	yaml_parser_delete(&r.parser);
	*json = buf_str(&r.out);
	*why = r.why;
	return bad;
}
