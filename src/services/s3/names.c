/* names: see names.h; the rules are those of "General purpose bucket naming rules". */
#include "services/s3/names.h"

#include "codec/codec.h"

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

static bool is_end_char(char c)
{
	return is_name_char(c) && c != '.' && c != '-';
}

/* Four numbers with dots between. */
static bool is_ip_address(struct str s)
{
	int n = 0;

	while (s.p) {
		struct str part = str_cut(&s, '.');
		uint64_t v;
		if (part.n == 0 || part.n > 3 || !str_to_u64(part, &v))
			return false;
		n++;
	}
	return n == 4;
}

static bool is_reserved(struct str s)
{
	static const struct str prefixes[] = { S_INIT("xn--"), S_INIT("sthree-"),
		S_INIT("amzn-s3-demo-") };
	static const struct str suffixes[] = { S_INIT("-s3alias"), S_INIT("--ol-s3"),
		S_INIT(".mrap"), S_INIT("--x-s3"), S_INIT("--table-s3") };

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (str_starts(s, prefixes[i]))
			return true;
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
		if (str_ends(s, suffixes[i]))
			return true;
	return false;
}

bool s3_bucket_name_is_valid(struct str s)
{
	if (s.n < 3 || s.n > 63 || !is_end_char(s.p[0]) || !is_end_char(s.p[s.n - 1]))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_name_char(s.p[i]))
			return false;
	return str_find(s, S("..")) < 0 && !is_ip_address(s) && !is_reserved(s);
}

/* Length of the sequence that a first byte begins; 0: none does. */
static size_t utf8_length(unsigned char c)
{
	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4)
		return 0;
	return c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

bool s3_utf8_is_valid(struct str s)
{
	size_t i = 0;

	while (i < s.n) {
		const unsigned char *p = (const unsigned char *)s.p + i;
		size_t n = utf8_length(p[0]);
		if (n == 0 || n > s.n - i)
			return false;
		for (size_t j = 1; j < n; j++)
			if ((p[j] & 0xc0) != 0x80)
				return false;
		if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
			return false;
		i += n;
	}
	return true;
}

struct str s3_bucket_of_host(struct str host)
{
	struct str bucket = { 0 };
	size_t at = 0;

	for (struct str rest = host; rest.p;) {
		struct str label = str_cut(&rest, '.');
		bool is_s3 = str_eq(label, S("s3")) || str_starts(label, S("s3-"));
		if (at > 0 && rest.p && is_s3)
			bucket = str_sub(host, 0, at - 1);
		at += label.n + 1;
	}
	return bucket;
}

bool s3_copy_source_parse(struct arena *a, struct str text, struct s3_copy_source *source)
{
	static const struct str version = S_INIT("?versionId=");
	ptrdiff_t query = str_find(text, version);

	*source = (struct s3_copy_source){ 0 };
	if (query >= 0) {
		source->version_id = str_sub(text, (size_t)query + version.n, text.n);
		text = str_sub(text, 0, (size_t)query);
	}
	if (uri_decode(a, text, false, &text) != 0)
		return false;
	if (str_starts(text, S("/")))
		text = str_sub(text, 1, text.n);
	source->bucket = str_cut(&text, '/');
	source->key = text;
	return source->bucket.n > 0 && text.n > 0;
}
