/*
 * key: each element is a tag and bytes that sort: strings end with 00 01 and escape 00 as 00 ff;
 * numbers are eight bytes, the most significant first, signed ones with the sign flipped.
 */
#include "kv/key.h"

enum tag { TAG_STR = 2, TAG_U64 = 3, TAG_I64 = 4 };

static void add_str(struct buf *b, struct str s)
{
	buf_add_char(b, TAG_STR);
	for (size_t i = 0; i < s.n; i++) {
		buf_add_char(b, s.p[i]);
		if (s.p[i] == 0)
			buf_add_char(b, (char)0xff);
	}
	buf_add(b, (struct str){ "\0\1", 2 });
}

static void add_number(struct buf *b, enum tag tag, uint64_t v)
{
	char *p = buf_reserve(b, 9);

	p[0] = (char)tag;
	for (int i = 0; i < 8; i++)
		p[1 + i] = (char)(v >> (56 - 8 * i));
	buf_commit(b, 9);
}

static void add_all(struct buf *b, const char *types, va_list args)
{
	for (; *types; types++) {
		if (*types == 's')
			add_str(b, va_arg(args, struct str));
		else if (*types == 'u')
			add_number(b, TAG_U64, va_arg(args, uint64_t));
		else
			add_number(b, TAG_I64, (uint64_t)va_arg(args, int64_t) ^ (1ull << 63));
	}
}

void kv_key_add(struct buf *b, const char *types, ...)
{
	va_list args;

	va_start(args, types);
	add_all(b, types, args);
	va_end(args);
}

struct str kv_key(struct arena *a, const char *types, ...)
{
	struct buf b = buf_init(a);
	va_list args;

	va_start(args, types);
	add_all(&b, types, args);
	va_end(args);
	return buf_str(&b);
}

static bool read_str(struct arena *a, struct str *rest, struct str *s)
{
	char *out = arena_bytes(a, rest->n + 1);
	size_t n = 0;

	for (size_t i = 0; i < rest->n; i++) {
		if (rest->p[i] != 0) {
			out[n++] = rest->p[i];
			continue;
		}
		if (i + 1 >= rest->n)
			return false;
		unsigned char mark = (unsigned char)rest->p[++i];
		if (mark == 1) {
			out[n] = 0;
			*s = (struct str){ out, n };
			*rest = str_sub(*rest, i + 1, rest->n);
			return true;
		}
		if (mark != 0xff)
			return false;
		out[n++] = 0;
	}
	return false;
}

static bool read_number(struct str *rest, uint64_t *v)
{
	if (rest->n < 8)
		return false;
	*v = 0;
	for (int i = 0; i < 8; i++)
		*v = *v << 8 | (unsigned char)rest->p[i];
	*rest = str_sub(*rest, 8, rest->n);
	return true;
}

static bool read_one(struct arena *a, struct str *rest, char type, va_list *args)
{
	static const char tags[] = { ['s'] = TAG_STR, ['u'] = TAG_U64, ['i'] = TAG_I64 };
	uint64_t v;

	if (rest->n == 0 || rest->p[0] != tags[(unsigned char)type])
		return false;
	*rest = str_sub(*rest, 1, rest->n);
	if (type == 's')
		return read_str(a, rest, va_arg(*args, struct str *));
	if (!read_number(rest, &v))
		return false;
	if (type == 'u')
		*va_arg(*args, uint64_t *) = v;
	else
		*va_arg(*args, int64_t *) = (int64_t)(v ^ (1ull << 63));
	return true;
}

bool kv_key_read(struct arena *a, struct str key, const char *types, ...)
{
	va_list args;
	bool good = true;

	va_start(args, types);
	for (; good && *types; types++)
		good = read_one(a, &key, *types, &args);
	va_end(args);
	return good;
}
