/*
 * wire_event: messages of event streams: lengths, a checksum over them, headers, payload, and a
 * checksum over all.
 */
#include "api/wire_internal.h"

#define HEADER_STRING 7

static void add_u32(struct buf *b, uint32_t v)
{
	char *p = buf_reserve(b, 4);

	for (int i = 0; i < 4; i++)
		p[i] = (char)(v >> (24 - 8 * i));
	buf_commit(b, 4);
}

static void add_header(struct buf *b, struct str name, struct str value)
{
	ensure(name.n < 256 && value.n < 32768);
	buf_add_char(b, (char)name.n);
	buf_add(b, name);
	buf_add_char(b, HEADER_STRING);
	buf_add_char(b, (char)(value.n >> 8));
	buf_add_char(b, (char)value.n);
	buf_add(b, value);
}

static void add_message(struct buf *b, struct str headers, struct str payload)
{
	size_t start = b->n;

	add_u32(b, (uint32_t)(headers.n + payload.n + 16));
	add_u32(b, (uint32_t)headers.n);
	add_u32(b, hash_crc32(0, str_sub(buf_str(b), start, 8)));
	buf_add(b, headers);
	buf_add(b, payload);
	add_u32(b, hash_crc32(0, str_sub(buf_str(b), start, b->n - start)));
}

static void begin_headers(struct buf *h, struct str type, struct str content_type)
{
	add_header(h, S(":message-type"), S("event"));
	add_header(h, S(":event-type"), type);
	if (content_type.n)
		add_header(h, S(":content-type"), content_type);
}

void wire_event(struct buf *b, struct str type, struct str content_type, struct str payload)
{
	struct buf h = buf_init(b->arena);

	begin_headers(&h, type, content_type);
	add_message(b, buf_str(&h), payload);
}

static const struct shape_member *member_by_name(const struct shape *shape, struct str name)
{
	for (uint32_t i = 0; i < shape->n_members; i++)
		if (str_eq(shape->members[i].name, name))
			return &shape->members[i];
	return NULL;
}

static const struct shape_member *event_payload(const struct shape *shape)
{
	for (uint32_t i = 0; i < shape->n_members; i++)
		if (shape->members[i].event_payload)
			return &shape->members[i];
	return NULL;
}

static bool all_in_headers(const struct shape *shape)
{
	for (uint32_t i = 0; i < shape->n_members; i++)
		if (!shape->members[i].event_header)
			return false;
	return true;
}

static struct str document(const struct shape_service *service, const struct shape *shape,
        const void *value, struct arena *a)
{
	struct buf b = buf_init(a);

	if (service->protocol == WIRE_REST_XML) {
		xml_open_ns(&b, shape->name, service->xml_uri);
		wire_xml_encode_members(&b, shape, value, a);
		xml_close(&b, shape->name);
	} else {
		struct json_writer w = json_writer(&b);
		wire_json_encode(&w, shape, WIRE_NAMES_WIRE, value, a);
	}
	return buf_str(&b);
}

static struct str document_type(const struct shape_service *service)
{
	if (service->protocol == WIRE_JSON_1_1)
		return S("application/x-amz-json-1.1");
	if (service->protocol == WIRE_JSON_1_0)
		return S("application/x-amz-json-1.0");
	return service->protocol == WIRE_REST_XML ? S("text/xml") : S("application/json");
}

void wire_event_encode(struct buf *b, const struct shape_service *service,
        const struct shape *events, const char *member, const void *event, struct arena *a)
{
	const struct shape_member *m = member_by_name(events, str_of(member));
	struct buf h = buf_init(a);

	ensure(m != NULL);
	const struct shape_member *payload = event_payload(m->shape);
	struct str bytes = S("");
	if (payload && payload->shape->type != SHAPE_STRUCTURE) {
		const void *v = wire_member_get(payload, event);
		bytes = v ? *(const struct str *)v : S("");
		begin_headers(&h, m->wire,
		        payload->shape->type == SHAPE_BLOB ? S("application/octet-stream")
		                                           : S("text/plain"));
	} else if (m->shape->n_members == 0 || !all_in_headers(m->shape)) {
		bytes = document(service, m->shape, event, a);
		begin_headers(&h, m->wire, document_type(service));
	} else {
		begin_headers(&h, m->wire, S(""));
	}
	for (uint32_t i = 0; i < m->shape->n_members; i++) {
		const struct shape_member *in_header = &m->shape->members[i];
		const void *v = in_header->event_header ? wire_member_get(in_header, event) : NULL;
		if (v)
			add_header(&h, in_header->wire,
			        wire_text_of(a, in_header->shape, TIME_EPOCH_SECONDS, v));
	}
	add_message(b, buf_str(&h), bytes);
}
