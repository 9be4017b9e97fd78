/* Whatever parses must serialise to something that parses to the same text. */
#include "codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create();
	struct str why, text = { (const char *)data, size };
	yyjson_val *root;

	if (json_parse_explain(a, text, &root, &why) == 0) {
		struct str once = json_text(a, root);
		ensure(json_parse(a, once, &root) == 0);
		ensure(str_eq(json_text(a, root), once));
		ensure(json_is_valid(json_text_pretty(a, root)));
	}
	struct buf b = buf_init(a);
	json_quote(&b, text);
	ensure(json_is_valid(buf_str(&b)));
	arena_destroy(a);
	return 0;
}
