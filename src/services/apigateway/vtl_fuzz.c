/* Any template, with any body (behind a NUL byte). */
#include "services/apigateway/vtl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create();
	struct str rest = { (const char *)data, size };
	struct str template = str_cut(&rest, 0);
	struct http_headers h = { 0 };
	struct vtl_output out;

	http_header_add(a, &h, S("a"), S("b"));
	struct vtl_input in = { .body = rest.p ? rest : S("{\"a\":[1,{\"b\":\"c\"}]}"),
		.headers = &h,
		.query = &h,
		.path = &h,
		.context_json = S("{\"stage\":\"x\"}"),
		.stage_variables = &h };
	if (vtl_render(a, template, &in, &out) == 0)
		ensure(json_is_valid(out.overrides));
	arena_destroy(a);
	return 0;
}
