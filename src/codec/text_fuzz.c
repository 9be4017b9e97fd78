/* The small encodings: what decodes encodes back. */
#include "codec/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void times(struct arena *a, struct str s)
{
	int64_t ms, again;

	if (time_parse_iso8601(s, &ms) == 0 && ms >= 0 && ms < INT64_C(253402300800000)) {
		ensure(time_parse_iso8601(time_iso8601(a, ms, true), &again) == 0);
		ensure(again == ms);
	}
	if (time_parse_rfc822(s, &ms) == 0)
		time_rfc822(a, ms);
	if (time_parse_basic(s, &ms) == 0)
		time_basic(a, ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create();
	struct str s = { (const char *)data, size }, out, back;
	struct uri_params params;
	struct uri uri;

	if (base64_decode(a, s, &out) == 0)
		ensure(base64_decode(a, base64_encode(a, out), &back) == 0 && str_eq(out, back));
	if (base64url_decode(a, s, &out) == 0)
		ensure(base64url_decode(a, base64url_encode(a, out), &back) == 0 &&
		        str_eq(out, back));
	if (hex_decode(a, s, &out) == 0)
		ensure(out.n * 2 == s.n);
	ensure(uri_decode(a, uri_encode(a, s, true), false, &out) == 0 && str_eq(out, s));
	if (uri_decode(a, s, true, &out) == 0)
		ensure(out.n <= s.n);
	if (uri_query_parse(a, s, &params) == 0)
		ensure(params.n <= 1000);
	if (uri_parse(s, &uri) == 0)
		ensure(uri.path.n > 0);
	times(a, s);
	arena_destroy(a);
	return 0;
}
