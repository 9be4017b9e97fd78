/* DescribeLogGroups, ListLogGroups */
#include "services/logs/group.h"

#include "kv/key.h"

struct listing {
	struct str account, region, after, prefix, class;
	bool (*matches)(const struct listing *l, struct str name);
	struct str pattern;
	size_t limit;
	struct logs_group *v;
	int64_t *bytes;
	size_t n;
	bool more;
};

static struct str key_from(struct arena *a, const struct listing *l)
{
	struct logs_group g = { .account = l->account, .region = l->region, .name = l->after };

	if (l->after.p)
		return str_concat(a, 2, logs_group_key(a, &g), (struct str){ "\0", 1 });
	g.name = l->prefix.p ? l->prefix : S("");
	struct str key = logs_group_key(a, &g);
	return str_sub(key, 0, key.n - 2);
}

static bool is_listed(const struct listing *l, const struct logs_group *g)
{
	if (l->class.p && !str_eq(l->class, g->r.log_group_class))
		return false;
	return !l->matches || l->matches(l, g->name);
}

static int list(struct kv_txn *txn, void *arg)
{
	struct listing *l = arg;
	struct arena *a = kv_arena(txn);
	struct str all = logs_groups_prefix(a, l->account, l->region), key, row;
	struct logs_group g = { .account = l->account, .region = l->region };

	l->v = arena_new_n(a, struct logs_group, l->limit);
	l->bytes = arena_new_n(a, int64_t, l->limit);
	CLEANUP(kv_scan_close)
	struct kv_scan *scan = kv_scan(txn, key_from(a, l), kv_prefix_end(a, all), false);
	while (kv_next(scan, &key, &row)) {
		g.r = (struct logs_group_record){ 0 };
		if (!kv_key_read(a, str_sub(key, all.n, key.n), "s", &g.name))
			return -EPROTO;
		if (l->prefix.n && !str_starts(g.name, l->prefix))
			break;
		TRY(record_unpack(a, &logs_shape_group_record, row, &g.r));
		if (!is_listed(l, &g))
			continue;
		l->more = l->n == l->limit;
		if (l->more)
			break;
		l->bytes[l->n] = logs_bytes(txn, &g);
		l->v[l->n++] = g;
	}
	return 0;
}

static bool has_pattern(const struct listing *l, struct str name)
{
	return str_find(name, l->pattern) >= 0;
}

/* "^prefix|part|..." */
static bool has_alternative(const struct listing *l, struct str name)
{
	for (struct str rest = l->pattern; rest.p;) {
		struct str one = str_cut(&rest, '|');
		if (str_starts(one, S("^")) ? str_starts(name, str_sub(one, 1, one.n))
		                            : str_find(name, one) >= 0)
			return true;
	}
	return false;
}

static struct logs_log_group shown(struct arena *a, const struct logs_group *g, int64_t bytes)
{
	struct str arn = logs_group_arn(a, g);

	return (struct logs_log_group){
		.log_group_name = g->name,
		.creation_time = g->r.creation_time,
		.retention_in_days = g->r.retention_in_days,
		.metric_filter_count = opt_int(0),
		.arn = str_concat(a, 2, arn, S(":*")),
		.stored_bytes = opt_int(bytes),
		.log_group_class = g->r.log_group_class,
		.log_group_arn = arn,
		.deletion_protection_enabled = opt_bool(false),
	};
}

static int identified(struct kv_txn *txn, void *arg)
{
	struct listing *l = arg;
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		int got = logs_group_load(txn, &l->v[i]);
		if (got && got != LOGS_RESOURCE_NOT_FOUND_EXCEPTION)
			return got;
		if (got)
			continue;
		l->bytes[n] = logs_bytes(txn, &l->v[i]);
		l->v[n++] = l->v[i];
	}
	l->n = n;
	return 0;
}

/* Those that logGroupIdentifiers names. */
static int by_identifiers(
        struct task *t, const struct logs_describe_log_groups_in *in, struct listing *l)
{
	const struct logs_describe_log_groups_log_group_identifiers *ids =
	        &in->log_group_identifiers;

	if (in->log_group_name_prefix.p || in->log_group_name_pattern.p)
		return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION,
		        "LogGroupIdentifiers cannot be used with a LogGroup name prefix or "
		        "pattern.");
	l->v = arena_new_n(task_arena(t), struct logs_group, ids->n);
	l->bytes = arena_new_n(task_arena(t), int64_t, ids->n);
	for (size_t i = 0; i < ids->n; i++)
		TRY(logs_group_ref(t, (struct str){ 0 }, ids->v[i], &l->v[l->n++]));
	return kv_view(t, identified, l);
}

static int find(struct task *t, const struct logs_describe_log_groups_in *in, struct listing *l)
{
	if (in->log_group_identifiers.n)
		return by_identifiers(t, in, l);
	if (in->log_group_name_prefix.n && in->log_group_name_pattern.n)
		return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION,
		        "LogGroup name prefix and LogGroup name pattern are mutually exclusive "
		        "parameters.");
	TRY(logs_page_after(t, in->next_token, &l->after));
	if (l->pattern.n)
		l->matches = has_pattern;
	return kv_view(t, list, l);
}

int logs_describe_log_groups(struct task *t, const struct logs_describe_log_groups_in *in,
        struct logs_describe_log_groups_out *out)
{
	struct arena *a = task_arena(t);
	struct listing l = { .account = call_of(t)->account,
		.region = call_of(t)->region,
		.prefix = in->log_group_name_prefix,
		.pattern = in->log_group_name_pattern,
		.class = in->log_group_class,
		.limit = in->limit.set ? (size_t)in->limit.v : 50 };

	TRY(find(t, in, &l));
	out->log_groups.v = arena_new_n(a, struct logs_log_group, l.n + 1);
	for (size_t i = 0; i < l.n; i++)
		out->log_groups.v[i] = shown(a, &l.v[i], l.bytes[i]);
	out->log_groups.n = l.n;
	if (l.more)
		out->next_token = api_token_seal(t, l.v[l.n - 1].name);
	return 0;
}

int logs_list_log_groups(struct task *t, const struct logs_list_log_groups_in *in,
        struct logs_list_log_groups_out *out)
{
	struct arena *a = task_arena(t);
	struct listing l = { .account = call_of(t)->account,
		.region = call_of(t)->region,
		.pattern = in->log_group_name_pattern,
		.class = in->log_group_class,
		.limit = in->limit.set ? (size_t)in->limit.v : 50 };

	if (in->data_sources.n || in->field_index_names.n || in->log_group_tags.n)
		return fail(t, API_ERROR_NOT_IMPLEMENTED,
		        "Log groups are not found by data source, field index or tag here");
	TRY(logs_page_after(t, in->next_token, &l.after));
	if (l.pattern.n)
		l.matches = has_alternative;
	TRY(kv_view(t, list, &l));
	out->log_groups.v = arena_new_n(a, struct logs_log_group_summary, l.n + 1);
	for (size_t i = 0; i < l.n; i++)
		out->log_groups.v[i] = (struct logs_log_group_summary){ l.v[i].name,
			logs_group_arn(a, &l.v[i]), l.v[i].r.log_group_class };
	out->log_groups.n = l.n;
	if (l.more)
		out->next_token = api_token_seal(t, l.v[l.n - 1].name);
	return 0;
}
