/* A template and a path, separated by a NUL byte. */
#include "services/apigateway/path_match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create();
	struct str path = { (const char *)data, size };
	struct str template = str_cut(&path, 0);
	struct http_headers params = { 0 };

	bool fits = path_match(a, template, path, &params);
	ensure(path_match(a, template, path, NULL) == fits);
	ensure(path_match_compare(template, template) == 0);
	arena_destroy(a);
	return 0;
}
