/* path_match: templates against paths, segment by segment. */
#include "services/apigateway/path_match.h"

enum kind { LITERAL, VARIABLE, GREEDY };

static enum kind kind_of(struct str segment)
{
	if (!str_starts(segment, S("{")) || !str_ends(segment, S("}")))
		return LITERAL;
	return str_ends(segment, S("+}")) ? GREEDY : VARIABLE;
}

static struct str name_of(struct str segment, enum kind kind)
{
	size_t marks = kind == GREEDY ? 3 : 2;

	return segment.n > marks ? str_sub(segment, 1, segment.n - marks) : S("");
}

static struct str normal(struct str path)
{
	if (str_starts(path, S("/")))
		path = str_sub(path, 1, path.n);
	if (str_ends(path, S("/")))
		path = str_sub(path, 0, path.n - 1);
	return path.n ? path : (struct str){ 0 };
}

bool path_match(struct arena *a, struct str template, struct str path, struct http_headers *params)
{
	template = normal(template);
	path = normal(path);
	while (template.p && path.p) {
		struct str pattern = str_cut(&template, '/');
		enum kind kind = kind_of(pattern);
		struct str value = kind == GREEDY ? path : str_cut(&path, '/');
		if (kind == LITERAL && !str_eq(pattern, value))
			return false;
		if (kind != LITERAL && value.n == 0)
			return false;
		if (kind != LITERAL && params)
			http_header_add(a, params, name_of(pattern, kind), value);
		if (kind == GREEDY)
			return !template.p;
	}
	return !template.p && !path.p;
}

int path_match_compare(struct str x, struct str y)
{
	x = normal(x);
	y = normal(y);
	while (x.p && y.p) {
		int difference = (int)kind_of(str_cut(&x, '/')) - (int)kind_of(str_cut(&y, '/'));
		if (difference)
			return difference;
	}
	return 0;
}
