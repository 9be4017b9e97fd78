/*
 * wire_xml: structures as XML, for rest-xml bodies and the answers of the query protocols.
 */
#include "api/wire_internal.h"

static int decode(struct arena *a, const struct shape *shape, uint8_t time,
        const struct xml_node *n, void *value);

static int decode_list(
        struct arena *a, const struct shape *shape, const struct xml_node *n, void *value)
{
	size_t capacity = 0;

	for (const struct xml_node *c = n->first; c; c = c->next)
		if (str_eq(c->name, shape->element_wire))
			TRY(decode(a, shape->element, TIME_DEFAULT, c,
			        wire_append(a, shape, value, &capacity)));
	wire_make_present(a, value);
	return 0;
}

static int decode_flattened(
        struct arena *a, const struct shape_member *m, const struct xml_node *first, void *value)
{
	size_t capacity = 0;

	for (const struct xml_node *c = first; c; c = c->next)
		if (str_eq(c->name, m->wire))
			TRY(decode(a, m->shape->element, TIME_DEFAULT, c,
			        wire_append(a, m->shape, value, &capacity)));
	return 0;
}

static int decode_entry(
        struct arena *a, const struct shape *shape, const struct xml_node *n, char *entry)
{
	const struct xml_node *v = xml_child(n, shape->element_wire);

	*(struct str *)entry = xml_child_text(n, shape->key_wire);
	if (!((struct str *)entry)->p || !v)
		return 1;
	return decode(a, shape->element, TIME_DEFAULT, v, entry + shape->value_offset);
}

static int decode_map(
        struct arena *a, const struct shape *shape, const struct xml_node *n, void *value)
{
	size_t capacity = 0;

	for (const struct xml_node *c = n->first; c; c = c->next)
		if (str_eq(c->name, S("entry")))
			TRY(decode_entry(a, shape, c, wire_append(a, shape, value, &capacity)));
	wire_make_present(a, value);
	return 0;
}

static int decode_attribute(
        struct arena *a, const struct shape_member *m, const struct xml_node *n, void *value)
{
	struct str text = xml_attribute_get(n, m->wire);

	if (!text.p && m->xml_prefix.n)
		text = xml_attribute_get(n, str_concat(a, 3, m->xml_prefix, S(":"), m->wire));
	if (!text.p)
		return 0;
	return wire_text_read(a, m->shape, m->time, text, wire_member_new(a, m, value));
}

static int decode_structure(
        struct arena *a, const struct shape *shape, const struct xml_node *n, void *value)
{
	for (uint32_t i = 0; i < shape->n_members; i++) {
		const struct shape_member *m = &shape->members[i];
		if (m->location != IN_BODY || m->offset == UINT32_MAX)
			continue;
		if (m->xml_attribute) {
			TRY(decode_attribute(a, m, n, value));
			continue;
		}
		const struct xml_node *c = xml_child(n, m->wire);
		if (!c)
			continue;
		if (m->shape->type == SHAPE_LIST && m->flattened)
			TRY(decode_flattened(a, m, c, wire_member_new(a, m, value)));
		else
			TRY(decode(a, m->shape, m->time, c, wire_member_new(a, m, value)));
	}
	return 0;
}

static int decode(struct arena *a, const struct shape *shape, uint8_t time,
        const struct xml_node *n, void *value)
{
	switch ((enum shape_type)shape->type) {
	case SHAPE_STRUCTURE:
		return decode_structure(a, shape, n, value);
	case SHAPE_LIST:
		return decode_list(a, shape, n, value);
	case SHAPE_MAP:
		return decode_map(a, shape, n, value);
	default:
		return n->first ? 1 : wire_text_read(a, shape, time, n->text, value);
	}
}

int wire_xml_decode(
        struct arena *a, const struct shape *shape, const struct xml_node *n, void *value)
{
	return decode(a, shape, TIME_DEFAULT, n, value);
}

static void open_element(
        struct buf *b, const struct shape_member *m, const void *value, struct arena *a)
{
	buf_add_char(b, '<');
	buf_add(b, m->wire);
	if (m->xml_uri.n && m->xml_prefix.n)
		buf_printf(b, " xmlns:%.*s=\"%.*s\"", STR(m->xml_prefix), STR(m->xml_uri));
	else if (m->xml_uri.n)
		buf_printf(b, " xmlns=\"%.*s\"", STR(m->xml_uri));
	for (uint32_t i = 0; m->shape->type == SHAPE_STRUCTURE && i < m->shape->n_members; i++) {
		const struct shape_member *at = &m->shape->members[i];
		const void *v = at->xml_attribute ? wire_member_get(at, value) : NULL;
		if (!v)
			continue;
		bool prefixed = at->xml_prefix.n && str_find_char(at->wire, ':') < 0;
		buf_printf(b, " %.*s%s%.*s=\"", STR(at->xml_prefix), prefixed ? ":" : "",
		        STR(at->wire));
		xml_text(b, wire_text_of(a, at->shape, TIME_ISO8601, v));
		buf_add_char(b, '"');
	}
	buf_add_char(b, '>');
}

static void encode_value(
        struct buf *b, const struct shape *shape, uint8_t time, const void *value, struct arena *a);

static void encode_named(struct buf *b, struct str name, const struct shape *shape,
        const void *value, struct arena *a)
{
	xml_open(b, name);
	encode_value(b, shape, TIME_DEFAULT, value, a);
	xml_close(b, name);
}

static void encode_entries(struct buf *b, struct str name, const struct shape *shape,
        const void *value, struct arena *a)
{
	for (size_t i = 0; i < wire_count(value); i++) {
		char *entry = wire_entry(shape, value, i);
		xml_open(b, name);
		xml_element(b, shape->key_wire, *(struct str *)entry);
		encode_named(
		        b, shape->element_wire, shape->element, entry + shape->value_offset, a);
		xml_close(b, name);
	}
}

static void encode_list(struct buf *b, struct str name, const struct shape *shape,
        const void *value, struct arena *a)
{
	for (size_t i = 0; i < wire_count(value); i++)
		encode_named(b, name, shape->element, wire_entry(shape, value, i), a);
}

/* S3 writes its times with milliseconds, the others without. */
static struct str time_text(
        struct arena *a, const struct shape *shape, uint8_t time, const void *value)
{
	if (time == TIME_DEFAULT)
		time = shape->time == TIME_DEFAULT ? TIME_ISO8601 : shape->time;
	return wire_text_of(a, shape, time, value);
}

static void encode_value(
        struct buf *b, const struct shape *shape, uint8_t time, const void *value, struct arena *a)
{
	switch ((enum shape_type)shape->type) {
	case SHAPE_STRUCTURE:
		wire_xml_encode_members(b, shape, value, a);
		break;
	case SHAPE_LIST:
		encode_list(b, shape->element_wire, shape, value, a);
		break;
	case SHAPE_MAP:
		encode_entries(b, S("entry"), shape, value, a);
		break;
	case SHAPE_TIMESTAMP:
		xml_text(b, time_text(a, shape, time, value));
		break;
	default:
		xml_text(b, wire_text_of(a, shape, time, value));
	}
}

void wire_xml_encode(
        struct buf *b, const struct shape_member *m, const void *value, struct arena *a)
{
	if (m->flattened && m->shape->type == SHAPE_LIST) {
		encode_list(b, m->wire, m->shape, value, a);
	} else if (m->flattened && m->shape->type == SHAPE_MAP) {
		encode_entries(b, m->wire, m->shape, value, a);
	} else {
		open_element(b, m, value, a);
		encode_value(b, m->shape, m->time, value, a);
		xml_close(b, m->wire);
	}
}

void wire_xml_encode_members(
        struct buf *b, const struct shape *shape, const void *value, struct arena *a)
{
	for (uint32_t i = 0; i < shape->n_members; i++) {
		const struct shape_member *m = &shape->members[i];
		if (m->location != IN_BODY || m->xml_attribute || m->shape->type == SHAPE_STREAM)
			continue;
		const void *v = wire_member_get(m, value);
		if (v)
			wire_xml_encode(b, m, v, a);
	}
}
