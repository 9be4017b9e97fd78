/*
 * usage: whose key is it, and how much of the plan's quota is left? A quota is counted durably, one
 * update for each request under a plan that has one.
 */
#include "services/apigateway/usage.h"

#include "base/clock.h"
#include "codec/codec.h"
#include "kv/key.h"

struct finding {
	struct usage_check *check;
	struct apigateway_usage_plan_record plan;
	int64_t now_ms;
};

static bool has_stage(const struct apigateway_usage_plan *p, const struct usage_check *u)
{
	for (size_t i = 0; i < p->api_stages.n; i++)
		if (str_eq(p->api_stages.v[i].api_id, u->api_id) &&
		        str_eq(p->api_stages.v[i].stage, u->stage))
			return true;
	return false;
}

static bool has_key(const struct apigateway_usage_plan_record *r, struct str id)
{
	for (size_t i = 0; i < r->key_ids.n; i++)
		if (str_eq(r->key_ids.v[i], id))
			return true;
	return false;
}

static int find_plan(struct kv_txn *txn, struct finding *f)
{
	struct usage_check *u = f->check;
	struct arena *a = kv_arena(txn);
	struct str prefix =
	        kv_key(a, "ssss", S("apigateway"), u->account, u->region, S("usage-plan"));
	CLEANUP(kv_scan_close) struct kv_scan *s = kv_scan_prefix(txn, prefix, false);
	struct str key, value;

	while (kv_next(s, &key, &value)) {
		struct apigateway_usage_plan_record r = { 0 };
		TRY(record_unpack(a, &apigateway_shape_usage_plan_record, str_dup(a, value), &r));
		if (!has_key(&r, u->key_id) || !has_stage(r.plan, u))
			continue;
		f->plan = r;
		u->plan_id = r.plan->id;
		u->allowed = true;
		return 0;
	}
	return 0;
}

static int find(struct kv_txn *txn, void *arg)
{
	struct finding *f = arg;
	struct usage_check *u = f->check;
	struct arena *a = kv_arena(txn);
	struct apigw_change c = { .account = u->account, .region = u->region };
	struct apigateway_api_key k = { 0 };

	u->allowed = u->found = false;
	if (kv_get(txn, apigw_row_key(a, &c, S("api-key-value"), u->value), &u->key_id) != 0)
		return 0;
	TRY(record_get(
	        txn, apigw_row_key(a, &c, S("api-key"), u->key_id), &apigateway_shape_api_key, &k));
	u->found = true;
	return k.enabled.v ? find_plan(txn, f) : 0;
}

/* The day, week or month as a name: a new one begins a new count. */
static struct str period_name(struct arena *a, struct str period, int64_t now_ms)
{
	struct str day = time_iso8601(a, now_ms, false);

	if (str_eq(period, S("MONTH")))
		return str_sub(day, 0, 7);
	if (str_eq(period, S("WEEK")))
		return str_printf(a, "w%lld", (long long)((now_ms / 86400000 + 3) / 7));
	return str_sub(day, 0, 10);
}

static int count(struct kv_txn *txn, void *arg)
{
	struct finding *f = arg;
	struct usage_check *u = f->check;
	struct arena *a = kv_arena(txn);
	const struct apigateway_quota_settings *q = f->plan.plan->quota;
	struct str key = kv_key(a, "sssssss", S("apigateway"), u->account, u->region, S("usage"),
	        u->plan_id, u->key_id, period_name(a, q->period, f->now_ms));
	struct str value;
	uint64_t used = 0;

	if (kv_get(txn, key, &value) == 0 && !str_to_u64(value, &used))
		return -EPROTO;
	u->over_quota = used >= (uint64_t)q->limit.v;
	if (!u->over_quota)
		kv_put(txn, key, str_printf(a, "%llu", (unsigned long long)used + 1));
	return 0;
}

int usage_check(struct task *t, struct usage_check *u)
{
	struct finding f = { .check = u, .now_ms = clock_now_ms() };
	int got = kv_view(t, find, &f);

	if (got)
		return got < 0 ? got : 0;
	if (!u->allowed || !f.plan.plan->quota || !f.plan.plan->quota->limit.set)
		return 0;
	return kv_update(t, count, &f);
}
