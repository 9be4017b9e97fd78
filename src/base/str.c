/* str: slices of bytes. */
#include "base/str.h"

#include "base/arena.h"

#include <stdio.h>

/* What is no longer is formatted once. */
#define PRINTF_BRIEF 256

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

int str_cmp(struct str a, struct str b)
{
	size_t n = MIN(a.n, b.n);
	int c = n ? memcmp(a.p, b.p, n) : 0;

	if (c != 0)
		return c;
	return a.n < b.n ? -1 : a.n > b.n;
}

bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n &&
	       (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

ptrdiff_t str_find(struct str s, struct str needle)
{
	if (needle.n == 0)
		return 0;
	if (s.n == 0)
		return -1;
	const char *hit = memmem(s.p, s.n, needle.p, needle.n);
	return hit ? hit - s.p : -1;
}

ptrdiff_t str_find_char(struct str s, char c)
{
	const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;

	return hit ? hit - s.p : -1;
}

ptrdiff_t str_rfind_char(struct str s, char c)
{
	const char *hit = s.n ? memrchr(s.p, c, s.n) : NULL;

	return hit ? hit - s.p : -1;
}

struct str str_sub(struct str s, size_t from, size_t n)
{
	if (from >= s.n)
		return (struct str){ s.p ? s.p + s.n : NULL, 0 };
	return (struct str){ s.p + from, MIN(n, s.n - from) };
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
	while (s.n > 0 && is_space(s.p[0]))
		s = str_sub(s, 1, s.n);
	while (s.n > 0 && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct str str_cut(struct str *rest, char c)
{
	struct str all = *rest;
	ptrdiff_t at = str_find_char(all, c);

	if (at < 0) {
		*rest = (struct str){ 0 };
		return all;
	}
	*rest = str_sub(all, (size_t)at + 1, all.n);
	return str_sub(all, 0, (size_t)at);
}

bool str_to_u64(struct str s, uint64_t *value)
{
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		if (__builtin_mul_overflow(v, 10, &v))
			return false;
		if (__builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return false;
	}
	*value = v;
	return true;
}

bool str_to_i64(struct str s, int64_t *value)
{
	bool negative = s.n > 0 && s.p[0] == '-';
	uint64_t v;

	if (!str_to_u64(negative ? str_sub(s, 1, s.n) : s, &v))
		return false;
	if (v > (uint64_t)INT64_MAX + (negative ? 1 : 0))
		return false;
	*value = negative ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

static bool same(char a, char b, bool nocase)
{
	return a == b || (nocase && lower(a) == lower(b));
}

static inline bool match(struct str s, struct str pattern, bool nocase)
{
	size_t i = 0, j = 0, star = SIZE_MAX, resume = 0;

	while (i < s.n) {
		if (j < pattern.n && pattern.p[j] == '*') {
			star = j++;
			resume = i;
		} else if (j < pattern.n &&
		           (pattern.p[j] == '?' || same(pattern.p[j], s.p[i], nocase))) {
			i++;
			j++;
		} else if (star != SIZE_MAX) {
			j = star + 1;
			i = ++resume;
		} else {
			return false;
		}
	}
	while (j < pattern.n && pattern.p[j] == '*')
		j++;
	return j == pattern.n;
}

bool str_match(struct str s, struct str pattern)
{
	return match(s, pattern, false);
}

bool str_match_nocase(struct str s, struct str pattern)
{
	return match(s, pattern, true);
}

struct str str_dup(struct arena *a, struct str s)
{
	if (!s.p)
		return s;
	char *p = arena_bytes(a, s.n + 1);
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = 0;
	return (struct str){ p, s.n };
}

const char *str_cstr(struct arena *a, struct str s)
{
	return str_dup(a, s.p ? s : S("")).p;
}

struct str str_lower(struct arena *a, struct str s)
{
	char *p = arena_bytes(a, s.n + 1);

	for (size_t i = 0; i < s.n; i++)
		p[i] = lower(s.p[i]);
	p[s.n] = 0;
	return (struct str){ p, s.n };
}

struct str str_vprintf(struct arena *a, const char *format, va_list args)
{
	char brief[PRINTF_BRIEF];
	va_list again;

	va_copy(again, args);
	int n = vsnprintf(brief, sizeof brief, format, again);
	va_end(again);
	ensure(n >= 0);
	char *p = arena_bytes(a, (size_t)n + 1);
	if ((size_t)n < sizeof brief)
		memcpy(p, brief, (size_t)n + 1);
	else
		vsnprintf(p, (size_t)n + 1, format, args);
	return (struct str){ p, (size_t)n };
}

struct str str_printf(struct arena *a, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	struct str s = str_vprintf(a, format, args);
	va_end(args);
	return s;
}

struct str str_concat(struct arena *a, int n, ...)
{
	va_list args;
	size_t total = 0;

	va_start(args, n);
	for (int i = 0; i < n; i++)
		total += va_arg(args, struct str).n;
	va_end(args);

	char *p = arena_bytes(a, total + 1);
	size_t at = 0;
	va_start(args, n);
	for (int i = 0; i < n; i++) {
		struct str s = va_arg(args, struct str);
		if (s.n)
			memcpy(p + at, s.p, s.n);
		at += s.n;
	}
	va_end(args);
	p[total] = 0;
	return (struct str){ p, total };
}
