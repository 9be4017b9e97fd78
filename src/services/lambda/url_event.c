/* url_event: the event of a request, and the response out of an answer. */
#include "services/lambda/url_request.h"

#include "codec/codec.h"
#include "codec/json.h"

/* ---- the event ---- */

static bool is_first(const struct http_headers *h, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (str_eq_nocase(h->v[i].name, h->v[at].name))
			return false;
	return true;
}

static bool is_hidden(struct str name)
{
	static const struct str names[] = { S_INIT("cookie"), S_INIT("connection"),
		S_INIT("transfer-encoding"), S_INIT("expect"), S_INIT("x-amzn-trace-id") };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq_nocase(names[i], name))
			return true;
	return false;
}

/* Several of a name are joined by commas. */
static void write_joined(struct json_writer *w, struct arena *a, const struct http_headers *h)
{
	for (size_t i = 0; i < h->n; i++) {
		struct buf b = buf_init(a);
		if (is_hidden(h->v[i].name) || !is_first(h, i))
			continue;
		for (size_t k = i; k < h->n; k++)
			if (str_eq_nocase(h->v[k].name, h->v[i].name))
				buf_printf(&b, "%s%.*s", k > i ? "," : "", STR(h->v[k].value));
		json_key(w, str_lower(a, h->v[i].name));
		json_str(w, buf_str(&b));
	}
}

static void write_headers(struct json_writer *w, const struct url_request *r)
{
	const struct http_request *q = &r->x->request;

	json_key(w, S("headers"));
	json_object(w);
	write_joined(w, r->arena, &q->headers);
	json_member_str(w, S("x-amzn-trace-id"), r->trace_id);
	json_member_str(w, S("x-forwarded-for"), q->peer_ip);
	json_member_str(w, S("x-forwarded-port"), q->tls ? S("443") : S("80"));
	json_member_str(w, S("x-forwarded-proto"), q->tls ? S("https") : S("http"));
	json_end(w);
}

static void write_cookies(struct json_writer *w, const struct url_request *r)
{
	struct str rest = http_header_get(&r->x->request.headers, S("cookie"));

	if (!rest.n)
		return;
	json_key(w, S("cookies"));
	json_array(w);
	while (rest.p) {
		struct str one = str_trim(str_cut(&rest, ';'));
		if (one.n)
			json_str(w, one);
	}
	json_end(w);
}

static bool is_first_param(const struct uri_params *p, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (str_eq(p->v[i].name, p->v[at].name))
			return false;
	return true;
}

static void write_query(struct json_writer *w, const struct url_request *r)
{
	struct uri_params p;

	if (!r->x->request.query.n || uri_query_parse(r->arena, r->x->request.query, &p) != 0 ||
	        p.n == 0)
		return;
	json_key(w, S("queryStringParameters"));
	json_object(w);
	for (size_t i = 0; i < p.n; i++) {
		struct buf b = buf_init(r->arena);
		if (!is_first_param(&p, i))
			continue;
		for (size_t k = i; k < p.n; k++)
			if (str_eq(p.v[k].name, p.v[i].name))
				buf_printf(&b, "%s%.*s", k > i ? "," : "", STR(p.v[k].value));
		json_key(w, p.v[i].name);
		json_str(w, buf_str(&b));
	}
	json_end(w);
}

static void write_authorizer(struct json_writer *w, const struct principal *p)
{
	if (p->type == PRINCIPAL_ANONYMOUS)
		return;
	json_key(w, S("authorizer"));
	json_object(w);
	json_key(w, S("iam"));
	json_object(w);
	json_member_str(w, S("accessKey"), p->access_key_id);
	json_member_str(w, S("accountId"), p->account);
	json_member_str(w, S("callerId"), p->id);
	json_key(w, S("cognitoIdentity"));
	json_null(w);
	json_key(w, S("principalOrgId"));
	json_null(w);
	json_member_str(w, S("userArn"), p->arn);
	json_member_str(w, S("userId"), p->id);
	json_end(w);
	json_end(w);
}

static void write_http(struct json_writer *w, const struct url_request *r)
{
	const struct http_request *q = &r->x->request;

	json_key(w, S("http"));
	json_object(w);
	json_member_str(w, S("method"), q->method);
	json_member_str(w, S("path"), r->path);
	json_member_str(w, S("protocol"), S("HTTP/1.1"));
	json_member_str(w, S("sourceIp"), q->peer_ip);
	json_member_str(w, S("userAgent"), http_header_get(&q->headers, S("user-agent")));
	json_end(w);
}

/* 12/Mar/2020:19:03:58 +0000 */
static struct str clf_time(struct arena *a, int64_t ms)
{
	struct str t = time_rfc822(a, ms); /* Thu, 12 Mar 2020 19:03:58 GMT */

	return str_printf(
	        a, "%.*s/%.*s/%.*s:%.*s +0000", 2, t.p + 5, 3, t.p + 8, 4, t.p + 12, 8, t.p + 17);
}

static void write_context(struct task *t, struct json_writer *w, const struct url_request *r)
{
	const struct call *c = call_of(t);
	bool anonymous = c->principal.type == PRINCIPAL_ANONYMOUS;

	json_key(w, S("requestContext"));
	json_object(w);
	json_member_str(w, S("accountId"), anonymous ? S("anonymous") : c->principal.account);
	json_member_str(w, S("apiId"), r->id);
	write_authorizer(w, &c->principal);
	json_member_str(w, S("domainName"), r->domain);
	json_member_str(w, S("domainPrefix"), r->id);
	write_http(w, r);
	json_member_str(w, S("requestId"), c->request_id);
	json_member_str(w, S("routeKey"), S("$default"));
	json_member_str(w, S("stage"), S("$default"));
	json_member_str(w, S("time"), clf_time(r->arena, c->now_ms));
	json_member_i64(w, S("timeEpoch"), c->now_ms);
	json_end(w);
}

/* Text goes as it is; all else in base64, forms too. */
static bool is_text(struct str type)
{
	static const struct str texts[] = { S_INIT("application/json"), S_INIT("application/xml"),
		S_INIT("application/javascript") };
	struct str name = str_trim(str_cut(&type, ';'));

	if (str_eq_nocase(str_sub(name, 0, 5), S("text/")))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (str_eq_nocase(name, texts[i]))
			return true;
	return false;
}

struct str url_event(struct task *t, const struct url_request *r)
{
	const struct http_request *q = &r->x->request;
	struct buf b = buf_init(r->arena);
	struct json_writer w = json_writer(&b);
	struct str type = http_header_get(&q->headers, S("content-type"));
	bool binary = r->body.n && !(type.n && is_text(type));

	json_object(&w);
	json_member_str(&w, S("version"), S("2.0"));
	json_member_str(&w, S("routeKey"), S("$default"));
	json_member_str(&w, S("rawPath"), r->path);
	json_member_str(&w, S("rawQueryString"), q->query.p ? q->query : S(""));
	write_cookies(&w, r);
	write_headers(&w, r);
	write_query(&w, r);
	write_context(t, &w, r);
	if (r->body.n)
		json_member_str(&w, S("body"), binary ? base64_encode(r->arena, r->body) : r->body);
	json_member_bool(&w, S("isBase64Encoded"), binary);
	json_end(&w);
	return buf_str(&b);
}

/* ---- the answer ---- */

static struct str text_of(struct arena *a, yyjson_val *v)
{
	return yyjson_is_str(v) ? json_str_of(v) : json_text(a, v);
}

static bool take_status(struct url_request *r, yyjson_val *status)
{
	uint64_t n = 0;

	if (yyjson_is_uint(status))
		n = yyjson_get_uint(status);
	else if (!str_to_u64(json_str_of(status).p ? json_str_of(status) : S(""), &n))
		return false;
	r->status = (int)n;
	return n >= 100 && n <= 599;
}

static bool take_headers(struct url_request *r, yyjson_val *headers)
{
	size_t i, max;
	yyjson_val *key, *value;

	if (headers && !yyjson_is_null(headers) && !yyjson_is_obj(headers))
		return false;
	yyjson_obj_foreach(headers, i, max, key, value)
	{
		if (yyjson_is_obj(value) || yyjson_is_arr(value))
			return false;
		http_header_set(r->arena, &r->headers, json_str_of(key), text_of(r->arena, value));
	}
	return true;
}

static bool take_cookies(struct url_request *r, yyjson_val *cookies)
{
	size_t i, max;
	yyjson_val *value;

	if (cookies && !yyjson_is_null(cookies) && !yyjson_is_arr(cookies))
		return false;
	yyjson_arr_foreach(cookies, i, max, value)
	{
		if (!yyjson_is_str(value))
			return false;
		http_header_add(r->arena, &r->headers, S("Set-Cookie"), json_str_of(value));
	}
	return true;
}

static bool take_body(struct url_request *r, yyjson_val *root)
{
	yyjson_val *body = json_get(root, "body");

	r->answer = body && !yyjson_is_null(body) ? text_of(r->arena, body) : S("");
	if (!json_get_bool(root, "isBase64Encoded", false))
		return true;
	return base64_decode(r->arena, r->answer, &r->answer) == 0;
}

static void take_plain(struct url_request *r, yyjson_val *root)
{
	r->status = 200;
	r->answer = text_of(r->arena, root);
}

bool url_take_answer(struct url_request *r, struct str payload)
{
	yyjson_val *root;

	if (json_parse(r->arena, payload, &root) != 0)
		return false;
	yyjson_val *status = json_get(root, "statusCode");
	if (!status)
		take_plain(r, root);
	else if (!take_status(r, status) || !take_headers(r, json_get(root, "headers")) ||
	         !take_cookies(r, json_get(root, "cookies")) || !take_body(r, root))
		return false;
	if (!http_header_get(&r->headers, S("content-type")).p)
		http_header_add(r->arena, &r->headers, S("Content-Type"), S("application/json"));
	return true;
}

bool url_take_prelude(struct url_request *r, struct str json)
{
	yyjson_val *root;

	r->status = 200;
	if (json_parse(r->arena, json, &root) != 0 || !yyjson_is_obj(root))
		return false;
	yyjson_val *status = json_get(root, "statusCode");
	if ((status && !take_status(r, status)) || !take_headers(r, json_get(root, "headers")) ||
	        !take_cookies(r, json_get(root, "cookies")))
		return false;
	if (!http_header_get(&r->headers, S("content-type")).p)
		http_header_add(r->arena, &r->headers, S("Content-Type"), S("application/json"));
	return true;
}
