/* GetFunction, GetFunctionConfiguration, and the address under which a package can be fetched. */
#include "services/lambda/directory.h"
#include "services/lambda/route.h"

#include "codec/codec.h"
#include "kv/blobs.h"

#define LINK_MS (10 * 60 * 1000)

static void show(
        struct lambda_function_configuration *c, const struct lambda_ref *ref, struct arena *a)
{
	if (ref->qualifier.n)
		c->function_arn = lambda_ref_arn(a, ref);
}

int lambda_get_function_configuration(struct task *t,
        const struct lambda_get_function_configuration_in *in,
        struct lambda_get_function_configuration_out *out)
{
	struct lambda_ref ref;
	struct lambda_function_record r;

	TRY(lambda_find(t, in->function_name, in->qualifier, &ref, &r));
	*out = *r.configuration;
	show(out, &ref, task_arena(t));
	return 0;
}

static struct str link_mac(struct task *t, struct str text)
{
	unsigned char mac[32];

	hash_hmac_sha256(api_options_of(t)->root_secret, text, mac);
	return hex_encode(task_arena(t), (struct str){ (char *)mac, 16 });
}

struct str lambda_package_link(struct task *t, struct str blob)
{
	const struct api_options *o = api_options_of(t);
	struct arena *a = task_arena(t);
	long long until_ms = call_of(t)->now_ms + LINK_MS;
	struct str text = str_printf(a, "%.*s/%lld", STR(blob), until_ms);

	return str_printf(a, "http://%.*s:%d" LAMBDA_PACKAGE_PATH "%.*s/%.*s", STR(o->host),
	        o->port, STR(text), STR(link_mac(t, text)));
}

bool lambda_package_match(const struct http_request *r)
{
	return str_starts(r->path, S(LAMBDA_PACKAGE_PATH));
}

int lambda_package_serve(struct task *t, struct http_exchange *x)
{
	struct str rest =
	        str_sub(x->request.path, sizeof LAMBDA_PACKAGE_PATH - 1, x->request.path.n);
	struct http_headers headers = { 0 };
	ptrdiff_t slash = str_rfind_char(rest, '/');
	struct str text = str_sub(rest, 0, slash > 0 ? (size_t)slash : 0);
	struct str blob = text, mac = str_sub(rest, text.n + 1, rest.n);
	struct stream *s;
	int64_t until = 0;

	blob = str_cut(&text, '/');
	bool good = str_to_i64(text.p ? text : S(""), &until) && until > call_of(t)->now_ms &&
	            hash_equal(mac, link_mac(t, str_printf(task_arena(t), "%.*s/%lld", STR(blob),
	                                                (long long)until)));
	if (!good || kv_blob_open(t, blob, 0, -1, &s) != 0)
		return http_respond(t, x, 403, NULL, S("The link is no longer valid.\n"));
	http_header_add(task_arena(t), &headers, S("Content-Type"), S("application/zip"));
	return http_respond_stream(t, x, 200, &headers, s);
}

int lambda_get_function(struct task *t, const struct lambda_get_function_in *in,
        struct lambda_get_function_out *out)
{
	struct arena *a = task_arena(t);
	struct lambda_ref ref;
	struct lambda_function_record r;

	TRY(lambda_find(t, in->function_name, in->qualifier, &ref, &r));
	out->configuration = r.configuration;
	show(out->configuration, &ref, a);
	out->code = arena_new(a, struct lambda_function_code_location);
	out->code->repository_type = S("S3");
	out->code->location = lambda_package_link(t, r.code_blob);
	if (r.directory)
		out->code = lambda_directory_location(a, &r);
	out->tags = r.tags;
	if (r.reserved_concurrency.set) {
		out->concurrency = arena_new(a, struct lambda_concurrency);
		out->concurrency->reserved_concurrent_executions = r.reserved_concurrency;
	}
	return 0;
}
