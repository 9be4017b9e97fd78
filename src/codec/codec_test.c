/* Tests of the encodings against published values. */
#include "codec/archive.h"
#include "codec/cbor.h"
#include "codec/codec.h"
#include "codec/json.h"
#include "codec/xml.h"
#include "codec/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct arena *a;

static void assert_str(struct str got, const char *expected)
{
	assert_string_equal(str_cstr(a, got), expected);
}

static void test_base64(void **state)
{
	struct str out;

	assert_str(base64_encode(a, S("foobar")), "Zm9vYmFy");
	assert_str(base64_encode(a, S("fooba")), "Zm9vYmE=");
	assert_str(base64_encode(a, S("foob")), "Zm9vYg==");
	assert_int_equal(base64_decode(a, S("Zm9vYg=="), &out), 0);
	assert_str(out, "foob");
	assert_int_equal(base64_decode(a, S("Zm9vYg="), &out), CODEC_BAD);
	assert_int_equal(base64_decode(a, S("Zm9v!g=="), &out), CODEC_BAD);
	assert_str(base64url_encode(a, S("\xff\xfe\xfd")), "__79");
	assert_str(hex_encode(a, S("\x01\xab")), "01ab");
}

static void test_hash(void **state)
{
	unsigned char mac[32];
	struct str check = S("123456789");

	assert_str(hash_sha256_hex(a, S("")),
	        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	hash_hmac_sha256(S("key"), S("The quick brown fox jumps over the lazy dog"), mac);
	assert_str(hex_encode(a, (struct str){ (char *)mac, 32 }),
	        "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8");
	assert_int_equal(hash_crc32(0, check), 0xcbf43926);
	assert_int_equal(hash_crc32c(0, check), 0xe3069283);
	assert_true(hash_crc64nvme(0, check) == 0xae8b14860a799888u);
	struct hash *h = hash_new(HASH_MD5);
	hash_add(h, S("a"));
	hash_add(h, S("bc"));
	assert_str(hex_encode(a, hash_take(h, a)), "900150983cd24fb0d6963f7d28e17f72");
}

static void test_times(void **state)
{
	int64_t ms;

	assert_int_equal(time_parse_iso8601(S("2026-01-31T12:00:00.250Z"), &ms), 0);
	assert_str(time_iso8601(a, ms, true), "2026-01-31T12:00:00.250Z");
	assert_str(time_rfc822(a, ms), "Sat, 31 Jan 2026 12:00:00 GMT");
	assert_str(time_basic(a, ms), "20260131T120000Z");
	assert_int_equal(time_parse_iso8601(S("2026-01-31T13:00:00+01:00"), &ms), 0);
	assert_str(time_iso8601(a, ms, false), "2026-01-31T12:00:00Z");
	assert_int_equal(time_parse_rfc822(S("Sat, 31 Jan 2026 12:00:00 GMT"), &ms), 0);
	assert_str(time_basic(a, ms), "20260131T120000Z");
	assert_int_equal(time_parse_iso8601(S("2026-13-31T12:00:00Z"), &ms), CODEC_BAD);
	assert_int_equal(time_parse_basic(S("20260131T1200"), &ms), CODEC_BAD);
}

static void test_uri(void **state)
{
	struct uri_params params;
	struct uri uri;
	struct str out;

	assert_str(uri_encode(a, S("a/b c~\xc3\xa4"), false), "a%2Fb%20c~%C3%A4");
	assert_int_equal(uri_decode(a, S("%zz"), false, &out), CODEC_BAD);
	assert_int_equal(uri_query_parse(a, S("a=1&b=x+y%21&flag&a=2"), &params), 0);
	assert_int_equal(params.n, 4);
	assert_str(uri_params_get(&params, S("b")), "x y!");
	assert_false(params.v[2].has_value);
	assert_int_equal(uri_parse(S("http://[::1]:8080/p?q=1#f"), &uri), 0);
	assert_str(uri.host, "::1");
	assert_int_equal(uri.port, 8080);
	assert_str(uri.query, "q=1");
}

static void test_json(void **state)
{
	yyjson_val *root;
	struct buf b = buf_init(a);
	struct json_writer w = json_writer(&b);

	json_object(&w);
	json_member_str(&w, S("s"), S("a\"\n\x01\xff"));
	json_key(&w, S("v"));
	json_array(&w);
	json_i64(&w, -5);
	json_double(&w, 0.1);
	json_null(&w);
	json_end(&w);
	json_end(&w);
	assert_str(buf_str(&b), "{\"s\":\"a\\\"\\n\\u0001\xef\xbf\xbd\",\"v\":[-5,0.1,null]}");
	assert_int_equal(json_parse(a, buf_str(&b), &root), 0);
	assert_int_equal(json_parse(a, S("{\"a\":1,}"), &root), JSON_BAD);
	struct buf deep = buf_init(a);
	for (int i = 0; i < 200; i++)
		buf_add_char(&deep, '[');
	assert_int_equal(json_parse(a, buf_str(&deep), &root), JSON_BAD);
}

static void test_xml(void **state)
{
	struct xml_node *root;
	struct buf b = buf_init(a);

	assert_int_equal(xml_parse(a, S("<a x='1'><b>t&lt;</b><n:c>2</n:c></a>"), &root), 0);
	assert_str(xml_child_text(root, S("b")), "t<");
	assert_str(xml_child_text(root, S("c")), "2");
	assert_str(xml_attribute_get(root, S("x")), "1");
	assert_int_equal(
	        xml_parse(a, S("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"), &root), XML_BAD);
	assert_int_equal(xml_parse(a, S("<a><b></a>"), &root), XML_BAD);
	xml_element(&b, S("k"), S("<&>"));
	assert_str(buf_str(&b), "<k>&lt;&amp;&gt;</k>");
}

static void test_yaml(void **state)
{
	struct str json, why;

	assert_int_equal(yaml_to_json(a,
	                         S("base: &b {x: 1}\nd:\n  <<: *b\n  y: yes\nr: !Ref Thing\ng: "
	                           "!GetAtt F.Arn\ns: '5'\nl: [1, 2.5, ~]\n"),
	                         &json, &why),
	        0);
	assert_str(json,
	        "{\"base\":{\"x\":1},\"d\":{\"x\":1,\"y\":\"yes\"},\"r\":{\"Ref\":\"Thing\"},"
	        "\"g\":{\"Fn::GetAtt\":[\"F\",\"Arn\"]},\"s\":\"5\",\"l\":[1,2.5,null]}");
	assert_int_equal(yaml_to_json(a, S("a: [1"), &json, &why), YAML_BAD);
}

static void test_cbor(void **state)
{
	struct buf b = buf_init(a);
	struct cbor_item item;

	cbor_map(&b, 1);
	cbor_text(&b, S("k"));
	cbor_int(&b, -500);
	struct cbor_reader r = { buf_str(&b), a };
	assert_int_equal(cbor_next(&r, &item), 0);
	assert_int_equal(item.type, CBOR_MAP);
	assert_int_equal(cbor_skip(&r), 0);
	assert_int_equal(cbor_next(&r, &item), 0);
	assert_int_equal(item.type, CBOR_NEGINT);
	assert_int_equal(item.u, 499);
	r.rest = S("\x9b\xff\xff\xff\xff\xff\xff\xff\xff");
	assert_int_equal(cbor_next(&r, &item), CBOR_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_uri),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_xml),
		cmocka_unit_test(test_yaml),
		cmocka_unit_test(test_cbor),
	};
	a = arena_create();
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_destroy(a);
	return failed;
}
