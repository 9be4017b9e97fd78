/*
 * wire_fuzz: bodies in every form into structs and out again. The first byte chooses.
 */
#include "api/record.h"
#include "api/wire_internal.h"
#include "iam_gen.h"
#include "lambda_gen.h"
#include "logs_gen.h"
#include "s3_gen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(struct arena *a, const struct shape *shape, const void *value)
{
	void *copy = arena_alloc(a, shape->size);
	struct str json = wire_to_json(a, shape, value);
	struct str record = record_pack(a, shape, value);
	struct buf b = buf_init(a);

	ensure(json_is_valid(json));
	ensure(record_unpack(a, shape, record, copy) == 0);
	ensure(str_eq(wire_to_json(a, shape, copy), json));
	wire_xml_encode_members(&b, shape, value, a);
}

static const struct shape *shapes[] = {
	&lambda_shape_create_function_request,
	&s3_shape_delete,
	&s3_shape_complete_multipart_upload_request,
	&iam_shape_create_role_request,
	&logs_shape_put_log_events_request,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct arena *a = arena_create();
	const struct shape *shape = shapes[data[0] % ARRAY_LEN(shapes)];
	struct str why, body = { (const char *)data + 1, size - 1 };
	void *value = arena_alloc(a, shape->size);
	yyjson_val *json;
	struct xml_node *xml;
	int bad = 1;

	if (data[0] & 0x80)
		bad = wire_query_decode(a, shape, body, data[0] & 0x40, value);
	else if (data[0] & 0x40)
		bad = xml_parse(a, body, &xml) || wire_xml_decode(a, shape, xml, value);
	else if (data[0] & 0x20)
		bad = record_unpack(a, shape, body, value);
	else
		bad = json_parse(a, body, &json) ||
		      wire_json_decode(a, shape, json, WIRE_NAMES_WIRE, value, &why);
	if (!bad && !(data[0] & 0x20))
		again(a, shape, value);
	arena_destroy(a);
	return 0;
}
