/* The pure parts: names, keys, hosts, copy sources, ranges, conditions, checksums, policies. */
#include "services/s3/checksum.h"
#include "services/s3/conditions.h"
#include "services/s3/listing.h"
#include "services/s3/names.h"
#include "services/s3/public.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void bucket_names(void **state)
{
	static const struct {
		struct str name;
		bool good;
	} cases[] = {
		{ S_INIT("abc"), true },
		{ S_INIT("a-b.c-9"), true },
		{ S_INIT("ab"), false },
		{ S_INIT("Abc"), false },
		{ S_INIT("-abc"), false },
		{ S_INIT("abc-"), false },
		{ S_INIT(".abc"), false },
		{ S_INIT("a..b"), false },
		{ S_INIT("a_b"), false },
		{ S_INIT("10.0.0.1"), false },
		{ S_INIT("10.0.0.1.2"), true },
		{ S_INIT("xn--abc"), false },
		{ S_INIT("sthree-abc"), false },
		{ S_INIT("abc--ol-s3"), false },
		{ S_INIT(""), false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(s3_bucket_name_is_valid(cases[i].name), cases[i].good);
}

static void utf8(void **state)
{
	assert_true(s3_utf8_is_valid(S("a\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x99\x82")));
	assert_false(s3_utf8_is_valid(S("\xc0\xaf")));
	assert_false(s3_utf8_is_valid(S("\xed\xa0\x80")));
	assert_false(s3_utf8_is_valid(S("\xf4\x90\x80\x80")));
	assert_false(s3_utf8_is_valid(S("\xe6\xbc")));
	assert_false(s3_utf8_is_valid(S("\xff")));
}

static void hosts(void **state)
{
	static const struct {
		struct str host, bucket;
	} cases[] = {
		{ S_INIT("b.s3.localhost"), S_INIT("b") },
		{ S_INIT("a.b.s3.eu-west-1.localhost"), S_INIT("a.b") },
		{ S_INIT("b.s3.amazonaws.com"), S_INIT("b") },
		{ S_INIT("b.s3-eu-west-1.amazonaws.com"), S_INIT("b") },
		{ S_INIT("my.s3.bucket.s3.localhost"), S_INIT("my.s3.bucket") },
		{ S_INIT("s3.localhost"), { NULL, 0 } },
		{ S_INIT("localhost"), { NULL, 0 } },
		{ S_INIT("127.0.0.1"), { NULL, 0 } },
		{ S_INIT("b.localhost"), { NULL, 0 } },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str got = s3_bucket_of_host(cases[i].host);
		assert_int_equal(got.p != NULL, cases[i].bucket.p != NULL);
		assert_true(str_eq(got, cases[i].bucket));
	}
}

static void copy_sources(void **state)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct s3_copy_source s;

	assert_true(s3_copy_source_parse(a, S("/b/k%20%2Bx/y?versionId=v1"), &s));
	assert_true(str_eq(s.bucket, S("b")) && str_eq(s.key, S("k +x/y")));
	assert_true(str_eq(s.version_id, S("v1")));
	assert_true(s3_copy_source_parse(a, S("b%2Fk"), &s));
	assert_true(str_eq(s.key, S("k")) && !s.version_id.p);
	assert_false(s3_copy_source_parse(a, S("b"), &s));
	assert_false(s3_copy_source_parse(a, S("b/"), &s));
	assert_false(s3_copy_source_parse(a, S(""), &s));
	assert_false(s3_copy_source_parse(a, S("b/%zz"), &s));
}

static void ranges(void **state)
{
	static const struct {
		struct str text;
		int64_t size;
		enum s3_range result;
		int64_t offset, n;
	} cases[] = {
		{ S_INIT("bytes=0-0"), 10, S3_RANGE_PART, 0, 1 },
		{ S_INIT("bytes=2-"), 10, S3_RANGE_PART, 2, 8 },
		{ S_INIT("bytes=-3"), 10, S3_RANGE_PART, 7, 3 },
		{ S_INIT("bytes=-30"), 10, S3_RANGE_PART, 0, 10 },
		{ S_INIT("bytes=5-100"), 10, S3_RANGE_PART, 5, 5 },
		{ S_INIT("bytes=10-"), 10, S3_RANGE_UNSATISFIABLE, 0, 0 },
		{ S_INIT("bytes=-0"), 10, S3_RANGE_UNSATISFIABLE, 0, 0 },
		{ S_INIT("bytes=0-"), 0, S3_RANGE_UNSATISFIABLE, 0, 0 },
		{ S_INIT("bytes=5-4"), 10, S3_RANGE_NONE, 0, 0 },
		{ S_INIT("bytes=1-2,4-5"), 10, S3_RANGE_NONE, 0, 0 },
		{ S_INIT("bytes=-"), 10, S3_RANGE_NONE, 0, 0 },
		{ S_INIT("bytes=99999999999999999999-"), 10, S3_RANGE_NONE, 0, 0 },
		{ S_INIT("bytes=--1"), 10, S3_RANGE_NONE, 0, 0 },
		{ S_INIT("lines=1-2"), 10, S3_RANGE_NONE, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t offset = 0, n = 0;
		enum s3_range r = s3_range_parse(cases[i].text, cases[i].size, &offset, &n);
		assert_int_equal(r, cases[i].result);
		if (r == S3_RANGE_PART) {
			assert_int_equal(offset, cases[i].offset);
			assert_int_equal(n, cases[i].n);
		}
	}
}

static void conditions(void **state)
{
	struct str tag = S("\"abc\"");
	const char *failed;
	struct s3_read_conditions c = { .now_ms = 1000 };

	assert_int_equal(s3_read_verdict(&c, tag, 500, &failed), S3_READ);
	c.if_match = S("\"x\", \"abc\"");
	assert_int_equal(s3_read_verdict(&c, tag, 500, &failed), S3_READ);
	/* If-Match that holds outweighs If-Unmodified-Since that does not */
	c.has_unmodified_since = true;
	c.unmodified_since_ms = 400;
	assert_int_equal(s3_read_verdict(&c, tag, 500, &failed), S3_READ);
	c.if_match = (struct str){ 0 };
	assert_int_equal(s3_read_verdict(&c, tag, 500, &failed), S3_READ_FAILED);
	assert_string_equal(failed, "If-Unmodified-Since");
	/* If-None-Match that holds outweighs If-Modified-Since that does not, and the reverse */
	c = (struct s3_read_conditions){
		.now_ms = 1000, .has_modified_since = true, .modified_since_ms = 600
	};
	assert_int_equal(s3_read_verdict(&c, tag, 500, &failed), S3_READ_NOT_MODIFIED);
	c.if_none_match = S("\"x\"");
	assert_int_equal(s3_read_verdict(&c, tag, 500, &failed), S3_READ);
	c.if_none_match = S("abc");
	assert_int_equal(s3_read_verdict(&c, tag, 700, &failed), S3_READ_NOT_MODIFIED);
	c = (struct s3_read_conditions){
		.now_ms = 1000, .has_modified_since = true, .modified_since_ms = 2000
	};
	assert_int_equal(s3_read_verdict(&c, tag, 500, &failed), S3_READ);
}

static uint64_t crc_of(const struct s3_algorithm *al, struct arena *a, struct str s)
{
	struct hash *h = hash_new(al->hash);

	hash_add(h, s);
	return s3_crc_read(hash_take(h, a));
}

static void combined_checksums(void **state)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct str text = S("the whole is what its parts make of it, in their order");

	for (size_t i = 0; i < s3_n_algorithms; i++) {
		const struct s3_algorithm *al = &s3_algorithms[i];
		if (!al->polynomial)
			continue;
		for (size_t cut = 0; cut <= text.n; cut++) {
			struct str x = str_sub(text, 0, cut), y = str_sub(text, cut, text.n);
			assert_true(s3_crc_combine(al, crc_of(al, a, x), crc_of(al, a, y), y.n) ==
			            crc_of(al, a, text));
		}
	}
}

static void public_policies(void **state)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	static const struct {
		struct str json;
		bool open;
	} cases[] = {
		{ S_INIT("{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\"}}"), true },
		{ S_INIT("{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":[\"*\"]}}]"
		         "}"),
		        true },
		{ S_INIT("{\"Statement\":[{\"Effect\":\"Deny\",\"Principal\":\"*\"}]}"), false },
		{ S_INIT("{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"1\"}}]}"),
		        false },
		{ S_INIT("{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Condition\":{"
		         "\"IpAddress\":{\"aws:SourceIp\":\"10.0.0.0/8\"}}}]}"),
		        false },
		{ S_INIT("{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Condition\":{"
		         "\"IpAddress\":{\"aws:SourceIp\":\"0.0.0.0/0\"}}}]}"),
		        true },
		{ S_INIT("{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Condition\":{"
		         "\"StringNotEquals\":{\"aws:SourceAccount\":\"1\"}}}]}"),
		        true },
		{ S_INIT("nonsense"), false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(s3_policy_is_public(a, cases[i].json), cases[i].open);
}

static void listings(void **state)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct s3_listing l = { .prefix = S("a/"), .delimiter = S("/"), .max = 2 };
	struct str name;

	assert_true(s3_listing_begin(&l, a, &name) && str_eq(name, S("a/")));
	assert_true(str_eq(s3_listing_group(&l, S("a/b/c")), S("a/b/")));
	assert_null(s3_listing_group(&l, S("a/b")).p);
	l.after = S("a/b/");
	l.after_group = true;
	assert_true(s3_listing_begin(&l, a, &name) && str_eq(name, S("a/b0")));
	l.after = S("b");
	assert_false(s3_listing_begin(&l, a, &name));
	l.after = S("A");
	assert_true(s3_listing_begin(&l, a, &name) && str_eq(name, S("a/")));
	assert_true(s3_listing_add(&l, S("a/1")) && s3_listing_add_group(&l, a, S("a/2/")));
	assert_false(s3_listing_add(&l, S("a/3")));
	assert_true(l.more && l.last_is_group && str_eq(l.last, S("a/2/")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bucket_names),
		cmocka_unit_test(utf8),
		cmocka_unit_test(hosts),
		cmocka_unit_test(copy_sources),
		cmocka_unit_test(ranges),
		cmocka_unit_test(conditions),
		cmocka_unit_test(combined_checksums),
		cmocka_unit_test(public_policies),
		cmocka_unit_test(listings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
