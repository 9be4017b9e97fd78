/* Put-, Get-, Delete- and ListProvisionedConcurrencyConfig(s) */
#include "services/lambda/page.h"

#include "base/log.h"
#include "kv/key.h"

#define CONFIGS_MAX 200

struct config {
	struct lambda_ref ref;
	struct lambda_provisioned_record row;
	struct lambda_function_record version; /* that it leads to */
	struct lambda_refusal refusal;
};

static int check_qualifier(struct task *t, struct str qualifier)
{
	if (!lambda_is_latest(qualifier))
		return 0;
	return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
	        "Provisioned Concurrency Configs cannot be applied to unpublished function "
	        "versions.");
}

/* Which functions have any: for the start. */
struct str lambda_provisioned_index_key(struct arena *a, const struct lambda_ref *ref)
{
	return kv_key(a, "sssssss", S("lambda"), S(""), S(""), S("provisioned"), ref->account,
	        ref->region, ref->name);
}

static int not_configured(struct task *t)
{
	return fail(t, LAMBDA_PROVISIONED_CONCURRENCY_CONFIG_NOT_FOUND_EXCEPTION,
	        "No Provisioned Concurrency Config found for this function");
}

/* ---- what the runtime is told ---- */

struct plan {
	struct lambda_ref ref; /* of the function */
	struct runtime_provision v[CONFIGS_MAX];
	struct runtime_function f[CONFIGS_MAX];
	size_t n;
};

static int add_to_plan(
        struct kv_txn *txn, struct plan *p, const struct lambda_provisioned_record *row)
{
	struct lambda_ref ref = p->ref;
	struct lambda_function_record r;
	struct runtime_function f;

	ref.qualifier = row->qualifier;
	int got = lambda_record_get(txn, &ref, &r);
	if (got)
		return got == KV_NOT_FOUND ? 0 : got;
	lambda_runnable(kv_arena(txn), &ref, &r, &f);
	for (size_t i = 0; i < p->n; i++)
		if (str_eq(p->f[i].key, f.key)) {
			p->v[i].wanted += (uint32_t)row->requested.v;
			return 0;
		}
	if (p->n == CONFIGS_MAX)
		return 0;
	p->f[p->n] = f;
	p->v[p->n] = (struct runtime_provision){ .f = &p->f[p->n],
		.wanted = (uint32_t)row->requested.v };
	p->n++;
	return 0;
}

static int make_plan(struct kv_txn *txn, void *arg)
{
	struct plan *p = arg;
	struct str key, value;
	CLEANUP(kv_scan_close)
	struct kv_scan *s = kv_scan_prefix(
	        txn, lambda_row_prefix(kv_arena(txn), &p->ref, "provisioned"), false);

	p->n = 0;
	while (kv_next(s, &key, &value)) {
		struct lambda_provisioned_record row = { 0 };
		TRY(record_unpack(kv_arena(txn), &lambda_shape_provisioned_record, value, &row));
		TRY(add_to_plan(txn, p, &row));
	}
	return 0;
}

int lambda_provision_apply(struct task *t, const struct lambda_ref *ref)
{
	struct plan *p = arena_new(task_arena(t), struct plan);

	p->ref = *ref;
	p->ref.qualifier = (struct str){ 0 };
	TRY(kv_view(t, make_plan, p));
	return runtime_provision(t, lambda_ref_unqualified_arn(task_arena(t), &p->ref), p->v, p->n);
}

/* ---- put ---- */

/* Of all aliases and versions of the function but this one. */
static int sum_others(struct kv_txn *txn, const struct config *c, int64_t *sum)
{
	struct str key, value;
	CLEANUP(kv_scan_close)
	struct kv_scan *s = kv_scan_prefix(
	        txn, lambda_row_prefix(kv_arena(txn), &c->ref, "provisioned"), false);

	*sum = 0;
	while (kv_next(s, &key, &value)) {
		struct lambda_provisioned_record row = { 0 };
		TRY(record_unpack(kv_arena(txn), &lambda_shape_provisioned_record, value, &row));
		if (!str_eq(row.qualifier, c->ref.qualifier))
			*sum += row.requested.v;
	}
	return 0;
}

static int put(struct kv_txn *txn, void *arg)
{
	struct config *c = arg;
	int64_t others;

	TRY(lambda_record_get(txn, &c->ref, &c->version));
	TRY(sum_others(txn, c, &others));
	struct opt_int reserved = c->version.reserved_concurrency;
	int64_t limit = reserved.set ? reserved.v : LAMBDA_CONCURRENCY - LAMBDA_UNRESERVED_MIN;
	if (others + c->row.requested.v > limit)
		return lambda_refuse(&c->refusal, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        reserved.set
		                ? S("Requested Provisioned Concurrency should not be greater than "
		                    "the "
		                    "reservedConcurrentExecution for function")
		                : S("Specified ConcurrentExecutions for function is greater than "
		                    "account's unreserved concurrency [900]."));
	record_put(txn, lambda_row_key(kv_arena(txn), &c->ref, "provisioned"),
	        &lambda_shape_provisioned_record, &c->row);
	kv_put(txn, lambda_provisioned_index_key(kv_arena(txn), &c->ref), S("\1"));
	return 0;
}

static struct lambda_provisioned_concurrency_config_list_item item_of(
        struct task *t, const struct config *c, const struct runtime_provision *p)
{
	int64_t requested = c->row.requested.v;
	int64_t available = MIN((int64_t)p->available, requested);

	return (struct lambda_provisioned_concurrency_config_list_item){
		.function_arn = lambda_ref_arn(task_arena(t), &c->ref),
		.requested_provisioned_concurrent_executions = opt_int(requested),
		.available_provisioned_concurrent_executions = opt_int(available),
		.allocated_provisioned_concurrent_executions = opt_int(available),
		.status = available >= requested ? S("READY")
		          : p->failed            ? S("FAILED")
		                                 : S("IN_PROGRESS"),
		.status_reason = available < requested && p->failed
		                         ? S("FUNCTION_ERROR_INIT_FAILURE")
		                         : (struct str){ 0 },
		.last_modified = c->row.last_modified,
	};
}

static int describe(struct task *t, const struct config *c,
        struct lambda_provisioned_concurrency_config_list_item *item)
{
	struct runtime_function f;
	struct runtime_provision p = { .f = &f };

	lambda_runnable(task_arena(t), &c->ref, &c->version, &f);
	TRY(runtime_provisioned(t, &p, 1));
	*item = item_of(t, c, &p);
	return 0;
}

int lambda_put_provisioned_concurrency_config(struct task *t,
        const struct lambda_put_provisioned_concurrency_config_in *in,
        struct lambda_put_provisioned_concurrency_config_out *out)
{
	struct config c = { 0 };
	struct lambda_provisioned_concurrency_config_list_item i;

	TRY(lambda_ref_parse(t, in->function_name, in->qualifier, &c.ref));
	TRY(check_qualifier(t, c.ref.qualifier));
	c.row = (struct lambda_provisioned_record){
		.qualifier = c.ref.qualifier,
		.requested = in->provisioned_concurrent_executions,
		.last_modified = lambda_time(task_arena(t), call_of(t)->now_ms),
	};
	int bad = kv_update(t, put, &c);
	if (bad == KV_NOT_FOUND)
		return lambda_not_found(t, &c.ref);
	TRY(lambda_refused(t, &c.refusal, bad));
	TRY(lambda_provision_apply(t, &c.ref));
	TRY(describe(t, &c, &i));
	*out = (struct lambda_put_provisioned_concurrency_config_out){
		i.requested_provisioned_concurrent_executions,
		i.allocated_provisioned_concurrent_executions,
		i.available_provisioned_concurrent_executions, i.status, i.status_reason,
		i.last_modified
	};
	return 0;
}

/* ---- get, delete ---- */

static int get(struct kv_txn *txn, void *arg)
{
	struct config *c = arg;

	TRY(record_get(txn, lambda_row_key(kv_arena(txn), &c->ref, "provisioned"),
	        &lambda_shape_provisioned_record, &c->row));
	return lambda_record_get(txn, &c->ref, &c->version);
}

int lambda_get_provisioned_concurrency_config(struct task *t,
        const struct lambda_get_provisioned_concurrency_config_in *in,
        struct lambda_get_provisioned_concurrency_config_out *out)
{
	struct config c = { 0 };
	struct lambda_provisioned_concurrency_config_list_item i;

	TRY(lambda_ref_parse(t, in->function_name, in->qualifier, &c.ref));
	TRY(check_qualifier(t, c.ref.qualifier));
	int bad = kv_view(t, get, &c);
	if (bad == KV_NOT_FOUND)
		return not_configured(t);
	TRY(bad);
	TRY(describe(t, &c, &i));
	*out = (struct lambda_get_provisioned_concurrency_config_out){
		i.requested_provisioned_concurrent_executions,
		i.allocated_provisioned_concurrent_executions,
		i.available_provisioned_concurrent_executions, i.status, i.status_reason,
		i.last_modified
	};
	return 0;
}

static int drop(struct kv_txn *txn, void *arg)
{
	struct config *c = arg;
	int64_t others;

	if (!kv_has(txn, lambda_function_key(kv_arena(txn), &c->ref)))
		return KV_NOT_FOUND;
	kv_del(txn, lambda_row_key(kv_arena(txn), &c->ref, "provisioned"));
	TRY(sum_others(txn, c, &others));
	if (!others)
		kv_del(txn, lambda_provisioned_index_key(kv_arena(txn), &c->ref));
	return 0;
}

int lambda_delete_provisioned_concurrency_config(struct task *t,
        const struct lambda_delete_provisioned_concurrency_config_in *in,
        struct lambda_delete_provisioned_concurrency_config_out *out)
{
	struct config c = { 0 };

	TRY(lambda_ref_parse(t, in->function_name, in->qualifier, &c.ref));
	TRY(check_qualifier(t, c.ref.qualifier));
	int bad = kv_update(t, drop, &c);
	if (bad == KV_NOT_FOUND)
		return lambda_not_found(t, &c.ref);
	TRY(bad);
	return lambda_provision_apply(t, &c.ref);
}

/* ---- list ---- */

struct listing {
	struct lambda_provisioned_record v[LAMBDA_PAGE + 1];
};

static int take(struct arena *a, void *arg, size_t n, struct str value)
{
	struct listing *l = arg;

	l->v[n] = (struct lambda_provisioned_record){ 0 };
	TRY(record_unpack(a, &lambda_shape_provisioned_record, value, &l->v[n]));
	return 1;
}

int lambda_list_provisioned_concurrency_configs(struct task *t,
        const struct lambda_list_provisioned_concurrency_configs_in *in,
        struct lambda_list_provisioned_concurrency_configs_out *out)
{
	struct arena *a = task_arena(t);
	struct listing *l = arena_new(a, struct listing);
	struct lambda_page p = { .take = take, .arg = l };
	struct lambda_function_record r;
	struct config c = { 0 };

	TRY(lambda_find(t, in->function_name, (struct str){ 0 }, &c.ref, &r));
	p.prefix = lambda_row_prefix(a, &c.ref, "provisioned");
	TRY(lambda_page_read(t, &p, in->marker, in->max_items));
	out->next_marker = p.next;
	out->provisioned_concurrency_configs.v =
	        arena_new_n(a, struct lambda_provisioned_concurrency_config_list_item, p.n + 1);
	for (size_t i = 0; i < p.n; i++) {
		c.ref.qualifier = l->v[i].qualifier;
		int bad = kv_view(t, get, &c);
		if (bad == KV_NOT_FOUND)
			continue;
		TRY(bad);
		TRY(describe(t, &c,
		        &out->provisioned_concurrency_configs
		                 .v[out->provisioned_concurrency_configs.n++]));
	}
	return 0;
}

/* ---- at start ---- */

struct all {
	struct lambda_ref *v;
	size_t n, capacity;
};

static void note(struct arena *a, struct all *all, const struct lambda_ref *ref)
{
	if (all->n == all->capacity) {
		struct lambda_ref *v = arena_new_n(a, struct lambda_ref, all->capacity * 2 + 16);
		if (all->n)
			memcpy(v, all->v, all->n * sizeof *v);
		all->v = v;
		all->capacity = all->capacity * 2 + 16;
	}
	all->v[all->n++] = *ref;
}

static int find_all(struct kv_txn *txn, void *arg)
{
	struct arena *a = kv_arena(txn);
	struct all *all = arg;
	struct str key, value, unused;
	CLEANUP(kv_scan_close)
	struct kv_scan *s = kv_scan_prefix(
	        txn, kv_key(a, "ssss", S("lambda"), S(""), S(""), S("provisioned")), false);

	all->n = 0;
	while (kv_next(s, &key, &value)) {
		struct lambda_ref ref = { 0 };
		if (kv_key_read(a, key, "sssssss", &unused, &unused, &unused, &unused, &ref.account,
		            &ref.region, &ref.name))
			note(a, all, &ref);
	}
	return 0;
}

static int provision_all(struct task *t)
{
	struct all all = { 0 };

	TRY(kv_view(t, find_all, &all));
	for (size_t i = 0; i < all.n; i++)
		TRY(lambda_provision_apply(t, &all.v[i]));
	return 0;
}

static int start_task(struct task *t, void *arg)
{
	int bad = provision_all(t);

	if (bad && bad != -ECANCELED)
		log_error("provisioned concurrency is not restored: %s", strerror(-bad));
	return bad;
}

void lambda_provision_start(struct task *t)
{
	task_start(task_loop(t), "lambda-provision", start_task, NULL);
}
