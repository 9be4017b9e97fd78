/* integrate_http: endpoints outside, mapped (HTTP) or passed through (HTTP_PROXY). */
#include "services/apigateway/integrate.h"

#include "base/clock.h"
#include "codec/codec.h"
#include "net/client.h"

/* "{name}" in the URI's path, from the mapped path parameters, or from the method's own. */
static struct str fill_path(struct exchange *e, struct str uri, const struct http_headers *path)
{
	struct buf b = buf_init(e->arena);

	for (;;) {
		ptrdiff_t open = str_find_char(uri, '{');
		ptrdiff_t close =
		        open < 0 ? -1 : str_find_char(str_sub(uri, (size_t)open, uri.n), '}');
		if (close < 0)
			break;
		struct str name = str_sub(uri, (size_t)open + 1, (size_t)close - 1);
		if (str_ends(name, S("+")))
			name = str_sub(name, 0, name.n - 1);
		struct str v = http_header_get(path, name);
		buf_add(&b, str_sub(uri, 0, (size_t)open));
		buf_add(&b, v.p ? v : str_sub(uri, (size_t)open, (size_t)close + 1));
		uri = str_sub(uri, (size_t)(open + close) + 1, uri.n);
	}
	buf_add(&b, uri);
	return buf_str(&b);
}

static struct str add_query(struct exchange *e, struct str url, const struct http_headers *query)
{
	struct buf b = buf_init(e->arena);
	char mark = str_find_char(url, '?') < 0 ? '?' : '&';

	buf_add(&b, url);
	for (size_t i = 0; i < query->n; i++, mark = '&') {
		buf_add_char(&b, mark);
		buf_add(&b, uri_encode(e->arena, query->v[i].name, false));
		buf_add_char(&b, '=');
		buf_add(&b, uri_encode(e->arena, query->v[i].value, false));
	}
	return buf_str(&b);
}

static int fetch(struct task *t, struct exchange *e, struct http_fetch *f)
{
	const struct apigateway_integration *i = e->integration;
	uint64_t before = clock_mono_ns();

	f->method = str_eq(i->http_method, S("ANY")) ? e->request->method : i->http_method;
	f->timeout_ms = i->timeout_in_millis.set ? (uint64_t)i->timeout_in_millis.v : 29000;
	f->max_body = EXCHANGE_MAX_BODY;
	f->insecure = i->tls_config && i->tls_config->insecure_skip_verification.v;
	exchange_log_data(e, "Endpoint request URI: %.*s", STR(f->url));
	exchange_log_data(e, "Endpoint request body after transformations: %.*s", STR(f->body));
	exchange_log(e, "Sending request to %.*s", STR(f->url));
	int bad = http_fetch(t, f);
	e->integration_ms = (clock_mono_ns() - before) / 1000000;
	if (bad == -ECANCELED)
		return bad;
	if (bad == -ETIMEDOUT) {
		exchange_log_error(e, "Execution failed due to a timeout error");
		return exchange_refuse(e, REFUSE_INTEGRATION_TIMEOUT, (struct str){ 0 });
	}
	if (bad) {
		exchange_log_error(e, "Execution failed due to an internal error: %s",
		        strerror(bad < 0 ? -bad : bad));
		exchange_refuse(e,
		        bad == -EMSGSIZE || bad == -EPROTO ? REFUSE_MALFORMED
		                                           : REFUSE_INTEGRATION_FAILURE,
		        (struct str){ 0 });
		return EXCHANGE_ANSWERED;
	}
	e->integration_status = f->status;
	exchange_log(e, "Received response. Status: %d, Integration latency: %llu ms", f->status,
	        (unsigned long long)e->integration_ms);
	exchange_log_data(
	        e, "Endpoint response body before transformations: %.*s", STR(f->response_body));
	return 0;
}

static void keep(
        struct arena *a, struct http_headers *to, const struct http_headers *from, const char *name)
{
	struct str v = http_header_get(from, str_of(name));

	if (v.p && !http_header_get(to, str_of(name)).p)
		http_header_add(a, to, str_of(name), v);
}

int integrate_http(struct task *t, struct exchange *e)
{
	struct mapped_request request;
	struct http_fetch f = { 0 };
	struct str uri = exchange_stage_variables(e, e->integration->uri);

	TRY(mapping_request(e, &request));
	f.url = add_query(e, fill_path(e, uri, &request.path), &request.query);
	f.headers = request.headers;
	f.body = request.body;
	keep(e->arena, &f.headers, &e->headers, "Content-Type");
	if (!http_header_get(&f.headers, S("content-type")).p && f.body.n)
		http_header_add(e->arena, &f.headers, S("Content-Type"), S("application/json"));
	if (!http_header_get(&f.headers, S("user-agent")).p)
		http_header_add(e->arena, &f.headers, S("User-Agent"),
		        str_printf(e->arena, "AmazonAPIGateway_%.*s", STR(e->api_id)));
	http_header_set(e->arena, &f.headers, S("x-amzn-apigateway-api-id"), e->api_id);
	http_header_set(e->arena, &f.headers, S("X-Amzn-Trace-Id"), e->trace_id);
	TRY(fetch(t, e, &f));
	struct mapped_response response = {
		.status = f.status, .headers = f.response_headers, .body = f.response_body
	};
	return mapping_response(e, &response);
}

/* ---- proxy ---- */

static struct http_headers proxied_headers(struct exchange *e, const struct mapped_request *request)
{
	struct http_headers h = { 0 };

	for (size_t i = 0; i < e->headers.n; i++)
		if (!str_eq_nocase(e->headers.v[i].name, S("host")))
			http_header_add(e->arena, &h, e->headers.v[i].name, e->headers.v[i].value);
	for (size_t i = 0; i < request->headers.n; i++)
		http_header_set(
		        e->arena, &h, request->headers.v[i].name, request->headers.v[i].value);
	http_header_set(e->arena, &h, S("x-amzn-apigateway-api-id"), e->api_id);
	return h;
}

static struct http_headers merged(
        struct arena *a, const struct http_headers *base, const struct http_headers *over)
{
	struct http_headers all = { 0 };

	for (size_t i = 0; i < base->n; i++)
		http_header_add(a, &all, base->v[i].name, base->v[i].value);
	for (size_t i = 0; i < over->n; i++)
		http_header_set(a, &all, over->v[i].name, over->v[i].value);
	return all;
}

/* What the endpoint says of its own connection is not passed on; some names are remapped. */
static void take_headers(struct exchange *e, const struct http_headers *from)
{
	static const struct str remapped[] = { S_INIT("server"), S_INIT("date"),
		S_INIT("www-authenticate"), S_INIT("connection"), S_INIT("content-length") };

	for (size_t i = 0; i < from->n; i++) {
		struct str name = from->v[i].name;
		for (size_t k = 0; k < ARRAY_LEN(remapped); k++)
			if (str_eq_nocase(remapped[k], name))
				name = str_concat(
				        e->arena, 2, S("x-amzn-Remapped-"), from->v[i].name);
		if (!str_eq_nocase(from->v[i].name, S("transfer-encoding")))
			http_header_add(e->arena, &e->answer, name, from->v[i].value);
	}
}

int integrate_http_proxy(struct task *t, struct exchange *e)
{
	struct mapped_request request;
	struct http_fetch f = { .body = e->body };
	struct str uri = exchange_stage_variables(e, e->integration->uri);

	TRY(mapping_request(e, &request));
	struct http_headers path = merged(e->arena, &e->path_params, &request.path);
	struct http_headers query = merged(e->arena, &e->query, &request.query);
	f.url = add_query(e, fill_path(e, uri, &path), &query);
	f.headers = proxied_headers(e, &request);
	f.body = request.body;
	TRY(fetch(t, e, &f));
	e->status = f.status;
	e->answer_body = f.response_body;
	take_headers(e, &f.response_headers);
	return 0;
}
