/* The pattern is the first line, the message the rest. */
#include "services/logs/filter_pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct str message = { (const char *)data, size }, pattern, why;
	struct filter_pattern *p;
	struct filter_values values;

	pattern = str_cut(&message, '\n');
	if (pattern.n > 1024 || filter_pattern_parse(a, pattern, &p, &why) != 0)
		return 0;
	if (filter_pattern_match(p, a, message.p ? message : S(""), &values))
		for (size_t i = 0; i < values.n; i++)
			ensure(values.v[i].name.n > 0);
	return 0;
}
