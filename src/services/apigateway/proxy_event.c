/* proxy_event: writing the event, member by member. */
#include "services/apigateway/proxy_event.h"

#include "codec/codec.h"

static bool is_first(const struct http_headers *h, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (str_eq_nocase(h->v[i].name, h->v[at].name))
			return false;
	return true;
}

/* {"name": "last value"} */
static void write_single(struct json_writer *w, const struct http_headers *h)
{
	json_object(w);
	for (size_t i = 0; i < h->n; i++) {
		struct str last = h->v[i].value;
		if (!is_first(h, i))
			continue;
		for (size_t k = i + 1; k < h->n; k++)
			if (str_eq_nocase(h->v[k].name, h->v[i].name))
				last = h->v[k].value;
		json_key(w, h->v[i].name);
		json_str(w, last);
	}
	json_end(w);
}

/* {"name": ["first", "second"]} */
static void write_multi(struct json_writer *w, const struct http_headers *h)
{
	json_object(w);
	for (size_t i = 0; i < h->n; i++) {
		if (!is_first(h, i))
			continue;
		json_key(w, h->v[i].name);
		json_array(w);
		for (size_t k = i; k < h->n; k++)
			if (str_eq_nocase(h->v[k].name, h->v[i].name))
				json_str(w, h->v[k].value);
		json_end(w);
	}
	json_end(w);
}

static void write_or_null(struct json_writer *w, const char *name, const struct http_headers *h,
        void (*write)(struct json_writer *w, const struct http_headers *h))
{
	json_key(w, str_of(name));
	if (h->n)
		write(w, h);
	else
		json_null(w);
}

static void write_stage_variables(struct exchange *e, struct json_writer *w)
{
	const struct apigateway_map_of_string_to_string *v = &e->stage->variables;

	json_key(w, S("stageVariables"));
	if (!v->n) {
		json_null(w);
		return;
	}
	json_object(w);
	for (size_t i = 0; i < v->n; i++)
		json_member_str(w, v->v[i].key, v->v[i].value);
	json_end(w);
}

void proxy_event_members(struct exchange *e, struct json_writer *w)
{
	json_member_str(w, S("resource"), e->resource->path);
	json_member_str(w, S("path"), e->path);
	json_member_str(w, S("httpMethod"), e->request->method);
	write_or_null(w, "headers", &e->headers, write_single);
	write_or_null(w, "multiValueHeaders", &e->headers, write_multi);
	write_or_null(w, "queryStringParameters", &e->query, write_single);
	write_or_null(w, "multiValueQueryStringParameters", &e->query, write_multi);
	write_or_null(w, "pathParameters", &e->path_params, write_single);
	write_stage_variables(e, w);
	json_key(w, S("requestContext"));
	exchange_write_request_context(e, w);
}

struct str proxy_event(struct exchange *e)
{
	struct buf b = buf_init(e->arena);
	struct json_writer w = json_writer(&b);

	json_object(&w);
	proxy_event_members(e, &w);
	json_key(&w, S("body"));
	if (!e->body.n)
		json_null(&w);
	else
		json_str(&w, e->binary ? base64_encode(e->arena, e->body) : e->body);
	json_member_bool(&w, S("isBase64Encoded"), e->binary && e->body.n);
	json_end(&w);
	return buf_str(&b);
}
