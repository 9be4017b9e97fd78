/* PutSubscriptionFilter, DescribeSubscriptionFilters, DeleteSubscriptionFilter */
#include "services/logs/subscription.h"

#include "api/arn.h"
#include "kv/key.h"
#include "services/logs/filter_pattern.h"

#define FILTERS_MAX 2 /* of a group */

struct str logs_subscription_key(struct arena *a, const struct logs_group *g, struct str name)
{
	return str_concat(a, 2, logs_prefix(a, g, S("subscription")), kv_key(a, "s", name));
}

struct change {
	struct logs_group g;
	struct logs_subscription_filter f;
};

static int put(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;
	struct logs_subscription_filter before = { 0 };

	TRY(logs_group_load(txn, &c->g));
	struct str key = logs_subscription_key(kv_arena(txn), &c->g, c->f.filter_name);
	int got = record_get(txn, key, &logs_shape_subscription_filter, &before);
	if (got && got != KV_NOT_FOUND)
		return got;
	if (got && c->g.r.subscription_filters.v >= FILTERS_MAX)
		return LOGS_LIMIT_EXCEEDED_EXCEPTION;
	struct logs_subscription_filter f = c->f;
	if (!got)
		f.creation_time = before.creation_time;
	record_put(txn, key, &logs_shape_subscription_filter, &f);
	if (got) {
		c->g.r.subscription_filters = opt_int(c->g.r.subscription_filters.v + 1);
		logs_group_store(txn, &c->g);
	}
	return 0;
}

static int check_destination(struct task *t, const struct logs_put_subscription_filter_in *in)
{
	struct arn arn;

	if (!arn_parse(in->destination_arn, &arn))
		return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION, "Invalid destinationArn");
	if (str_eq(arn.service, S("kinesis")))
		return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION,
		        "Could not deliver message to specified Kinesis stream. Ensure that the "
		        "Kinesis stream exists and is ACTIVE.");
	if (str_eq(arn.service, S("firehose")))
		return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION,
		        "Could not deliver message to specified Firehose stream. Ensure that the "
		        "Firehose stream exists and is ACTIVE.");
	if (str_eq(arn.service, S("logs")))
		return fail(t, LOGS_RESOURCE_NOT_FOUND_EXCEPTION,
		        "The specified destination does not exist.");
	if (!str_eq(arn.service, S("lambda")) || !str_starts(arn.resource, S("function:")))
		return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION,
		        "PutSubscriptionFilter operation cannot work with destinationArn for "
		        "vendor "
		        "%.*s",
		        STR(arn.service));
	if (in->role_arn.p)
		return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION,
		        "destinationArn for vendor lambda cannot be used with roleArn");
	return 0;
}

static int check(struct task *t, const struct logs_put_subscription_filter_in *in)
{
	struct filter_pattern *pattern;
	struct str why;

	if (filter_pattern_parse(task_arena(t), in->filter_pattern, &pattern, &why) != 0)
		return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION, "%.*s", STR(why));
	if (in->field_selection_criteria.n || in->emit_system_fields.n)
		return fail(t, API_ERROR_NOT_IMPLEMENTED,
		        "Field selection and system fields are not served here");
	return check_destination(t, in);
}

/* As AWS does, by a message to the function; a dry run costs nobody an invocation. */
static int check_permission(struct task *t, const struct logs_group *g, struct str function_arn)
{
	int bad = logs_invoke(t, g, function_arn, S("DryRun"), (struct str){ 0 });

	return bad > 0 ? fail(t, LOGS_INVALID_PARAMETER_EXCEPTION,
	                         "Could not execute the lambda function. Make sure you have given "
	                         "CloudWatch Logs permission to execute your function.")
	               : bad;
}

int logs_put_subscription_filter(struct task *t, const struct logs_put_subscription_filter_in *in,
        struct logs_put_subscription_filter_out *out)
{
	struct change c = {
		.f = { .filter_name = in->filter_name,
		        .log_group_name = in->log_group_name,
		        .filter_pattern = in->filter_pattern,
		        .destination_arn = in->destination_arn,
		        .distribution = in->distribution.p ? in->distribution : S("ByLogStream"),
		        .apply_on_transformed_logs = opt_bool(in->apply_on_transformed_logs.v),
		        .creation_time = opt_int(call_of(t)->now_ms) }
	};

	TRY(logs_group_find(t, in->log_group_name, (struct str){ 0 }, &c.g));
	if (!str_eq(c.g.r.log_group_class, S("STANDARD")))
		return fail(t, LOGS_INVALID_OPERATION_EXCEPTION,
		        "Subscription filters are not supported for this log group class.");
	TRY(check(t, in));
	TRY(check_permission(t, &c.g, in->destination_arn));
	int bad = kv_update(t, put, &c);
	if (bad == LOGS_RESOURCE_NOT_FOUND_EXCEPTION)
		return logs_group_missing(t);
	if (bad == LOGS_LIMIT_EXCEEDED_EXCEPTION)
		return fail(t, bad, "Resource limit exceeded.");
	return bad;
}

static int del(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;

	TRY(logs_group_load(txn, &c->g));
	struct str key = logs_subscription_key(kv_arena(txn), &c->g, c->f.filter_name);
	if (!kv_has(txn, key))
		return KV_NOT_FOUND;
	kv_del(txn, key);
	c->g.r.subscription_filters = opt_int(c->g.r.subscription_filters.v - 1);
	logs_group_store(txn, &c->g);
	return 0;
}

int logs_delete_subscription_filter(struct task *t,
        const struct logs_delete_subscription_filter_in *in,
        struct logs_delete_subscription_filter_out *out)
{
	struct change c = { .f.filter_name = in->filter_name };

	TRY(logs_group_ref(t, in->log_group_name, (struct str){ 0 }, &c.g));
	int bad = kv_update(t, del, &c);
	if (bad == LOGS_RESOURCE_NOT_FOUND_EXCEPTION)
		return logs_group_missing(t);
	if (bad == KV_NOT_FOUND)
		return fail(t, LOGS_RESOURCE_NOT_FOUND_EXCEPTION,
		        "The specified subscription filter does not exist.");
	return bad;
}

struct listing {
	struct logs_group g;
	struct str prefix, after;
	size_t limit;
	bool more;
	struct logs_subscription_filters out;
};

static int list(struct kv_txn *txn, void *arg)
{
	struct listing *l = arg;
	struct arena *a = kv_arena(txn);
	struct str key, row;

	TRY(logs_group_load(txn, &l->g));
	l->out.v = arena_new_n(a, struct logs_subscription_filter, FILTERS_MAX);
	CLEANUP(kv_scan_close)
	struct kv_scan *scan = kv_scan_prefix(txn, logs_prefix(a, &l->g, S("subscription")), false);
	while (kv_next(scan, &key, &row)) {
		struct logs_subscription_filter f = { 0 };
		TRY(record_unpack(a, &logs_shape_subscription_filter, row, &f));
		if (!str_starts(f.filter_name, l->prefix.p ? l->prefix : S("")) ||
		        (l->after.p && str_cmp(f.filter_name, l->after) <= 0))
			continue;
		l->more = l->out.n == l->limit;
		if (l->more)
			break;
		l->out.v[l->out.n++] = f;
	}
	return 0;
}

int logs_describe_subscription_filters(struct task *t,
        const struct logs_describe_subscription_filters_in *in,
        struct logs_describe_subscription_filters_out *out)
{
	struct listing l = { .prefix = in->filter_name_prefix,
		.limit = in->limit.set ? (size_t)in->limit.v : 50 };

	TRY(logs_group_ref(t, in->log_group_name, (struct str){ 0 }, &l.g));
	TRY(logs_page_after(t, in->next_token, &l.after));
	int bad = kv_view(t, list, &l);
	if (bad == LOGS_RESOURCE_NOT_FOUND_EXCEPTION)
		return logs_group_missing(t);
	TRY(bad);
	out->subscription_filters = l.out;
	if (l.more)
		out->next_token = api_token_seal(t, l.out.v[l.out.n - 1].filter_name);
	return 0;
}
