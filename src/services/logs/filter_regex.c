/*
 * filter_regex: the part of regular expressions that filter patterns know, by PCRE2 in an arena: no
 * groups, no references, and a bound on the work for one text.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "services/logs/filter_parse.h"

#include <pcre2.h>

#define MATCH_MAX    100000
#define HEAP_MAX_KIB 4096

struct filter_regex {
	pcre2_code *code;
};

static void *take(PCRE2_SIZE n, void *arena)
{
	return arena_alloc(arena, n);
}

static void leave(void *p, void *arena)
{
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Length of the escape at text, or 0: classes, \xhh, and any sign. */
static size_t escape_length(struct str text)
{
	if (text.n < 2 || text.p[1] < 0x21 || text.p[1] > 0x7e)
		return 0;
	if (text.p[1] == 'x')
		return text.n >= 4 && is_hex(text.p[2]) && is_hex(text.p[3]) ? 4 : 0;
	if (is_alnum(text.p[1]) && str_find_char(S("dDsSwW"), text.p[1]) < 0)
		return 0;
	return 2;
}

static bool is_supported(struct str text)
{
	for (size_t i = 0; i < text.n;) {
		char c = text.p[i];
		size_t n = 1;
		if (c == '\\')
			n = escape_length(str_sub(text, i, text.n));
		else if (!is_alnum(c) &&
		         (c == 0 || str_find_char(S(" _#=@/;,-:^$?[]{}|*+."), c) < 0))
			n = 0;
		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

int filter_regex_compile(struct arena *a, struct str text, struct filter_regex **regex)
{
	pcre2_general_context *g = pcre2_general_context_create(take, leave, a);
	pcre2_compile_context *c = pcre2_compile_context_create(g);
	PCRE2_SIZE at;
	int error;

	if (!is_supported(text))
		return FILTER_PATTERN_BAD;
	*regex = arena_new(a, struct filter_regex);
	(*regex)->code = pcre2_compile((PCRE2_SPTR)text.p, text.n,
	        PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY, &error, &at, c);
	return (*regex)->code ? 0 : FILTER_PATTERN_BAD;
}

bool filter_regex_match(struct arena *a, const struct filter_regex *r, struct str text)
{
	pcre2_general_context *g = pcre2_general_context_create(take, leave, a);
	pcre2_match_context *m = pcre2_match_context_create(g);
	pcre2_match_data *data = pcre2_match_data_create(1, g);

	pcre2_set_match_limit(m, MATCH_MAX);
	pcre2_set_heap_limit(m, HEAP_MAX_KIB);
	return pcre2_match(r->code, (PCRE2_SPTR)text.p, text.n, 0, 0, data, m) >= 0;
}
