/* exchange_load: the stage, its deployment, and the method that a request means; one view. */
#include "services/apigateway/exchange.h"

#include "kv/key.h"
#include "services/apigateway/path_match.h"
#include "services/apigateway/store.h"

static bool has_method(struct str methods, struct str verb)
{
	while (methods.n) {
		struct str one = str_cut(&methods, ',');
		if (str_eq(one, verb) || str_eq(one, S("ANY")))
			return true;
	}
	return false;
}

/* The most specific path that fits and has the method. */
static const struct apigateway_snapshot_path *choose(struct exchange *e)
{
	const struct apigateway_snapshot_path_list *paths = &e->snapshot->paths;
	const struct apigateway_snapshot_path *best = NULL;

	for (size_t i = 0; i < paths->n; i++) {
		const struct apigateway_snapshot_path *p = &paths->v[i];
		if (path_match(e->arena, p->path, e->path, NULL) &&
		        has_method(p->methods, e->request->method) &&
		        (!best || path_match_compare(p->path, best->path) < 0))
			best = p;
	}
	if (best)
		path_match(e->arena, best->path, e->path, &e->path_params);
	return best;
}

static int load_resource(struct kv_txn *txn, struct exchange *e, struct str id)
{
	struct arena *a = kv_arena(txn);
	struct apigateway_resource *r = arena_new(a, struct apigateway_resource);
	struct str key = kv_key(a, "sssssss", S("apigateway"), S(""), S(""), S("snapshot-resource"),
	        e->api_id, e->stage->deployment_id, id);

	TRY(record_get(txn, key, &apigateway_shape_resource, r));
	const struct apigateway_map_of_method_entry *m =
	        GROW_FIND(&r->resource_methods, key, e->request->method);
	if (!m)
		m = GROW_FIND(&r->resource_methods, key, S("ANY"));
	e->resource = r;
	e->method = m ? &m->value : NULL;
	e->integration = m ? m->value.method_integration : NULL;
	return 0;
}

static int load(struct kv_txn *txn, void *arg)
{
	struct exchange *e = arg;
	struct arena *a = kv_arena(txn);
	struct apigateway_stage_record stage = { 0 };
	struct apigateway_snapshot_record *snapshot =
	        arena_new(a, struct apigateway_snapshot_record);

	e->path_params = (struct http_headers){ 0 };
	TRY(record_get(txn, apigw_live_key(a, S("stage"), e->api_id, e->stage_name),
	        &apigateway_shape_stage_record, &stage));
	TRY(record_get(txn, apigw_live_key(a, S("snapshot"), e->api_id, stage.stage->deployment_id),
	        &apigateway_shape_snapshot_record, snapshot));
	e->account = stage.account;
	e->region = stage.region;
	e->stage = stage.stage;
	e->snapshot = snapshot;
	e->found = true;
	const struct apigateway_snapshot_path *path = choose(e);
	return path ? load_resource(txn, e, path->id) : 0;
}

static const struct apigateway_method_setting *setting_of(struct exchange *e)
{
	struct str path = str_sub(e->resource->path, 1, e->resource->path.n);
	struct str key = str_concat(e->arena, 3, path, S("/"), e->method->http_method);
	const struct apigateway_map_of_method_settings_entry *s =
	        GROW_FIND(&e->stage->method_settings, key, key);

	if (!s)
		s = GROW_FIND(&e->stage->method_settings, key, S("*/*"));
	return s ? &s->value : NULL;
}

int exchange_load(struct task *t, struct exchange *e)
{
	int got = kv_view(t, load, e);

	if (got < 0)
		return got;
	if (got || !e->found || e->snapshot->api->disable_execute_api_endpoint.v) {
		e->snapshot = NULL;
		return exchange_refuse(e, REFUSE_FORBIDDEN, (struct str){ 0 });
	}
	if (!e->method || !e->integration)
		return exchange_refuse(e, REFUSE_MISSING_AUTHENTICATION_TOKEN, (struct str){ 0 });
	e->setting = setting_of(e);
	if (e->setting) {
		e->log_info = str_eq(e->setting->logging_level, S("INFO"));
		e->log_errors = e->log_info || str_eq(e->setting->logging_level, S("ERROR"));
		e->log_data = e->log_info && e->setting->data_trace_enabled.v;
	}
	return 0;
}
