/*
 * bill: what the usage that the runtime has counted would have cost at AWS. Tiers are those of one
 * account and month; a function's share is by its GB-seconds.
 */
#include "services/lambda/operate.h"
#include "services/lambda/prices.h"

#include "base/clock.h"
#include "base/map.h"
#include "kv/key.h"

struct line {
	struct str name;
	bool arm64;
	struct lambda_usage_record sum;
};

struct bill {
	struct str account, region, only;
	int64_t since_ms, until_ms;
	struct line *v;
	size_t n, capacity;
};

static void put_line(struct bill *b, struct arena *a, const struct line *l)
{
	if (b->n == b->capacity) {
		struct line *v = arena_new_n(a, struct line, b->capacity * 2 + 16);
		if (b->n)
			memcpy(v, b->v, b->n * sizeof *v);
		b->v = v;
		b->capacity = b->capacity * 2 + 16;
	}
	b->v[b->n++] = *l;
}

static struct lambda_usage_record *find_line(
        struct bill *b, struct arena *a, struct str name, bool arm64)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->v[i].arm64 == arm64 && str_eq(b->v[i].name, name))
			return &b->v[i].sum;
	struct line l = { .name = str_dup(a, name), .arm64 = arm64 };
	put_line(b, a, &l);
	return &b->v[b->n - 1].sum;
}

static void add(struct lambda_usage_record *to, const struct lambda_usage_record *u)
{
	to->requests.v += u->requests.v;
	to->errors.v += u->errors.v;
	to->timeouts.v += u->timeouts.v;
	to->duration_us.v += u->duration_us.v;
	to->billed_ms.v += u->billed_ms.v;
	to->billed_mib_ms.v += u->billed_mib_ms.v;
	to->init_ms.v += u->init_ms.v;
	to->storage_mib_ms.v += u->storage_mib_ms.v;
}

static int collect(struct kv_txn *txn, void *arg)
{
	struct bill *b = arg;
	struct arena *a = kv_arena(txn);
	struct str prefix = kv_key(a, "ssss", S("lambda"), b->account, b->region, S("usage"));
	struct str from = kv_key(
	        a, "ssssu", S("lambda"), b->account, b->region, S("usage"), (uint64_t)b->since_ms);
	struct str key, value, word, account, region, kind, name, architecture;
	uint64_t hour;

	b->n = 0;
	CLEANUP(kv_scan_close)
	struct kv_scan *s = kv_scan(txn, from, kv_prefix_end(a, prefix), false);
	while (kv_next(s, &key, &value)) {
		struct lambda_usage_record u = { 0 };
		if (!kv_key_read(a, key, "ssssuss", &word, &account, &region, &kind, &hour, &name,
		            &architecture))
			return -EPROTO;
		if (b->only.n && !str_eq(b->only, name))
			continue;
		TRY(record_unpack(a, &lambda_shape_usage_record, value, &u));
		add(find_line(b, a, name, str_eq(architecture, S("arm64"))), &u);
	}
	return 0;
}

static double gb_seconds(int64_t mib_ms)
{
	return (double)mib_ms / 1024 / 1000;
}

struct total {
	double gb_seconds[2]; /* by architecture */
	double compute[2];
	double requests, storage;
};

static struct total total_of(const struct bill *b)
{
	struct total t = { 0 };

	for (size_t i = 0; i < b->n; i++) {
		t.gb_seconds[b->v[i].arm64] += gb_seconds(b->v[i].sum.billed_mib_ms.v);
		t.requests += (double)b->v[i].sum.requests.v;
		t.storage += gb_seconds(b->v[i].sum.storage_mib_ms.v);
	}
	for (int i = 0; i < 2; i++)
		t.compute[i] = price_compute(i, t.gb_seconds[i]);
	return t;
}

static double cost_of(const struct line *l, const struct total *t)
{
	double all = t->gb_seconds[l->arm64], own = gb_seconds(l->sum.billed_mib_ms.v);

	return (all > 0 ? t->compute[l->arm64] * own / all : 0) +
	       (double)l->sum.requests.v * PRICE_REQUEST +
	       gb_seconds(l->sum.storage_mib_ms.v) * PRICE_STORAGE_GB_SECOND;
}

/* After the free tier, which counts each month for the account, x86 first. */
static double after_free(const struct total *t)
{
	double free_gb_seconds = FREE_GB_SECONDS, sum = 0;

	for (int i = 0; i < 2; i++) {
		double covered = MIN(free_gb_seconds, t->gb_seconds[i]);
		free_gb_seconds -= covered;
		sum += price_compute(i, t->gb_seconds[i] - covered);
	}
	return sum + MAX(t->requests - FREE_REQUESTS, 0) * PRICE_REQUEST +
	       t->storage * PRICE_STORAGE_GB_SECOND;
}

static void member(struct json_writer *w, struct str name, double v)
{
	json_key(w, name);
	json_double(w, v);
}

static void write_line(struct json_writer *w, const struct line *l, const struct total *t)
{
	const struct lambda_usage_record *u = &l->sum;

	json_object(w);
	json_member_str(w, S("FunctionName"), l->name);
	json_member_str(w, S("Architecture"), l->arm64 ? S("arm64") : S("x86_64"));
	json_member_i64(w, S("Requests"), u->requests.v);
	json_member_i64(w, S("Errors"), u->errors.v);
	json_member_i64(w, S("Timeouts"), u->timeouts.v);
	json_member_i64(w, S("BilledMs"), u->billed_ms.v);
	json_member_i64(w, S("InitMs"), u->init_ms.v);
	member(w, S("GBSeconds"), gb_seconds(u->billed_mib_ms.v));
	member(w, S("StorageGBSeconds"), gb_seconds(u->storage_mib_ms.v));
	member(w, S("Cost"), cost_of(l, t));
	json_end(w);
}

static void write_bill(struct json_writer *w, const struct bill *b, const struct total *t)
{
	json_object(w);
	json_member_i64(w, S("Since"), b->since_ms);
	json_member_i64(w, S("Until"), b->until_ms);
	json_member_str(w, S("PricesOf"), S(PRICES_DATE));
	json_member_str(w, S("PricesRegion"), S(PRICES_REGION));
	json_key(w, S("Functions"));
	json_array(w);
	for (size_t i = 0; i < b->n; i++)
		write_line(w, &b->v[i], t);
	json_end(w);
	member(w, S("Cost"),
	        t->compute[0] + t->compute[1] + t->requests * PRICE_REQUEST +
	                t->storage * PRICE_STORAGE_GB_SECOND);
	member(w, S("CostAfterFreeTier"), after_free(t));
	json_end(w);
}

/* ?since=<Unix milliseconds>&function=<name>; hours are counted whole. */
int lambda_bill(struct task *t, struct operating *o)
{
	struct bill b = { .account = call_of(t)->account,
		.region = call_of(t)->region,
		.only = uri_params_get(&o->query, S("function")),
		.until_ms = clock_now_ms() };
	struct str since = uri_params_get(&o->query, S("since"));

	if (since.n && (!str_to_i64(since, &b.since_ms) || b.since_ms < 0))
		return fail(t, API_ERROR_VALIDATION, "since takes Unix milliseconds");
	b.since_ms -= b.since_ms % 3600000;
	TRY(runtime_usage_flush(t));
	TRY(kv_view(t, collect, &b));
	struct total sum = total_of(&b);
	write_bill(&o->w, &b, &sum);
	return 0;
}
