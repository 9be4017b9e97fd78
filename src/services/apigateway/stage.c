/* CreateStage, GetStage, GetStages, UpdateStage, DeleteStage */
#include "services/apigateway/stage.h"

#include "services/apigateway/patch.h"

#include <limits.h>

static int load_row(struct apigw_change *c, struct str key, struct apigateway_stage **stage)
{
	struct apigateway_stage_record r = { 0 };

	TRY(record_get(c->txn, key, &apigateway_shape_stage_record, &r));
	*stage = r.stage;
	return 0;
}

int stage_load(struct apigw_change *c, struct str name, struct apigateway_stage **stage)
{
	int got = load_row(c, apigw_live_key(c->arena, S("stage"), c->api_id, name), stage);

	return got == KV_NOT_FOUND ? apigw_not_found(c, "Invalid stage identifier specified") : got;
}

void stage_store(struct apigw_change *c, struct apigateway_stage *stage)
{
	struct apigateway_stage_record r = { c->account, c->region, stage };

	record_put(c->txn, apigw_live_key(c->arena, S("stage"), c->api_id, stage->stage_name),
	        &apigateway_shape_stage_record, &r);
}

struct apigateway_stage *stage_begin(
        struct apigw_change *c, struct str name, struct str deployment_id)
{
	struct apigateway_stage *s = arena_new(c->arena, struct apigateway_stage);

	s->stage_name = name;
	s->deployment_id = deployment_id;
	s->cache_cluster_enabled = opt_bool(false);
	s->cache_cluster_status = S("NOT_AVAILABLE");
	s->tracing_enabled = opt_bool(false);
	s->method_settings.v = arena_alloc(c->arena, 1);
	s->created_date = s->last_updated_date = opt_time(c->now_ms / 1000 * 1000);
	return s;
}

int stage_check_name(struct apigw_change *c, struct str name)
{
	bool good = name.n > 0 && name.n <= 128;

	for (size_t i = 0; good && i < name.n; i++) {
		char x = name.p[i];
		good = (x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z') || (x >= '0' && x <= '9') ||
		       x == '_' || x == '-' || (x == '$' && str_eq(name, S("$default")));
	}
	return good ? 0 : apigw_bad_request(c, "Stage name only allows a-zA-Z0-9_");
}

bool stage_uses(struct apigw_change *c, struct str deployment_id)
{
	CLEANUP(kv_scan_close)
	struct kv_scan *s =
	        kv_scan_prefix(c->txn, apigw_live_prefix(c->arena, S("stage"), c->api_id), false);
	struct str key, value;

	while (kv_next(s, &key, &value)) {
		struct apigateway_stage_record r = { 0 };
		if (record_unpack(c->arena, &apigateway_shape_stage_record, value, &r) == 0 &&
		        r.stage && str_eq(r.stage->deployment_id, deployment_id))
			return true;
	}
	return false;
}

static int check_deployment(struct apigw_change *c, struct str id)
{
	if (!kv_has(c->txn, apigw_live_key(c->arena, S("deployment"), c->api_id, id)))
		return apigw_bad_request(c, "Deployment id does not exist");
	return 0;
}

static bool is_variable_value(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char x = s.p[i];
		bool good = (x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z') ||
		            (x >= '0' && x <= '9') || (x && strchr("-._~:/?#&=,", x));
		if (!good)
			return false;
	}
	return true;
}

static int check_variables(
        struct apigw_change *c, const struct apigateway_map_of_string_to_string *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (!is_variable_value(v->v[i].value))
			return apigw_refuse(c, APIGATEWAY_BAD_REQUEST_EXCEPTION,
			        "Stage variable value %.*s doesn't match the regular expression "
			        "[A-Za-z0-9-._~:/?#&=,]+",
			        STR(v->v[i].value));
	return 0;
}

static int create(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_create_stage_in *in = in_;

	TRY(stage_check_name(c, in->stage_name));
	TRY(check_deployment(c, in->deployment_id));
	TRY(check_variables(c, &in->variables));
	if (kv_has(c->txn, apigw_live_key(c->arena, S("stage"), c->api_id, in->stage_name)))
		return apigw_refuse(c, APIGATEWAY_CONFLICT_EXCEPTION, "Stage already exists");
	if (in->canary_settings)
		return apigw_refuse(
		        c, API_ERROR_NOT_IMPLEMENTED, "Canary settings are not implemented here");
	struct apigateway_stage *s = stage_begin(c, in->stage_name, in->deployment_id);
	s->description = in->description;
	s->variables = in->variables;
	s->documentation_version = in->documentation_version;
	s->tags = in->tags;
	s->cache_cluster_enabled = opt_bool(in->cache_cluster_enabled.v);
	s->cache_cluster_size = in->cache_cluster_size;
	s->tracing_enabled = opt_bool(in->tracing_enabled.v);
	stage_store(c, s);
	*(struct apigateway_stage *)out = *s;
	return 0;
}

int apigateway_create_stage(struct task *t, const struct apigateway_create_stage_in *in,
        struct apigateway_create_stage_out *out)
{
	return apigw_change(t, in->rest_api_id, create, in, out);
}

static int get(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_get_stage_in *in = in_;
	struct apigateway_stage *s;

	TRY(stage_load(c, in->stage_name, &s));
	*(struct apigateway_stage *)out = *s;
	return 0;
}

int apigateway_get_stage(struct task *t, const struct apigateway_get_stage_in *in,
        struct apigateway_get_stage_out *out)
{
	return apigw_look(t, in->rest_api_id, get, in, out);
}

struct stages {
	struct str deployment_id;
	struct apigateway_stages *out;
};

static int add(struct apigw_change *c, struct str value, void *arg, bool *taken)
{
	struct stages *s = arg;
	struct apigateway_stage_record r = { 0 };

	TRY(record_unpack(c->arena, &apigateway_shape_stage_record, str_dup(c->arena, value), &r));
	*taken = !s->deployment_id.n || str_eq(r.stage->deployment_id, s->deployment_id);
	if (*taken)
		*GROW_ADD(c->arena, &s->out->item) = *r.stage;
	return 0;
}

static int list(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_get_stages_in *in = in_;
	struct stages s = { in->deployment_id, out };
	struct apigw_listing l = { .prefix = apigw_live_prefix(c->arena, S("stage"), c->api_id),
		.limit = SIZE_MAX,
		.add = add,
		.out = &s };

	s.out->item.v = arena_alloc(c->arena, 1);
	return apigw_list(c, &l);
}

int apigateway_get_stages(struct task *t, const struct apigateway_get_stages_in *in,
        struct apigateway_get_stages_out *out)
{
	return apigw_look(t, in->rest_api_id, list, in, out);
}

/* ---- update ---- */

static const struct patch_rule rules[] = {
	{ "/description", PATCH_REPLACE },
	{ "/deploymentId", PATCH_REPLACE },
	{ "/documentationVersion", PATCH_REPLACE },
	{ "/clientCertificateId", PATCH_REPLACE },
	{ "/cacheClusterEnabled", PATCH_REPLACE },
	{ "/cacheClusterSize", PATCH_REPLACE },
	{ "/tracingEnabled", PATCH_REPLACE },
	{ "/variables/", PATCH_ALL },
	{ "/accessLogSettings/format", PATCH_REPLACE | PATCH_ADD },
	{ "/accessLogSettings/destinationArn", PATCH_REPLACE | PATCH_ADD },
	{ "/accessLogSettings", PATCH_REMOVE },
};

static const struct {
	const char *path, *member;
} setting_paths[] = {
	{ "metrics/enabled", "/metricsEnabled" },
	{ "logging/loglevel", "/loggingLevel" },
	{ "logging/dataTrace", "/dataTraceEnabled" },
	{ "throttling/burstLimit", "/throttlingBurstLimit" },
	{ "throttling/rateLimit", "/throttlingRateLimit" },
	{ "caching/enabled", "/cachingEnabled" },
	{ "caching/ttlInSeconds", "/cacheTtlInSeconds" },
	{ "caching/dataEncrypted", "/cacheDataEncrypted" },
	{ "caching/requireAuthorizationForCacheControl", "/requireAuthorizationForCacheControl" },
	{ "caching/unauthorizedCacheControlHeaderStrategy",
	        "/unauthorizedCacheControlHeaderStrategy" },
};

static void set_defaults(struct apigateway_method_setting *m)
{
	*m = (struct apigateway_method_setting){
		.metrics_enabled = opt_bool(false),
		.logging_level = S("OFF"),
		.data_trace_enabled = opt_bool(false),
		.throttling_burst_limit = opt_int(5000),
		.throttling_rate_limit = opt_double(10000),
		.caching_enabled = opt_bool(false),
		.cache_ttl_in_seconds = opt_int(300),
		.cache_data_encrypted = opt_bool(false),
		.require_authorization_for_cache_control = opt_bool(true),
		.unauthorized_cache_control_header_strategy = S("SUCCEED_WITH_RESPONSE_HEADER"),
	};
}

/* The key of "/~1pets~1{id}/GET/..." in methodSettings: "pets/{id}/GET". */
static struct str setting_key(struct arena *a, struct str head)
{
	struct str key = patch_unescape(a, head);

	while (str_starts(key, S("/")) && str_rfind_char(key, '/') > 0)
		key = str_sub(key, 1, key.n);
	return key;
}

static struct apigateway_method_setting *setting(
        struct apigw_change *c, struct apigateway_stage *s, struct str key)
{
	struct apigateway_map_of_method_settings_entry *e =
	        GROW_FIND(&s->method_settings, key, key);

	if (!e) {
		e = GROW_ADD(c->arena, &s->method_settings);
		e->key = key;
		set_defaults(&e->value);
	}
	return &e->value;
}

static bool is_level(struct str value)
{
	return str_eq(value, S("OFF")) || str_eq(value, S("ERROR")) || str_eq(value, S("INFO"));
}

/* Logging asks for the account's role, as on AWS. */
static int check_logging(struct apigw_change *c, struct str value)
{
	if (!is_level(value))
		return apigw_refuse(c, APIGATEWAY_BAD_REQUEST_EXCEPTION,
		        "Invalid logging level specified: %.*s. Must be one of: [OFF, ERROR, INFO]",
		        STR(value));
	struct str key = apigw_row_key(c->arena, c, S("account"), S("settings"));
	struct apigateway_account account = { 0 };
	int got = record_get(c->txn, key, &apigateway_shape_account, &account);
	if (got != 0 && got != KV_NOT_FOUND)
		return got;
	if (!str_eq(value, S("OFF")) && !account.cloudwatch_role_arn.n)
		return apigw_bad_request(c, "CloudWatch Logs role ARN must be set in account "
		                            "settings to enable logging");
	return 0;
}

#define NOT_A_SETTING INT_MAX

/* 0: done; NOT_A_SETTING: another path; else a refusal. */
static int patch_setting(struct apigw_change *c, struct apigateway_stage *s,
        const struct apigateway_patch_operation *o)
{
	for (size_t i = 0; i < ARRAY_LEN(setting_paths); i++) {
		struct str tail = str_concat(c->arena, 2, S("/"), str_of(setting_paths[i].path));
		if (!str_ends(o->path, tail) || o->path.n == tail.n)
			continue;
		struct str key = setting_key(c->arena, str_sub(o->path, 1, o->path.n - tail.n - 1));
		if (str_eq(tail, S("/logging/loglevel")))
			TRY(check_logging(c, o->value));
		if (patch_set(c->arena, &apigateway_shape_method_setting, setting(c, s, key),
		            str_of(setting_paths[i].member), o->value.p ? o->value : S("")) == 0)
			return 0;
		return apigw_refuse(c, APIGATEWAY_BAD_REQUEST_EXCEPTION,
		        "Invalid patch value '%.*s' specified for path '%.*s'", STR(o->value),
		        STR(o->path));
	}
	return NOT_A_SETTING;
}

/* A method's key alone, with remove: all its settings. */
static bool remove_setting(struct apigw_change *c, struct apigateway_stage *s,
        const struct apigateway_patch_operation *o)
{
	if (!str_eq(o->op, S("remove")) || !str_starts(o->path, S("/")))
		return false;
	struct str key = setting_key(c->arena, str_sub(o->path, 1, o->path.n));
	struct apigateway_map_of_method_settings_entry *e =
	        GROW_FIND(&s->method_settings, key, key);
	if (e)
		GROW_REMOVE(&s->method_settings, e);
	return e != NULL;
}

static int patch_one(struct apigw_change *c, struct apigateway_stage *s,
        const struct apigateway_patch_operation *o)
{
	if (remove_setting(c, s, o))
		return 0;
	int done = patch_setting(c, s, o);
	if (done != NOT_A_SETTING)
		return done;
	if (str_starts(o->path, S("/canarySettings")))
		return apigw_refuse(
		        c, API_ERROR_NOT_IMPLEMENTED, "Canary settings are not implemented here");
	return patch_apply_one(c, o, PATCH_TARGET(&apigateway_shape_stage, s, rules));
}

static int update(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_update_stage_in *in = in_;
	struct apigateway_stage *s;

	TRY(stage_load(c, in->stage_name, &s));
	for (size_t i = 0; i < in->patch_operations.n; i++)
		TRY(patch_one(c, s, &in->patch_operations.v[i]));
	TRY(check_deployment(c, s->deployment_id));
	TRY(check_variables(c, &s->variables));
	if (s->access_log_settings &&
	        !str_starts(s->access_log_settings->destination_arn, S("arn:")))
		return apigw_bad_request(
		        c, "Invalid ARN specified in the request. ARN must start with 'arn:': ");
	s->last_updated_date = opt_time(c->now_ms / 1000 * 1000);
	stage_store(c, s);
	*(struct apigateway_stage *)out = *s;
	return 0;
}

int apigateway_update_stage(struct task *t, const struct apigateway_update_stage_in *in,
        struct apigateway_update_stage_out *out)
{
	return apigw_change(t, in->rest_api_id, update, in, out);
}

/* ---- delete ---- */

static int drop(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_delete_stage_in *in = in_;
	struct apigateway_stage *s;

	TRY(stage_load(c, in->stage_name, &s));
	kv_del(c->txn, apigw_live_key(c->arena, S("stage"), c->api_id, in->stage_name));
	return 0;
}

int apigateway_delete_stage(struct task *t, const struct apigateway_delete_stage_in *in,
        struct apigateway_delete_stage_out *out)
{
	return apigw_change(t, in->rest_api_id, drop, in, out);
}
