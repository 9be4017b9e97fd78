/* Create-, Get-, Update-, Delete- and ListFunctionUrlConfig(s) */
#include "services/lambda/function_url.h"

#include "base/rand.h"
#include "kv/key.h"
#include "services/lambda/page.h"

#define ID_ALPHABET "abcdefghijklmnopqrstuvwxyz234567"

struct change {
	struct lambda_ref ref;
	struct lambda_url_record url;
	struct lambda_refusal refusal;
};

struct str lambda_url_id_key(struct arena *a, struct str id)
{
	return kv_key(a, "sssss", S("lambda"), S(""), S(""), S("url-id"), id);
}

static int get_row(struct kv_txn *txn, const struct lambda_ref *ref, struct lambda_url_record *url)
{
	*url = (struct lambda_url_record){ 0 };
	return record_get(
	        txn, lambda_row_key(kv_arena(txn), ref, "url"), &lambda_shape_url_record, url);
}

int lambda_url_drop(struct kv_txn *txn, const struct lambda_ref *ref)
{
	struct lambda_url_record url;
	int got = get_row(txn, ref, &url);

	if (got)
		return got == KV_NOT_FOUND ? 0 : got;
	kv_del(txn, lambda_url_id_key(kv_arena(txn), url.url_id));
	kv_del(txn, lambda_row_key(kv_arena(txn), ref, "url"));
	return 0;
}

static int drop_ids(struct kv_txn *txn, struct str prefix)
{
	CLEANUP(kv_scan_close) struct kv_scan *s = kv_scan_prefix(txn, prefix, false);
	struct str key, value;

	while (kv_next(s, &key, &value)) {
		struct lambda_url_record url = { 0 };
		TRY(record_unpack(kv_arena(txn), &lambda_shape_url_record, value, &url));
		kv_del(txn, lambda_url_id_key(kv_arena(txn), url.url_id));
	}
	return 0;
}

int lambda_url_drop_all(struct kv_txn *txn, const struct lambda_ref *ref)
{
	struct str prefix = lambda_row_prefix(kv_arena(txn), ref, "url");

	TRY(drop_ids(txn, prefix));
	kv_del_prefix(txn, prefix);
	return 0;
}

static int create(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;
	struct arena *a = kv_arena(txn);
	struct lambda_function_record r;
	struct lambda_url_index_record index = { c->ref.account, c->ref.region, c->ref.name,
		c->ref.qualifier };

	TRY(lambda_record_get(txn, &c->ref, &r));
	if (kv_has(txn, lambda_row_key(a, &c->ref, "url")))
		return lambda_refuse(&c->refusal, LAMBDA_RESOURCE_CONFLICT_EXCEPTION,
		        str_printf(a,
		                "Failed to create function url config for [functionArn = %.*s]. "
		                "Error message:  FunctionUrlConfig exists for this Lambda "
		                "function",
		                STR(lambda_ref_arn(a, &c->ref))));
	record_put(txn, lambda_row_key(a, &c->ref, "url"), &lambda_shape_url_record, &c->url);
	record_put(
	        txn, lambda_url_id_key(a, c->url.url_id), &lambda_shape_url_index_record, &index);
	return 0;
}

static int no_function(struct task *t)
{
	return fail(t, LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION, "Function does not exist");
}

static int no_url(struct task *t)
{
	return fail(t, LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION,
	        "The resource you requested does not exist.");
}

int lambda_create_function_url_config(struct task *t,
        const struct lambda_create_function_url_config_in *in,
        struct lambda_create_function_url_config_out *out)
{
	struct arena *a = task_arena(t);
	const struct api_options *o = api_options_of(t);
	struct lambda_function_url_config *config = arena_new(a, struct lambda_function_url_config);
	struct change c = { .url = { rand_text(a, 32, S(ID_ALPHABET)), config } };

	TRY(lambda_ref_parse(t, in->function_name, in->qualifier, &c.ref));
	*config = (struct lambda_function_url_config){
		.function_url = str_printf(a, "http://%.*s.lambda-url.%.*s.%.*s:%d/",
		        STR(c.url.url_id), STR(c.ref.region), STR(o->host), o->port),
		.function_arn = lambda_ref_arn(a, &c.ref),
		.creation_time = lambda_time(a, call_of(t)->now_ms),
		.last_modified_time = lambda_time(a, call_of(t)->now_ms),
		.cors = in->cors,
		.auth_type = in->auth_type,
		.invoke_mode = in->invoke_mode.p ? in->invoke_mode : S("BUFFERED"),
	};
	int bad = kv_update(t, create, &c);
	if (bad == KV_NOT_FOUND)
		return no_function(t);
	TRY(lambda_refused(t, &c.refusal, bad));
	*out = (struct lambda_create_function_url_config_out){ config->function_url,
		config->function_arn, config->auth_type, config->cors, config->creation_time,
		config->invoke_mode };
	return 0;
}

static int view(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;

	return get_row(txn, &c->ref, &c->url);
}

int lambda_get_function_url_config(struct task *t,
        const struct lambda_get_function_url_config_in *in,
        struct lambda_get_function_url_config_out *out)
{
	struct change c = { 0 };

	TRY(lambda_ref_parse(t, in->function_name, in->qualifier, &c.ref));
	int bad = kv_view(t, view, &c);
	if (bad == KV_NOT_FOUND)
		return no_url(t);
	TRY(bad);
	const struct lambda_function_url_config *u = c.url.config;
	*out = (struct lambda_get_function_url_config_out){ u->function_url, u->function_arn,
		u->auth_type, u->cors, u->creation_time, u->last_modified_time, u->invoke_mode };
	return 0;
}

static int update(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;
	struct lambda_function_url_config wanted = *c->url.config;
	struct lambda_function_record r;

	if (lambda_record_get(txn, &c->ref, &r) != 0)
		return lambda_refuse(&c->refusal, LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION,
		        S("Function does not exist"));
	TRY(get_row(txn, &c->ref, &c->url));
	if (wanted.auth_type.p)
		c->url.config->auth_type = wanted.auth_type;
	if (wanted.cors)
		c->url.config->cors = wanted.cors;
	if (wanted.invoke_mode.p)
		c->url.config->invoke_mode = wanted.invoke_mode;
	c->url.config->last_modified_time = wanted.last_modified_time;
	record_put(txn, lambda_row_key(kv_arena(txn), &c->ref, "url"), &lambda_shape_url_record,
	        &c->url);
	return 0;
}

int lambda_update_function_url_config(struct task *t,
        const struct lambda_update_function_url_config_in *in,
        struct lambda_update_function_url_config_out *out)
{
	struct lambda_function_url_config wanted = {
		.auth_type = in->auth_type,
		.cors = in->cors,
		.invoke_mode = in->invoke_mode,
		.last_modified_time = lambda_time(task_arena(t), call_of(t)->now_ms),
	};
	struct change c = { .url = { .config = &wanted } };

	TRY(lambda_ref_parse(t, in->function_name, in->qualifier, &c.ref));
	int bad = kv_update(t, update, &c);
	if (bad == KV_NOT_FOUND)
		return no_url(t);
	TRY(lambda_refused(t, &c.refusal, bad));
	const struct lambda_function_url_config *u = c.url.config;
	*out = (struct lambda_update_function_url_config_out){ u->function_url, u->function_arn,
		u->auth_type, u->cors, u->creation_time, u->last_modified_time, u->invoke_mode };
	return 0;
}

static int drop(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;

	TRY(get_row(txn, &c->ref, &c->url));
	return lambda_url_drop(txn, &c->ref);
}

int lambda_delete_function_url_config(struct task *t,
        const struct lambda_delete_function_url_config_in *in,
        struct lambda_delete_function_url_config_out *out)
{
	struct change c = { 0 };

	TRY(lambda_ref_parse(t, in->function_name, in->qualifier, &c.ref));
	int bad = kv_update(t, drop, &c);
	return bad == KV_NOT_FOUND ? no_url(t) : bad;
}

struct listing {
	struct lambda_function_url_config v[LAMBDA_PAGE + 1];
};

static int take(struct arena *a, void *arg, size_t n, struct str value)
{
	struct listing *l = arg;
	struct lambda_url_record url = { 0 };

	TRY(record_unpack(a, &lambda_shape_url_record, value, &url));
	l->v[n] = *url.config;
	return 1;
}

int lambda_list_function_url_configs(struct task *t,
        const struct lambda_list_function_url_configs_in *in,
        struct lambda_list_function_url_configs_out *out)
{
	struct listing *l = arena_new(task_arena(t), struct listing);
	struct lambda_page p = { .take = take, .arg = l };
	struct lambda_function_record r;
	struct lambda_ref ref;

	int bad = lambda_find(t, in->function_name, (struct str){ 0 }, &ref, &r);
	if (bad == LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION)
		return no_function(t);
	TRY(bad);
	p.prefix = lambda_row_prefix(task_arena(t), &ref, "url");
	TRY(lambda_page_read(t, &p, in->marker, in->max_items));
	out->function_url_configs = (struct lambda_function_url_config_list){ l->v, p.n };
	out->next_marker = p.next;
	return 0;
}
