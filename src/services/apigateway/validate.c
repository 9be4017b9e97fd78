/* validate: what the method's request validator asks for. */
#include "services/apigateway/exchange.h"

#include "services/apigateway/json_schema.h"
#include "services/apigateway/store.h"

static bool cut_prefix(struct str *s, const char *prefix)
{
	if (!str_starts(*s, str_of(prefix)))
		return false;
	*s = str_sub(*s, strlen(prefix), s->n);
	return true;
}

static struct str value_of(struct exchange *e, struct str name)
{
	if (cut_prefix(&name, "method.request.header."))
		return http_header_get(&e->headers, name);
	if (cut_prefix(&name, "method.request.querystring."))
		return http_header_get(&e->query, name);
	if (cut_prefix(&name, "method.request.path."))
		return http_header_get(&e->path_params, name);
	return S("?"); /* of another kind: not asked for */
}

static struct str short_name(struct str name)
{
	ptrdiff_t at = str_find(name, S("method.request."));

	name = str_sub(name, at == 0 ? 15 : 0, name.n);
	str_cut(&name, '.');
	return name.p ? name : S("");
}

static int validate_parameters(struct exchange *e)
{
	const struct apigateway_map_of_string_to_boolean *all = &e->method->request_parameters;
	struct buf missing = buf_init(e->arena);

	for (size_t i = 0; i < all->n; i++) {
		if (!all->v[i].value.v || value_of(e, all->v[i].key).n)
			continue;
		if (missing.n)
			buf_add(&missing, S(", "));
		buf_add(&missing, short_name(all->v[i].key));
	}
	if (!missing.n)
		return 0;
	return exchange_refuse(e, REFUSE_BAD_PARAMETERS,
	        str_printf(e->arena, "Missing required request parameters: [%.*s]",
	                STR(buf_str(&missing))));
}

/* ---- bodies ---- */

struct loading {
	struct exchange *e;
	struct apigateway_snapshot_models_record models;
};

static int load_models(struct kv_txn *txn, void *arg)
{
	struct loading *l = arg;
	struct str key = apigw_live_key(
	        kv_arena(txn), S("snapshot-models"), l->e->api_id, l->e->stage->deployment_id);

	l->models = (struct apigateway_snapshot_models_record){ 0 };
	return record_get(txn, key, &apigateway_shape_snapshot_models_record, &l->models);
}

/* "$ref": ".../models/Name" */
static struct str model_schema(void *arg, struct str ref)
{
	struct loading *l = arg;
	ptrdiff_t slash = str_rfind_char(ref, '/');
	struct str name = str_sub(ref, (size_t)(slash + 1), ref.n);
	const struct apigateway_model *m = GROW_FIND(&l->models.models, name, name);

	return m ? m->schema : (struct str){ 0 };
}

static int validate_body(struct task *t, struct exchange *e)
{
	struct str sent = http_header_get(&e->headers, S("content-type"));
	struct str media = sent.n ? exchange_media_type(e->arena, sent) : S("application/json");
	const struct apigateway_map_of_string_to_string_entry *model =
	        GROW_FIND(&e->method->request_models, key, media);
	struct loading l = { .e = e };
	struct str why;

	if (!model)
		model = GROW_FIND(&e->method->request_models, key, S("$default"));
	if (!model)
		return 0;
	int got = kv_view(t, load_models, &l);
	if (got < 0)
		return got;
	struct str schema = model_schema(&l, model->value);
	if (!schema.p)
		return 0;
	struct json_schema s = { .schema = schema, .resolve = model_schema, .arg = &l };
	if (json_schema_check(e->arena, &s, e->body, &why) == 0)
		return 0;
	exchange_log_error(e,
	        "Request body does not match model schema for content type %.*s: [%.*s]",
	        STR(media), STR(why));
	return exchange_refuse(e, REFUSE_BAD_BODY, (struct str){ 0 });
}

int exchange_validate(struct task *t, struct exchange *e)
{
	const struct apigateway_request_validator *v =
	        e->method->request_validator_id.n
	                ? GROW_FIND(&e->snapshot->validators, id, e->method->request_validator_id)
	                : NULL;

	if (v && v->validate_request_parameters.v)
		TRY(validate_parameters(e));
	if (v && v->validate_request_body.v)
		TRY(validate_body(t, e));
	return 0;
}
