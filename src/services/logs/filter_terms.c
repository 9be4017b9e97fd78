/* filter_terms: words and phrases, anywhere in a message. */
#include "services/logs/filter_parse.h"

static bool is_term_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || (unsigned char)c >= 0x80;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int read_word(struct filter_parser *p, struct str *word)
{
	size_t n = 0;

	while (n < p->rest.n && !is_space(p->rest.p[n]))
		n++;
	*word = str_sub(p->rest, 0, n);
	for (size_t i = 0; i < n; i++)
		if (!is_term_char(word->p[i]))
			return filter_bad(p, str_printf(p->a, "Invalid character(s) in term '%.*s'",
			                             STR(*word)));
	if (n == 0)
		return FILTER_PATTERN_BAD;
	p->rest = str_sub(p->rest, n, p->rest.n);
	return 0;
}

static int read_term(struct filter_parser *p, struct filter_term *term)
{
	if (filter_accept(p, S("-")))
		term->kind = TERM_EXCLUDED;
	else if (filter_accept(p, S("?")))
		term->kind = TERM_OPTIONAL;
	filter_skip_space(p);
	if (p->rest.n && p->rest.p[0] == '"')
		return filter_quoted(p, &term->text);
	if (p->rest.n && p->rest.p[0] == '%')
		return filter_read_regex(p, &term->regex);
	return read_word(p, &term->text);
}

int filter_terms_parse(struct filter_parser *p, struct filter_pattern *f)
{
	/* A term takes a byte at least. */
	f->terms = arena_new_n(p->a, struct filter_term, p->rest.n);
	for (; p->rest.n; filter_skip_space(p))
		TRY(read_term(p, &f->terms[f->n_terms++]));
	return 0;
}

static bool has_term(struct arena *a, const struct filter_term *term, struct str message)
{
	return term->regex ? filter_regex_match(a, term->regex, message)
	                   : str_find(message, term->text) >= 0;
}

/* Optional terms count only where there are no others: one of them must be there. */
bool filter_terms_match(const struct filter_pattern *f, struct arena *a, struct str message)
{
	bool all_optional = true, any = false;

	for (size_t i = 0; i < f->n_terms; i++) {
		const struct filter_term *term = &f->terms[i];
		if (term->kind == TERM_OPTIONAL)
			continue;
		all_optional = false;
		if (has_term(a, term, message) != (term->kind == TERM_PLAIN))
			return false;
	}
	for (size_t i = 0; all_optional && !any && i < f->n_terms; i++)
		any = has_term(a, &f->terms[i], message);
	return !all_optional || any;
}
