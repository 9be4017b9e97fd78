/* context: what a request is known by, for events, templates and access logs. */
#include "services/apigateway/exchange.h"

#include "base/clock.h"

#include <stdio.h>
#include <time.h>

struct str exchange_clf_time(struct arena *a, int64_t ms)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	return str_printf(a, "%02d/%s/%04d:%02d:%02d:%02d +0000", tm.tm_mday, months[tm.tm_mon],
	        tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

struct str exchange_media_type(struct arena *a, struct str content_type)
{
	struct str rest = content_type;

	return str_lower(a, str_trim(str_cut(&rest, ';')));
}

/* "image/png", "image/" followed by a star, or two stars for everything. */
bool exchange_is_binary_type(const struct exchange *e, struct str content_type)
{
	const struct apigateway_list_of_string *types = &e->snapshot->api->binary_media_types;
	struct str media = exchange_media_type(e->arena, content_type);

	for (size_t i = 0; i < types->n; i++) {
		if (str_eq(types->v[i], S("*/*")))
			return true;
		if (media.n && str_match(media, str_lower(e->arena, types->v[i])))
			return true;
	}
	return false;
}

struct str exchange_method_arn(struct exchange *e)
{
	return str_printf(e->arena, "arn:aws:execute-api:%.*s:%.*s:%.*s/%.*s/%.*s%.*s",
	        STR(e->region), STR(e->account), STR(e->api_id), STR(e->stage_name),
	        STR(e->request->method), STR(e->path));
}

struct str exchange_stage_variables(struct exchange *e, struct str text)
{
	static const struct str begin = S_INIT("${stageVariables.");
	struct buf b = buf_init(e->arena);

	for (;;) {
		ptrdiff_t at = str_find(text, begin);
		ptrdiff_t end = at < 0 ? -1 : str_find_char(str_sub(text, (size_t)at, text.n), '}');
		if (end < 0)
			break;
		struct str name = str_sub(text, (size_t)at + begin.n, (size_t)end - begin.n);
		const struct apigateway_map_of_string_to_string_entry *v =
		        GROW_FIND(&e->stage->variables, key, name);
		buf_add(&b, str_sub(text, 0, (size_t)at));
		if (v)
			buf_add(&b, v->value);
		text = str_sub(text, (size_t)(at + end) + 1, text.n);
	}
	buf_add(&b, text);
	return buf_str(&b);
}

/* ---- the request context ---- */

static void member(struct json_writer *w, const char *name, struct str value)
{
	json_key(w, str_of(name));
	if (value.n)
		json_str(w, value);
	else
		json_null(w);
}

static void write_identity(struct exchange *e, struct json_writer *w)
{
	const struct principal *p = &e->principal;

	json_key(w, S("identity"));
	json_object(w);
	member(w, "cognitoIdentityPoolId", S(""));
	member(w, "accountId", p->account);
	member(w, "cognitoIdentityId", S(""));
	member(w, "caller", p->id);
	member(w, "sourceIp", e->request->peer_ip);
	member(w, "principalOrgId", S(""));
	member(w, "accessKey", p->access_key_id);
	member(w, "cognitoAuthenticationType", S(""));
	member(w, "cognitoAuthenticationProvider", S(""));
	member(w, "userArn", p->arn);
	member(w, "userAgent", http_header_get(&e->request->headers, S("user-agent")));
	member(w, "user", p->id);
	if (e->api_key.n) {
		member(w, "apiKey", e->api_key);
		member(w, "apiKeyId", e->api_key_id);
	}
	json_end(w);
}

static void write_authorizer(struct exchange *e, struct json_writer *w)
{
	size_t i, max;
	yyjson_val *key, *value;

	if (!e->principal_id.p)
		return;
	json_key(w, S("authorizer"));
	json_object(w);
	yyjson_obj_foreach(e->authorizer_context, i, max, key, value)
	{
		json_key(w, json_str_of(key));
		json_value(w, value);
	}
	json_member_str(w, S("principalId"), e->principal_id);
	json_member_i64(w, S("integrationLatency"), (int64_t)e->authorizer_ms);
	json_end(w);
}

void exchange_write_request_context(struct exchange *e, struct json_writer *w)
{
	struct str host = e->domain;

	json_object(w);
	write_authorizer(e, w);
	json_member_str(w, S("resourceId"), e->resource->id);
	json_member_str(w, S("resourcePath"), e->resource->path);
	json_member_str(w, S("httpMethod"), e->request->method);
	json_member_str(w, S("extendedRequestId"), e->extended_id);
	json_member_str(w, S("requestTime"), exchange_clf_time(e->arena, e->now_ms));
	json_member_str(w, S("path"), e->full_path);
	json_member_str(w, S("accountId"), e->account);
	json_member_str(w, S("protocol"), S("HTTP/1.1"));
	json_member_str(w, S("stage"), e->stage_name);
	json_member_str(w, S("domainPrefix"), str_cut(&host, '.'));
	json_member_i64(w, S("requestTimeEpoch"), e->now_ms);
	json_member_str(w, S("requestId"), e->request_id);
	write_identity(e, w);
	json_member_str(w, S("domainName"), e->domain);
	json_member_str(w, S("deploymentId"), e->stage->deployment_id);
	json_member_str(w, S("apiId"), e->api_id);
	json_end(w);
}

/* ---- $context ---- */

static void write_error(struct exchange *e, struct json_writer *w)
{
	struct buf quoted = buf_init(e->arena);

	if (!e->error_response.p)
		return;
	if (e->error_message.p)
		json_quote(&quoted, e->error_message);
	else
		buf_add(&quoted, S("null"));
	json_key(w, S("error"));
	json_object(w);
	member(w, "message", e->error_message);
	json_member_str(w, S("messageString"), buf_str(&quoted));
	json_member_str(w, S("responseType"), e->error_response);
	json_end(w);
}

static void write_outcome(struct exchange *e, struct json_writer *w)
{
	json_member_i64(w, S("status"), e->status);
	json_member_i64(w, S("responseLength"), (int64_t)e->answer_body.n);
	json_member_i64(
	        w, S("responseLatency"), (int64_t)((clock_mono_ns() - e->started_ns) / 1000000));
	json_member_i64(w, S("integrationLatency"), (int64_t)e->integration_ms);
	json_member_i64(w, S("integrationStatus"), e->integration_status);
	json_key(w, S("integration"));
	json_object(w);
	json_member_i64(w, S("latency"), (int64_t)e->integration_ms);
	json_member_i64(w, S("status"), e->integration_status);
	json_end(w);
}

struct str exchange_context_json(struct exchange *e)
{
	struct buf b = buf_init(e->arena), inner = buf_init(e->arena);
	struct json_writer w = json_writer(&b), i = json_writer(&inner);

	json_object(&w);
	write_error(e, &w);
	write_outcome(e, &w);
	json_member_str(&w, S("xrayTraceId"), e->trace_id);
	json_end(&w);
	if (!e->resource)
		return buf_str(&b);
	/* The members of the request context, then the rest. */
	exchange_write_request_context(e, &i);
	b.n--;
	buf_add_char(&b, ',');
	buf_add(&b, str_sub(buf_str(&inner), 1, inner.n));
	return buf_str(&b);
}

struct str exchange_context_text(struct exchange *e, struct str path)
{
	yyjson_val *v;

	if (json_parse(e->arena, exchange_context_json(e), &v) != 0)
		return S("-");
	while (path.n && v) {
		struct str name = str_cut(&path, '.');
		v = yyjson_is_obj(v) ? yyjson_obj_getn(v, name.p, name.n) : NULL;
	}
	if (yyjson_is_str(v))
		return json_str_of(v);
	return v && !yyjson_is_null(v) ? json_text(e->arena, v) : S("-");
}
