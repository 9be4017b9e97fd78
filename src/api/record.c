/*
 * record: a version byte and CBOR. Members are keyed by their model's names; absent ones are left
 * out; unknown ones are passed over, so that an older program reads what a newer one wrote as long
 * as the version is the same.
 */
#include "api/record.h"

#include "api/wire_internal.h"
#include "base/log.h"
#include "codec/cbor.h"

#define RECORD_VERSION 1

static void pack(struct buf *b, const struct shape *shape, const void *value);

static void pack_structure(struct buf *b, const struct shape *shape, const void *value)
{
	cbor_map(b, UINT64_MAX);
	for (uint32_t i = 0; i < shape->n_members; i++) {
		const struct shape_member *m = &shape->members[i];
		const void *v = wire_member_get(m, value);
		if (!v || m->shape->type == SHAPE_STREAM)
			continue;
		cbor_text(b, m->name);
		pack(b, m->shape, v);
	}
	cbor_break(b);
}

static void pack_list(struct buf *b, const struct shape *shape, const void *value)
{
	size_t n = wire_count(value);

	cbor_array(b, n);
	for (size_t i = 0; i < n; i++)
		pack(b, shape->element, wire_entry(shape, value, i));
}

static void pack_map(struct buf *b, const struct shape *shape, const void *value)
{
	size_t n = wire_count(value);

	cbor_map(b, n);
	for (size_t i = 0; i < n; i++) {
		char *entry = wire_entry(shape, value, i);
		cbor_text(b, *(struct str *)entry);
		pack(b, shape->element, entry + shape->value_offset);
	}
}

static void pack(struct buf *b, const struct shape *shape, const void *value)
{
	switch ((enum shape_type)shape->type) {
	case SHAPE_STRUCTURE:
		pack_structure(b, shape, value);
		break;
	case SHAPE_LIST:
		pack_list(b, shape, value);
		break;
	case SHAPE_MAP:
		pack_map(b, shape, value);
		break;
	case SHAPE_BOOLEAN:
		cbor_bool(b, ((const struct opt_bool *)value)->v);
		break;
	case SHAPE_INTEGER:
	case SHAPE_LONG:
		cbor_int(b, ((const struct opt_int *)value)->v);
		break;
	case SHAPE_TIMESTAMP:
		cbor_int(b, ((const struct opt_time *)value)->ms);
		break;
	case SHAPE_FLOAT:
	case SHAPE_DOUBLE:
		cbor_double(b, ((const struct opt_double *)value)->v);
		break;
	case SHAPE_BLOB:
		cbor_bytes(b, *(const struct str *)value);
		break;
	default:
		cbor_text(b, *(const struct str *)value);
	}
}

struct str record_pack(struct arena *a, const struct shape *shape, const void *value)
{
	struct buf b = buf_init(a);

	buf_add_char(&b, RECORD_VERSION);
	pack(&b, shape, value);
	return buf_str(&b);
}

static int unpack(struct cbor_reader *r, const struct shape *shape, const struct cbor_item *item,
        void *value);

static int unpack_next(struct cbor_reader *r, const struct shape *shape, void *value)
{
	struct cbor_item item;

	TRY(cbor_next(r, &item));
	return unpack(r, shape, &item, value);
}

static const struct shape_member *member_of(
        const struct shape *shape, struct str name, uint32_t *hint)
{
	for (uint32_t k = 0; k < shape->n_members; k++) {
		uint32_t i = (*hint + k) % shape->n_members;
		if (str_eq(shape->members[i].name, name)) {
			*hint = i + 1;
			return &shape->members[i];
		}
	}
	return NULL;
}

static int unpack_structure(
        struct cbor_reader *r, const struct shape *shape, const struct cbor_item *map, void *value)
{
	struct cbor_item key;
	uint32_t hint = 0;

	if (map->type != CBOR_MAP)
		return CBOR_BAD;
	for (uint64_t i = 0; i < map->u; i++) {
		TRY(cbor_next(r, &key));
		if (key.type == CBOR_BREAK && map->u == UINT64_MAX)
			return 0;
		if (key.type != CBOR_TEXT)
			return CBOR_BAD;
		const struct shape_member *m = member_of(shape, key.s, &hint);
		if (m)
			TRY(unpack_next(r, m->shape, wire_member_new(r->arena, m, value)));
		else
			TRY(cbor_skip(r));
	}
	return 0;
}

static int unpack_list(
        struct cbor_reader *r, const struct shape *shape, const struct cbor_item *list, void *value)
{
	size_t capacity = 0;

	if (list->type != CBOR_ARRAY)
		return CBOR_BAD;
	for (uint64_t i = 0; i < list->u; i++)
		TRY(unpack_next(r, shape->element, wire_append(r->arena, shape, value, &capacity)));
	wire_make_present(r->arena, value);
	return 0;
}

static int unpack_map(
        struct cbor_reader *r, const struct shape *shape, const struct cbor_item *map, void *value)
{
	size_t capacity = 0;
	struct cbor_item key;

	if (map->type != CBOR_MAP)
		return CBOR_BAD;
	for (uint64_t i = 0; i < map->u; i++) {
		TRY(cbor_next(r, &key));
		if (key.type != CBOR_TEXT)
			return CBOR_BAD;
		char *entry = wire_append(r->arena, shape, value, &capacity);
		*(struct str *)entry = key.s;
		TRY(unpack_next(r, shape->element, entry + shape->value_offset));
	}
	wire_make_present(r->arena, value);
	return 0;
}

static int unpack_integer(const struct cbor_item *item, int64_t *v)
{
	if ((item->type != CBOR_UINT && item->type != CBOR_NEGINT) || item->u > INT64_MAX)
		return CBOR_BAD;
	*v = item->type == CBOR_UINT ? (int64_t)item->u : -1 - (int64_t)item->u;
	return 0;
}

static int unpack_scalar(const struct shape *shape, const struct cbor_item *item, void *value)
{
	int64_t v;

	switch ((enum shape_type)shape->type) {
	case SHAPE_BOOLEAN:
		if (item->type != CBOR_TRUE && item->type != CBOR_FALSE)
			return CBOR_BAD;
		*(struct opt_bool *)value = opt_bool(item->type == CBOR_TRUE);
		return 0;
	case SHAPE_INTEGER:
	case SHAPE_LONG:
		TRY(unpack_integer(item, &v));
		*(struct opt_int *)value = opt_int(v);
		return 0;
	case SHAPE_TIMESTAMP:
		TRY(unpack_integer(item, &v));
		*(struct opt_time *)value = opt_time(v);
		return 0;
	case SHAPE_FLOAT:
	case SHAPE_DOUBLE:
		if (item->type != CBOR_DOUBLE)
			return CBOR_BAD;
		*(struct opt_double *)value = opt_double(item->d);
		return 0;
	default:
		if (item->type != CBOR_TEXT && item->type != CBOR_BYTES)
			return CBOR_BAD;
		*(struct str *)value = item->s.p ? item->s : S("");
		return 0;
	}
}

static int unpack(
        struct cbor_reader *r, const struct shape *shape, const struct cbor_item *item, void *value)
{
	switch ((enum shape_type)shape->type) {
	case SHAPE_STRUCTURE:
		return unpack_structure(r, shape, item, value);
	case SHAPE_LIST:
		return unpack_list(r, shape, item, value);
	case SHAPE_MAP:
		return unpack_map(r, shape, item, value);
	default:
		return unpack_scalar(shape, item, value);
	}
}

int record_unpack(struct arena *a, const struct shape *shape, struct str bytes, void *value)
{
	struct cbor_reader r = { .rest = str_sub(bytes, 1, bytes.n), .arena = a };

	if (bytes.n < 2 || bytes.p[0] != RECORD_VERSION)
		return -EPROTO;
	return unpack_next(&r, shape, value) == 0 && r.rest.n == 0 ? 0 : -EPROTO;
}

int record_get(struct kv_txn *txn, struct str key, const struct shape *shape, void *value)
{
	struct arena *a = kv_arena(txn);
	struct str bytes;

	TRY(kv_get(txn, key, &bytes));
	int bad = record_unpack(a, shape, bytes, value);
	if (bad)
		log_error("the %.*s at %.*s is damaged or of another version (%d)",
		        STR(shape->name), STR(hex_encode(a, key)), bytes.n ? bytes.p[0] : -1);
	return bad;
}

void record_put(struct kv_txn *txn, struct str key, const struct shape *shape, const void *value)
{
	kv_put(txn, key, record_pack(kv_arena(txn), shape, value));
}
