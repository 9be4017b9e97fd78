/* position: any text, any statement; what is found lies inside of the text. */
#include "services/iam/position.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str json = { (const char *)data, size };
	struct iam_span span;

	for (size_t i = 0; i < 4; i++)
		if (iam_statement_span(json, i, &span))
			ensure(span.end_line >= span.start_line &&
			        span.end_line <= (int64_t)size + 1);
	return 0;
}
