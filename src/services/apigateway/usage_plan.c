/* CreateUsagePlan, GetUsagePlan(s), UpdateUsagePlan, DeleteUsagePlan; CreateUsagePlanKey,
 * GetUsagePlanKey(s), DeleteUsagePlanKey */
#include "services/apigateway/patch.h"

#include "kv/key.h"

typedef struct apigateway_usage_plan_record plan_record;

static int load(struct apigw_change *c, struct str id, plan_record *out)
{
	int got = record_get(c->txn, apigw_row_key(c->arena, c, S("usage-plan"), id),
	        &apigateway_shape_usage_plan_record, out);

	return got == KV_NOT_FOUND ? apigw_not_found(c, "Invalid Usage Plan ID specified") : got;
}

static void store(struct apigw_change *c, const plan_record *r)
{
	record_put(c->txn, apigw_row_key(c->arena, c, S("usage-plan"), r->plan->id),
	        &apigateway_shape_usage_plan_record, r);
}

static int check_stages(struct apigw_change *c, const struct apigateway_usage_plan *p)
{
	for (size_t i = 0; i < p->api_stages.n; i++) {
		const struct apigateway_api_stage *s = &p->api_stages.v[i];
		if (!kv_has(c->txn, apigw_live_key(c->arena, S("stage"), s->api_id, s->stage)))
			return apigw_refuse(c, APIGATEWAY_NOT_FOUND_EXCEPTION,
			        "Invalid API Stage {api: %.*s, stage: %.*s} specified for "
			        "usageplan %.*s",
			        STR(s->api_id), STR(s->stage), STR(p->id));
	}
	return 0;
}

static int create(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_create_usage_plan_in *in = in_;
	struct apigateway_usage_plan p = { .id = apigw_id(c->arena, 6),
		.name = in->name,
		.description = in->description,
		.api_stages = in->api_stages,
		.throttle = in->throttle,
		.quota = in->quota,
		.tags = in->tags };
	plan_record r = { .plan = &p };

	if (!p.api_stages.v)
		p.api_stages.v = arena_alloc(c->arena, 1);
	TRY(check_stages(c, &p));
	store(c, &r);
	*(struct apigateway_usage_plan *)out = p;
	return 0;
}

int apigateway_create_usage_plan(struct task *t, const struct apigateway_create_usage_plan_in *in,
        struct apigateway_create_usage_plan_out *out)
{
	return apigw_change_account(t, create, in, out);
}

static int get(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_get_usage_plan_in *in = in_;
	plan_record r = { 0 };

	TRY(load(c, in->usage_plan_id, &r));
	*(struct apigateway_usage_plan *)out = *r.plan;
	return 0;
}

int apigateway_get_usage_plan(struct task *t, const struct apigateway_get_usage_plan_in *in,
        struct apigateway_get_usage_plan_out *out)
{
	return apigw_look_account(t, get, in, out);
}

struct listing {
	struct str key_id;
	struct apigateway_usage_plans *out;
};

static bool has_key(const plan_record *r, struct str id)
{
	for (size_t i = 0; i < r->key_ids.n; i++)
		if (str_eq(r->key_ids.v[i], id))
			return true;
	return false;
}

static int add(struct apigw_change *c, struct str value, void *arg, bool *taken)
{
	struct listing *l = arg;
	plan_record r = { 0 };

	TRY(record_unpack(
	        c->arena, &apigateway_shape_usage_plan_record, str_dup(c->arena, value), &r));
	*taken = !l->key_id.n || has_key(&r, l->key_id);
	if (*taken)
		*GROW_ADD(c->arena, &l->out->items) = *r.plan;
	return 0;
}

static int list(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_get_usage_plans_in *in = in_;
	struct listing arg = { in->key_id, out };
	struct apigw_listing l = {
		.prefix = kv_key(
		        c->arena, "ssss", S("apigateway"), c->account, c->region, S("usage-plan")),
		.position = in->position,
		.limit = apigw_limit(in->limit, 25),
		.add = add,
		.out = &arg,
	};

	arg.out->items.v = arena_alloc(c->arena, 1);
	TRY(apigw_list(c, &l));
	arg.out->position = l.next;
	return 0;
}

int apigateway_get_usage_plans(struct task *t, const struct apigateway_get_usage_plans_in *in,
        struct apigateway_get_usage_plans_out *out)
{
	return apigw_look_account(t, list, in, out);
}

/* "/apiStages" with "api:stage": added or removed. */
static int patch_stage(struct apigw_change *c, struct apigateway_usage_plan *p,
        const struct apigateway_patch_operation *o)
{
	struct str rest = o->value, api = str_cut(&rest, ':');

	if (!rest.n)
		return apigw_bad_request(c, "Invalid API Stage specified");
	if (str_eq(o->op, S("add"))) {
		*GROW_ADD(c->arena, &p->api_stages) =
		        (struct apigateway_api_stage){ .api_id = api, .stage = rest };
		return 0;
	}
	for (size_t i = 0; i < p->api_stages.n; i++)
		if (str_eq(p->api_stages.v[i].api_id, api) &&
		        str_eq(p->api_stages.v[i].stage, rest)) {
			GROW_REMOVE(&p->api_stages, &p->api_stages.v[i]);
			return 0;
		}
	return apigw_not_found(c, "Invalid API Stage specified");
}

static int update(struct apigw_change *c, const void *in_, void *out)
{
	static const struct patch_rule rules[] = {
		{ "/name", PATCH_REPLACE },
		{ "/description", PATCH_REPLACE },
		{ "/productCode", PATCH_REPLACE },
		{ "/apiStages", PATCH_ADD | PATCH_REMOVE },
		{ "/throttle", PATCH_REMOVE },
		{ "/throttle/rateLimit", PATCH_ADD | PATCH_REPLACE },
		{ "/throttle/burstLimit", PATCH_ADD | PATCH_REPLACE },
		{ "/quota", PATCH_REMOVE },
		{ "/quota/limit", PATCH_ADD | PATCH_REPLACE },
		{ "/quota/offset", PATCH_ADD | PATCH_REPLACE },
		{ "/quota/period", PATCH_ADD | PATCH_REPLACE },
	};
	const struct apigateway_update_usage_plan_in *in = in_;
	plan_record r = { 0 };

	TRY(load(c, in->usage_plan_id, &r));
	for (size_t i = 0; i < in->patch_operations.n; i++) {
		const struct apigateway_patch_operation *o = &in->patch_operations.v[i];
		if (str_eq(o->path, S("/apiStages")))
			TRY(patch_stage(c, r.plan, o));
		else
			TRY(patch_apply_one(
			        c, o, PATCH_TARGET(&apigateway_shape_usage_plan, r.plan, rules)));
	}
	TRY(check_stages(c, r.plan));
	store(c, &r);
	*(struct apigateway_usage_plan *)out = *r.plan;
	return 0;
}

int apigateway_update_usage_plan(struct task *t, const struct apigateway_update_usage_plan_in *in,
        struct apigateway_update_usage_plan_out *out)
{
	return apigw_change_account(t, update, in, out);
}

static int drop(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_delete_usage_plan_in *in = in_;
	plan_record r = { 0 };

	TRY(load(c, in->usage_plan_id, &r));
	if (r.plan->api_stages.n)
		return apigw_refuse(c, APIGATEWAY_BAD_REQUEST_EXCEPTION,
		        "Cannot delete usage plan %.*s because there are API Stages associated "
		        "with the usage plan.",
		        STR(r.plan->id));
	kv_del(c->txn, apigw_row_key(c->arena, c, S("usage-plan"), r.plan->id));
	return 0;
}

int apigateway_delete_usage_plan(struct task *t, const struct apigateway_delete_usage_plan_in *in,
        struct apigateway_delete_usage_plan_out *out)
{
	return apigw_change_account(t, drop, in, out);
}

/* ---- keys of a plan ---- */

static int load_key(struct apigw_change *c, struct str id, struct apigateway_usage_plan_key *out)
{
	struct apigateway_api_key k = { 0 };
	int got = record_get(c->txn, apigw_row_key(c->arena, c, S("api-key"), id),
	        &apigateway_shape_api_key, &k);

	*out = (struct apigateway_usage_plan_key){ k.id, S("API_KEY"), k.value, k.name };
	return got == KV_NOT_FOUND ? apigw_not_found(c, "Invalid API Key identifier specified")
	                           : got;
}

static int create_key(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_create_usage_plan_key_in *in = in_;
	plan_record r = { 0 };

	if (!str_eq(in->key_type, S("API_KEY")))
		return apigw_bad_request(c, "Usage Plan Key type must be API_KEY");
	TRY(load(c, in->usage_plan_id, &r));
	TRY(load_key(c, in->key_id, out));
	if (has_key(&r, in->key_id))
		return apigw_refuse(c, APIGATEWAY_CONFLICT_EXCEPTION,
		        "Usage plan already contains the key specified.");
	*GROW_ADD(c->arena, &r.key_ids) = in->key_id;
	store(c, &r);
	return 0;
}

int apigateway_create_usage_plan_key(struct task *t,
        const struct apigateway_create_usage_plan_key_in *in,
        struct apigateway_create_usage_plan_key_out *out)
{
	return apigw_change_account(t, create_key, in, out);
}

static int get_key(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_get_usage_plan_key_in *in = in_;
	plan_record r = { 0 };

	TRY(load(c, in->usage_plan_id, &r));
	if (!has_key(&r, in->key_id))
		return apigw_not_found(c, "Invalid Usage Plan Key identifier specified");
	return load_key(c, in->key_id, out);
}

int apigateway_get_usage_plan_key(struct task *t, const struct apigateway_get_usage_plan_key_in *in,
        struct apigateway_get_usage_plan_key_out *out)
{
	return apigw_look_account(t, get_key, in, out);
}

static int list_keys(struct apigw_change *c, const void *in_, void *out_)
{
	const struct apigateway_get_usage_plan_keys_in *in = in_;
	struct apigateway_usage_plan_keys *out = out_;
	struct apigateway_usage_plan_key k;
	plan_record r = { 0 };

	TRY(load(c, in->usage_plan_id, &r));
	out->items.v = arena_alloc(c->arena, 1);
	for (size_t i = 0; i < r.key_ids.n; i++)
		if (load_key(c, r.key_ids.v[i], &k) == 0 &&
		        (!in->name_query.n || str_starts(k.name, in->name_query)))
			*GROW_ADD(c->arena, &out->items) = k;
	return 0;
}

int apigateway_get_usage_plan_keys(struct task *t,
        const struct apigateway_get_usage_plan_keys_in *in,
        struct apigateway_get_usage_plan_keys_out *out)
{
	return apigw_look_account(t, list_keys, in, out);
}

static int drop_key(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_delete_usage_plan_key_in *in = in_;
	plan_record r = { 0 };

	TRY(load(c, in->usage_plan_id, &r));
	for (size_t i = 0; i < r.key_ids.n; i++)
		if (str_eq(r.key_ids.v[i], in->key_id)) {
			GROW_REMOVE(&r.key_ids, &r.key_ids.v[i]);
			store(c, &r);
			return 0;
		}
	return apigw_not_found(c, "Invalid Usage Plan Key identifier specified");
}

int apigateway_delete_usage_plan_key(struct task *t,
        const struct apigateway_delete_usage_plan_key_in *in,
        struct apigateway_delete_usage_plan_key_out *out)
{
	return apigw_change_account(t, drop_key, in, out);
}
