/* TestMetricFilter */
#include "services/logs/filter_pattern.h"
#include "services/logs/group.h"

static struct logs_extracted_values extracted(struct arena *a, const struct filter_values *values)
{
	struct logs_extracted_values out = {
		.v = arena_new_n(a, struct logs_extracted_values_entry, values->n + 1),
		.n = values->n,
	};

	for (size_t i = 0; i < values->n; i++) {
		out.v[i].key = values->v[i].name;
		out.v[i].value = values->v[i].value;
	}
	return out;
}

int logs_test_metric_filter(struct task *t, const struct logs_test_metric_filter_in *in,
        struct logs_test_metric_filter_out *out)
{
	struct arena *a = task_arena(t);
	struct filter_pattern *pattern;
	struct filter_values values;
	struct str why;

	if (filter_pattern_parse(a, in->filter_pattern, &pattern, &why) != 0)
		return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION, "%.*s", STR(why));
	out->matches.v =
	        arena_new_n(a, struct logs_metric_filter_match_record, in->log_event_messages.n);
	for (size_t i = 0; i < in->log_event_messages.n; i++) {
		struct str message = in->log_event_messages.v[i];
		if (!filter_pattern_match(pattern, a, message, &values))
			continue;
		out->matches.v[out->matches.n++] =
		        (struct logs_metric_filter_match_record){ opt_int((int64_t)i + 1), message,
			        extracted(a, &values) };
	}
	return 0;
}
