/* cors: origins, methods and headers against the configuration. */
#include "services/lambda/cors.h"

#include "base/buf.h"

bool cors_is_preflight(const struct http_request *r)
{
	return str_eq(r->method, S("OPTIONS")) && http_header_get(&r->headers, S("origin")).p &&
	       http_header_get(&r->headers, S("access-control-request-method")).p;
}

static bool has(const struct str *v, size_t n, struct str wanted)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i], S("*")) || str_eq_nocase(v[i], wanted) || str_match(wanted, v[i]))
			return true;
	return false;
}

static struct str joined(struct arena *a, const struct str *v, size_t n)
{
	struct buf b = buf_init(a);

	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s%.*s", i ? "," : "", STR(v[i]));
	return buf_str(&b);
}

static void drop_headers(struct http_headers *h)
{
	size_t kept = 0;

	for (size_t i = 0; i < h->n; i++) {
		struct str name = h->v[i].name;
		if (!str_eq_nocase(str_sub(name, 0, 15), S("access-control-")))
			h->v[kept++] = h->v[i];
	}
	h->n = kept;
}

static void apply_preflight(struct arena *a, const struct lambda_cors *cors,
        const struct http_request *r, struct http_headers *answer)
{
	if (cors->allow_methods.n)
		http_header_add(a, answer, S("Access-Control-Allow-Methods"),
		        joined(a, cors->allow_methods.v, cors->allow_methods.n));
	if (cors->allow_headers.n)
		http_header_add(a, answer, S("Access-Control-Allow-Headers"),
		        joined(a, cors->allow_headers.v, cors->allow_headers.n));
	if (cors->max_age.set)
		http_header_add(a, answer, S("Access-Control-Max-Age"),
		        str_printf(a, "%lld", (long long)cors->max_age.v));
}

void cors_apply(struct arena *a, const struct lambda_cors *cors, const struct http_request *r,
        struct http_headers *answer)
{
	struct str origin = http_header_get(&r->headers, S("origin"));

	if (!cors || !origin.p)
		return;
	drop_headers(answer);
	if (!has(cors->allow_origins.v, cors->allow_origins.n, origin))
		return;
	bool any = has(cors->allow_origins.v, cors->allow_origins.n, S("*")) &&
	           !cors->allow_credentials.v;
	http_header_add(a, answer, S("Access-Control-Allow-Origin"), any ? S("*") : origin);
	if (!any)
		http_header_add(a, answer, S("Vary"), S("Origin"));
	if (cors->allow_credentials.v)
		http_header_add(a, answer, S("Access-Control-Allow-Credentials"), S("true"));
	if (cors->expose_headers.n)
		http_header_add(a, answer, S("Access-Control-Expose-Headers"),
		        joined(a, cors->expose_headers.v, cors->expose_headers.n));
	if (cors_is_preflight(r))
		apply_preflight(a, cors, r, answer);
}
