/*
 * wire_json: structures as JSON objects, for json 1.x, rest-json and the SDKs' form of documents.
 */
#include "api/wire_internal.h"

#include <math.h>

struct decoding {
	struct arena *a;
	enum wire_names names;
	int depth;
	struct str *why;
};

static int decode(
        struct decoding *d, const struct shape *shape, yyjson_val *json, uint8_t time, void *value);

static struct str kind_of(yyjson_val *v)
{
	if (yyjson_is_str(v))
		return S("STRING_VALUE");
	if (yyjson_is_num(v))
		return S("NUMBER_VALUE");
	if (yyjson_is_true(v))
		return S("TRUE_VALUE");
	return S("FALSE_VALUE");
}

/* The words of AWS's own deserializer. */
static int mismatch(struct decoding *d, yyjson_val *json, const char *wanted)
{
	if (yyjson_is_ctn(json))
		*d->why = S("Start of structure or map found where not expected.");
	else
		*d->why = str_printf(
		        d->a, "%.*s cannot be converted to %s", STR(kind_of(json)), wanted);
	return 1;
}

static const struct shape_member *member_of(
        const struct decoding *d, const struct shape *shape, struct str key, uint32_t *hint)
{
	for (uint32_t k = 0; k < shape->n_members; k++) {
		uint32_t i = (*hint + k) % shape->n_members;
		const struct shape_member *m = &shape->members[i];
		if (str_eq(d->names == WIRE_NAMES_WIRE ? m->wire : m->name, key)) {
			*hint = i + 1;
			return m;
		}
	}
	return NULL;
}

static int decode_structure(
        struct decoding *d, const struct shape *shape, yyjson_val *json, void *value)
{
	size_t i, n;
	yyjson_val *key, *v;
	uint32_t hint = 0;

	if (!yyjson_is_obj(json))
		return mismatch(d, json, "structure");
	yyjson_obj_foreach(json, i, n, key, v)
	{
		const struct shape_member *m = member_of(d, shape, json_str_of(key), &hint);
		if (!m || yyjson_is_null(v) || m->offset == UINT32_MAX ||
		        m->shape->type == SHAPE_STREAM)
			continue;
		if (d->names == WIRE_NAMES_WIRE && m->location != IN_BODY)
			continue;
		TRY(decode(d, m->shape, v, m->time, wire_member_new(d->a, m, value)));
	}
	return 0;
}

static int decode_list(struct decoding *d, const struct shape *shape, yyjson_val *json, void *value)
{
	size_t i, n, capacity = 0;
	yyjson_val *v;

	if (!yyjson_is_arr(json))
		return mismatch(d, json, "list");
	yyjson_arr_foreach(json, i, n, v)
	{
		if (!yyjson_is_null(v))
			TRY(decode(d, shape->element, v, TIME_DEFAULT,
			        wire_append(d->a, shape, value, &capacity)));
	}
	wire_make_present(d->a, value);
	return 0;
}

static int decode_map(struct decoding *d, const struct shape *shape, yyjson_val *json, void *value)
{
	size_t i, n, capacity = 0;
	yyjson_val *key, *v;

	if (!yyjson_is_obj(json))
		return mismatch(d, json, "map");
	yyjson_obj_foreach(json, i, n, key, v)
	{
		if (yyjson_is_null(v))
			continue;
		char *entry = wire_append(d->a, shape, value, &capacity);
		*(struct str *)entry = json_str_of(key);
		TRY(decode(d, shape->element, v, TIME_DEFAULT, entry + shape->value_offset));
	}
	wire_make_present(d->a, value);
	return 0;
}

static int decode_integer(
        struct decoding *d, const struct shape *shape, yyjson_val *json, struct opt_int *value)
{
	int64_t v;

	if (yyjson_is_sint(json)) {
		v = yyjson_get_sint(json);
	} else if (yyjson_is_uint(json)) {
		if (yyjson_get_uint(json) > INT64_MAX)
			return mismatch(d, json, "Long");
		v = (int64_t)yyjson_get_uint(json);
	} else if (yyjson_is_real(json) && fabs(yyjson_get_real(json)) < 9e18) {
		v = (int64_t)yyjson_get_real(json);
	} else {
		return mismatch(d, json, shape->type == SHAPE_LONG ? "Long" : "Integer");
	}
	if (shape->type == SHAPE_INTEGER && (v < INT32_MIN || v > INT32_MAX))
		return mismatch(d, json, "Integer");
	*value = opt_int(v);
	return 0;
}

static int decode_double(struct decoding *d, yyjson_val *json, struct opt_double *value)
{
	static const struct {
		struct str text;
		double v;
	} words[] = { { S_INIT("NaN"), (double)NAN }, { S_INIT("Infinity"), (double)INFINITY },
		{ S_INIT("-Infinity"), -(double)INFINITY } };

	for (size_t i = 0; yyjson_is_str(json) && i < ARRAY_LEN(words); i++)
		if (str_eq(json_str_of(json), words[i].text)) {
			*value = opt_double(words[i].v);
			return 0;
		}
	if (!yyjson_is_num(json))
		return mismatch(d, json, "Double");
	*value = opt_double(yyjson_get_num(json));
	return 0;
}

static int decode_time(struct decoding *d, yyjson_val *json, struct opt_time *value)
{
	int64_t ms;

	if (yyjson_is_num(json)) {
		double v = yyjson_get_num(json) * 1000;
		if (fabs(v) > 1e15)
			return mismatch(d, json, "Date");
		*value = opt_time((int64_t)llround(v));
		return 0;
	}
	struct str text = json_str_of(json);
	if (!text.p || (time_parse_iso8601(text, &ms) != 0 && time_parse_rfc822(text, &ms) != 0))
		return mismatch(d, json, "Date");
	*value = opt_time(ms);
	return 0;
}

static int decode_blob(struct decoding *d, yyjson_val *json, struct str *value)
{
	if (!yyjson_is_str(json))
		return mismatch(d, json, "Blob");
	if (base64_decode(d->a, json_str_of(json), value) == 0)
		return 0;
	*d->why = S("Unable to decode base64: the value is not valid base64");
	return 1;
}

static int decode(
        struct decoding *d, const struct shape *shape, yyjson_val *json, uint8_t time, void *value)
{
	switch ((enum shape_type)shape->type) {
	case SHAPE_STRUCTURE:
	case SHAPE_LIST:
	case SHAPE_MAP: {
		int bad = 1;
		if (++d->depth > WIRE_DEPTH_MAX)
			*d->why = S("The input is nested too deeply");
		else if (shape->type == SHAPE_STRUCTURE)
			bad = decode_structure(d, shape, json, value);
		else
			bad = shape->type == SHAPE_LIST ? decode_list(d, shape, json, value)
			                                : decode_map(d, shape, json, value);
		d->depth--;
		return bad;
	}
	case SHAPE_STRING:
		if (!yyjson_is_str(json))
			return mismatch(d, json, "String");
		*(struct str *)value = json_str_of(json);
		return 0;
	case SHAPE_BLOB:
		return decode_blob(d, json, value);
	case SHAPE_BOOLEAN:
		if (!yyjson_is_bool(json))
			return mismatch(d, json, "Boolean");
		*(struct opt_bool *)value = opt_bool(yyjson_is_true(json));
		return 0;
	case SHAPE_INTEGER:
	case SHAPE_LONG:
		return decode_integer(d, shape, json, value);
	case SHAPE_FLOAT:
	case SHAPE_DOUBLE:
		return decode_double(d, json, value);
	case SHAPE_TIMESTAMP:
		return decode_time(d, json, value);
	case SHAPE_DOCUMENT:
		*(struct str *)value = json_text(d->a, json);
		return 0;
	default:
		return 0;
	}
}

int wire_json_decode(struct arena *a, const struct shape *shape, yyjson_val *json,
        enum wire_names names, void *value, struct str *why)
{
	struct decoding d = { .a = a, .names = names, .why = why };

	return decode(&d, shape, json, TIME_DEFAULT, value);
}

static void encode(struct json_writer *w, const struct shape *shape, enum wire_names names,
        const void *value, struct arena *a);

static void encode_member(struct json_writer *w, const struct shape_member *m,
        enum wire_names names, const void *value, struct arena *a)
{
	json_key(w, names == WIRE_NAMES_WIRE ? m->wire : m->name);
	if (m->shape->type == SHAPE_TIMESTAMP && m->time != TIME_DEFAULT &&
	        m->time != TIME_EPOCH_SECONDS)
		json_str(w, wire_text_of(a, m->shape, m->time, value));
	else
		encode(w, m->shape, names, value, a);
}

static void encode_structure(struct json_writer *w, const struct shape *shape,
        enum wire_names names, const void *value, struct arena *a)
{
	json_object(w);
	for (uint32_t i = 0; i < shape->n_members; i++) {
		const struct shape_member *m = &shape->members[i];
		if (names == WIRE_NAMES_WIRE && m->location != IN_BODY)
			continue;
		const void *v = wire_member_get(m, value);
		if (v && m->shape->type != SHAPE_STREAM)
			encode_member(w, m, names, v, a);
	}
	json_end(w);
}

static void encode_list(struct json_writer *w, const struct shape *shape, enum wire_names names,
        const void *value, struct arena *a)
{
	json_array(w);
	for (size_t i = 0; i < wire_count(value); i++)
		encode(w, shape->element, names, wire_entry(shape, value, i), a);
	json_end(w);
}

static void encode_map(struct json_writer *w, const struct shape *shape, enum wire_names names,
        const void *value, struct arena *a)
{
	json_object(w);
	for (size_t i = 0; i < wire_count(value); i++) {
		char *entry = wire_entry(shape, value, i);
		json_key(w, *(struct str *)entry);
		encode(w, shape->element, names, entry + shape->value_offset, a);
	}
	json_end(w);
}

static void encode_double(struct json_writer *w, double v)
{
	if (isnan(v) || isinf(v))
		json_str(w, isnan(v) ? S("NaN") : v > 0 ? S("Infinity") : S("-Infinity"));
	else
		json_double(w, v);
}

static void encode(struct json_writer *w, const struct shape *shape, enum wire_names names,
        const void *value, struct arena *a)
{
	switch ((enum shape_type)shape->type) {
	case SHAPE_STRUCTURE:
		encode_structure(w, shape, names, value, a);
		break;
	case SHAPE_LIST:
		encode_list(w, shape, names, value, a);
		break;
	case SHAPE_MAP:
		encode_map(w, shape, names, value, a);
		break;
	case SHAPE_BOOLEAN:
		json_bool(w, ((const struct opt_bool *)value)->v);
		break;
	case SHAPE_INTEGER:
	case SHAPE_LONG:
		json_i64(w, ((const struct opt_int *)value)->v);
		break;
	case SHAPE_FLOAT:
	case SHAPE_DOUBLE:
		encode_double(w, ((const struct opt_double *)value)->v);
		break;
	case SHAPE_TIMESTAMP:
		json_raw(w, wire_text_of(a, shape, TIME_EPOCH_SECONDS, value));
		break;
	case SHAPE_DOCUMENT:
		json_raw(w, *(const struct str *)value);
		break;
	case SHAPE_BLOB:
		json_str(w, base64_encode(a, *(const struct str *)value));
		break;
	default:
		json_str(w, ((const struct str *)value)->p ? *(const struct str *)value : S(""));
	}
}

void wire_json_encode(struct json_writer *w, const struct shape *shape, enum wire_names names,
        const void *value, struct arena *a)
{
	encode(w, shape, names, value, a);
}

struct str wire_to_json(struct arena *a, const struct shape *shape, const void *value)
{
	struct buf b = buf_init(a);
	struct json_writer w = json_writer(&b);

	encode(&w, shape, WIRE_NAMES_MODEL, value, a);
	return buf_str(&b);
}

int wire_from_json(struct arena *a, const struct shape *shape, struct str json, void *value)
{
	yyjson_val *root;
	struct str why;

	if (json_parse(a, json, &root) != 0)
		return 1;
	return wire_json_decode(a, shape, root, WIRE_NAMES_MODEL, value, &why);
}
