/* uri: escapes, query strings, absolute URIs. */
#include "codec/codec.h"

#define MAX_PARAMS 1000

static bool is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.' || c == '~';
}

struct str uri_encode(struct arena *a, struct str s, bool keep_slash)
{
	static const char digits[] = "0123456789ABCDEF";
	char *out = arena_bytes(a, s.n * 3 + 1), *at = out;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (is_unreserved(c) || (keep_slash && c == '/')) {
			*at++ = (char)c;
			continue;
		}
		*at++ = '%';
		*at++ = digits[c >> 4];
		*at++ = digits[c & 15];
	}
	return (struct str){ out, (size_t)(at - out) };
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 32);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int uri_decode(struct arena *a, struct str s, bool plus_is_space, struct str *decoded)
{
	char *out = arena_bytes(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '%') {
			if (i + 2 >= s.n)
				return CODEC_BAD;
			int high = hex_digit(s.p[i + 1]), low = hex_digit(s.p[i + 2]);
			if (high < 0 || low < 0)
				return CODEC_BAD;
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		out[n++] = c;
	}
	out[n] = 0;
	*decoded = (struct str){ out, n };
	return 0;
}

int uri_query_parse(struct arena *a, struct str query, struct uri_params *params)
{
	size_t n = 1;

	*params = (struct uri_params){ 0 };
	if (query.n == 0)
		return 0;
	for (size_t i = 0; i < query.n; i++)
		n += query.p[i] == '&';
	if (n > MAX_PARAMS)
		return CODEC_BAD;
	params->v = arena_new_n(a, struct uri_param, n);
	while (query.p) {
		struct str value = str_cut(&query, '&');
		if (value.n == 0)
			continue;
		struct uri_param *p = &params->v[params->n++];
		struct str name = str_cut(&value, '=');
		p->has_value = value.p != NULL;
		TRY(uri_decode(a, name, true, &p->name));
		TRY(uri_decode(a, value.p ? value : S(""), true, &p->value));
	}
	return 0;
}

struct str uri_params_get(const struct uri_params *params, struct str name)
{
	for (size_t i = 0; i < params->n; i++)
		if (str_eq(params->v[i].name, name))
			return params->v[i].value;
	return (struct str){ 0 };
}

static int parse_authority(struct str authority, struct uri *uri)
{
	uint64_t port;

	if (authority.n && authority.p[0] == '[') {
		ptrdiff_t end = str_find_char(authority, ']');
		if (end < 0)
			return CODEC_BAD;
		uri->host = str_sub(authority, 1, (size_t)end - 1);
		authority = str_sub(authority, (size_t)end + 1, authority.n);
		if (authority.n == 0)
			return 0;
	} else {
		uri->host = authority;
		ptrdiff_t colon = str_rfind_char(authority, ':');
		if (colon < 0)
			return 0;
		uri->host = str_sub(authority, 0, (size_t)colon);
		authority = str_sub(authority, (size_t)colon, authority.n);
	}
	if (authority.p[0] != ':' || !str_to_u64(str_sub(authority, 1, authority.n), &port) ||
	        port > 65535)
		return CODEC_BAD;
	uri->port = (int)port;
	return 0;
}

int uri_parse(struct str text, struct uri *uri)
{
	ptrdiff_t colon = str_find(text, S("://"));

	*uri = (struct uri){ 0 };
	if (colon <= 0)
		return CODEC_BAD;
	uri->scheme = str_sub(text, 0, (size_t)colon);
	struct str rest = str_sub(text, (size_t)colon + 3, text.n);
	size_t end = 0;
	while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?' && rest.p[end] != '#')
		end++;
	TRY(parse_authority(str_sub(rest, 0, end), uri));
	rest = str_sub(rest, end, rest.n);
	ptrdiff_t fragment = str_find_char(rest, '#');
	if (fragment >= 0)
		rest = str_sub(rest, 0, (size_t)fragment);
	uri->query = rest;
	uri->path = str_cut(&uri->query, '?');
	if (uri->path.n == 0)
		uri->path = S("/");
	return uri->host.n ? 0 : CODEC_BAD;
}
