/* group: names, rows, ARNs, and who may do what to them. */
#include "services/logs/group.h"

#include "api/arn.h"
#include "base/log.h"
#include "kv/key.h"
#include "kv/timers.h"

#define DAY_MS INT64_C(86400000)

int logs_group_missing(struct task *t)
{
	return fail(
	        t, LOGS_RESOURCE_NOT_FOUND_EXCEPTION, "The specified log group does not exist.");
}

/* "log-group:NAME" with an optional ":*" */
static struct str name_of_resource(struct str resource)
{
	struct str rest = str_sub(resource, 10, resource.n);

	return str_starts(resource, S("log-group:")) ? str_cut(&rest, ':') : (struct str){ 0 };
}

int logs_group_ref(struct task *t, struct str name, struct str identifier, struct logs_group *g)
{
	const struct call *c = call_of(t);
	struct arn arn;

	*g = (struct logs_group){ .account = c->account, .region = c->region, .name = name };
	if (name.p && identifier.p)
		return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION,
		        "LogGroupName and LogGroupIdentifier are mutually exclusive parameters.");
	if (name.p)
		return 0;
	if (!identifier.p)
		return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION,
		        "You must specify either logGroupName or logGroupIdentifier.");
	g->name = identifier;
	if (!str_starts(identifier, S("arn:")))
		return 0;
	if (!arn_parse(identifier, &arn) || !str_eq(arn.service, S("logs")))
		return fail(t, LOGS_INVALID_PARAMETER_EXCEPTION,
		        "The specified log group identifier is not valid.");
	g->name = name_of_resource(arn.resource);
	if (!g->name.n || !str_eq(arn.account, c->account) || !str_eq(arn.region, c->region))
		return logs_group_missing(t);
	return 0;
}

struct str logs_groups_prefix(struct arena *a, struct str account, struct str region)
{
	return kv_key(a, "ssss", S("logs"), account, region, S("group"));
}

struct str logs_group_key(struct arena *a, const struct logs_group *g)
{
	return kv_key(a, "sssss", S("logs"), g->account, g->region, S("group"), g->name);
}

struct str logs_prefix(struct arena *a, const struct logs_group *g, struct str kind)
{
	return kv_key(a, "ssssu", S("logs"), g->account, g->region, kind, (uint64_t)g->r.id.v);
}

int logs_group_load(struct kv_txn *txn, struct logs_group *g)
{
	g->r = (struct logs_group_record){ 0 };
	int got =
	        record_get(txn, logs_group_key(kv_arena(txn), g), &logs_shape_group_record, &g->r);
	return got == KV_NOT_FOUND ? LOGS_RESOURCE_NOT_FOUND_EXCEPTION : got;
}

void logs_group_store(struct kv_txn *txn, const struct logs_group *g)
{
	record_put(txn, logs_group_key(kv_arena(txn), g), &logs_shape_group_record, &g->r);
}

static int load(struct kv_txn *txn, void *arg)
{
	return logs_group_load(txn, arg);
}

int logs_group_find(struct task *t, struct str name, struct str identifier, struct logs_group *g)
{
	TRY(logs_group_ref(t, name, identifier, g));
	int got = kv_view(t, load, g);
	return got == LOGS_RESOURCE_NOT_FOUND_EXCEPTION ? logs_group_missing(t) : got;
}

struct str logs_group_arn(struct arena *a, const struct logs_group *g)
{
	return arn_make(a, "logs", g->region, g->account, "log-group:%.*s", STR(g->name));
}

int64_t logs_group_cutoff(const struct logs_group *g, int64_t now_ms)
{
	int64_t kept_ms = g->r.retention_in_days.v * DAY_MS;

	return g->r.retention_in_days.set && now_ms > kept_ms ? now_ms - kept_ms : 0;
}

int64_t logs_bytes(struct kv_txn *txn, const struct logs_group *g)
{
	struct str value;
	int64_t n = 0;

	if (kv_get(txn, logs_prefix(kv_arena(txn), g, S("bytes")), &value) == 0 &&
	        value.n == sizeof n)
		memcpy(&n, value.p, sizeof n);
	return n;
}

void logs_bytes_add(struct kv_txn *txn, const struct logs_group *g, int64_t n)
{
	int64_t sum = MAX(logs_bytes(txn, g) + n, (int64_t)0);

	kv_put(txn, logs_prefix(kv_arena(txn), g, S("bytes")),
	        (struct str){ (const char *)&sum, sizeof sum });
}

int logs_page_after(struct task *t, struct str token, struct str *after)
{
	*after = (struct str){ 0 };
	if (token.p && !api_token_open(t, token, after))
		return fail(
		        t, LOGS_INVALID_PARAMETER_EXCEPTION, "The specified nextToken is invalid.");
	return 0;
}

/* ---- access: the ARNs that policies name ---- */

static struct str input(struct task *t, const void *in, struct str name)
{
	const struct shape *shape = call_of(t)->operation->in;

	for (uint32_t i = 0; i < shape->n_members; i++)
		if (str_eq(shape->members[i].name, name))
			return *(const struct str *)shape_member_at(&shape->members[i], in);
	return (struct str){ 0 };
}

static int on(struct task *t, const void *in, struct str stream, struct api_access *access)
{
	struct logs_group g;

	TRY(logs_group_ref(
	        t, input(t, in, S("logGroupName")), input(t, in, S("logGroupIdentifier")), &g));
	access->resource = str_concat(
	        task_arena(t), 3, logs_group_arn(task_arena(t), &g), S(":log-stream:"), stream);
	return 0;
}

int logs_on_group(struct task *t, const void *in, struct api_access *access)
{
	return on(t, in, S(""), access);
}

int logs_on_stream(struct task *t, const void *in, struct api_access *access)
{
	return on(t, in, input(t, in, S("logStreamName")), access);
}

int logs_on_tags(struct task *t, const void *in, struct api_access *access)
{
	struct str arn = input(t, in, S("resourceArn"));
	struct logs_group g = { .account = call_of(t)->account, .region = call_of(t)->region };

	g.name = input(t, in, S("logGroupName"));
	access->resource = arn.p ? arn : logs_group_arn(task_arena(t), &g);
	return 0;
}

int logs_on_all(struct task *t, const void *in, struct api_access *access)
{
	struct logs_group none = {
		.account = call_of(t)->account, .region = call_of(t)->region, .name = S("")
	};

	access->resource = str_concat(
	        task_arena(t), 2, logs_group_arn(task_arena(t), &none), S(":log-stream:"));
	return 0;
}

/* Of several groups each is decided; the last one is left to the caller. */
int logs_on_tail(struct task *t, const void *in, struct api_access *access)
{
	const struct logs_start_live_tail_in *tail = in;
	const struct logs_start_live_tail_log_group_identifiers *ids = &tail->log_group_identifiers;
	struct logs_group g;

	for (size_t i = 0; i < ids->n; i++) {
		if (i > 0)
			TRY(api_authorize(t, access));
		TRY(logs_group_ref(t, (struct str){ 0 }, ids->v[i], &g));
		access->resource = logs_group_arn(task_arena(t), &g);
	}
	return 0;
}
