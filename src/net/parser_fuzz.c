/* Heads and chunked bodies of any bytes. */
#include "net/parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void body(struct http_parser *p, struct arena *a, struct str bytes)
{
	size_t used, n;
	char *out = arena_bytes(a, bytes.n + 1);

	while (bytes.n && !p->complete) {
		if (http_parse_chunked(p, bytes, out, &used, &n) != 0)
			return;
		ensure(used <= bytes.n && n <= bytes.n);
		if (used == 0)
			return;
		bytes = str_sub(bytes, used, bytes.n);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create();
	struct str bytes = { (const char *)data, size };

	for (int response = 0; response < 2; response++) {
		struct http_parser p = { 0 };
		size_t n = http_head_length(bytes);
		ensure(n <= size);
		if (n == 0 ||
		        http_parse_head(&p, a, str_sub(bytes, 0, n), response, false, 200) != 0)
			continue;
		ensure(p.headers.n <= 200);
		if (p.chunked)
			body(&p, a, str_sub(bytes, n, size));
	}
	arena_destroy(a);
	return 0;
}
