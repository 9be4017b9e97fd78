/* json: yyjson behind our limits, and the streaming writer. */
#include "codec/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* yyjson reads without recursion, but those who walk the tree recurse: depth is bounded first. */
static bool too_deep(struct str text)
{
	int depth = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (c == '"') {
			for (i++; i < text.n && text.p[i] != '"'; i++)
				if (text.p[i] == '\\')
					i++;
		} else if (c == '{' || c == '[') {
			if (++depth > JSON_MAX_DEPTH)
				return true;
		} else if (c == '}' || c == ']') {
			depth--;
		}
	}
	return false;
}

int json_parse_explain(struct arena *a, struct str text, yyjson_val **root, struct str *why)
{
	yyjson_read_err error;
	yyjson_alc alc;

	*root = NULL;
	*why = S("");
	if (text.n == 0 || too_deep(text)) {
		*why = text.n ? S("nested too deeply") : S("empty");
		return JSON_BAD;
	}
	size_t size = yyjson_read_max_memory_usage(text.n, YYJSON_READ_NOFLAG);
	if (!yyjson_alc_pool_init(&alc, arena_alloc(a, size), size))
		return JSON_BAD;
	yyjson_doc *doc = yyjson_read_opts(
	        (char *)(uintptr_t)text.p, text.n, YYJSON_READ_NOFLAG, &alc, &error);
	if (!doc) {
		*why = str_printf(a, "%s at %zu", error.msg, error.pos);
		return JSON_BAD;
	}
	*root = yyjson_doc_get_root(doc);
	return 0;
}

int json_parse(struct arena *a, struct str text, yyjson_val **root)
{
	struct str why;

	return json_parse_explain(a, text, root, &why);
}

bool json_is_valid(struct str text)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	yyjson_val *root;

	return json_parse(a, text, &root) == 0;
}

struct str json_str_of(yyjson_val *v)
{
	const char *p = yyjson_get_str(v);

	return p ? (struct str){ p, yyjson_get_len(v) } : (struct str){ 0 };
}

yyjson_val *json_get(yyjson_val *object, const char *key)
{
	return yyjson_obj_get(object, key);
}

struct str json_get_str(yyjson_val *object, const char *key)
{
	return json_str_of(yyjson_obj_get(object, key));
}

int64_t json_get_i64(yyjson_val *object, const char *key, int64_t otherwise)
{
	yyjson_val *v = yyjson_obj_get(object, key);

	if (yyjson_is_int(v))
		return yyjson_get_sint(v);
	if (yyjson_is_real(v) && fabs(yyjson_get_real(v)) < 9e18)
		return (int64_t)yyjson_get_real(v);
	return otherwise;
}

bool json_get_bool(yyjson_val *object, const char *key, bool otherwise)
{
	yyjson_val *v = yyjson_obj_get(object, key);

	return yyjson_is_bool(v) ? yyjson_get_bool(v) : otherwise;
}

static struct str write_text(struct arena *a, yyjson_val *v, yyjson_write_flag flags)
{
	size_t n = 0;
	char *p = yyjson_val_write_opts(v, flags, NULL, &n, NULL);
	struct str s = p ? str_dup(a, (struct str){ p, n }) : S("null");

	free(p);
	return s;
}

struct str json_text(struct arena *a, yyjson_val *v)
{
	return write_text(a, v, YYJSON_WRITE_NOFLAG);
}

struct str json_text_pretty(struct arena *a, yyjson_val *v)
{
	return write_text(a, v, YYJSON_WRITE_PRETTY_TWO_SPACES);
}

/* Length of the UTF-8 sequence at s, 0 when it is none. */
static size_t utf8_length(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc2 ? 2 : 0;

	if (n == 0 || n > s.n || p[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static void escape(struct buf *b, unsigned char c)
{
	static const char short_form[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (size_t i = 0; i < sizeof short_form - 1; i += 2)
		if (c == (unsigned char)short_form[i]) {
			buf_add_char(b, '\\');
			buf_add_char(b, short_form[i + 1]);
			return;
		}
	buf_printf(b, "\\u%04x", c);
}

void json_quote(struct buf *b, struct str s)
{
	size_t from = 0, i = 0;

	buf_add_char(b, '"');
	while (i < s.n) {
		unsigned char c = (unsigned char)s.p[i];
		if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
			i++;
			continue;
		}
		size_t n = c >= 0x80 ? utf8_length(str_sub(s, i, s.n)) : 0;
		if (n > 0) {
			i += n;
			continue;
		}
		buf_add(b, str_sub(s, from, i - from));
		if (c >= 0x80)
			buf_add(b, S("\xef\xbf\xbd"));
		else
			escape(b, c);
		from = ++i;
	}
	buf_add(b, str_sub(s, from, s.n));
	buf_add_char(b, '"');
}

static void before_value(struct json_writer *w)
{
	uint64_t bit = 1ull << (w->depth & 63);

	if (w->after_key)
		w->after_key = false;
	else if (w->comma & bit)
		buf_add_char(w->b, ',');
	w->comma |= bit;
}

static void open(struct json_writer *w, char c, bool array)
{
	before_value(w);
	buf_add_char(w->b, c);
	ensure(++w->depth < 64);
	uint64_t bit = 1ull << w->depth;
	w->comma &= ~bit;
	w->array = array ? w->array | bit : w->array & ~bit;
}

void json_object(struct json_writer *w)
{
	open(w, '{', false);
}

void json_array(struct json_writer *w)
{
	open(w, '[', true);
}

void json_end(struct json_writer *w)
{
	ensure(w->depth > 0);
	buf_add_char(w->b, w->array & (1ull << w->depth) ? ']' : '}');
	w->depth--;
}

void json_key(struct json_writer *w, struct str key)
{
	before_value(w);
	json_quote(w->b, key);
	buf_add_char(w->b, ':');
	w->after_key = true;
}

void json_str(struct json_writer *w, struct str s)
{
	before_value(w);
	json_quote(w->b, s);
}

void json_i64(struct json_writer *w, int64_t v)
{
	before_value(w);
	buf_add_i64(w->b, v);
}

void json_double(struct json_writer *w, double v)
{
	char text[32];

	before_value(w);
	if (!isfinite(v)) {
		buf_add(w->b, S("null"));
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	buf_add(w->b, str_of(text));
}

void json_bool(struct json_writer *w, bool v)
{
	before_value(w);
	buf_add(w->b, v ? S("true") : S("false"));
}

void json_null(struct json_writer *w)
{
	before_value(w);
	buf_add(w->b, S("null"));
}

void json_raw(struct json_writer *w, struct str json_text_)
{
	before_value(w);
	buf_add(w->b, json_text_);
}

void json_value(struct json_writer *w, yyjson_val *v)
{
	json_raw(w, json_text(w->b->arena, v));
}

void json_member_str(struct json_writer *w, struct str key, struct str s)
{
	if (!s.p)
		return;
	json_key(w, key);
	json_str(w, s);
}

void json_member_i64(struct json_writer *w, struct str key, int64_t v)
{
	json_key(w, key);
	json_i64(w, v);
}

void json_member_bool(struct json_writer *w, struct str key, bool v)
{
	json_key(w, key);
	json_bool(w, v);
}
