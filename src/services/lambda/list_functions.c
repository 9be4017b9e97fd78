/* ListFunctions, ListVersionsByFunction */
#include "services/lambda/page.h"

#include "kv/key.h"

struct listing {
	struct lambda_function_configuration v[LAMBDA_PAGE + 2];
};

static int take(struct arena *a, void *arg, size_t n, struct str value)
{
	struct listing *l = arg;
	struct lambda_function_record r = { 0 };

	TRY(record_unpack(a, &lambda_shape_function_record, value, &r));
	l->v[n] = *r.configuration;
	return 1;
}

static struct str latest_arn(struct task *t, const struct lambda_function_configuration *c)
{
	return str_concat(task_arena(t), 2, c->function_arn, S(":$LATEST"));
}

/* ---- FunctionVersion=ALL: each function's $LATEST, then its versions ---- */

struct all {
	struct str account, region;
	struct listing *l;
	size_t n, max;
	struct str after; /* function's name and, behind a colon, the last number shown */
	struct str name;
	uint64_t number;
	bool more;
};

/* True when there was room. */
static bool show(struct all *s, const struct lambda_function_configuration *c, uint64_t number)
{
	if (s->n == s->max) {
		s->more = true;
		return false;
	}
	s->l->v[s->n++] = *c;
	s->name = c->function_name;
	s->number = number;
	return true;
}

static int show_versions(struct kv_txn *txn, struct all *s, struct str name, uint64_t from)
{
	struct lambda_ref ref = { s->account, s->region, name, { 0 } };
	struct arena *a = kv_arena(txn);
	CLEANUP(kv_scan_close)
	struct kv_scan *scan = kv_scan(txn, lambda_version_key(a, &ref, from),
	        kv_prefix_end(a, lambda_row_prefix(a, &ref, "version")), false);
	struct str key, value;
	uint64_t number;

	while (kv_next(scan, &key, &value)) {
		struct lambda_function_record r = { 0 };
		TRY(record_unpack(a, &lambda_shape_function_record, value, &r));
		if (!str_to_u64(r.configuration->version, &number))
			return -EPROTO;
		if (!show(s, r.configuration, number))
			return 0;
	}
	return 0;
}

static int read_all(struct kv_txn *txn, void *arg)
{
	struct all *s = arg;
	struct arena *a = kv_arena(txn);
	struct str rest = s->after, name = rest.n ? str_cut(&rest, ':') : S("");
	struct str prefix = kv_key(a, "ssss", S("lambda"), s->account, s->region, S("function"));
	struct lambda_ref first = { s->account, s->region, name, { 0 } };
	CLEANUP(kv_scan_close)
	struct kv_scan *scan = kv_scan(txn, name.n ? lambda_function_key(a, &first) : prefix,
	        kv_prefix_end(a, prefix), false);
	struct str key, value;
	uint64_t shown = 0;

	if (name.n && !str_to_u64(rest.p ? rest : S(""), &shown))
		return KV_NOT_FOUND;
	while (!s->more && kv_next(scan, &key, &value)) {
		struct lambda_function_record r = { 0 };
		TRY(record_unpack(a, &lambda_shape_function_record, value, &r));
		struct str own = r.configuration->function_name;
		bool resumed = name.n && str_eq(own, name);
		if (!resumed && !show(s, r.configuration, 0))
			return 0;
		TRY(show_versions(txn, s, own, resumed ? shown + 1 : 1));
	}
	return 0;
}

static int list_all(struct task *t, const struct lambda_list_functions_in *in,
        struct lambda_list_functions_out *out)
{
	const struct call *c = call_of(t);
	struct all s = {
		.account = c->account,
		.region = c->region,
		.l = arena_new(task_arena(t), struct listing),
		.max = in->max_items.set ? (size_t)MIN(in->max_items.v, (int64_t)LAMBDA_PAGE)
		                         : LAMBDA_PAGE,
	};

	if (in->marker.n && !api_token_open(t, in->marker, &s.after))
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION, "Invalid marker");
	int bad = kv_view(t, read_all, &s);
	if (bad == KV_NOT_FOUND)
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION, "Invalid marker");
	TRY(bad);
	for (size_t i = 0; i < s.n; i++)
		if (str_eq(s.l->v[i].version, S("$LATEST")))
			s.l->v[i].function_arn = latest_arn(t, &s.l->v[i]);
	out->functions = (struct lambda_function_list){ s.l->v, s.n };
	if (s.more)
		out->next_marker =
		        api_token_seal(t, str_printf(task_arena(t), "%.*s:%llu", STR(s.name),
		                                  (unsigned long long)s.number));
	return 0;
}

int lambda_list_functions(struct task *t, const struct lambda_list_functions_in *in,
        struct lambda_list_functions_out *out)
{
	const struct call *c = call_of(t);
	struct listing *l = arena_new(task_arena(t), struct listing);
	struct lambda_page p = { .take = take, .arg = l };

	if (in->function_version.p)
		return list_all(t, in, out);
	p.prefix = kv_key(task_arena(t), "ssss", S("lambda"), c->account, c->region, S("function"));
	TRY(lambda_page_read(t, &p, in->marker, in->max_items));
	out->functions = (struct lambda_function_list){ l->v, p.n };
	out->next_marker = p.next;
	return 0;
}

int lambda_list_versions_by_function(struct task *t,
        const struct lambda_list_versions_by_function_in *in,
        struct lambda_list_versions_by_function_out *out)
{
	struct listing *l = arena_new(task_arena(t), struct listing);
	struct lambda_page p = { .take = take, .arg = l };
	struct lambda_function_record latest;
	struct lambda_ref ref;

	TRY(lambda_find(t, in->function_name, (struct str){ 0 }, &ref, &latest));
	p.prefix = lambda_row_prefix(task_arena(t), &ref, "version");
	/* $LATEST leads the first page. */
	int64_t max = in->max_items.set ? MIN(in->max_items.v, (int64_t)LAMBDA_PAGE) : LAMBDA_PAGE;
	TRY(lambda_page_read(t, &p, in->marker, opt_int(max - !in->marker.n)));
	size_t n = p.n;
	if (!in->marker.n) {
		memmove(l->v + 1, l->v, n * sizeof *l->v);
		l->v[0] = *latest.configuration;
		l->v[0].function_arn = latest_arn(t, &l->v[0]);
		n++;
	}
	out->versions = (struct lambda_function_list){ l->v, n };
	out->next_marker = p.next;
	return 0;
}
