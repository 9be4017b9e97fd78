/*
 * wire_rest: the members of REST requests and answers that travel outside the body.
 */
#include "api/wire_internal.h"

bool wire_template_label(struct str uri, size_t *at, struct str *name, bool *greedy)
{
	struct str rest = str_sub(uri, *at, uri.n);
	ptrdiff_t open = str_find_char(rest, '{');
	ptrdiff_t close = str_find_char(rest, '}');

	if (open < 0 || close < open)
		return false;
	*name = str_sub(rest, (size_t)open + 1, (size_t)(close - open - 1));
	*greedy = str_ends(*name, S("+"));
	if (*greedy)
		name->n--;
	*at += (size_t)close + 1;
	return true;
}

static struct str label_of(const struct wire_request *r, struct str wanted)
{
	size_t at = 0;
	struct str name;
	bool greedy;

	for (size_t i = 0;
	        i < r->n_labels && wire_template_label(r->operation->uri, &at, &name, &greedy); i++)
		if (str_eq(name, wanted))
			return r->labels[i];
	return (struct str){ 0 };
}

static int bad_value(struct task *t, const struct shape_member *m, struct str text)
{
	if (call_of(t)->service->model->protocol == WIRE_REST_XML)
		return fail_named(t, "InvalidArgument", 400, "Provided argument %.*s is invalid",
		        STR(m->wire));
	return fail(t, API_ERROR_SERIALIZATION, "STRING_VALUE cannot be converted to %s",
	        m->shape->type == SHAPE_BOOLEAN     ? "Boolean"
	        : m->shape->type == SHAPE_TIMESTAMP ? "Date"
	                                            : "Integer");
}

static int decode_label(
        struct task *t, const struct wire_request *r, const struct shape_member *m, void *in)
{
	struct arena *a = task_arena(t);
	struct str decoded, text = label_of(r, m->wire);

	if (!text.p)
		return 0;
	if (uri_decode(a, text, false, &decoded) != 0)
		return bad_value(t, m, text);
	if (wire_text_read(a, m->shape, m->time, decoded, shape_member_at(m, in)) != 0)
		return bad_value(t, m, decoded);
	return 0;
}

static bool is_named_elsewhere(const struct shape *shape, struct str name)
{
	for (uint32_t i = 0; i < shape->n_members; i++)
		if (shape->members[i].location == IN_QUERY && str_eq(shape->members[i].wire, name))
			return true;
	return false;
}

/* A map takes all parameters that no other member names; of strings, or of lists of strings. */
static void decode_rest_of_query(struct arena *a, const struct shape *in_shape,
        const struct shape_member *m, const struct uri_params *params, void *in)
{
	size_t capacity = 0;
	void *map = shape_member_at(m, in);

	for (size_t i = 0; i < params->n; i++) {
		if (is_named_elsewhere(in_shape, params->v[i].name))
			continue;
		char *entry = wire_append(a, m->shape, map, &capacity);
		*(struct str *)entry = params->v[i].name;
		void *value = entry + m->shape->value_offset;
		size_t one = 0;
		if (m->shape->element->type == SHAPE_LIST)
			value = wire_append(a, m->shape->element, value, &one);
		*(struct str *)value = params->v[i].value;
	}
}

static int decode_query(struct task *t, const struct shape *in_shape, const struct shape_member *m,
        const struct uri_params *params, void *in)
{
	struct arena *a = task_arena(t);
	void *value = shape_member_at(m, in);
	size_t capacity = 0;

	if (m->shape->type == SHAPE_MAP) {
		decode_rest_of_query(a, in_shape, m, params, in);
		return 0;
	}
	for (size_t i = 0; i < params->n; i++) {
		const struct uri_param *p = &params->v[i];
		if (!str_eq(p->name, m->wire))
			continue;
		bool list = m->shape->type == SHAPE_LIST;
		const struct shape *shape = list ? m->shape->element : m->shape;
		void *to = list ? wire_append(a, m->shape, value, &capacity) : value;
		bool empty = p->value.n == 0 && shape->type != SHAPE_STRING;
		if (!empty && wire_text_read(a, shape, m->time, p->value, to) != 0)
			return bad_value(t, m, p->value);
		if (!list)
			return 0;
	}
	return 0;
}

/* "a, b" is two elements. Times contain a comma, so they stand alone. */
static int decode_header_list(
        struct task *t, const struct shape_member *m, struct str text, void *value)
{
	struct arena *a = task_arena(t);
	size_t capacity = 0;

	while (text.p) {
		struct str one = str_trim(str_cut(&text, ','));
		if (one.n && wire_text_read(a, m->shape->element, m->time, one,
		                     wire_append(a, m->shape, value, &capacity)) != 0)
			return bad_value(t, m, one);
	}
	return 0;
}

static int decode_header(
        struct task *t, const struct http_headers *headers, const struct shape_member *m, void *in)
{
	struct arena *a = task_arena(t);
	struct str text = http_header_get(headers, m->wire);
	struct str *value = shape_member_at(m, in);

	if (!text.p)
		return 0;
	if (m->shape->type == SHAPE_LIST)
		return decode_header_list(t, m, text, value);
	if (m->json_value)
		return base64_decode(a, text, value) == 0 ? 0 : bad_value(t, m, text);
	return wire_text_read(a, m->shape, m->time, text, value) == 0 ? 0 : bad_value(t, m, text);
}

static void decode_headers(
        struct arena *a, const struct http_headers *headers, const struct shape_member *m, void *in)
{
	size_t capacity = 0;

	for (size_t i = 0; i < headers->n; i++) {
		struct str name = headers->v[i].name;
		if (!str_eq_nocase(str_sub(name, 0, m->wire.n), m->wire))
			continue;
		char *entry = wire_append(a, m->shape, shape_member_at(m, in), &capacity);
		*(struct str *)entry = str_lower(a, str_sub(name, m->wire.n, name.n));
		*(struct str *)(entry + m->shape->value_offset) = headers->v[i].value;
	}
}

int wire_rest_decode(struct task *t, const struct wire_request *r, void *in)
{
	const struct shape *shape = r->operation->in;
	struct uri_params params = { 0 };

	if (r->http->query.p && uri_query_parse(task_arena(t), r->http->query, &params) != 0)
		return fail(t, API_ERROR_SERIALIZATION, "The query string is malformed");
	for (uint32_t i = 0; i < shape->n_members; i++) {
		const struct shape_member *m = &shape->members[i];
		switch ((enum shape_location)m->location) {
		case IN_URI:
			TRY(decode_label(t, r, m, in));
			break;
		case IN_QUERY:
			TRY(decode_query(t, shape, m, &params, in));
			break;
		case IN_HEADER:
			TRY(decode_header(t, &r->http->headers, m, in));
			break;
		case IN_HEADERS:
			decode_headers(task_arena(t), &r->http->headers, m, in);
			break;
		default:
			break;
		}
	}
	return 0;
}

static struct str header_text(struct arena *a, const struct shape_member *m, const void *value)
{
	uint8_t time = m->time != TIME_DEFAULT ? m->time : m->shape->time;
	struct buf b = buf_init(a);

	if (m->json_value)
		return base64_encode(a, *(const struct str *)value);
	if (m->shape->type != SHAPE_LIST)
		return wire_text_of(a, m->shape, time == TIME_DEFAULT ? TIME_RFC822 : time, value);
	for (size_t i = 0; i < wire_count(value); i++) {
		if (i)
			buf_add(&b, S(", "));
		buf_add(&b, wire_text_of(a, m->shape->element, TIME_RFC822,
		                    wire_entry(m->shape, value, i)));
	}
	return buf_str(&b);
}

static void encode_headers(struct arena *a, const struct shape_member *m, const void *map,
        struct http_headers *headers)
{
	for (size_t i = 0; i < wire_count(map); i++) {
		char *entry = wire_entry(m->shape, map, i);
		http_header_add(a, headers, str_concat(a, 2, m->wire, *(struct str *)entry),
		        *(struct str *)(entry + m->shape->value_offset));
	}
}

void wire_rest_encode(
        struct arena *a, const struct shape *shape, const void *out, struct wire_response *response)
{
	for (uint32_t i = 0; i < shape->n_members; i++) {
		const struct shape_member *m = &shape->members[i];
		const void *value = m->location == IN_BODY ? NULL : wire_member_get(m, out);
		if (!value)
			continue;
		if (m->location == IN_HEADER)
			http_header_set(a, &response->headers, m->wire, header_text(a, m, value));
		else if (m->location == IN_HEADERS)
			encode_headers(a, m, value, &response->headers);
		else if (m->location == IN_STATUS)
			response->status = (int)((const struct opt_int *)value)->v;
	}
}
