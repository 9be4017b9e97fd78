/* Any document, as a new API. */
#include "services/apigateway/openapi.h"
#include "services/apigateway/rest_api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create();
	struct openapi_import import = { .base_path = OPENAPI_PREPEND,
		.fail_on_warnings = size & 1 };
	struct apigw_change c = {
		.arena = a, .account = S("000000000000"), .region = S("us-east-1")
	};
	struct str why;

	if (openapi_parse(a, (struct str){ (const char *)data, size }, &import.root, &why) == 0) {
		rest_api_begin(&c);
		if (openapi_build(&c, &import) == 0)
			ensure(record_pack(a, &apigateway_shape_api_record, &c.api).n > 0);
		else
			ensure(c.message.p);
	}
	arena_destroy(a);
	return 0;
}
