/*
 * sigv4_canonical: the canonical request: method, path, sorted query, signed headers, body hash.
 * One pass over what was sent, into one buffer; nothing is decoded that need not be.
 */
#include "api/sigv4_internal.h"

#include <stdlib.h>

static const char hex_upper[] = "0123456789ABCDEF";

static bool is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.' || c == '~';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 32);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static char *put_byte(char *at, unsigned char c)
{
	if (is_unreserved(c)) {
		*at++ = (char)c;
		return at;
	}
	*at++ = '%';
	*at++ = hex_upper[c >> 4];
	*at++ = hex_upper[c & 15];
	return at;
}

/* The byte at s.p[i], of an escape when there is one; returns how many characters it took. */
static size_t take_byte(struct str s, size_t i, unsigned char *c)
{
	*c = (unsigned char)s.p[i];
	if (*c != '%' || s.n - i < 3)
		return 1;
	int high = hex_value(s.p[i + 1]), low = hex_value(s.p[i + 2]);
	if (high < 0 || low < 0)
		return 1;
	*c = (unsigned char)(high << 4 | low);
	return 3;
}

/* Escapes in the one canonical way what may be escaped already. */
static struct str canonical_component(struct buf *b, struct str s, char slash, bool plus_is_space)
{
	char *start = buf_reserve(b, s.n * 3 + 1), *at = start;

	for (size_t i = 0; i < s.n;) {
		unsigned char c;
		size_t taken = take_byte(s, i, &c);
		if (taken == 1 && c == '+' && plus_is_space)
			c = ' ';
		if (taken == 1 && slash && c == (unsigned char)slash)
			*at++ = slash;
		else
			at = put_byte(at, c);
		i += taken;
	}
	size_t n = (size_t)(at - start);
	buf_commit(b, n);
	return (struct str){ start, n };
}

/* Appends the path with every byte escaped, also the percent signs of escapes. */
static void add_encoded_twice(struct buf *b, struct str path)
{
	char *start = buf_reserve(b, path.n * 3 + 1), *at = start;

	for (size_t i = 0; i < path.n; i++) {
		if (path.p[i] == '/')
			*at++ = '/';
		else
			at = put_byte(at, (unsigned char)path.p[i]);
	}
	buf_commit(b, (size_t)(at - start));
}

static bool is_normal(struct str path)
{
	for (size_t i = 0; i + 1 < path.n; i++)
		if (path.p[i] == '/' && (path.p[i + 1] == '/' || path.p[i + 1] == '.'))
			return false;
	return true;
}

/* RFC 3986 dot segments and repeated slashes are taken out. */
static struct str normalise(struct arena *a, struct str path)
{
	struct buf b = buf_init(a);
	struct str rest = path, segment = { 0 };

	if (is_normal(path))
		return path;
	while (rest.p) {
		segment = str_cut(&rest, '/');
		if (segment.n == 0 || str_eq(segment, S(".")))
			continue;
		if (!str_eq(segment, S(".."))) {
			buf_add_char(&b, '/');
			buf_add(&b, segment);
			continue;
		}
		ptrdiff_t slash = str_rfind_char(buf_str(&b), '/');
		b.n = slash < 0 ? 0 : (size_t)slash;
	}
	if (b.n == 0 || segment.n == 0)
		buf_add_char(&b, '/');
	return buf_str(&b);
}

static void add_path(struct arena *a, struct buf *b, const struct sigv4_request *r)
{
	struct str path = r->path.n ? r->path : S("/");

	if (r->as_sent)
		buf_add(b, path);
	else if (r->s3)
		canonical_component(b, path, '/', false);
	else
		add_encoded_twice(b, normalise(a, path));
	buf_add_char(b, '\n');
}

struct parameter {
	struct str name, value;
};

static int by_name_and_value(const void *x, const void *y)
{
	const struct parameter *p = x, *q = y;
	int c = str_cmp(p->name, q->name);

	return c ? c : str_cmp(p->value, q->value);
}

static size_t count_parameters(struct str query)
{
	size_t n = 1;

	for (size_t i = 0; i < query.n; i++)
		n += query.p[i] == '&';
	return n;
}

/* The parts' buffer is reserved once for all, so that they do not move. */
static size_t read_parameters(
        struct arena *a, const struct sigv4_request *r, struct parameter *parameters)
{
	struct buf parts = buf_init(a);
	struct str rest = r->query;
	size_t n = 0;

	buf_reserve(&parts, r->query.n * 3 + 1);
	while (rest.p) {
		struct str value = str_cut(&rest, '&');
		if (value.n == 0)
			continue;
		struct str name = str_cut(&value, '=');
		if (r->presigned && str_eq(name, S("X-Amz-Signature")))
			continue;
		parameters[n].name = canonical_component(&parts, name, 0, true);
		parameters[n++].value = canonical_component(&parts, value, 0, true);
	}
	return n;
}

static void add_query(struct arena *a, struct buf *b, const struct sigv4_request *r)
{
	if (r->query.n) {
		struct parameter *p = arena_new_n(a, struct parameter, count_parameters(r->query));
		size_t n = read_parameters(a, r, p);
		qsort(p, n, sizeof *p, by_name_and_value);
		for (size_t i = 0; i < n; i++) {
			if (i)
				buf_add_char(b, '&');
			buf_add(b, p[i].name);
			buf_add_char(b, '=');
			buf_add(b, p[i].value);
		}
	}
	buf_add_char(b, '\n');
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Trimmed, and runs of white space become one space. */
static void add_folded(struct buf *b, struct str value)
{
	value = str_trim(value);
	char *start = buf_reserve(b, value.n + 1), *at = start;
	for (size_t i = 0; i < value.n; i++) {
		if (!is_space(value.p[i]))
			*at++ = value.p[i];
		else if (!is_space(value.p[i - 1]))
			*at++ = ' ';
	}
	buf_commit(b, (size_t)(at - start));
}

static void add_lower(struct buf *b, struct str name)
{
	char *at = buf_reserve(b, name.n + 1);

	for (size_t i = 0; i < name.n; i++)
		at[i] = name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] | 32) : name.p[i];
	buf_commit(b, name.n);
}

static void add_header(struct buf *b, const struct sigv4_request *r, struct str name)
{
	bool found = false;

	add_lower(b, name);
	buf_add_char(b, ':');
	for (size_t i = 0; i < r->headers->n; i++) {
		const struct http_header *h = &r->headers->v[i];
		if (!str_eq_nocase(h->name, name))
			continue;
		if (found)
			buf_add_char(b, ',');
		add_folded(b, h->value);
		found = true;
	}
	buf_add_char(b, '\n');
}

struct str sigv4_canonical(struct arena *a, const struct sigv4_request *r)
{
	struct buf b = buf_init(a);
	struct str names = r->signed_headers;

	buf_reserve(&b, 2048);
	buf_add(&b, r->method);
	buf_add_char(&b, '\n');
	add_path(a, &b, r);
	add_query(a, &b, r);
	while (names.p)
		add_header(&b, r, str_cut(&names, ';'));
	buf_add_char(&b, '\n');
	buf_add(&b, r->signed_headers);
	buf_add_char(&b, '\n');
	buf_add(&b, r->payload_hash);
	return buf_str(&b);
}

bool sigv4_is_signed(struct str signed_headers, struct str name)
{
	struct str rest = signed_headers;

	while (rest.p)
		if (str_eq_nocase(str_cut(&rest, ';'), name))
			return true;
	return false;
}
