/* Fuzzes reading and verifying signatures: "target\nName: value\n..." as a request. */
#include "api/sigv4.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_request(struct arena *a, struct str rest, struct http_request *r)
{
	r->method = S("GET");
	r->target = str_cut(&rest, '\n');
	r->query = r->target;
	r->path = str_cut(&r->query, '?');
	while (rest.n) {
		struct str value = str_cut(&rest, '\n'), name = str_cut(&value, ':');
		if (value.p)
			http_header_add(a, &r->headers, name, str_trim(value));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct str services[] = { S_INIT("s3"), S_INIT("lambda") };
	struct arena *a = arena_create();
	struct http_request r = { .method = S("GET") };
	struct sigv4 s;
	struct str why = S("");

	read_request(a, str_dup(a, (struct str){ (const char *)data, size }), &r);
	for (size_t i = 0; i < ARRAY_LEN(services); i++) {
		if (sigv4_parse(a, &r, &s, &why) != 0)
			ensure(why.n);
		s.service = services[i];
		/* Also with what the reader refused, and far from any clock. */
		if (sigv4_verify(a, &s, &r, S("secret"), S(""), &why) == 0)
			ensure(s.verified);
	}
	arena_destroy(a);
	return 0;
}
