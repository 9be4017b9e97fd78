/* TagResource, UntagResource, GetTags: of APIs, stages, keys and usage plans, by ARN:
 * arn:aws:apigateway:region::/restapis/id[/stages/name] */
#include "services/apigateway/stage.h"

#include "api/arn.h"

typedef struct apigateway_map_of_string_to_string tag_map;

struct tagging {
	const tag_map *add;
	const struct apigateway_list_of_string *remove;
	tag_map *out;
};

static void apply(struct apigw_change *c, const struct tagging *g, tag_map *tags)
{
	for (size_t i = 0; g->add && i < g->add->n; i++) {
		struct apigateway_map_of_string_to_string_entry *e =
		        GROW_FIND(tags, key, g->add->v[i].key);
		if (!e)
			e = GROW_ADD(c->arena, tags);
		*e = g->add->v[i];
	}
	for (size_t i = 0; g->remove && i < g->remove->n; i++) {
		struct apigateway_map_of_string_to_string_entry *e =
		        GROW_FIND(tags, key, g->remove->v[i]);
		if (e)
			GROW_REMOVE(tags, e);
	}
	if (g->out)
		*g->out = *tags;
}

static int on_stage(struct apigw_change *c, const struct tagging *g, struct str name)
{
	struct apigateway_stage *s;

	TRY(stage_load(c, name, &s));
	apply(c, g, &s->tags);
	if (!g->out)
		stage_store(c, s);
	return 0;
}

static int on_api(struct apigw_change *c, const struct tagging *g, struct str rest)
{
	c->api_id = str_cut(&rest, '/');
	struct str key = apigw_row_key(c->arena, c, S("api"), c->api_id);
	int got = record_get(c->txn, key, &apigateway_shape_api_record, &c->api);
	if (got == KV_NOT_FOUND)
		return apigw_refuse(c, APIGATEWAY_NOT_FOUND_EXCEPTION,
		        "Invalid API identifier specified %.*s:%.*s", STR(c->account),
		        STR(c->api_id));
	TRY(got);
	if (str_eq(str_cut(&rest, '/'), S("stages")))
		return on_stage(c, g, rest);
	apply(c, g, &c->api.api->tags);
	return 0;
}

static int on_key(struct apigw_change *c, const struct tagging *g, struct str id)
{
	struct apigateway_api_key k = { 0 };
	struct str key = apigw_row_key(c->arena, c, S("api-key"), id);
	int got = record_get(c->txn, key, &apigateway_shape_api_key, &k);

	if (got == KV_NOT_FOUND)
		return apigw_not_found(c, "Invalid API Key identifier specified");
	TRY(got);
	apply(c, g, &k.tags);
	if (!g->out)
		record_put(c->txn, key, &apigateway_shape_api_key, &k);
	return 0;
}

static int on_plan(struct apigw_change *c, const struct tagging *g, struct str id)
{
	struct apigateway_usage_plan_record r = { 0 };
	struct str key = apigw_row_key(c->arena, c, S("usage-plan"), id);
	int got = record_get(c->txn, key, &apigateway_shape_usage_plan_record, &r);

	if (got == KV_NOT_FOUND)
		return apigw_not_found(c, "Invalid Usage Plan ID specified");
	TRY(got);
	apply(c, g, &r.plan->tags);
	if (!g->out)
		record_put(c->txn, key, &apigateway_shape_usage_plan_record, &r);
	return 0;
}

static int on_resource(struct apigw_change *c, const struct tagging *g, struct str text)
{
	static const struct {
		struct str prefix;
		int (*apply)(struct apigw_change *c, const struct tagging *g, struct str rest);
	} kinds[] = {
		{ S_INIT("/restapis/"), on_api },
		{ S_INIT("/apikeys/"), on_key },
		{ S_INIT("/usageplans/"), on_plan },
	};
	struct arn arn;

	if (arn_parse(text, &arn) && str_eq(arn.service, S("apigateway")))
		for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
			if (str_starts(arn.resource, kinds[i].prefix))
				return kinds[i].apply(c, g,
				        str_sub(arn.resource, kinds[i].prefix.n, arn.resource.n));
	return apigw_refuse(
	        c, APIGATEWAY_BAD_REQUEST_EXCEPTION, "Invalid resource ARN: %.*s", STR(text));
}

static int tag(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_tag_resource_in *in = in_;

	return on_resource(c, &(struct tagging){ .add = &in->tags }, in->resource_arn);
}

int apigateway_tag_resource(struct task *t, const struct apigateway_tag_resource_in *in,
        struct apigateway_tag_resource_out *out)
{
	return apigw_change_account(t, tag, in, out);
}

static int untag(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_untag_resource_in *in = in_;

	return on_resource(c, &(struct tagging){ .remove = &in->tag_keys }, in->resource_arn);
}

int apigateway_untag_resource(struct task *t, const struct apigateway_untag_resource_in *in,
        struct apigateway_untag_resource_out *out)
{
	return apigw_change_account(t, untag, in, out);
}

static int get(struct apigw_change *c, const void *in_, void *out_)
{
	const struct apigateway_get_tags_in *in = in_;
	struct apigateway_tags *out = out_;

	return on_resource(c, &(struct tagging){ .out = &out->tags }, in->resource_arn);
}

int apigateway_get_tags(struct task *t, const struct apigateway_get_tags_in *in,
        struct apigateway_get_tags_out *out)
{
	return apigw_look_account(t, get, in, out);
}
