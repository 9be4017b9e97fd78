/*
 * wire: each protocol's form of requests, answers and errors.
 */
#include "api/wire_internal.h"

#include "base/rand.h"

const struct shape_member *wire_payload_member(const struct shape *shape)
{
	for (uint32_t i = 0; shape && i < shape->n_members; i++)
		if (shape->members[i].payload)
			return &shape->members[i];
	return NULL;
}

static bool is_json_rpc(const struct shape_service *s)
{
	return s->protocol == WIRE_JSON_1_0 || s->protocol == WIRE_JSON_1_1;
}

static bool is_query(const struct shape_service *s)
{
	return s->protocol == WIRE_QUERY || s->protocol == WIRE_EC2;
}

static int decode_json(struct task *t, const struct shape *shape, struct str body, void *value)
{
	yyjson_val *root;
	struct str why = S("");

	if (str_trim(body).n == 0)
		return 0;
	if (json_parse_explain(task_arena(t), body, &root, &why) != 0)
		return fail(t, API_ERROR_SERIALIZATION,
		        "Could not parse request body into json: %.*s", STR(why));
	if (wire_json_decode(task_arena(t), shape, root, WIRE_NAMES_WIRE, value, &why) != 0)
		return fail(t, API_ERROR_SERIALIZATION, "%.*s", STR(why));
	return 0;
}

static int decode_xml(struct task *t, const struct shape *shape, struct str body, void *value)
{
	struct xml_node *root;

	if (xml_parse(task_arena(t), body, &root) != 0 ||
	        wire_xml_decode(task_arena(t), shape, root, value) != 0)
		return fail(t, API_ERROR_SERIALIZATION, "The XML you provided was not well-formed");
	return 0;
}

static int decode_document(
        struct task *t, const struct wire_request *r, const struct shape *shape, void *value)
{
	if (r->service->protocol == WIRE_REST_XML)
		return decode_xml(t, shape, r->body, value);
	return decode_json(t, shape, r->body, value);
}

static int decode_payload(
        struct task *t, const struct wire_request *r, const struct shape_member *m, void *in)
{
	void *slot = shape_member_at(m, in);

	switch ((enum shape_type)m->shape->type) {
	case SHAPE_STREAM:
		*(struct stream **)slot = r->http->body;
		return 0;
	case SHAPE_BLOB:
	case SHAPE_STRING:
	case SHAPE_DOCUMENT:
		if (r->body.n)
			*(struct str *)slot = r->body;
		return 0;
	default:
		if (r->body.n == 0)
			return 0;
		return decode_document(t, r, m->shape, wire_member_new(task_arena(t), m, in));
	}
}

static bool has_body_members(const struct shape *shape)
{
	for (uint32_t i = 0; i < shape->n_members; i++)
		if (shape->members[i].location == IN_BODY)
			return true;
	return false;
}

static int decode_form(struct task *t, const struct wire_request *r, void *in)
{
	struct str form = r->body.n ? r->body : r->http->query;
	bool ec2 = r->service->protocol == WIRE_EC2;

	if (wire_query_decode(task_arena(t), r->operation->in, form.p ? form : S(""), ec2, in) != 0)
		return fail(t, API_ERROR_SERIALIZATION, "A parameter of the request is malformed");
	return 0;
}

/* Tokens that SDKs make up for themselves when the caller gives none. */
static void fill_tokens(struct arena *a, const struct shape *shape, void *in)
{
	for (uint32_t i = 0; i < shape->n_members; i++)
		if (shape->members[i].idempotency_token && !wire_member_get(&shape->members[i], in))
			*(struct str *)shape_member_at(&shape->members[i], in) = rand_uuid(a);
}

static int decode(struct task *t, const struct wire_request *r, void *in)
{
	const struct shape *shape = r->operation->in;
	const struct shape_member *payload = wire_payload_member(shape);

	if (is_query(r->service))
		return decode_form(t, r, in);
	if (is_json_rpc(r->service))
		return decode_json(t, shape, r->body, in);
	TRY(wire_rest_decode(t, r, in));
	if (payload)
		return decode_payload(t, r, payload, in);
	return has_body_members(shape) && r->body.n ? decode_document(t, r, shape, in) : 0;
}

int wire_decode(struct task *t, const struct wire_request *r, void *in)
{
	TRY(decode(t, r, in));
	fill_tokens(task_arena(t), r->operation->in, in);
	return 0;
}

/* ---- answers ---- */

#define XML_HEAD S("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")

static struct str content_type(const struct shape_service *s)
{
	static const struct str types[] = {
		[WIRE_JSON_1_0] = S_INIT("application/x-amz-json-1.0"),
		[WIRE_JSON_1_1] = S_INIT("application/x-amz-json-1.1"),
		[WIRE_QUERY] = S_INIT("text/xml"),
		[WIRE_EC2] = S_INIT("text/xml;charset=UTF-8"),
		[WIRE_REST_JSON] = S_INIT("application/json"),
		[WIRE_REST_XML] = S_INIT("application/xml"),
	};
	return types[s->protocol];
}

static void encode_query(struct buf *b, const struct call *c, const void *out, struct arena *a)
{
	const struct shape_operation *op = c->operation;
	bool ec2 = c->service->model->protocol == WIRE_EC2;
	struct str response = str_concat(a, 2, op->name, S("Response"));

	xml_open_ns(b, response, c->service->model->xml_uri);
	if (ec2) {
		xml_element(b, S("requestId"), c->request_id);
		if (op->out)
			wire_xml_encode_members(b, op->out, out, a);
	} else {
		if (op->result_wrapper.n) {
			xml_open(b, op->result_wrapper);
			wire_xml_encode_members(b, op->out, out, a);
			xml_close(b, op->result_wrapper);
		}
		xml_open(b, S("ResponseMetadata"));
		xml_element(b, S("RequestId"), c->request_id);
		xml_close(b, S("ResponseMetadata"));
	}
	xml_close(b, response);
}

/* A document whose one member has the root's name is that member alone (GetBucketLocation). */
static const struct shape_member *lone_member(const struct shape *shape)
{
	if (shape->n_members == 1 && str_eq(shape->members[0].wire, shape->xml_root))
		return &shape->members[0];
	return NULL;
}

static void encode_xml_document(struct buf *b, const struct shape_service *s,
        const struct shape *shape, struct str root, const void *value, struct arena *a)
{
	const struct shape_member *lone = lone_member(shape);

	buf_add(b, XML_HEAD);
	xml_open_ns(b, root, shape->xml_uri.n ? shape->xml_uri : s->xml_uri);
	if (lone) {
		const void *v = wire_member_get(lone, value);
		if (v)
			xml_text(b, wire_text_of(a, lone->shape, TIME_ISO8601, v));
	} else {
		wire_xml_encode_members(b, shape, value, a);
	}
	xml_close(b, root);
}

static struct str json_document(struct arena *a, const struct shape *shape, const void *value)
{
	struct buf b = buf_init(a);
	struct json_writer w = json_writer(&b);

	if (!shape)
		return S("{}");
	wire_json_encode(&w, shape, WIRE_NAMES_WIRE, value, a);
	return buf_str(&b);
}

static void encode_payload(struct arena *a, const struct shape_service *s,
        const struct shape_member *m, const void *out, struct wire_response *response)
{
	const void *value = wire_member_get(m, out);
	struct buf b = buf_init(a);

	if (!value)
		return;
	switch ((enum shape_type)m->shape->type) {
	case SHAPE_STREAM:
		response->stream = *(struct stream *const *)value;
		break;
	case SHAPE_BLOB:
	case SHAPE_STRING:
	case SHAPE_DOCUMENT:
		response->body = *(const struct str *)value;
		break;
	default:
		if (s->protocol == WIRE_REST_XML) {
			struct str root = m->shape->xml_root.n ? m->shape->xml_root : m->wire;
			encode_xml_document(&b, s, m->shape, root, value, a);
			response->body = buf_str(&b);
		} else {
			response->body = json_document(a, m->shape, value);
		}
	}
}

static void encode_rest(
        struct arena *a, const struct call *c, const void *out, struct wire_response *response)
{
	const struct shape_service *s = c->service->model;
	const struct shape *shape = c->operation->out;
	const struct shape_member *payload = wire_payload_member(shape);
	struct buf b = buf_init(a);

	if (!shape)
		return;
	wire_rest_encode(a, shape, out, response);
	if (payload) {
		encode_payload(a, s, payload, out, response);
	} else if (has_body_members(shape)) {
		if (s->protocol == WIRE_REST_JSON) {
			response->body = json_document(a, shape, out);
			return;
		}
		encode_xml_document(
		        &b, s, shape, shape->xml_root.n ? shape->xml_root : shape->name, out, a);
		response->body = buf_str(&b);
	}
}

/* S3 names its requests by two headers of its own. */
static void add_request_id(struct arena *a, const struct call *c, struct http_headers *h)
{
	if (c->service && c->service->model->protocol == WIRE_REST_XML) {
		http_header_add(a, h, S("x-amz-request-id"), c->request_id);
		http_header_add(
		        a, h, S("x-amz-id-2"), base64_encode(a, hash_sha256(a, c->request_id)));
	} else {
		http_header_add(a, h, S("x-amzn-RequestId"), c->request_id);
	}
}

static void add_content_type(struct arena *a, struct wire_response *r, struct str type)
{
	if ((r->body.n || r->stream) && !http_header_get(&r->headers, S("Content-Type")).p)
		http_header_add(a, &r->headers, S("Content-Type"), type);
}

/* A listing that found nothing says so with an empty list. */
static void make_page_present(struct arena *a, const struct shape_operation *op, void *out)
{
	for (uint32_t i = 0; op->page_result.n && op->out && i < op->out->n_members; i++) {
		const struct shape_member *m = &op->out->members[i];
		if (m->shape->type == SHAPE_LIST && str_eq(m->name, op->page_result))
			wire_make_present(a, shape_member_at(m, out));
	}
}

void wire_encode(
        struct task *t, const struct call *c, const void *out, struct wire_response *response)
{
	struct arena *a = task_arena(t);
	const struct shape_service *s = c->service->model;
	struct buf b = buf_init(a);

	response->status = c->operation->status ? c->operation->status : 200;
	response->body = S("");
	response->headers = c->headers;
	make_page_present(a, c->operation, (void *)(uintptr_t)out);
	add_request_id(a, c, &response->headers);
	if (is_json_rpc(s)) {
		response->body = json_document(a, c->operation->out, out);
	} else if (is_query(s)) {
		encode_query(&b, c, out, a);
		response->body = buf_str(&b);
	} else {
		encode_rest(a, c, out, response);
	}
	if (c->status)
		response->status = c->status;
	add_content_type(a, response, content_type(s));
}

/* ---- errors ---- */

static void encode_error_json(struct buf *b, const struct call *c, struct arena *a)
{
	const struct api_failure *f = &c->failure;
	struct json_writer w = json_writer(b);
	struct str message_key = S("message");

	json_object(&w);
	if (c->service && is_json_rpc(c->service->model))
		json_member_str(&w, S("__type"), f->name);
	for (uint32_t i = 0; f->shape && i < f->shape->n_members; i++) {
		const struct shape_member *m = &f->shape->members[i];
		if (str_eq_nocase(m->wire, S("message"))) {
			message_key = m->wire;
			continue;
		}
		const void *v =
		        f->detail && m->location == IN_BODY ? wire_member_get(m, f->detail) : NULL;
		if (v) {
			json_key(&w, m->wire);
			wire_json_encode(&w, m->shape, WIRE_NAMES_WIRE, v, a);
		} else if (str_eq(m->wire, S("Type"))) {
			json_member_str(&w, m->wire, f->sender ? S("User") : S("Server"));
		}
	}
	json_member_str(&w, message_key, f->message);
	json_end(&w);
}

static void encode_error_query(struct buf *b, const struct call *c)
{
	const struct api_failure *f = &c->failure;

	xml_open_ns(b, S("ErrorResponse"), c->service->model->xml_uri);
	xml_open(b, S("Error"));
	xml_element(b, S("Type"), f->sender ? S("Sender") : S("Receiver"));
	xml_element(b, S("Code"), f->name);
	xml_element(b, S("Message"), f->message);
	xml_close(b, S("Error"));
	xml_element(b, S("RequestId"), c->request_id);
	xml_close(b, S("ErrorResponse"));
}

static void encode_error_ec2(struct buf *b, const struct call *c)
{
	buf_add(b, XML_HEAD);
	buf_add(b, S("<Response><Errors><Error>"));
	xml_element(b, S("Code"), c->failure.name);
	xml_element(b, S("Message"), c->failure.message);
	buf_add(b, S("</Error></Errors>"));
	xml_element(b, S("RequestID"), c->request_id);
	buf_add(b, S("</Response>"));
}

static void encode_error_s3(struct buf *b, const struct call *c, struct arena *a)
{
	const struct api_failure *f = &c->failure;

	buf_add(b, XML_HEAD);
	xml_open(b, S("Error"));
	xml_element(b, S("Code"), f->name);
	xml_element(b, S("Message"), f->message);
	if (f->shape && f->detail)
		wire_xml_encode_members(b, f->shape, f->detail, a);
	for (size_t i = 0; i < f->elements.n; i++)
		xml_element(b, f->elements.v[i].name, f->elements.v[i].value);
	xml_element(b, S("RequestId"), c->request_id);
	xml_element(b, S("HostId"), base64_encode(a, hash_sha256(a, c->request_id)));
	xml_close(b, S("Error"));
}

void wire_encode_error(struct task *t, const struct call *c, struct wire_response *response)
{
	struct arena *a = task_arena(t);
	const struct api_failure *f = &c->failure;
	const struct shape_service *s = c->service ? c->service->model : NULL;
	struct buf b = buf_init(a);

	response->status = f->http_status ? f->http_status : 400;
	response->headers = c->headers;
	add_request_id(a, c, &response->headers);
	if (s && s->protocol == WIRE_QUERY)
		encode_error_query(&b, c);
	else if (s && s->protocol == WIRE_EC2)
		encode_error_ec2(&b, c);
	else if (s && s->protocol == WIRE_REST_XML)
		encode_error_s3(&b, c, a);
	else
		encode_error_json(&b, c, a);
	if (!s || s->protocol == WIRE_REST_JSON) {
		http_header_set(a, &response->headers, S("x-amzn-ErrorType"), f->name);
		if (f->shape && f->detail)
			wire_rest_encode(a, f->shape, f->detail, response);
	}
	response->body = response->status == 304 ? S("") : buf_str(&b);
	add_content_type(a, response, s ? content_type(s) : S("application/json"));
}
