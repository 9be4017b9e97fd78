/*
 * wire_query: form parameters of the query and ec2 protocols: "Tags.member.1.Key=a" names a place
 * in a tree, which is built first and then read along the shapes.
 */
#include "api/wire_internal.h"

struct param {
	struct str name, value;
	bool has_value;
	struct param *first, *last, *next;
};

static struct param *child(struct param *p, struct str name)
{
	for (struct param *c = p->first; c; c = c->next)
		if (str_eq(c->name, name))
			return c;
	return NULL;
}

static struct param *child_or_new(struct arena *a, struct param *p, struct str name)
{
	struct param *c = p->last && str_eq(p->last->name, name) ? p->last : child(p, name);

	if (c)
		return c;
	c = arena_new(a, struct param);
	c->name = name;
	if (p->last)
		p->last->next = c;
	else
		p->first = c;
	p->last = c;
	return c;
}

static int add(struct arena *a, struct param *root, const struct uri_param *from)
{
	struct param *p = root;
	struct str rest = from->name;

	for (int depth = 0; rest.p; depth++) {
		if (depth > WIRE_DEPTH_MAX)
			return 1;
		p = child_or_new(a, p, str_cut(&rest, '.'));
	}
	p->value = from->value;
	p->has_value = true;
	return 0;
}

static int decode(struct arena *a, const struct shape *shape, uint8_t time, bool ec2,
        struct param *p, void *value);

/* Numbered children in the order of their numbers, which may have gaps. */
static struct param *next_numbered(struct param *p, uint64_t after, uint64_t *number)
{
	struct param *best = NULL;

	for (struct param *c = p->first; c; c = c->next) {
		uint64_t n;
		if (str_to_u64(c->name, &n) && n > after && (!best || n < *number)) {
			best = c;
			*number = n;
		}
	}
	return best;
}

static int decode_list(
        struct arena *a, const struct shape *shape, bool ec2, struct param *p, void *value)
{
	size_t capacity = 0;
	uint64_t number = 0, after;

	for (struct param *c = p->first; c;) {
		/* In order nearly always: then the search is not needed. */
		after = number;
		uint64_t n;
		if (!(str_to_u64(c->name, &n) && n == after + 1))
			c = next_numbered(p, after, &n);
		if (!c)
			break;
		number = n;
		TRY(decode(a, shape->element, TIME_DEFAULT, ec2, c,
		        wire_append(a, shape, value, &capacity)));
		c = c->next ? c->next : p->first;
	}
	wire_make_present(a, value);
	return 0;
}

static int decode_map(
        struct arena *a, const struct shape *shape, bool ec2, struct param *p, void *value)
{
	size_t capacity = 0;
	uint64_t number = 0;
	struct param *c;

	while ((c = next_numbered(p, number, &number))) {
		struct param *key = child(c, shape->key_wire), *v = child(c, shape->element_wire);
		if (!key || !v)
			return 1;
		char *entry = wire_append(a, shape, value, &capacity);
		*(struct str *)entry = key->value;
		TRY(decode(a, shape->element, TIME_DEFAULT, ec2, v, entry + shape->value_offset));
	}
	wire_make_present(a, value);
	return 0;
}

/* Lists and maps may stand one level deeper: "Tags.member.1", "Attributes.entry.1". */
static struct param *unwrap(const struct shape_member *m, bool ec2, struct param *p)
{
	struct str wrapper = m->shape->type == SHAPE_MAP ? S("entry") : m->shape->element_wire;
	bool container = m->shape->type == SHAPE_LIST || m->shape->type == SHAPE_MAP;

	if (!container || m->flattened || ec2)
		return p;
	struct param *inner = child(p, wrapper);
	return inner ? inner : p;
}

static int decode_structure(
        struct arena *a, const struct shape *shape, bool ec2, struct param *p, void *value)
{
	for (uint32_t i = 0; i < shape->n_members; i++) {
		const struct shape_member *m = &shape->members[i];
		struct param *c = child(p, m->query);
		if (c)
			TRY(decode(a, m->shape, m->time, ec2, unwrap(m, ec2, c),
			        wire_member_new(a, m, value)));
	}
	return 0;
}

static int decode(struct arena *a, const struct shape *shape, uint8_t time, bool ec2,
        struct param *p, void *value)
{
	switch ((enum shape_type)shape->type) {
	case SHAPE_STRUCTURE:
		return decode_structure(a, shape, ec2, p, value);
	case SHAPE_LIST:
		return decode_list(a, shape, ec2, p, value);
	case SHAPE_MAP:
		return decode_map(a, shape, ec2, p, value);
	default:
		return p->has_value ? wire_text_read(a, shape, time, p->value, value) : 0;
	}
}

int wire_query_decode(
        struct arena *a, const struct shape *shape, struct str body, bool ec2, void *value)
{
	struct uri_params params;
	struct param root = { 0 };

	if (uri_query_parse(a, body, &params) != 0)
		return 1;
	for (size_t i = 0; i < params.n; i++)
		if (add(a, &root, &params.v[i]) != 0)
			return 1;
	return decode_structure(a, shape, ec2, &root, value);
}
