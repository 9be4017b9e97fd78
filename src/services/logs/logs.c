/* logs: the service's table. */
#include "services/logs/logs.h"

#include "kv/timers.h"
#include "services/logs/subscription.h"

static const struct api_row rows[] = {
	API_ROW(logs, CREATE_LOG_GROUP, create_log_group, .authorize = logs_on_group),
	API_ROW(logs, CREATE_LOG_STREAM, create_log_stream, .authorize = logs_on_stream),
	API_ROW(logs, DELETE_LOG_GROUP, delete_log_group, .authorize = logs_on_group),
	API_ROW(logs, DELETE_LOG_STREAM, delete_log_stream, .authorize = logs_on_stream),
	API_ROW(logs, DELETE_RETENTION_POLICY, delete_retention_policy, .authorize = logs_on_group),
	API_ROW(logs, DELETE_SUBSCRIPTION_FILTER, delete_subscription_filter,
	        .authorize = logs_on_group),
	API_ROW(logs, DESCRIBE_LOG_GROUPS, describe_log_groups, .authorize = logs_on_all),
	API_ROW(logs, DESCRIBE_LOG_STREAMS, describe_log_streams, .authorize = logs_on_group),
	API_ROW(logs, DESCRIBE_SUBSCRIPTION_FILTERS, describe_subscription_filters,
	        .authorize = logs_on_group),
	API_ROW(logs, FILTER_LOG_EVENTS, filter_log_events, .authorize = logs_on_group),
	API_ROW(logs, GET_LOG_EVENTS, get_log_events, .authorize = logs_on_stream),
	API_ROW(logs, LIST_LOG_GROUPS, list_log_groups, .authorize = logs_on_all),
	API_ROW(logs, LIST_TAGS_FOR_RESOURCE, list_tags_for_resource, .authorize = logs_on_tags),
	API_ROW(logs, LIST_TAGS_LOG_GROUP, list_tags_log_group, .authorize = logs_on_tags),
	API_ROW(logs, PUT_LOG_EVENTS, put_log_events, .authorize = logs_on_stream),
	API_ROW(logs, PUT_RETENTION_POLICY, put_retention_policy, .authorize = logs_on_group),
	API_ROW(logs, PUT_SUBSCRIPTION_FILTER, put_subscription_filter, .authorize = logs_on_group),
	API_ROW(logs, START_LIVE_TAIL, start_live_tail, .authorize = logs_on_tail),
	API_ROW(logs, TAG_LOG_GROUP, tag_log_group, .authorize = logs_on_tags),
	API_ROW(logs, TAG_RESOURCE, tag_resource, .authorize = logs_on_tags),
	API_ROW(logs, TEST_METRIC_FILTER, test_metric_filter),
	API_ROW(logs, UNTAG_LOG_GROUP, untag_log_group, .authorize = logs_on_tags),
	API_ROW(logs, UNTAG_RESOURCE, untag_resource, .authorize = logs_on_tags),
};

static int start(struct task *t)
{
	struct kv *kv = loop_get(task_loop(t), LOOP_KV);

	kv_timer_handler(kv, S("logs-purge"), logs_purge_step);
	kv_timer_handler(kv, S("logs-retention"), logs_retention_step);
	kv_job_handler(kv, S(LOGS_QUEUE), 16, logs_deliver);
	return 0;
}

const struct api_service logs_service = {
	.model = &logs_model,
	.iam_prefix = "logs",
	.rows = rows,
	.n_rows = ARRAY_LEN(rows),
	.max_body_bytes = 8 << 20,
	.validation_error = "InvalidParameterException",
	.start = start,
};
