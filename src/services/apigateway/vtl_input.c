/* vtl_input: $input and $util. */
#include "codec/codec.h"
#include "services/apigateway/json_path.h"
#include "services/apigateway/vtl_run.h"

/* ---- $input ---- */

static yyjson_val *body(struct vtl_run *r)
{
	if (!r->body_parsed && json_parse(r->arena, r->input->body, &r->body) != 0)
		r->body = NULL;
	r->body_parsed = true;
	return r->body;
}

static bool find(struct vtl_run *r, struct vtl_value path, struct json_path_result *found)
{
	yyjson_val *root = body(r);

	return root && json_path(r->arena, root, vtl_text(r->arena, path), found) == 0;
}

/* $input.json(path): JSON text. */
static struct vtl_value json(struct vtl_run *r, struct vtl_value path)
{
	struct json_path_result found;
	struct buf b = buf_init(r->arena);
	struct json_writer w = json_writer(&b);

	if (!r->input->body.n)
		return vtl_str(S("{}"));
	if (!find(r, path, &found) || (found.definite && found.n == 0))
		return vtl_str(S(""));
	if (found.definite) {
		json_value(&w, found.v[0]);
		return vtl_str(buf_str(&b));
	}
	json_array(&w);
	for (size_t i = 0; i < found.n; i++)
		json_value(&w, found.v[i]);
	json_end(&w);
	return vtl_str(buf_str(&b));
}

/* $input.path(path): values. */
static struct vtl_value path(struct vtl_run *r, struct vtl_value where)
{
	struct json_path_result found;
	struct vtl_value list;

	if (!r->input->body.n)
		return vtl_map(r->arena);
	if (!find(r, where, &found))
		return vtl_str(S(""));
	if (found.definite)
		return found.n ? vtl_of_json(r->arena, found.v[0]) : vtl_str(S(""));
	list = vtl_list(r->arena);
	list.list->json = true;
	for (size_t i = 0; i < found.n; i++)
		vtl_list_add(r->arena, list.list, vtl_of_json(r->arena, found.v[i]));
	return list;
}

static struct vtl_value pairs(struct vtl_run *r, const struct http_headers *h)
{
	struct vtl_value map = vtl_map(r->arena);

	map.map->lenient = true;
	for (size_t i = 0; h && i < h->n; i++)
		vtl_map_put(r->arena, map.map, h->v[i].name, vtl_str(h->v[i].value));
	return map;
}

static struct vtl_value params(struct vtl_run *r)
{
	struct vtl_value all = vtl_map(r->arena);

	vtl_map_put(r->arena, all.map, S("path"), pairs(r, r->input->path));
	vtl_map_put(r->arena, all.map, S("querystring"), pairs(r, r->input->query));
	vtl_map_put(r->arena, all.map, S("header"), pairs(r, r->input->headers));
	return all;
}

/* $input.params(name): searched in path, query string and header. */
static struct vtl_value param(struct vtl_run *r, struct str name)
{
	const struct http_headers *const in[] = { r->input->path, r->input->query,
		r->input->headers };

	for (size_t i = 0; i < ARRAY_LEN(in); i++) {
		struct str v = in[i] ? http_header_get(in[i], name) : (struct str){ 0 };
		if (v.p)
			return vtl_str(v);
	}
	return vtl_str(S(""));
}

struct vtl_value vtl_input_method(
        struct vtl_run *r, struct str name, struct vtl_value *args, size_t n)
{
	if (n == 1 && str_eq(name, S("json")))
		return json(r, args[0]);
	if (n == 1 && str_eq(name, S("path")))
		return path(r, args[0]);
	if (n == 0 && str_eq(name, S("params")))
		return params(r);
	if (n == 1 && str_eq(name, S("params")))
		return param(r, vtl_text(r->arena, args[0]));
	return vtl_null();
}

/* ---- $util ---- */

/* As Apache Commons' escapeJavaScript: quotes, backslash, slash, control characters, non-ASCII. */
static struct str escape_javascript(struct arena *a, struct str s)
{
	static const char from[] = "\"'\\/\n\r\t\b\f", to[] = "\"'\\/nrtbf";
	struct buf b = buf_init(a);

	for (size_t i = 0; i < s.n; i++) {
		const char *at = s.p[i] ? strchr(from, s.p[i]) : NULL;
		if (at) {
			buf_add_char(&b, '\\');
			buf_add_char(&b, to[at - from]);
		} else if ((unsigned char)s.p[i] < 0x20) {
			buf_printf(&b, "\\u%04X", (unsigned)s.p[i]);
		} else {
			buf_add_char(&b, s.p[i]);
		}
	}
	return buf_str(&b);
}

/* application/x-www-form-urlencoded, as java.net.URLEncoder. */
static struct str url_encode(struct arena *a, struct str s)
{
	struct buf b = buf_init(a);

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == ' ')
			buf_add_char(&b, '+');
		else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		         (c >= '0' && c <= '9') || (c && strchr("-_.*", c)))
			buf_add_char(&b, (char)c);
		else
			buf_printf(&b, "%%%02X", c);
	}
	return buf_str(&b);
}

struct vtl_value vtl_util_method(
        struct vtl_run *r, struct str name, struct vtl_value *args, size_t n)
{
	struct arena *a = r->arena;
	struct str text = n == 1 ? vtl_text(a, args[0]) : S(""), out;
	yyjson_val *v;

	if (n != 1)
		return vtl_null();
	if (str_eq(name, S("escapeJavaScript")))
		return vtl_str(escape_javascript(a, text));
	if (str_eq(name, S("urlEncode")))
		return vtl_str(url_encode(a, text));
	if (str_eq(name, S("urlDecode")))
		return uri_decode(a, text, true, &out) == 0 ? vtl_str(out) : vtl_null();
	if (str_eq(name, S("base64Encode")))
		return vtl_str(base64_encode(a, text));
	if (str_eq(name, S("base64Decode")))
		return base64_decode(a, text, &out) == 0 ? vtl_str(out) : vtl_null();
	if (str_eq(name, S("parseJson")))
		return json_parse(a, text, &v) == 0 ? vtl_of_json(a, v) : vtl_null();
	return vtl_null();
}
