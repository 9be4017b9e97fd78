/*
 * lambda_proxy: the whole request as an event, the function's answer as the response. API Gateway
 * Developer Guide, "Input format of a Lambda function for proxy integration" and "Output format".
 */
#include "codec/codec.h"
#include "services/apigateway/integrate.h"

#include "services/apigateway/proxy_event.h"

/* ---- the answer ---- */

static int malformed(struct exchange *e, const char *why)
{
	exchange_log_error(e, "Execution failed due to configuration error: %s", why);
	return exchange_refuse(e, REFUSE_MALFORMED, (struct str){ 0 });
}

static struct str scalar_text(struct arena *a, yyjson_val *v)
{
	struct str text = json_str_of(v);

	return text.p ? text : json_text(a, v);
}

static bool is_header_value(yyjson_val *v)
{
	return yyjson_is_str(v) || yyjson_is_num(v) || yyjson_is_bool(v);
}

/* "headers": {"name": value} */
static bool take_headers(struct exchange *e, yyjson_val *headers)
{
	size_t i, max;
	yyjson_val *key, *value;

	if (headers && !yyjson_is_null(headers) && !yyjson_is_obj(headers))
		return false;
	yyjson_obj_foreach(headers, i, max, key, value)
	{
		if (!is_header_value(value))
			return false;
		http_header_set(
		        e->arena, &e->answer, json_str_of(key), scalar_text(e->arena, value));
	}
	return true;
}

static bool has_value(const struct http_headers *h, struct str name, struct str value)
{
	for (size_t i = 0; i < h->n; i++)
		if (str_eq_nocase(h->v[i].name, name) && str_eq(h->v[i].value, value))
			return true;
	return false;
}

/* "multiValueHeaders": {"name": [values]}; they are added to those of "headers". */
static bool take_multi_headers(struct exchange *e, yyjson_val *headers)
{
	size_t i, imax, k, kmax;
	yyjson_val *key, *list, *value;

	if (headers && !yyjson_is_null(headers) && !yyjson_is_obj(headers))
		return false;
	yyjson_obj_foreach(headers, i, imax, key, list)
	{
		if (!yyjson_is_arr(list))
			return false;
		yyjson_arr_foreach(list, k, kmax, value)
		{
			struct str text = scalar_text(e->arena, value);
			if (!is_header_value(value))
				return false;
			if (!has_value(&e->answer, json_str_of(key), text))
				http_header_add(e->arena, &e->answer, json_str_of(key), text);
		}
	}
	return true;
}

static bool take_status(struct exchange *e, yyjson_val *status)
{
	uint64_t n = 0;

	if (yyjson_is_uint(status))
		n = yyjson_get_uint(status);
	else if (!str_to_u64(json_str_of(status), &n))
		return false;
	e->status = (int)n;
	return n >= 100 && n <= 599;
}

/* Base64 is undone when the client accepts one of the API's binary types, or sends no Accept and
 * the answer's own type is one. */
static bool decodes(struct exchange *e)
{
	struct str accept = http_header_get(&e->headers, S("accept"));
	struct str first = str_cut(&accept, ',');

	if (first.n && exchange_is_binary_type(e, first))
		return true;
	return exchange_is_binary_type(e, http_header_get(&e->answer, S("content-type")));
}

static bool take_body(struct exchange *e, yyjson_val *root)
{
	yyjson_val *body = json_get(root, "body");

	e->answer_body = S("");
	if (!body || yyjson_is_null(body))
		return true;
	if (!yyjson_is_str(body))
		return false;
	e->answer_body = json_str_of(body);
	if (!json_get_bool(root, "isBase64Encoded", false) || !decodes(e))
		return true;
	return base64_decode(e->arena, e->answer_body, &e->answer_body) == 0;
}

static bool is_known_member(struct str name)
{
	static const struct str names[] = { S_INIT("statusCode"), S_INIT("headers"),
		S_INIT("multiValueHeaders"), S_INIT("body"), S_INIT("isBase64Encoded"),
		S_INIT("cookies") };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(names[i], name))
			return true;
	return false;
}

static bool only_known_members(yyjson_val *root)
{
	size_t i, max;
	yyjson_val *key, *value;

	yyjson_obj_foreach(
	        root, i, max, key, value) if (!is_known_member(json_str_of(key))) return false;
	return true;
}

static int take_answer(struct exchange *e, const struct function_call *f)
{
	yyjson_val *root;

	if (f->error.p) {
		exchange_log_error(e,
		        "Lambda execution failed with status 200 due to customer function error: "
		        "%.*s",
		        STR(f->answer));
		return exchange_refuse(e, REFUSE_MALFORMED, (struct str){ 0 });
	}
	if (json_parse(e->arena, f->answer, &root) != 0 || !yyjson_is_obj(root))
		return malformed(e, "Malformed Lambda proxy response");
	yyjson_val *status = json_get(root, "statusCode");
	if (!only_known_members(root))
		return malformed(e, "Malformed Lambda proxy response");
	e->status = 200;
	if (status && !yyjson_is_null(status) && !take_status(e, status))
		return malformed(e, "Malformed Lambda proxy response");
	if (!take_headers(e, json_get(root, "headers")) ||
	        !take_multi_headers(e, json_get(root, "multiValueHeaders")))
		return malformed(e, "Malformed Lambda proxy response");
	if (!take_body(e, root))
		return malformed(e, "Malformed Lambda proxy response");
	return 0;
}

int integrate_lambda_proxy(struct task *t, struct exchange *e)
{
	struct function_call f = { .payload = proxy_event(e) };

	TRY(integrate_invoke(t, e, &f));
	return take_answer(e, &f);
}
