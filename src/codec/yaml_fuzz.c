/* What a document becomes is JSON, of bounded size. */
#include "codec/json.h"
#include "codec/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create();
	struct str json, why;

	if (yaml_to_json(a, (struct str){ (const char *)data, size }, &json, &why) == 0)
		ensure(json_is_valid(json));
	arena_destroy(a);
	return 0;
}
