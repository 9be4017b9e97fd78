/* regex: matching, replacing, splitting. */
#include "services/apigateway/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define MATCH_LIMIT 100000
#define DEPTH_LIMIT 1000
#define TEXT_MAX    (10u << 20)

struct regex {
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *context;
};

static void deinit(struct regex *r)
{
	pcre2_match_context_free(r->context);
	pcre2_match_data_free(r->data);
	pcre2_code_free(r->code);
}

static int init(struct regex *r, struct str pattern, uint32_t options)
{
	int error;
	size_t where;

	*r = (struct regex){ 0 };
	r->code = pcre2_compile(
	        (PCRE2_SPTR)(pattern.n ? pattern.p : ""), pattern.n, options, &error, &where, NULL);
	if (!r->code)
		return REGEX_BAD;
	r->data = pcre2_match_data_create_from_pattern(r->code, NULL);
	r->context = pcre2_match_context_create(NULL);
	pcre2_set_match_limit(r->context, MATCH_LIMIT);
	pcre2_set_depth_limit(r->context, DEPTH_LIMIT);
	return 0;
}

/* The next match from `at` on: its bounds. */
static bool next(struct regex *r, struct str text, size_t at, size_t *from, size_t *to)
{
	int n = pcre2_match(
	        r->code, (PCRE2_SPTR)(text.n ? text.p : ""), text.n, at, 0, r->data, r->context);

	if (n < 0)
		return false;
	const size_t *ovector = pcre2_get_ovector_pointer(r->data);
	*from = ovector[0];
	*to = MAX(ovector[1], ovector[0]);
	return true;
}

bool regex_matches(struct str pattern, struct str text)
{
	CLEANUP(deinit) struct regex r;
	size_t from, to;

	return init(&r, pattern, PCRE2_ANCHORED | PCRE2_ENDANCHORED) == 0 &&
	       next(&r, text, 0, &from, &to);
}

bool regex_finds(struct str pattern, struct str text)
{
	CLEANUP(deinit) struct regex r;
	size_t from, to;

	return init(&r, pattern, 0) == 0 && next(&r, text, 0, &from, &to);
}

struct str regex_replace(
        struct arena *a, struct str text, struct str pattern, struct str with, bool all)
{
	CLEANUP(deinit) struct regex r;
	uint32_t options = PCRE2_SUBSTITUTE_UNSET_EMPTY | (all ? PCRE2_SUBSTITUTE_GLOBAL : 0);
	size_t n = text.n * 2 + with.n + 64;

	if (init(&r, pattern, 0) != 0)
		return (struct str){ 0 };
	for (; n <= TEXT_MAX * 2; n *= 4) {
		size_t got = n;
		char *p = arena_bytes(a, n);
		int bad = pcre2_substitute(r.code, (PCRE2_SPTR)(text.n ? text.p : ""), text.n, 0,
		        options, r.data, r.context, (PCRE2_SPTR)(with.n ? with.p : ""), with.n,
		        (PCRE2_UCHAR *)p, &got);
		if (bad == PCRE2_ERROR_NOMEMORY)
			continue;
		return bad < 0 ? (struct str){ 0 } : (struct str){ p, got };
	}
	return (struct str){ 0 };
}

int regex_split(
        struct str text, struct str pattern, void (*piece)(void *arg, struct str s), void *arg)
{
	CLEANUP(deinit) struct regex r;
	size_t at = 0, search = 0, from, to;

	if (init(&r, pattern, 0) != 0)
		return REGEX_BAD;
	while (search <= text.n && next(&r, text, search, &from, &to)) {
		if (to == from) {
			/* An empty match cuts between characters. */
			search = from + 1;
			if (from == 0 || from >= text.n)
				continue;
		} else {
			search = to;
		}
		piece(arg, str_sub(text, at, from - at));
		at = to;
	}
	piece(arg, str_sub(text, at, text.n));
	return 0;
}
