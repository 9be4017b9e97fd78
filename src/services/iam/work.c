/* work: one transaction with what every operation needs, before it and after it. */
#include "services/iam/work.h"

#include "base/rand.h"
#include "codec/codec.h"

#define ID_CHARACTERS 17
#define PAGE_DEFAULT  100

struct run {
	struct iam_work *w;
	iam_work_fn *fn;
	const void *in;
	void *out;
};

static int run_in_transaction(struct kv_txn *txn, void *arg)
{
	struct run *r = arg;

	r->w->txn = txn;
	r->w->arena = kv_arena(txn);
	r->w->why = (struct str){ 0 };
	return r->fn(r->w, r->in, r->out);
}

static struct str *marker_of(const struct shape *shape, const void *value)
{
	for (uint32_t i = 0; shape && i < shape->n_members; i++)
		if (str_eq(shape->members[i].name, S("Marker")))
			return shape_member_at(&shape->members[i], value);
	return NULL;
}

static struct str caller_user(const struct call *c)
{
	ptrdiff_t slash = str_rfind_char(c->principal.arn, '/');
	bool user = c->principal.type == PRINCIPAL_USER && !c->principal.role_arn.n;

	if (!user || slash < 0)
		return (struct str){ 0 };
	return str_sub(c->principal.arn, (size_t)slash + 1, c->principal.arn.n);
}

static int prepare(struct task *t, struct iam_work *w, const void *in)
{
	const struct call *c = call_of(t);
	struct str *marker = marker_of(c->operation->in, in);

	*w = (struct iam_work){
		.account = c->account,
		.caller_user = caller_user(c),
		.now_ms = c->now_ms,
		.secret = api_options_of(t)->root_secret,
		.fresh = rand_text(
		        task_arena(t), ID_CHARACTERS, S("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")),
	};
	if (marker && marker->n && !api_token_open(t, *marker, &w->marker))
		return fail(t, API_ERROR_VALIDATION, "Invalid Marker.");
	return 0;
}

static int finish(struct task *t, const struct iam_work *w, void *out, int result)
{
	struct str *marker = marker_of(call_of(t)->operation->out, out);

	if (result > KV_NOT_FOUND)
		return fail(t, result, "%.*s", STR(w->why));
	/* A row that another one names is missing. */
	if (result)
		return result == KV_NOT_FOUND ? -EPROTO : result;
	if (marker && marker->n)
		*marker = api_token_seal(t, *marker);
	return 0;
}

int iam_view(struct task *t, iam_work_fn *fn, const void *in, void *out)
{
	struct iam_work w;
	struct run r = { &w, fn, in, out };

	TRY(prepare(t, &w, in));
	return finish(t, &w, out, kv_view(t, run_in_transaction, &r));
}

int iam_update(struct task *t, iam_work_fn *fn, const void *in, void *out)
{
	struct iam_work w;
	struct run r = { &w, fn, in, out };

	TRY(prepare(t, &w, in));
	return finish(t, &w, out, kv_update(t, run_in_transaction, &r));
}

int iam_refuse(struct iam_work *w, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	w->why = str_vprintf(w->arena, format, args);
	va_end(args);
	return code;
}

struct str iam_fresh_id(struct iam_work *w, struct str prefix)
{
	return str_concat(w->arena, 2, prefix, w->fresh);
}

struct str iam_key1(struct iam_work *w, struct str kind, struct str name)
{
	if (!name.p)
		return kv_key(w->arena, "ssss", S("iam"), w->account, S(""), kind);
	return kv_key(
	        w->arena, "sssss", S("iam"), w->account, S(""), kind, str_lower(w->arena, name));
}

struct str iam_key2(struct iam_work *w, struct str kind, struct str first, struct str second)
{
	struct buf b = buf_init(w->arena);

	buf_add(&b, iam_key1(w, kind, first));
	if (second.p)
		kv_key_add(&b, "s", str_lower(w->arena, second));
	return buf_str(&b);
}

int64_t iam_count_get(struct iam_work *w, struct str kind)
{
	struct str value;
	int64_t n = 0;

	if (kv_get(w->txn, iam_key1(w, S("count"), kind), &value) != 0 || !str_to_i64(value, &n))
		return 0;
	return n;
}

int iam_count(struct iam_work *w, struct str kind, int change, int64_t quota)
{
	int64_t n = iam_count_get(w, kind) + change;

	if (change > 0 && n > quota)
		return iam_refuse(w, IAM_LIMIT_EXCEEDED_EXCEPTION,
		        "Cannot exceed quota for %.*sPerAccount: %lld", STR(kind),
		        (long long)quota);
	kv_put(w->txn, iam_key1(w, S("count"), kind), str_printf(w->arena, "%lld", (long long)n));
	return 0;
}

struct str iam_document(struct arena *a, struct str json)
{
	return json.p ? uri_encode(a, json, false) : json;
}

int iam_document_check(struct iam_work *w, struct str json, enum policy_kind kind)
{
	const struct policy *policy;
	struct str why = S("");

	if (policy_parse(w->arena, json, kind, &policy, &why) != 0)
		return iam_refuse(w, IAM_MALFORMED_POLICY_DOCUMENT_EXCEPTION, "%.*s", STR(why));
	return 0;
}

size_t iam_document_size(struct str json)
{
	size_t n = 0;

	for (size_t i = 0; i < json.n; i++)
		n += json.p[i] != ' ' && json.p[i] != '\t' && json.p[i] != '\n' &&
		     json.p[i] != '\r';
	return n;
}

/* ---- paging ---- */

size_t iam_page_size(const struct iam_page *page)
{
	return page->max_items.set ? (size_t)page->max_items.v : PAGE_DEFAULT;
}

bool iam_path_shown(const struct iam_page *page, struct str path)
{
	return !page->path_prefix.n || str_starts(path, page->path_prefix);
}

int iam_walk_rows(struct iam_work *w, struct iam_page *page, const struct iam_walk *walk)
{
	struct str from = w->marker.p ? str_concat(w->arena, 2, w->marker, (struct str){ "\0", 1 })
	                              : walk->prefix;
	CLEANUP(kv_scan_close)
	struct kv_scan *s = kv_scan(w->txn, from, kv_prefix_end(w->arena, walk->prefix), false);
	size_t taken = 0, max = iam_page_size(page);
	struct str key, value, last = { 0 };

	page->next = (struct str){ 0 };
	page->truncated = opt_bool(false);
	while (kv_next(s, &key, &value)) {
		if (taken == max) {
			page->truncated = opt_bool(true);
			page->next = last;
			break;
		}
		int took = walk->each(w, walk->arg, key, str_dup(w->arena, value));
		if (took < 0)
			return took;
		taken += (size_t)took;
		if (taken == max && took)
			last = str_dup(w->arena, key);
	}
	return 0;
}

void iam_walk_list(struct iam_work *w, struct iam_page *page, size_t n, size_t *from, size_t *to)
{
	uint64_t start = 0;

	if (w->marker.p && !str_to_u64(w->marker, &start))
		start = n;
	*from = MIN((size_t)start, n);
	*to = MIN(*from + iam_page_size(page), n);
	page->truncated = opt_bool(*to < n);
	page->next = *to < n ? str_printf(w->arena, "%zu", *to) : (struct str){ 0 };
}
