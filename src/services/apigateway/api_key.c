/* CreateApiKey, GetApiKey, GetApiKeys, UpdateApiKey, DeleteApiKey */
#include "services/apigateway/patch.h"

#include "kv/key.h"

static int load(struct apigw_change *c, struct str id, struct apigateway_api_key *out)
{
	int got = record_get(c->txn, apigw_row_key(c->arena, c, S("api-key"), id),
	        &apigateway_shape_api_key, out);

	return got == KV_NOT_FOUND ? apigw_not_found(c, "Invalid API Key identifier specified")
	                           : got;
}

static void store(struct apigw_change *c, const struct apigateway_api_key *k)
{
	record_put(c->txn, apigw_row_key(c->arena, c, S("api-key"), k->id),
	        &apigateway_shape_api_key, k);
	kv_put(c->txn, apigw_row_key(c->arena, c, S("api-key-value"), k->value), k->id);
}

static int create(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_create_api_key_in *in = in_;
	struct apigateway_api_key k = {
		.id = apigw_id(c->arena, 10),
		.value = in->value.n ? in->value : apigw_id(c->arena, 40),
		.name = in->name,
		.customer_id = in->customer_id,
		.description = in->description,
		.enabled = opt_bool(in->enabled.v),
		.created_date = opt_time(c->now_ms / 1000 * 1000),
		.last_updated_date = opt_time(c->now_ms / 1000 * 1000),
		.tags = in->tags,
	};

	if (k.value.n < 20)
		return apigw_bad_request(c, "API Key value should be at least 20 characters");
	if (k.value.n > 128)
		return apigw_bad_request(c, "Value exceeds maximum size of 128 characters");
	if (kv_has(c->txn, apigw_row_key(c->arena, c, S("api-key-value"), k.value)))
		return apigw_refuse(c, APIGATEWAY_CONFLICT_EXCEPTION, "API Key already exists");
	for (size_t i = 0; i < in->stage_keys.n; i++)
		*GROW_ADD(c->arena, &k.stage_keys) = str_concat(c->arena, 3,
		        in->stage_keys.v[i].rest_api_id, S("/"), in->stage_keys.v[i].stage_name);
	if (!k.stage_keys.v)
		k.stage_keys.v = arena_alloc(c->arena, 1);
	store(c, &k);
	*(struct apigateway_api_key *)out = k;
	return 0;
}

int apigateway_create_api_key(struct task *t, const struct apigateway_create_api_key_in *in,
        struct apigateway_create_api_key_out *out)
{
	return apigw_change_account(t, create, in, out);
}

static int get(struct apigw_change *c, const void *in_, void *out_)
{
	const struct apigateway_get_api_key_in *in = in_;
	struct apigateway_api_key *out = out_;

	TRY(load(c, in->api_key, out));
	if (!in->include_value.v)
		out->value = (struct str){ 0 };
	return 0;
}

int apigateway_get_api_key(struct task *t, const struct apigateway_get_api_key_in *in,
        struct apigateway_get_api_key_out *out)
{
	return apigw_look_account(t, get, in, out);
}

struct listing {
	const struct apigateway_get_api_keys_in *in;
	struct apigateway_api_keys *out;
};

static int add(struct apigw_change *c, struct str value, void *arg, bool *taken)
{
	struct listing *l = arg;
	struct apigateway_api_key k = { 0 };

	TRY(record_unpack(c->arena, &apigateway_shape_api_key, str_dup(c->arena, value), &k));
	*taken = (!l->in->name_query.n || str_starts(k.name, l->in->name_query)) &&
	         (!l->in->customer_id.n || str_eq(k.customer_id, l->in->customer_id));
	if (!l->in->include_values.v)
		k.value = (struct str){ 0 };
	if (*taken)
		*GROW_ADD(c->arena, &l->out->items) = k;
	return 0;
}

static int list(struct apigw_change *c, const void *in_, void *out)
{
	struct listing arg = { in_, out };
	struct apigw_listing l = {
		.prefix = kv_key(
		        c->arena, "ssss", S("apigateway"), c->account, c->region, S("api-key")),
		.position = arg.in->position,
		.limit = apigw_limit(arg.in->limit, 25),
		.add = add,
		.out = &arg,
	};

	arg.out->items.v = arena_alloc(c->arena, 1);
	TRY(apigw_list(c, &l));
	arg.out->position = l.next;
	return 0;
}

int apigateway_get_api_keys(struct task *t, const struct apigateway_get_api_keys_in *in,
        struct apigateway_get_api_keys_out *out)
{
	return apigw_look_account(t, list, in, out);
}

static int update(struct apigw_change *c, const void *in_, void *out_)
{
	static const struct patch_rule rules[] = { { "/name", PATCH_REPLACE },
		{ "/description", PATCH_REPLACE }, { "/enabled", PATCH_REPLACE },
		{ "/customerId", PATCH_REPLACE } };
	const struct apigateway_update_api_key_in *in = in_;
	struct apigateway_api_key *out = out_;

	TRY(load(c, in->api_key, out));
	TRY(patch_apply(
	        c, &in->patch_operations, PATCH_TARGET(&apigateway_shape_api_key, out, rules)));
	out->last_updated_date = opt_time(c->now_ms / 1000 * 1000);
	store(c, out);
	out->value = (struct str){ 0 };
	return 0;
}

int apigateway_update_api_key(struct task *t, const struct apigateway_update_api_key_in *in,
        struct apigateway_update_api_key_out *out)
{
	return apigw_change_account(t, update, in, out);
}

static int drop(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_delete_api_key_in *in = in_;
	struct apigateway_api_key k = { 0 };

	TRY(load(c, in->api_key, &k));
	kv_del(c->txn, apigw_row_key(c->arena, c, S("api-key"), k.id));
	kv_del(c->txn, apigw_row_key(c->arena, c, S("api-key-value"), k.value));
	return 0;
}

int apigateway_delete_api_key(struct task *t, const struct apigateway_delete_api_key_in *in,
        struct apigateway_delete_api_key_out *out)
{
	return apigw_change_account(t, drop, in, out);
}
