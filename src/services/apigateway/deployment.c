/* CreateDeployment, GetDeployment, GetDeployments, UpdateDeployment, DeleteDeployment */
#include "services/apigateway/stage.h"

#include "kv/key.h"
#include "services/apigateway/patch.h"

static int load(struct apigw_change *c, struct str id, struct apigateway_deployment *d)
{
	int got = record_get(c->txn, apigw_live_key(c->arena, S("deployment"), c->api_id, id),
	        &apigateway_shape_deployment, d);

	return got == KV_NOT_FOUND ? apigw_not_found(c, "Invalid Deployment identifier specified")
	                           : got;
}

static struct str resource_key(struct apigw_change *c, struct str deployment, struct str resource)
{
	return kv_key(c->arena, "sssssss", S("apigateway"), S(""), S(""), S("snapshot-resource"),
	        c->api_id, deployment, resource);
}

/* ---- create ---- */

static int check(struct apigw_change *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->api.resources.n; i++) {
		const struct apigateway_resource *r = &c->api.resources.v[i];
		n += r->resource_methods.n;
		for (size_t k = 0; k < r->resource_methods.n; k++)
			if (!r->resource_methods.v[k].value.method_integration)
				return apigw_bad_request(c, "No integration defined for method");
	}
	return n ? 0 : apigw_bad_request(c, "The REST API doesn't contain any methods");
}

static struct str method_names(struct arena *a, const struct apigateway_resource *r)
{
	struct buf b = buf_init(a);

	for (size_t i = 0; i < r->resource_methods.n; i++) {
		if (i)
			buf_add_char(&b, ',');
		buf_add(&b, r->resource_methods.v[i].key);
	}
	return buf_str(&b);
}

static void snapshot(struct apigw_change *c, struct str id)
{
	struct arena *a = c->arena;
	struct apigateway_snapshot_record head = { .api = c->api.api,
		.validators = c->api.validators,
		.authorizers = c->api.authorizers,
		.gateway_responses = c->api.gateway_responses };
	struct apigateway_snapshot_models_record models = { c->api.models };

	for (size_t i = 0; i < c->api.resources.n; i++) {
		const struct apigateway_resource *r = &c->api.resources.v[i];
		if (!r->resource_methods.n)
			continue;
		*GROW_ADD(a, &head.paths) =
		        (struct apigateway_snapshot_path){ r->id, r->path, method_names(a, r) };
		record_put(c->txn, resource_key(c, id, r->id), &apigateway_shape_resource, r);
	}
	record_put(c->txn, apigw_live_key(a, S("snapshot"), c->api_id, id),
	        &apigateway_shape_snapshot_record, &head);
	record_put(c->txn, apigw_live_key(a, S("snapshot-models"), c->api_id, id),
	        &apigateway_shape_snapshot_models_record, &models);
}

/* "/pets": { "GET": {...} } of every method. */
static void summarize(struct apigw_change *c, struct apigateway_deployment *d)
{
	for (size_t i = 0; i < c->api.resources.n; i++) {
		const struct apigateway_resource *r = &c->api.resources.v[i];
		if (!r->resource_methods.n)
			continue;
		struct apigateway_path_to_map_of_method_snapshot_entry *path =
		        GROW_ADD(c->arena, &d->api_summary);
		path->key = r->path;
		for (size_t k = 0; k < r->resource_methods.n; k++) {
			const struct apigateway_map_of_method_entry *m = &r->resource_methods.v[k];
			*GROW_ADD(c->arena,
			        &path->value) = (struct apigateway_map_of_method_snapshot_entry){
				m->key, { m->value.authorization_type, m->value.api_key_required }
			};
		}
	}
}

/* The stage it goes to: an existing one moves to the deployment. */
static int show_on_stage(
        struct apigw_change *c, const struct apigateway_create_deployment_in *in, struct str id)
{
	struct apigateway_stage *s;

	TRY(stage_check_name(c, in->stage_name));
	if (stage_load(c, in->stage_name, &s) != 0)
		s = stage_begin(c, in->stage_name, id);
	c->message = (struct str){ 0 };
	s->deployment_id = id;
	s->last_updated_date = opt_time(c->now_ms / 1000 * 1000);
	if (in->stage_description.p)
		s->description = in->stage_description;
	if (in->cache_cluster_enabled.set)
		s->cache_cluster_enabled = in->cache_cluster_enabled;
	if (in->cache_cluster_size.p)
		s->cache_cluster_size = in->cache_cluster_size;
	if (in->tracing_enabled.set)
		s->tracing_enabled = in->tracing_enabled;
	if (in->variables.n)
		s->variables = in->variables;
	stage_store(c, s);
	return 0;
}

static int create(struct apigw_change *c, const void *in_, void *out_)
{
	const struct apigateway_create_deployment_in *in = in_;
	struct apigateway_deployment *out = out_, d = { 0 };

	if (in->canary_settings)
		return apigw_refuse(
		        c, API_ERROR_NOT_IMPLEMENTED, "Canary settings are not implemented here");
	TRY(check(c));
	d.id = apigw_id(c->arena, 6);
	d.description = in->description;
	d.created_date = opt_time(c->now_ms / 1000 * 1000);
	*out = d;
	summarize(c, &d);
	record_put(c->txn, apigw_live_key(c->arena, S("deployment"), c->api_id, d.id),
	        &apigateway_shape_deployment, &d);
	snapshot(c, d.id);
	return in->stage_name.n ? show_on_stage(c, in, d.id) : 0;
}

int apigateway_create_deployment(struct task *t, const struct apigateway_create_deployment_in *in,
        struct apigateway_create_deployment_out *out)
{
	return apigw_change(t, in->rest_api_id, create, in, out);
}

/* ---- get, list ---- */

static bool embeds_summary(const struct apigateway_list_of_string *embed)
{
	for (size_t i = 0; i < embed->n; i++)
		if (str_eq_nocase(embed->v[i], S("apisummary")))
			return true;
	return false;
}

static int get(struct apigw_change *c, const void *in_, void *out_)
{
	const struct apigateway_get_deployment_in *in = in_;
	struct apigateway_deployment *out = out_;

	TRY(load(c, in->deployment_id, out));
	if (!embeds_summary(&in->embed))
		out->api_summary = (struct apigateway_path_to_map_of_method_snapshot){ 0 };
	return 0;
}

int apigateway_get_deployment(struct task *t, const struct apigateway_get_deployment_in *in,
        struct apigateway_get_deployment_out *out)
{
	return apigw_look(t, in->rest_api_id, get, in, out);
}

static int add(struct apigw_change *c, struct str value, void *out_, bool *taken)
{
	struct apigateway_deployments *out = out_;
	struct apigateway_deployment *d = GROW_ADD(c->arena, &out->items);

	TRY(record_unpack(c->arena, &apigateway_shape_deployment, str_dup(c->arena, value), d));
	d->api_summary = (struct apigateway_path_to_map_of_method_snapshot){ 0 };
	return 0;
}

static int list(struct apigw_change *c, const void *in_, void *out_)
{
	const struct apigateway_get_deployments_in *in = in_;
	struct apigateway_deployments *out = out_;
	struct apigw_listing l = { .prefix =
		                           apigw_live_prefix(c->arena, S("deployment"), c->api_id),
		.position = in->position,
		.limit = apigw_limit(in->limit, 25),
		.add = add,
		.out = out };

	TRY(apigw_list(c, &l));
	out->position = l.next;
	return 0;
}

int apigateway_get_deployments(struct task *t, const struct apigateway_get_deployments_in *in,
        struct apigateway_get_deployments_out *out)
{
	return apigw_look(t, in->rest_api_id, list, in, out);
}

/* ---- update, delete ---- */

static int update(struct apigw_change *c, const void *in_, void *out_)
{
	static const struct patch_rule rules[] = { { "/description", PATCH_REPLACE } };
	const struct apigateway_update_deployment_in *in = in_;
	struct apigateway_deployment *out = out_;

	TRY(load(c, in->deployment_id, out));
	TRY(patch_apply(
	        c, &in->patch_operations, PATCH_TARGET(&apigateway_shape_deployment, out, rules)));
	record_put(c->txn, apigw_live_key(c->arena, S("deployment"), c->api_id, out->id),
	        &apigateway_shape_deployment, out);
	out->api_summary = (struct apigateway_path_to_map_of_method_snapshot){ 0 };
	return 0;
}

int apigateway_update_deployment(struct task *t, const struct apigateway_update_deployment_in *in,
        struct apigateway_update_deployment_out *out)
{
	return apigw_change(t, in->rest_api_id, update, in, out);
}

static int drop(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_delete_deployment_in *in = in_;
	struct apigateway_deployment d = { 0 };

	TRY(load(c, in->deployment_id, &d));
	if (stage_uses(c, d.id))
		return apigw_bad_request(
		        c, "Active stages pointing to this deployment must be moved or deleted");
	kv_del_prefix(c->txn, kv_key(c->arena, "ssssss", S("apigateway"), S(""), S(""),
	                              S("snapshot-resource"), c->api_id, d.id));
	kv_del(c->txn, apigw_live_key(c->arena, S("snapshot"), c->api_id, d.id));
	kv_del(c->txn, apigw_live_key(c->arena, S("snapshot-models"), c->api_id, d.id));
	kv_del(c->txn, apigw_live_key(c->arena, S("deployment"), c->api_id, d.id));
	return 0;
}

int apigateway_delete_deployment(struct task *t, const struct apigateway_delete_deployment_in *in,
        struct apigateway_delete_deployment_out *out)
{
	return apigw_change(t, in->rest_api_id, drop, in, out);
}
