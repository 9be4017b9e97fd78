/* A path, and behind a NUL byte a document and (behind another) a schema. */
#include "services/apigateway/json_path.h"
#include "services/apigateway/json_schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create();
	struct str rest = { (const char *)data, size };
	struct str path = str_cut(&rest, 0), document = str_cut(&rest, 0), why;
	struct json_path_result found;
	struct json_schema schema = { .schema = rest.p ? rest : S("{}") };
	yyjson_val *root;

	if (json_parse(a, document.n ? document : S("{\"a\":[1,2,{\"b\":3}]}"), &root) == 0 &&
	        json_path(a, root, path, &found) == 0)
		for (size_t i = 0; i < found.n; i++)
			ensure(found.v[i]);
	if (json_schema_check(a, &schema, document, &why) != 0)
		ensure(why.p);
	arena_destroy(a);
	return 0;
}
