/* cors: matching of rules, preflight requests. */
#include "services/s3/cors.h"

#include "codec/xml.h"
#include "services/s3/bucket.h"

struct wish {
	struct str origin, method, headers;
};

static const struct str *find_origin(const struct s3_cors_rule *r, struct str origin)
{
	for (size_t i = 0; i < r->allowed_origins.n; i++)
		if (str_match(origin, r->allowed_origins.v[i]))
			return &r->allowed_origins.v[i];
	return NULL;
}

static bool allows_method(const struct s3_cors_rule *r, struct str method)
{
	for (size_t i = 0; i < r->allowed_methods.n; i++)
		if (str_eq(r->allowed_methods.v[i], method))
			return true;
	return false;
}

static bool allows_header(struct arena *a, const struct s3_cors_rule *r, struct str header)
{
	for (size_t i = 0; i < r->allowed_headers.n; i++)
		if (str_match(str_lower(a, header), str_lower(a, r->allowed_headers.v[i])))
			return true;
	return false;
}

static bool allows_headers(struct arena *a, const struct s3_cors_rule *r, struct str headers)
{
	while (headers.p) {
		struct str one = str_trim(str_cut(&headers, ','));
		if (one.n > 0 && !allows_header(a, r, one))
			return false;
	}
	return true;
}

static const struct s3_cors_rule *find_rule(
        struct arena *a, const struct s3_bucket_record *b, const struct wish *w)
{
	for (size_t i = 0; i < b->cors_rules.n; i++) {
		const struct s3_cors_rule *r = &b->cors_rules.v[i];
		if (find_origin(r, w->origin) && allows_method(r, w->method) &&
		        allows_headers(a, r, w->headers))
			return r;
	}
	return NULL;
}

static struct str join(struct arena *a, const struct str *v, size_t n)
{
	struct buf b = buf_init(a);

	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_add(&b, S(", "));
		buf_add(&b, v[i]);
	}
	return buf_str(&b);
}

static void add_headers(
        struct arena *a, const struct s3_cors_rule *r, const struct wish *w, struct http_headers *h)
{
	bool any = str_eq(*find_origin(r, w->origin), S("*"));

	http_header_add(a, h, S("Access-Control-Allow-Origin"), any ? S("*") : w->origin);
	http_header_add(a, h, S("Access-Control-Allow-Methods"),
	        join(a, r->allowed_methods.v, r->allowed_methods.n));
	if (r->expose_headers.n)
		http_header_add(a, h, S("Access-Control-Expose-Headers"),
		        join(a, r->expose_headers.v, r->expose_headers.n));
	if (w->headers.p)
		http_header_add(a, h, S("Access-Control-Allow-Headers"), str_lower(a, w->headers));
	if (r->max_age_seconds.set)
		http_header_add(a, h, S("Access-Control-Max-Age"),
		        str_printf(a, "%lld", (long long)r->max_age_seconds.v));
	if (!any)
		http_header_add(a, h, S("Access-Control-Allow-Credentials"), S("true"));
	http_header_add(a, h, S("Vary"),
	        S("Origin, Access-Control-Request-Headers, Access-Control-Request-Method"));
}

void s3_cors_headers(struct task *t, const struct s3_bucket_record *b)
{
	struct call *c = call_of(t);
	struct arena *a = task_arena(t);

	if (!c->http || b->cors_rules.n == 0)
		return;
	struct wish w = { .origin = http_header_get(&c->http->request.headers, S("origin")),
		.method = c->http->request.method };
	const struct s3_cors_rule *r = w.origin.p ? find_rule(a, b, &w) : NULL;
	if (r)
		add_headers(a, r, &w, &c->headers);
}

bool s3_preflight_match(const struct http_request *r)
{
	return str_eq(r->method, S("OPTIONS")) &&
	       http_header_get(&r->headers, S("access-control-request-method")).p &&
	       http_header_get(&r->headers, S("origin")).p;
}

static int refuse(struct task *t, struct http_exchange *x, const struct wish *w)
{
	struct arena *a = task_arena(t);
	struct http_headers headers = { 0 };
	struct buf b = buf_init(a);

	http_header_add(a, &headers, S("Content-Type"), S("application/xml"));
	buf_add(&b, S("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
	xml_open(&b, S("Error"));
	xml_element(&b, S("Code"), S("AccessForbidden"));
	xml_element(&b, S("Message"),
	        S("CORSResponse: This CORS request is not allowed. This is usually because the "
	          "evalution of Origin, request method / Access-Control-Request-Method or "
	          "Access-Control-Request-Headers are not whitelisted by the resource's CORS "
	          "spec."));
	xml_element(&b, S("Method"), w->method);
	xml_element(&b, S("ResourceType"), S("OBJECT"));
	xml_element(&b, S("RequestId"), call_of(t)->request_id);
	xml_close(&b, S("Error"));
	return http_respond(t, x, 403, &headers, buf_str(&b));
}

int s3_preflight_serve(struct task *t, struct http_exchange *x)
{
	struct http_request *r = &x->request;
	struct arena *a = task_arena(t);
	struct http_headers headers = { 0 };
	struct s3_bucket_record b;
	struct wish w = { .origin = http_header_get(&r->headers, S("origin")),
		.method = http_header_get(&r->headers, S("access-control-request-method")),
		.headers = http_header_get(&r->headers, S("access-control-request-headers")) };
	struct str path = r->path, bucket = s3_bucket_of_host(r->host);

	if (!bucket.p) {
		str_cut(&path, '/');
		bucket = path.p ? str_cut(&path, '/') : S("");
	}
	int bad = s3_bucket_load(t, bucket, &b);
	if (bad < 0)
		return bad;
	const struct s3_cors_rule *rule = bad ? NULL : find_rule(a, &b, &w);
	if (!rule)
		return refuse(t, x, &w);
	add_headers(a, rule, &w, &headers);
	return http_respond(t, x, 200, &headers, S(""));
}
