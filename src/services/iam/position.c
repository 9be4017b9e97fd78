/* position: a walk over the JSON text that looks only at strings, braces and lines. */
#include "services/iam/position.h"

struct walk {
	struct str json;
	size_t at;
	int64_t line, column; /* behind the character before `at` */
	int depth;
	bool in_statement; /* the key "Statement" at depth 1 was the last one there */
};

static void step(struct walk *w)
{
	if (w->json.p[w->at++] == '\n') {
		w->line++;
		w->column = 1;
	} else {
		w->column++;
	}
}

/* Over a string; `at` is at its opening quote. Returns what is between the quotes. */
static struct str skip_string(struct walk *w)
{
	size_t from = w->at + 1;

	step(w);
	while (w->at < w->json.n && w->json.p[w->at] != '"') {
		if (w->json.p[w->at] == '\\')
			step(w);
		if (w->at < w->json.n)
			step(w);
	}
	struct str text = str_sub(w->json, from, w->at - from);
	if (w->at < w->json.n)
		step(w);
	return text;
}

/* The next character that is no part of a string; strings at depth 1 that are keys are noted. */
static char next(struct walk *w)
{
	while (w->at < w->json.n && w->json.p[w->at] == '"') {
		struct str text = skip_string(w);
		if (w->depth == 1 && str_starts(str_trim(str_sub(w->json, w->at, 64)), S(":")))
			w->in_statement = str_eq(text, S("Statement"));
	}
	if (w->at >= w->json.n)
		return 0;
	char c = w->json.p[w->at];
	step(w);
	return c;
}

bool iam_statement_span(struct str json, size_t statement, struct iam_span *span)
{
	struct walk w = { .json = json, .line = 1, .column = 1 };
	int open = -1; /* depth of the statement's braces */
	size_t seen = 0;
	char c;

	while ((c = next(&w))) {
		if (c == '{' && w.in_statement && open < 0 && w.depth <= 2 && seen++ == statement) {
			open = w.depth;
			span->start_line = w.line;
			span->start_column = w.column;
		}
		w.depth += (c == '{' || c == '[') - (c == '}' || c == ']');
		if (c == '}' && open >= 0 && w.depth == open) {
			span->end_line = w.line;
			span->end_column = w.column;
			return true;
		}
	}
	return false;
}
