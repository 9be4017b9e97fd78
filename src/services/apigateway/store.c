/* store: transactions on an API, and the keys of the rows. */
#include "services/apigateway/store.h"

#include "base/rand.h"
#include "kv/key.h"

#include <stdarg.h>

int apigw_refuse(struct apigw_change *c, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	c->message = str_vprintf(c->arena, format, args);
	va_end(args);
	return code;
}

int apigw_not_found(struct apigw_change *c, const char *message)
{
	return apigw_refuse(c, APIGATEWAY_NOT_FOUND_EXCEPTION, "%s", message);
}

int apigw_bad_request(struct apigw_change *c, const char *message)
{
	return apigw_refuse(c, APIGATEWAY_BAD_REQUEST_EXCEPTION, "%s", message);
}

struct str apigw_id(struct arena *a, size_t n)
{
	return rand_text(a, n, S("abcdefghijklmnopqrstuvwxyz0123456789"));
}

struct str apigw_row_key(
        struct arena *a, const struct apigw_change *c, struct str kind, struct str id)
{
	return kv_key(a, "sssss", S("apigateway"), c->account, c->region, kind, id);
}

struct str apigw_live_key(struct arena *a, struct str kind, struct str api_id, struct str id)
{
	return kv_key(a, "ssssss", S("apigateway"), S(""), S(""), kind, api_id, id);
}

struct str apigw_live_prefix(struct arena *a, struct str kind, struct str api_id)
{
	return kv_key(a, "sssss", S("apigateway"), S(""), S(""), kind, api_id);
}

/* ---- transactions ---- */

struct running {
	struct apigw_change change;
	struct apigw_change fresh; /* the state to begin with: the engine may run it again */
	apigw_change_fn *fn;
	const void *in;
	void *out;
	bool store;
};

static int load(struct apigw_change *c)
{
	if (!c->api_id.p)
		return 0;
	int got = record_get(c->txn, apigw_row_key(c->arena, c, S("api"), c->api_id),
	        &apigateway_shape_api_record, &c->api);
	if (got != KV_NOT_FOUND)
		return got;
	return apigw_refuse(c, APIGATEWAY_NOT_FOUND_EXCEPTION,
	        "Invalid API identifier specified %.*s:%.*s", STR(c->account), STR(c->api_id));
}

static int run(struct kv_txn *txn, void *arg)
{
	struct running *r = arg;
	struct apigw_change *c = &r->change;

	*c = r->fresh;
	c->txn = txn;
	c->arena = kv_arena(txn);
	TRY(load(c));
	TRY(r->fn(c, r->in, r->out));
	if (r->store && c->api_id.p && c->api.api)
		record_put(txn, apigw_row_key(c->arena, c, S("api"), c->api_id),
		        &apigateway_shape_api_record, &c->api);
	return 0;
}

static int transact(struct task *t, struct running *r, struct str api_id)
{
	const struct call *call = call_of(t);

	r->fresh = (struct apigw_change){ .account = call->account,
		.region = call->region,
		.api_id = api_id,
		.now_ms = call->now_ms };
	int bad = r->store ? kv_update(t, run, r) : kv_view(t, run, r);
	if (bad > 0)
		return fail(t, bad, "%.*s", STR(r->change.message));
	return bad;
}

int apigw_change(struct task *t, struct str api_id, apigw_change_fn *fn, const void *in, void *out)
{
	struct running r = { .fn = fn, .in = in, .out = out, .store = true };

	return transact(t, &r, api_id);
}

int apigw_look(struct task *t, struct str api_id, apigw_change_fn *fn, const void *in, void *out)
{
	struct running r = { .fn = fn, .in = in, .out = out };

	return transact(t, &r, api_id);
}

int apigw_change_account(struct task *t, apigw_change_fn *fn, const void *in, void *out)
{
	return apigw_change(t, (struct str){ 0 }, fn, in, out);
}

int apigw_look_account(struct task *t, apigw_change_fn *fn, const void *in, void *out)
{
	return apigw_look(t, (struct str){ 0 }, fn, in, out);
}

/* ---- parts of an API ---- */

struct apigateway_resource *apigw_resource(struct apigw_change *c, struct str id)
{
	struct apigateway_resource *r = GROW_FIND(&c->api.resources, id, id);

	if (!r)
		apigw_not_found(c, "Invalid Resource identifier specified");
	return r;
}

struct apigateway_method *apigw_method(struct apigw_change *c, struct str resource, struct str verb)
{
	struct apigateway_resource *r = apigw_resource(c, resource);

	if (!r)
		return NULL;
	struct apigateway_map_of_method_entry *e = GROW_FIND(&r->resource_methods, key, verb);
	if (!e)
		apigw_not_found(c, "Invalid Method identifier specified");
	return e ? &e->value : NULL;
}

struct apigateway_integration *apigw_integration(
        struct apigw_change *c, struct str resource, struct str verb)
{
	struct apigateway_method *m = apigw_method(c, resource, verb);

	if (m && !m->method_integration)
		apigw_not_found(c, "No integration defined for method");
	return m ? m->method_integration : NULL;
}

/* ---- pages ---- */

size_t apigw_limit(struct opt_int limit, size_t otherwise)
{
	return limit.set && limit.v > 0 ? (size_t)MIN(limit.v, (int64_t)500) : otherwise;
}

static struct str scan_start(struct arena *a, const struct apigw_listing *l)
{
	if (!l->position.n)
		return l->prefix;
	struct buf b = buf_init(a);
	buf_add(&b, l->prefix);
	kv_key_add(&b, "s", l->position);
	return kv_prefix_end(a, buf_str(&b));
}

static struct str last_element(struct arena *a, struct str key, struct str prefix)
{
	struct str last = { 0 };

	if (!kv_key_read(a, str_sub(key, prefix.n, key.n), "s", &last))
		return (struct str){ 0 };
	return last;
}

int apigw_list(struct apigw_change *c, struct apigw_listing *l)
{
	CLEANUP(kv_scan_close)
	struct kv_scan *s =
	        kv_scan(c->txn, scan_start(c->arena, l), kv_prefix_end(c->arena, l->prefix), false);
	struct str key, value, last = { 0 };
	size_t n = 0;

	while (kv_next(s, &key, &value)) {
		bool taken = true;
		if (n == l->limit) {
			l->next = last;
			break;
		}
		TRY(l->add(c, value, l->out, &taken));
		n += taken;
		last = last_element(c->arena, key, l->prefix);
	}
	return 0;
}
