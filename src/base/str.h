#pragma once
/*
 * str: a slice of bytes, by value, never owning; it may hold NUL bytes.
 *
 * A str with p == NULL is absent; S("") is present and empty. Print with "%.*s", STR(s).
 * `char *` lives only at system calls and libraries: str_cstr() makes one in an arena.
 */
#include "base/err.h"

#include <stdarg.h>
#include <string.h>

struct arena;

struct str {
	const char *p;
	size_t n;
};

#define S(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR(s)     (int)(s).n, (s).p
/* For static tables, where a compound literal is not constant. */
#define S_INIT(literal)                         \
	{                                       \
		"" literal, sizeof(literal) - 1 \
	}

static inline struct str str_of(const char *cstr)
{
	return (struct str){ cstr, cstr ? strlen(cstr) : 0 };
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_is_empty(struct str s)
{
	return s.n == 0;
}

bool str_eq_nocase(struct str a, struct str b);
/* As memcmp, the shorter first when one is a prefix of the other. */
int str_cmp(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* Offset of needle in s, or -1. */
ptrdiff_t str_find(struct str s, struct str needle);
ptrdiff_t str_find_char(struct str s, char c);
ptrdiff_t str_rfind_char(struct str s, char c);
/* From offset `from` on, at most n bytes; clamped to s. */
struct str str_sub(struct str s, size_t from, size_t n);
struct str str_trim(struct str s);
/* Cuts *rest at the first `c`: returns what is before it, *rest becomes what is behind it. When
 * there is no `c`, returns all and *rest becomes absent (p == NULL). */
struct str str_cut(struct str *rest, char c);
bool str_to_i64(struct str s, int64_t *value) MUST_USE;
bool str_to_u64(struct str s, uint64_t *value) MUST_USE;
/* AWS's wildcard match as IAM does it: '*' any run, '?' any one byte. */
bool str_match(struct str s, struct str pattern);
bool str_match_nocase(struct str s, struct str pattern);

/* Copies into the arena. */
struct str str_dup(struct arena *a, struct str s);
const char *str_cstr(struct arena *a, struct str s);
struct str str_lower(struct arena *a, struct str s);
struct str str_printf(struct arena *a, const char *format, ...) PRINTF(2, 3);
struct str str_vprintf(struct arena *a, const char *format, va_list args) PRINTF(2, 0);
/* Concatenates n slices: str_concat(a, 2, x, y) */
struct str str_concat(struct arena *a, int n, ...);
