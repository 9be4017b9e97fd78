/* Fuzzes what reads texts of clients and functions: trace headers, layer ARNs, answers of URLs. */
#include "services/lambda/layer.h"
#include "services/lambda/recursion.h"
#include "services/lambda/url_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct str text = { (const char *)data, size }, trace;
	struct lambda_function_record record = { 0 };
	struct lambda_layer_ref layer;
	struct url_request r = { .arena = a };

	(void)!lambda_trace_next(a, S("arn:aws:lambda:x"), &record, text, &trace);
	ensure(str_find(trace, S("Root=")) >= 0 && str_find(trace, S("Lineage=1:")) >= 0);
	if (lambda_layer_arn_parse(text, &layer))
		ensure(str_starts(text, S("arn:")));
	if (url_take_answer(&r, text))
		ensure(r.status >= 100 && r.status <= 599 && r.answer.p);
	return 0;
}
