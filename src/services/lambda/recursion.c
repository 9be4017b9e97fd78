/* recursion: the lineage; GetFunctionRecursionConfig, PutFunctionRecursionConfig. */
#include "services/lambda/recursion.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/rand.h"

#define LOOPS_MAX   16
#define TRACE_MAX   1024
#define LINEAGE_MAX 6 /* functions in a chain that are remembered */

struct str lambda_trace_of(struct task *t)
{
	for (const struct call *c = call_of(t); c; c = c->caller)
		if (c->http)
			return http_header_get(&c->http->request.headers, S("x-amzn-trace-id"));
	return (struct str){ 0 };
}

static bool is_traced(const struct lambda_function_record *r)
{
	const struct lambda_function_configuration *c = r->configuration;

	return c && c->tracing_config && str_eq(c->tracing_config->mode, S("Active"));
}

static struct str new_root(struct arena *a, const struct lambda_function_record *r)
{
	return str_printf(a, "Root=1-%08llx-%016llx%08llx;Parent=%016llx;Sampled=%d",
	        (unsigned long long)(clock_now_ms() / 1000), (unsigned long long)rand_u64(),
	        (unsigned long long)(rand_u64() & 0xffffffff), (unsigned long long)rand_u64(),
	        is_traced(r));
}

struct str lambda_trace_or_new(struct task *t, const struct lambda_function_record *r)
{
	struct str came = lambda_trace_of(t);

	return str_find(came.p ? came : S(""), S("Root=")) >= 0 ? came : new_root(task_arena(t), r);
}

/* The SDKs escape the bar. */
static struct str cut_item(struct str *rest)
{
	ptrdiff_t escaped = str_find(*rest, S("%7C"));
	ptrdiff_t bar = str_find_char(*rest, '|');

	if (escaped < 0 || (bar >= 0 && bar < escaped))
		return str_cut(rest, '|');
	struct str item = str_sub(*rest, 0, (size_t)escaped);
	*rest = str_sub(*rest, (size_t)escaped + 3, rest->n);
	return item;
}

/* Of "1:hash:count": how often this function ran; -1 when it is another one's. */
static int64_t count_of(struct str item, struct str hash)
{
	ptrdiff_t last = str_rfind_char(item, ':');
	int64_t count;

	if (last < 0 || !str_ends(str_sub(item, 0, (size_t)last), hash) ||
	        !str_to_i64(str_sub(item, (size_t)last + 1, item.n), &count))
		return -1;
	return count;
}

/* Copies the others' items, at most so many; returns this function's count. */
static int64_t read_lineage(struct buf *b, struct str lineage, struct str hash)
{
	int64_t own = -1;

	for (int n = 0; lineage.p && lineage.n && n < LINEAGE_MAX;) {
		struct str item = cut_item(&lineage);
		int64_t count = count_of(item, hash);
		if (count >= 0) {
			own = count;
			continue;
		}
		buf_add_char(b, '|');
		buf_add(b, item);
		n++;
	}
	return own;
}

bool lambda_trace_next(struct arena *a, struct str arn, const struct lambda_function_record *r,
        struct str came, struct str *next)
{
	struct str hash = str_printf(a, "%08llx", (unsigned long long)(map_hash(arn) & 0xffffffff));
	struct buf kept = buf_init(a), others = buf_init(a);
	int64_t count = -1;

	if (came.n > TRACE_MAX)
		came = (struct str){ 0 };
	while (came.p && came.n) {
		struct str part = str_trim(str_cut(&came, ';'));
		if (str_starts(part, S("Lineage=")))
			count = read_lineage(&others, str_sub(part, 8, part.n), hash);
		else if (part.n)
			buf_printf(&kept, "%s%.*s", kept.n ? ";" : "", STR(part));
	}
	struct str root = buf_str(&kept);
	if (str_find(root, S("Root=")) < 0)
		root = new_root(a, r);
	*next = str_printf(a, "%.*s;Lineage=1:%.*s:%lld%.*s", STR(root), STR(hash),
	        (long long)count + 1, STR(buf_str(&others)));
	return count + 1 < LOOPS_MAX || str_eq(r->recursive_loop, S("Allow"));
}

struct change {
	struct lambda_ref ref;
	struct str recursive_loop;
};

static int change(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;
	struct lambda_function_record r;

	TRY(lambda_record_get(txn, &c->ref, &r));
	r.recursive_loop = c->recursive_loop;
	lambda_record_put(txn, &c->ref, &r);
	return 0;
}

int lambda_put_function_recursion_config(struct task *t,
        const struct lambda_put_function_recursion_config_in *in,
        struct lambda_put_function_recursion_config_out *out)
{
	struct change c = { .recursive_loop = in->recursive_loop };

	TRY(lambda_ref_parse(t, in->function_name, (struct str){ 0 }, &c.ref));
	int bad = kv_update(t, change, &c);
	if (bad == KV_NOT_FOUND)
		return lambda_not_found(t, &c.ref);
	out->recursive_loop = in->recursive_loop;
	return bad;
}

int lambda_get_function_recursion_config(struct task *t,
        const struct lambda_get_function_recursion_config_in *in,
        struct lambda_get_function_recursion_config_out *out)
{
	struct lambda_ref ref;
	struct lambda_function_record r;

	TRY(lambda_find(t, in->function_name, (struct str){ 0 }, &ref, &r));
	out->recursive_loop = r.recursive_loop.n ? r.recursive_loop : S("Terminate");
	return 0;
}
