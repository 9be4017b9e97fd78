/* filter_pattern: which of the three languages a pattern is written in. */
#include "services/logs/filter_parse.h"

#define REGEX_MAX 2

int filter_bad(struct filter_parser *p, struct str why)
{
	p->why = why;
	return FILTER_PATTERN_BAD;
}

/* "{ ... }" or "[ ... ]": what is inside. */
static int inside(struct filter_parser *p, char close, struct str why)
{
	if (p->rest.n < 2 || p->rest.p[p->rest.n - 1] != close)
		return filter_bad(p, why);
	p->rest = str_sub(p->rest, 1, p->rest.n - 2);
	return 0;
}

static int parse(struct filter_parser *p, struct filter_pattern *f)
{
	if (p->rest.n == 0)
		return 0;
	switch (p->rest.p[0]) {
	case '{':
		f->kind = FILTER_JSON;
		TRY(inside(p, '}', S("If a filter pattern starts with '{' it must end with '}'")));
		return filter_json_parse(p, f);
	case '[':
		f->kind = FILTER_FIELDS;
		TRY(inside(p, ']', S("If a filter pattern starts with '[' it must end with ']'")));
		return filter_fields_parse(p, f);
	default:
		f->kind = FILTER_TERMS;
		return filter_terms_parse(p, f);
	}
}

int filter_pattern_parse(
        struct arena *a, struct str text, struct filter_pattern **f, struct str *why)
{
	struct filter_parser p = {
		.a = a, .rest = str_trim(text), .why = S("Invalid filter pattern")
	};

	*f = arena_new(a, struct filter_pattern);
	int bad = parse(&p, *f);
	if (!bad && p.n_regex > REGEX_MAX)
		bad = filter_bad(&p, S("Invalid filter pattern"));
	*why = p.why;
	return bad;
}

bool filter_pattern_match(const struct filter_pattern *f, struct arena *a, struct str message,
        struct filter_values *values)
{
	if (values)
		*values = (struct filter_values){ 0 };
	if (!f)
		return true;
	switch (f->kind) {
	case FILTER_TERMS:
		return filter_terms_match(f, a, message);
	case FILTER_JSON:
		return filter_json_match(f, a, message);
	case FILTER_FIELDS:
		return filter_fields_match(f, a, message, values);
	default:
		return true;
	}
}
