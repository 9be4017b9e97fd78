/* mapping: mapping expressions, templates, selection of responses. */
#include "services/apigateway/mapping.h"

#include "codec/codec.h"
#include "services/apigateway/json_path.h"
#include "services/apigateway/regex.h"
#include "services/apigateway/vtl.h"

static bool cut_prefix(struct str *s, const char *prefix)
{
	struct str p = str_of(prefix);

	if (!str_starts(*s, p))
		return false;
	*s = str_sub(*s, p.n, s->n);
	return true;
}

/* ---- values of expressions ---- */

/* "body" or "body.<path>" or "body.$.<path>" of a JSON text. */
static struct str body_value(struct arena *a, struct str body, struct str path)
{
	struct json_path_result found;
	yyjson_val *root;

	if (!path.n)
		return body;
	path = str_sub(path, 1, path.n);
	if (json_parse(a, body, &root) != 0 || json_path(a, root, path, &found) != 0 || !found.n)
		return (struct str){ 0 };
	struct str text = json_str_of(found.v[0]);
	return text.p ? text : json_text(a, found.v[0]);
}

static struct str all_values(struct arena *a, const struct http_headers *h, struct str name)
{
	struct buf b = buf_init(a);
	bool any = false;

	for (size_t i = 0; i < h->n; i++) {
		if (!str_eq_nocase(h->v[i].name, name))
			continue;
		if (any)
			buf_add_char(&b, ',');
		buf_add(&b, h->v[i].value);
		any = true;
	}
	return any ? buf_str(&b) : (struct str){ 0 };
}

/* The last of several values counts, as in events. */
static struct str last_value(const struct http_headers *h, struct str name)
{
	struct str v = { 0 };

	for (size_t i = 0; i < h->n; i++)
		if (str_eq_nocase(h->v[i].name, name))
			v = h->v[i].value;
	return v;
}

/* What request, response and gateway mappings have in common. Absent: no such value. */
static struct str common_value(struct exchange *e, struct str x)
{
	if (str_starts(x, S("'")) && str_ends(x, S("'")) && x.n >= 2)
		return str_sub(x, 1, x.n - 2);
	if (cut_prefix(&x, "context.")) {
		struct str v = exchange_context_text(e, x);
		return str_eq(v, S("-")) ? (struct str){ 0 } : v;
	}
	if (cut_prefix(&x, "stageVariables.")) {
		const struct apigateway_map_of_string_to_string_entry *v =
		        GROW_FIND(&e->stage->variables, key, x);
		return v ? v->value : (struct str){ 0 };
	}
	return (struct str){ 0 };
}

static struct str request_value(struct exchange *e, struct str x)
{
	if (!cut_prefix(&x, "method.request."))
		return common_value(e, x);
	if (cut_prefix(&x, "path."))
		return http_header_get(&e->path_params, x);
	if (cut_prefix(&x, "querystring."))
		return last_value(&e->query, x);
	if (cut_prefix(&x, "header."))
		return last_value(&e->headers, x);
	if (cut_prefix(&x, "multivaluequerystring."))
		return all_values(e->arena, &e->query, x);
	if (cut_prefix(&x, "multivalueheader."))
		return all_values(e->arena, &e->headers, x);
	if (cut_prefix(&x, "body"))
		return body_value(e->arena, e->body, x);
	return (struct str){ 0 };
}

static struct str response_value(struct exchange *e, const struct mapped_response *in, struct str x)
{
	if (!cut_prefix(&x, "integration.response."))
		return common_value(e, x);
	if (cut_prefix(&x, "header."))
		return last_value(&in->headers, x);
	if (cut_prefix(&x, "multivalueheader."))
		return all_values(e->arena, &in->headers, x);
	if (cut_prefix(&x, "body"))
		return body_value(e->arena, in->body, x);
	return (struct str){ 0 };
}

/* ---- templates ---- */

static const struct http_headers *stage_variables(struct exchange *e)
{
	struct http_headers *h = arena_new(e->arena, struct http_headers);

	for (size_t i = 0; i < e->stage->variables.n; i++)
		http_header_add(
		        e->arena, h, e->stage->variables.v[i].key, e->stage->variables.v[i].value);
	return h;
}

static int render(struct exchange *e, struct str template, struct str body, struct vtl_output *out)
{
	struct vtl_input in = {
		.body = body,
		.headers = &e->headers,
		.query = &e->query,
		.path = &e->path_params,
		.context_json = exchange_context_json(e),
		.stage_variables = stage_variables(e),
	};

	return vtl_render(e->arena, template, &in, out);
}

/* requestOverride.header and friends: {"name": "value"} onto the pairs. */
static void apply_overrides(struct arena *a, yyjson_val *values, struct http_headers *to)
{
	size_t i, max;
	yyjson_val *key, *value;

	yyjson_obj_foreach(values, i, max, key, value)
	{
		struct str text = json_str_of(value);
		http_header_set(a, to, json_str_of(key), text.p ? text : json_text(a, value));
	}
}

static const struct apigateway_map_of_string_to_string_entry *template_for(
        const struct apigateway_map_of_string_to_string *templates, struct str media)
{
	for (size_t i = 0; i < templates->n; i++)
		if (str_eq_nocase(templates->v[i].key, media))
			return &templates->v[i];
	return NULL;
}

/* ---- the integration request ---- */

static void map_parameters(struct exchange *e, struct mapped_request *out)
{
	const struct apigateway_map_of_string_to_string *m = &e->integration->request_parameters;

	for (size_t i = 0; i < m->n; i++) {
		struct str to = m->v[i].key, v = request_value(e, m->v[i].value);
		if (!v.p || !cut_prefix(&to, "integration.request."))
			continue;
		if (cut_prefix(&to, "header."))
			http_header_set(e->arena, &out->headers, to, v);
		else if (cut_prefix(&to, "querystring."))
			http_header_set(e->arena, &out->query, to, v);
		else if (cut_prefix(&to, "path."))
			http_header_set(e->arena, &out->path, to, v);
	}
}

static int map_template(struct exchange *e, struct str template, struct mapped_request *out)
{
	struct vtl_output rendered;
	yyjson_val *root;

	if (render(e, template, e->body, &rendered) != 0) {
		exchange_log_error(e,
		        "Execution failed due to configuration error: Unable to transform request: "
		        "%.*s",
		        STR(rendered.why));
		return exchange_refuse(e, REFUSE_API_CONFIGURATION, (struct str){ 0 });
	}
	out->body = rendered.text;
	if (json_parse(e->arena, rendered.overrides, &root) != 0)
		return 0;
	yyjson_val *o = json_get(root, "requestOverride");
	apply_overrides(e->arena, json_get(o, "header"), &out->headers);
	apply_overrides(e->arena, json_get(o, "querystring"), &out->query);
	apply_overrides(e->arena, json_get(o, "path"), &out->path);
	return 0;
}

static int handle_content(struct exchange *e, struct mapped_request *out)
{
	struct str handling = e->integration->content_handling;

	out->body_is_bytes = e->binary;
	if (str_eq(handling, S("CONVERT_TO_TEXT")) && e->binary) {
		e->body = base64_encode(e->arena, e->body);
		out->body_is_bytes = false;
	} else if (str_eq(handling, S("CONVERT_TO_BINARY"))) {
		out->body_is_bytes = true;
		if (!e->binary && base64_decode(e->arena, e->body, &e->body) != 0) {
			exchange_log_error(
			        e, "Execution failed: Unable to base64 decode the body.");
			return exchange_refuse(e, REFUSE_API_CONFIGURATION, (struct str){ 0 });
		}
	}
	return 0;
}

int mapping_request(struct exchange *e, struct mapped_request *out)
{
	const struct apigateway_integration *i = e->integration;
	struct str sent = http_header_get(&e->headers, S("content-type"));
	struct str media = sent.n ? exchange_media_type(e->arena, sent) : S("application/json");
	const struct apigateway_map_of_string_to_string_entry *t =
	        template_for(&i->request_templates, media);

	*out = (struct mapped_request){ 0 };
	map_parameters(e, out);
	TRY(handle_content(e, out));
	out->body = e->body;
	if (t && !out->body_is_bytes)
		return map_template(e, t->value, out);
	bool none = i->request_templates.n == 0;
	if (str_eq(i->passthrough_behavior, S("NEVER")) ||
	        (str_eq(i->passthrough_behavior, S("WHEN_NO_TEMPLATES")) && !none))
		return exchange_refuse(e, REFUSE_UNSUPPORTED_MEDIA_TYPE, (struct str){ 0 });
	return 0;
}

/* ---- the answer ---- */

/* The response whose pattern fits; without one, the response that has no pattern. */
static const struct apigateway_integration_response *select_response(
        const struct exchange *e, const struct mapped_response *in)
{
	const struct apigateway_map_of_integration_response *all =
	        &e->integration->integration_responses;
	const struct apigateway_integration_response *otherwise = NULL;
	struct str subject = in->of_function ? in->error : str_printf(e->arena, "%d", in->status);

	for (size_t i = 0; i < all->n; i++) {
		const struct apigateway_integration_response *r = &all->v[i].value;
		if (!r->selection_pattern.n)
			otherwise = r;
		else if (regex_matches(r->selection_pattern, subject))
			return r;
	}
	return otherwise;
}

static void map_headers(struct exchange *e, const struct apigateway_integration_response *r,
        const struct mapped_response *in)
{
	for (size_t i = 0; i < r->response_parameters.n; i++) {
		struct str to = r->response_parameters.v[i].key;
		struct str v = response_value(e, in, r->response_parameters.v[i].value);
		if (v.p && cut_prefix(&to, "method.response.header."))
			http_header_set(e->arena, &e->answer, to, v);
	}
}

static void override_answer(struct exchange *e, struct str overrides)
{
	yyjson_val *root;

	if (json_parse(e->arena, overrides, &root) != 0)
		return;
	yyjson_val *o = json_get(root, "responseOverride"), *status = json_get(o, "status");
	uint64_t n;
	if (yyjson_is_int(status))
		e->status = (int)yyjson_get_int(status);
	else if (str_to_u64(json_str_of(status), &n) && n >= 100 && n < 600)
		e->status = (int)n;
	apply_overrides(e->arena, json_get(o, "header"), &e->answer);
}

static int map_body(struct exchange *e, const struct apigateway_integration_response *r,
        const struct mapped_response *in)
{
	struct str type = http_header_get(&in->headers, S("content-type"));
	struct str media = type.n ? exchange_media_type(e->arena, type) : S("application/json");
	const struct apigateway_map_of_string_to_string_entry *t =
	        template_for(&r->response_templates, media);
	struct vtl_output rendered;

	e->answer_body = in->body;
	if (!t && r->response_templates.n)
		t = &r->response_templates.v[0];
	if (str_eq(r->content_handling, S("CONVERT_TO_TEXT")))
		e->answer_body = base64_encode(e->arena, in->body);
	else if (str_eq(r->content_handling, S("CONVERT_TO_BINARY")) &&
	         base64_decode(e->arena, in->body, &e->answer_body) != 0) {
		exchange_log_error(e, "Execution failed: Unable to base64 decode the body.");
		return exchange_refuse(e, REFUSE_API_CONFIGURATION, (struct str){ 0 });
	}
	if (!http_header_get(&e->answer, S("content-type")).p)
		http_header_set(e->arena, &e->answer, S("Content-Type"),
		        t        ? t->key
		        : type.n ? type
		                 : media);
	if (!t || !t->value.n)
		return 0;
	if (render(e, t->value, e->answer_body, &rendered) != 0) {
		exchange_log_error(e,
		        "Execution failed due to configuration error: Unable to transform "
		        "response: %.*s",
		        STR(rendered.why));
		return exchange_refuse(e, REFUSE_API_CONFIGURATION, (struct str){ 0 });
	}
	e->answer_body = rendered.text;
	override_answer(e, rendered.overrides);
	return 0;
}

int mapping_response(struct exchange *e, const struct mapped_response *in)
{
	const struct apigateway_integration_response *r = select_response(e, in);
	uint64_t status;

	if (!r || !str_to_u64(r->status_code, &status)) {
		exchange_log_error(e,
		        "Execution failed due to configuration error: No match for output mapping "
		        "and no "
		        "default endpoint response configured. Endpoint Response Status Code: %d",
		        in->status);
		return exchange_refuse(e, REFUSE_API_CONFIGURATION, (struct str){ 0 });
	}
	e->status = (int)status;
	map_headers(e, r, in);
	return map_body(e, r, in);
}

/* ---- gateway responses ---- */

bool mapping_gateway_response(struct exchange *e, const struct apigateway_gateway_response *custom)
{
	struct str accept = http_header_get(&e->headers, S("accept"));
	const struct apigateway_map_of_string_to_string_entry *t =
	        template_for(&custom->response_templates, exchange_media_type(e->arena, accept));
	struct str text;

	for (size_t i = 0; i < custom->response_parameters.n; i++) {
		struct str to = custom->response_parameters.v[i].key;
		struct str v = request_value(e, custom->response_parameters.v[i].value);
		if (v.p && cut_prefix(&to, "gatewayresponse.header."))
			http_header_set(e->arena, &e->answer, to, v);
	}
	if (!t)
		t = template_for(&custom->response_templates, S("application/json"));
	if (!t && custom->response_templates.n)
		t = &custom->response_templates.v[0];
	if (!t)
		return false;
	/* Only variables are replaced there, no directives are run. */
	struct vtl_output rendered;
	text = t->value;
	if (render(e, text, e->body, &rendered) == 0)
		text = rendered.text;
	http_header_set(e->arena, &e->answer, S("Content-Type"), t->key);
	e->answer_body = text;
	return true;
}
