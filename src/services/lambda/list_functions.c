/* ListFunctions, ListVersionsByFunction */
#include "services/lambda/function.h"

#include "kv/key.h"

#define PAGE 50

struct listing {
	struct str prefix, after; /* after: key of the last one shown */
	struct lambda_function_configuration *v;
	size_t n, max;
	struct str last;
	bool more;
};

static int list(struct kv_txn *txn, void *arg)
{
	struct listing *l = arg;
	struct arena *a = kv_arena(txn);
	struct str from =
	        l->after.p ? str_concat(a, 2, l->after, (struct str){ "\0", 1 }) : l->prefix;
	CLEANUP(kv_scan_close)
	struct kv_scan *s = kv_scan(txn, from, kv_prefix_end(a, l->prefix), false);
	struct lambda_function_record r;
	struct str key, value;

	while (kv_next(s, &key, &value)) {
		if (l->n == l->max) {
			l->more = true;
			break;
		}
		r = (struct lambda_function_record){ 0 };
		TRY(record_unpack(a, &lambda_shape_function_record, value, &r));
		l->v[l->n] = *r.configuration;
		l->v[l->n++].config_sha256 = (struct str){ 0 };
		l->last = key;
	}
	return 0;
}

static int page(struct task *t, struct listing *l, struct str marker, struct opt_int max_items)
{
	l->max = max_items.set ? (size_t)MIN(max_items.v, (int64_t)PAGE) : PAGE;
	l->v = arena_new_n(task_arena(t), struct lambda_function_configuration, l->max + 1);
	if (marker.n && !api_token_open(t, marker, &l->after))
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION, "Invalid marker");
	return kv_view(t, list, l);
}

int lambda_list_functions(struct task *t, const struct lambda_list_functions_in *in,
        struct lambda_list_functions_out *out)
{
	const struct call *c = call_of(t);
	struct listing l = { .prefix = kv_key(task_arena(t), "ssss", S("lambda"), c->account,
		                     c->region, S("function")) };

	TRY(page(t, &l, in->marker, in->max_items));
	out->functions = (struct lambda_function_list){ l.v, l.n };
	if (l.more)
		out->next_marker = api_token_seal(t, l.last);
	return 0;
}

int lambda_list_versions_by_function(struct task *t,
        const struct lambda_list_versions_by_function_in *in,
        struct lambda_list_versions_by_function_out *out)
{
	struct lambda_ref ref;
	struct lambda_function_record latest;
	struct listing l = { 0 };

	TRY(lambda_find(t, in->function_name, (struct str){ 0 }, &ref, &latest));
	l.prefix = kv_key(task_arena(t), "sssss", S("lambda"), ref.account, ref.region,
	        S("version"), ref.name);
	TRY(page(t, &l, in->marker, in->max_items));
	if (!in->marker.n) {
		/* $LATEST leads the first page. */
		memmove(l.v + 1, l.v, l.n * sizeof *l.v);
		l.v[0] = *latest.configuration;
		l.v[0].function_arn =
		        str_concat(task_arena(t), 2, l.v[0].function_arn, S(":$LATEST"));
		l.n++;
	}
	out->versions = (struct lambda_function_list){ l.v, l.n };
	if (l.more)
		out->next_marker = api_token_seal(t, l.last);
	return 0;
}
