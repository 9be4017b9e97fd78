/*
 * policy_match: patterns with wildcards and variables.
 *
 * Patterns without variables, nearly all, are matched as they are. Others are expanded into 16-bit
 * codes first, where a wildcard of the document is no byte, so that nothing in a variable's value
 * acts as a wildcard.
 */
#include "api/policy_internal.h"

#define STAR     0x100
#define ONE      0x101
#define FROM_VAR 0x200 /* a byte out of a variable: no colon of it separates segments */

bool policy_action_match(struct str pattern, struct str action)
{
	return str_match_nocase(action, pattern);
}

/* ---- variables ---- */

const struct policy_key *policy_key_find(const struct policy_request *r, struct str name)
{
	for (size_t i = 0; i < r->n_keys; i++)
		if (r->keys[i].name.n == name.n && str_eq_nocase(r->keys[i].name, name))
			return &r->keys[i];
	return NULL;
}

bool policy_next_variable(struct str text, size_t *at, struct str *name, struct str *otherwise)
{
	for (;;) {
		struct str rest = str_sub(text, *at, text.n);
		ptrdiff_t open = str_find(rest, S("${"));
		if (open < 0)
			return false;
		struct str inside = str_sub(rest, (size_t)open + 2, rest.n);
		ptrdiff_t close = str_find_char(inside, '}');
		if (close < 0)
			return false;
		*at += (size_t)open + 2 + (size_t)close + 1;
		inside.n = (size_t)close;
		if (inside.n == 1 && strchr("*?$", inside.p[0]))
			continue;
		*otherwise = inside;
		*name = str_trim(str_cut(otherwise, ','));
		*otherwise = str_trim(*otherwise);
		if (otherwise->n >= 2 && otherwise->p[0] == '\'' &&
		        otherwise->p[otherwise->n - 1] == '\'')
			*otherwise = str_sub(*otherwise, 1, otherwise->n - 2);
		return true;
	}
}

/* A key with one value, or what the document gives instead; absent: neither. */
static struct str variable_value(
        const struct policy_request *r, struct str name, struct str otherwise)
{
	const struct policy_key *k = policy_key_find(r, name);

	if (k && k->n_values == 1 && !k->multivalued)
		return k->values[0];
	return otherwise;
}

struct codes {
	uint16_t *v;
	size_t n;
};

static void add_codes(struct codes *c, struct str s, uint16_t mark)
{
	for (size_t i = 0; i < s.n; i++)
		c->v[c->n++] = (uint16_t)((unsigned char)s.p[i] | mark);
}

static void add_document_text(struct codes *c, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char byte = (unsigned char)s.p[i];
		c->v[c->n++] = byte == '*' ? STAR : byte == '?' ? ONE : byte;
	}
}

/* An upper bound of the codes that text expands to. */
static size_t expanded_size(const struct policy_request *r, struct str text)
{
	struct str name, otherwise;
	size_t n = text.n;

	for (size_t at = 0; policy_next_variable(text, &at, &name, &otherwise);)
		n += variable_value(r, name, otherwise).n;
	return n + 1;
}

/* Adds what "${inside}" stands for; false: nothing. */
static bool add_variable(struct codes *c, const struct policy_request *r, struct str variable)
{
	struct str name, otherwise, inside = str_sub(variable, 2, variable.n - 3);
	size_t at = 0;

	if (inside.n == 1 && strchr("*?$", inside.p[0])) {
		add_codes(c, inside, FROM_VAR);
		return true;
	}
	if (!policy_next_variable(variable, &at, &name, &otherwise))
		return false;
	struct str value = variable_value(r, name, otherwise);
	add_codes(c, value, FROM_VAR);
	return value.p != NULL;
}

static bool expand(
        struct arena *a, const struct policy_request *r, struct str text, struct codes *c)
{
	c->v = arena_new_n(a, uint16_t, expanded_size(r, text));
	c->n = 0;
	for (;;) {
		ptrdiff_t open = str_find(text, S("${"));
		ptrdiff_t close =
		        open < 0 ? -1 : str_find_char(str_sub(text, (size_t)open, text.n), '}');
		if (close < 0)
			break;
		add_document_text(c, str_sub(text, 0, (size_t)open));
		if (!add_variable(c, r, str_sub(text, (size_t)open, (size_t)close + 1)))
			return false;
		text = str_sub(text, (size_t)open + (size_t)close + 1, text.n);
	}
	add_document_text(c, text);
	return true;
}

static bool codes_match(struct str s, const uint16_t *p, size_t n)
{
	size_t i = 0, j = 0, star = SIZE_MAX, resume = 0;

	while (i < s.n) {
		if (j < n && p[j] == STAR) {
			star = j++;
			resume = i;
		} else if (j < n &&
		           (p[j] == ONE ||
		                   (!(p[j] & STAR) && (p[j] & 0xff) == (unsigned char)s.p[i]))) {
			i++;
			j++;
		} else if (star != SIZE_MAX) {
			j = star + 1;
			i = ++resume;
		} else {
			return false;
		}
	}
	while (j < n && p[j] == STAR)
		j++;
	return j == n;
}

bool policy_text_match(struct arena *a, const struct policy_request *r, struct str text,
        const struct policy_pattern *pattern, bool *unresolved)
{
	struct codes c;

	if (!pattern->variables)
		return str_match(text, pattern->text);
	if (expand(a, r, pattern->text, &c))
		return codes_match(text, c.v, c.n);
	*unresolved = true;
	return false;
}

struct str policy_expand(
        struct arena *a, const struct policy_request *r, const struct policy_pattern *pattern)
{
	static const char plain[] = { [STAR - 0x100] = '*', [ONE - 0x100] = '?' };
	struct codes c;

	if (!pattern->variables)
		return pattern->text;
	if (!expand(a, r, pattern->text, &c))
		return (struct str){ 0 };
	char *p = arena_bytes(a, c.n + 1);
	for (size_t i = 0; i < c.n; i++)
		p[i] = c.v[i] & STAR ? plain[c.v[i] & 0xff] : (char)(c.v[i] & 0xff);
	return (struct str){ p, c.n };
}

/* ---- ARNs ---- */

#define HEAD_SEGMENTS 5

static size_t count_colons(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == ':';
	return n;
}

static bool plain_arn_match(struct str arn, struct str pattern)
{
	if (pattern.n == 1 && pattern.p[0] == '*')
		return true;
	if (count_colons(pattern) < HEAD_SEGMENTS || count_colons(arn) < HEAD_SEGMENTS)
		return str_match(arn, pattern);
	for (int i = 0; i < HEAD_SEGMENTS; i++)
		if (!str_match(str_cut(&arn, ':'), str_cut(&pattern, ':')))
			return false;
	return str_match(arn, pattern);
}

/* The length of the first segment, or of all when no colon of the document is left. */
static size_t codes_segment(const struct codes *c)
{
	size_t n = 0;

	while (n < c->n && c->v[n] != ':')
		n++;
	return n;
}

static bool codes_arn_match(struct str arn, struct codes c)
{
	size_t colons = 0;

	for (size_t i = 0; i < c.n; i++)
		colons += c.v[i] == ':';
	if (colons < HEAD_SEGMENTS || count_colons(arn) < HEAD_SEGMENTS)
		return codes_match(arn, c.v, c.n);
	for (int i = 0; i < HEAD_SEGMENTS; i++) {
		size_t n = codes_segment(&c);
		if (!codes_match(str_cut(&arn, ':'), c.v, n))
			return false;
		c.v += n + 1;
		c.n -= n + 1;
	}
	return codes_match(arn, c.v, c.n);
}

bool policy_arn_match(struct arena *a, const struct policy_request *r, struct str arn,
        const struct policy_pattern *pattern, bool *unresolved)
{
	struct codes c;

	if (!pattern->variables)
		return plain_arn_match(arn, pattern->text);
	if (expand(a, r, pattern->text, &c))
		return codes_arn_match(arn, c);
	*unresolved = true;
	return false;
}
