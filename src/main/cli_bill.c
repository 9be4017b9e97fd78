/* cli_bill: `wolke bill`: what ran, and what AWS would charge for it. */
#include "main/cli.h"
#include "main/command.h"

#include "codec/codec.h"
#include "codec/json.h"

#include <stdio.h>

static const struct {
	char letter;
	int64_t ms;
} units[] = { { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 }, { 'w', 7 * 86400000ll } };

/* "24h", "7d", a date or time, or nothing: the begin of this month. */
static int parse_since(struct arena *a, struct str text, int64_t now, int64_t *ms)
{
	int64_t n;

	if (!text.n) {
		struct str month =
		        str_concat(a, 2, str_sub(time_iso8601(a, now, false), 0, 7), S("-01"));
		return time_parse_iso8601(month, ms);
	}
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (text.p[text.n - 1] == units[i].letter &&
		        str_to_i64(str_sub(text, 0, text.n - 1), &n)) {
			*ms = MAX(now - n * units[i].ms, (int64_t)0);
			return 0;
		}
	return time_parse_iso8601(text, ms);
}

static void show(struct arena *a, yyjson_val *bill)
{
	size_t i, n;
	yyjson_val *f;

	printf("%-40s %-7s %10s %8s %14s %12s %14s\n", "FUNCTION", "ARCH", "REQUESTS", "FAILED",
	        "GB-SECONDS", "INIT MS", "USD");
	yyjson_arr_foreach(json_get(bill, "Functions"), i, n, f)
	{
		printf("%-40.*s %-7.*s %10lld %8lld %14.4f %12lld %14.8f\n",
		        STR(json_get_str(f, "FunctionName")), STR(json_get_str(f, "Architecture")),
		        (long long)json_get_i64(f, "Requests", 0),
		        (long long)(json_get_i64(f, "Errors", 0) + json_get_i64(f, "Timeouts", 0)),
		        yyjson_get_num(json_get(f, "GBSeconds")),
		        (long long)json_get_i64(f, "InitMs", 0),
		        yyjson_get_num(json_get(f, "Cost")));
	}
	struct str since = time_iso8601(a, json_get_i64(bill, "Since", 0), false);
	printf("\nSince %.*s AWS would have charged $%.8f for this, $%.8f beyond the month's free "
	       "tier\n(prices of %.*s in %.*s; init is billed and in the GB-seconds).\n",
	        STR(since), yyjson_get_num(json_get(bill, "Cost")),
	        yyjson_get_num(json_get(bill, "CostAfterFreeTier")),
	        STR(json_get_str(bill, "PricesOf")), STR(json_get_str(bill, "PricesRegion")));
}

/* The server's, which may be a manual one. */
static int server_now(struct task *t, const struct options *o, int64_t *now_ms)
{
	struct cli_request r = {
		.service = S("lambda"), .method = S("GET"), .path = S("/_wolke/clock")
	};
	struct http_fetch f = { 0 };
	yyjson_val *clock;

	TRY(cli_call(t, o, &r, &f));
	if (json_parse(task_arena(t), f.response_body, &clock) != 0)
		return -EPROTO;
	*now_ms = json_get_i64(clock, "now_ms", 0);
	return 0;
}

static int bill_task(struct task *t, void *arg)
{
	const struct options *o = arg;
	struct arena *a = task_arena(t);
	struct cli_request r = { .service = S("lambda"), .method = S("GET") };
	struct http_fetch f = { 0 };
	int64_t since_ms, now_ms;
	yyjson_val *bill;

	TRY(server_now(t, o, &now_ms));
	if (parse_since(a, o->since, now_ms, &since_ms) != 0) {
		fprintf(stderr, "wolke: --since takes 90m, 24h, 7d or a date as 2026-01-31\n");
		return 2;
	}
	r.path = str_printf(a, "/_wolke/lambda/bill?since=%lld", (long long)since_ms);
	if (o->function.n)
		r.path = str_concat(
		        a, 3, r.path, S("&function="), uri_encode(a, o->function, false));
	TRY(cli_call(t, o, &r, &f));
	if (json_parse(a, f.response_body, &bill) != 0)
		return -EPROTO;
	show(a, bill);
	return 0;
}

int command_bill(struct arena *a, const struct options *o)
{
	return cli_run(bill_task, (void *)(uintptr_t)o);
}
