/* PutFunctionConcurrency, GetFunctionConcurrency, DeleteFunctionConcurrency, GetAccountSettings */
#include "services/lambda/function.h"

#include "kv/key.h"

struct change {
	struct lambda_ref ref;
	struct opt_int reserved;
};

struct totals {
	struct str account, region;
	int64_t reserved, code_size, n_functions;
	struct str except;
};

static int add_up(struct kv_txn *txn, void *arg)
{
	struct totals *s = arg;
	struct arena *a = kv_arena(txn);
	struct str key, value;
	CLEANUP(kv_scan_close)
	struct kv_scan *scan = kv_scan_prefix(
	        txn, kv_key(a, "ssss", S("lambda"), s->account, s->region, S("function")), false);

	while (kv_next(scan, &key, &value)) {
		struct lambda_function_record r = { 0 };
		TRY(record_unpack(a, &lambda_shape_function_record, value, &r));
		s->n_functions++;
		s->code_size += r.configuration->code_size.v;
		if (!str_eq(r.configuration->function_name, s->except))
			s->reserved += r.reserved_concurrency.v;
	}
	return 0;
}

static int change(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;
	struct totals s = {
		.account = c->ref.account, .region = c->ref.region, .except = c->ref.name
	};
	struct lambda_function_record r;

	TRY(lambda_record_get(txn, &c->ref, &r));
	TRY(add_up(txn, &s));
	if (c->reserved.set &&
	        LAMBDA_CONCURRENCY - s.reserved - c->reserved.v < LAMBDA_UNRESERVED_MIN)
		return LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION;
	r.reserved_concurrency = c->reserved;
	record_put(txn, lambda_function_key(kv_arena(txn), &c->ref), &lambda_shape_function_record,
	        &r);
	return 0;
}

static int apply(struct task *t, struct change *c)
{
	int bad = kv_update(t, change, c);

	if (bad == KV_NOT_FOUND)
		return lambda_not_found(t, &c->ref);
	if (bad == LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION)
		return fail(t, bad,
		        "Specified ReservedConcurrentExecutions for function decreases account's "
		        "UnreservedConcurrentExecution below its minimum value of [%d].",
		        LAMBDA_UNRESERVED_MIN);
	return bad;
}

int lambda_put_function_concurrency(struct task *t,
        const struct lambda_put_function_concurrency_in *in,
        struct lambda_put_function_concurrency_out *out)
{
	struct change c = { .reserved = in->reserved_concurrent_executions };

	TRY(lambda_ref_parse(t, in->function_name, (struct str){ 0 }, &c.ref));
	out->reserved_concurrent_executions = in->reserved_concurrent_executions;
	return apply(t, &c);
}

int lambda_delete_function_concurrency(struct task *t,
        const struct lambda_delete_function_concurrency_in *in,
        struct lambda_delete_function_concurrency_out *out)
{
	struct change c = { .reserved = { 0 } };

	TRY(lambda_ref_parse(t, in->function_name, (struct str){ 0 }, &c.ref));
	return apply(t, &c);
}

int lambda_get_function_concurrency(struct task *t,
        const struct lambda_get_function_concurrency_in *in,
        struct lambda_get_function_concurrency_out *out)
{
	struct lambda_ref ref;
	struct lambda_function_record r;

	TRY(lambda_find(t, in->function_name, (struct str){ 0 }, &ref, &r));
	out->reserved_concurrent_executions = r.reserved_concurrency;
	return 0;
}

int lambda_get_account_settings(struct task *t, const struct lambda_get_account_settings_in *in,
        struct lambda_get_account_settings_out *out)
{
	struct arena *a = task_arena(t);
	struct totals s = { .account = call_of(t)->account, .region = call_of(t)->region };

	TRY(kv_view(t, add_up, &s));
	out->account_limit = arena_new(a, struct lambda_account_limit);
	*out->account_limit = (struct lambda_account_limit){
		.total_code_size = opt_int(80530636800),
		.code_size_unzipped = opt_int(262144000),
		.code_size_zipped = opt_int(52428800),
		.concurrent_executions = opt_int(LAMBDA_CONCURRENCY),
		.unreserved_concurrent_executions = opt_int(LAMBDA_CONCURRENCY - s.reserved),
	};
	out->account_usage = arena_new(a, struct lambda_account_usage);
	out->account_usage->total_code_size = opt_int(s.code_size);
	out->account_usage->function_count = opt_int(s.n_functions);
	return 0;
}
