/* Tests of Signature Version 4 against AWS's published vectors and examples. */
#include "api/sigv4.h"

#include "base/clock.h"
#include "loop/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define EXAMPLE_SECRET S("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
#define S3_SECRET      S("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
#define EMPTY          S("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")

static struct arena *a;

/* "GET /path?query\nName: value\n..." */
static struct http_request request(const char *text)
{
	struct http_request r = { 0 };
	struct str rest = str_dup(a, str_of(text)), line = str_cut(&rest, '\n');

	r.method = str_cut(&line, ' ');
	r.target = line;
	r.query = line;
	r.path = str_cut(&r.query, '?');
	while (rest.n) {
		struct str value = str_cut(&rest, '\n'), name = str_cut(&value, ':');
		http_header_add(a, &r.headers, name, str_trim(value));
	}
	r.host = http_header_get(&r.headers, S("host"));
	return r;
}

static int64_t at(const char *basic)
{
	int64_t ms;

	assert_int_equal(time_parse_basic(str_of(basic), &ms), 0);
	return ms;
}

static int check(const struct http_request *r, struct str secret, struct str body, struct sigv4 *s,
        struct str *why)
{
	*why = S("");
	TRY(sigv4_parse(a, r, s, why));
	return sigv4_verify(a, s, r, secret, hash_sha256_hex(a, body), why);
}

/* ---- the published test suite ---- */

struct vector {
	const char *name, *request, *body, *signed_headers, *signature;
};

static const struct vector vectors[] = {
	{ "get-vanilla", "GET /", "", "host;x-amz-date",
	        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
	{ "get-vanilla-query-order-key-case", "GET /?Param2=value2&Param1=value1", "",
	        "host;x-amz-date",
	        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500" },
	{ "get-vanilla-utf8-query", "GET /?\xe1\x88\xb4=bar", "", "host;x-amz-date",
	        "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04" },
	{ "get-utf8", "GET /\xe1\x88\xb4", "", "host;x-amz-date",
	        "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85" },
	{ "get-unreserved",
	        "GET /-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "",
	        "host;x-amz-date",
	        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f" },
	{ "get-relative-relative", "GET /example1/example2/../..", "", "host;x-amz-date",
	        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
	{ "get-slash-dot-slash", "GET /./", "", "host;x-amz-date",
	        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
	{ "get-slashes", "GET //example//", "", "host;x-amz-date",
	        "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84" },
	{ "get-header-key-duplicate",
	        "GET /\nMy-Header1:value2\nMy-Header1:value2\nMy-Header1:value1", "",
	        "host;my-header1;x-amz-date",
	        "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea" },
	{ "get-header-value-trim", "GET /\nMy-Header1: value1\nMy-Header2: \"a   b   c\"", "",
	        "host;my-header1;my-header2;x-amz-date",
	        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736" },
	{ "post-vanilla", "POST /", "", "host;x-amz-date",
	        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
	{ "post-x-www-form-urlencoded", "POST /\nContent-Type:application/x-www-form-urlencoded",
	        "Param1=value1", "content-type;host;x-amz-date",
	        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a" },
};

static void test_vectors(void **state)
{
	struct sigv4 s;
	struct str why;

	clock_manual_set(at("20150830T123600Z"));
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		const struct vector *v = &vectors[i];
		struct http_request r = request(str_cstr(a,
		        str_printf(a,
		                "%s\nHost:example.amazonaws.com\nX-Amz-Date:20150830T123600Z\n"
		                "Authorization:AWS4-HMAC-SHA256 "
		                "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
		                "SignedHeaders=%s, Signature=%s",
		                v->request, v->signed_headers, v->signature)));
		int bad = check(&r, EXAMPLE_SECRET, str_of(v->body), &s, &why);
		if (bad)
			print_message("%s: %.*s\n", v->name, STR(why));
		assert_int_equal(bad, 0);
		assert_true(s.verified);
		assert_int_equal(
		        check(&r, S("another"), str_of(v->body), &s, &why), SIGV4_MISMATCH);
		assert_false(s.verified);
		assert_int_equal(check(&r, EXAMPLE_SECRET, S("x"), &s, &why), SIGV4_MISMATCH);
	}
}

/* ---- S3's documented examples ---- */

#define S3_HEAD                                                                \
	"Host: examplebucket.s3.amazonaws.com\nx-amz-date: 20130524T000000Z\n" \
	"x-amz-content-sha256: "                                               \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
#define S3_SCOPE \
	"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"

static const char *const s3_examples[] = {
	"GET /test.txt\nRange: bytes=0-9\n" S3_HEAD "Authorization: " S3_SCOPE
	"SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
	"Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
	"GET /?lifecycle\n" S3_HEAD "Authorization: " S3_SCOPE
	"SignedHeaders=host;x-amz-content-sha256;x-amz-date,"
	"Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
	"GET /?max-keys=2&prefix=J\n" S3_HEAD "Authorization: " S3_SCOPE
	"SignedHeaders=host;x-amz-content-sha256;x-amz-date,"
	"Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
};

static void test_s3_examples(void **state)
{
	struct sigv4 s;
	struct str why;

	clock_manual_set(at("20130524T000000Z"));
	for (size_t i = 0; i < ARRAY_LEN(s3_examples); i++) {
		struct http_request r = request(s3_examples[i]);
		assert_int_equal(check(&r, S3_SECRET, S(""), &s, &why), 0);
		assert_true(str_eq(s.payload_hash, EMPTY));
	}
	/* An x-amz- header that was slipped in is not signed. */
	struct http_request r = request(s3_examples[0]);
	http_header_add(a, &r.headers, S("x-amz-acl"), S("public-read"));
	assert_int_equal(check(&r, S3_SECRET, S(""), &s, &why), SIGV4_MISMATCH);
	assert_true(
	        str_eq(why, S("There were headers present in the request which were not signed")));
}

#define PRESIGNED                                                                              \
	"GET /test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE" \
	"%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&"             \
	"X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature="                        \
	"aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404\n"                   \
	"Host: examplebucket.s3.amazonaws.com"

static void test_presigned(void **state)
{
	struct http_request r = request(PRESIGNED);
	struct sigv4 s;
	struct str why;

	clock_manual_set(at("20130524T235959Z"));
	assert_int_equal(check(&r, S3_SECRET, S(""), &s, &why), 0);
	assert_int_equal(s.kind, SIGV4_PRESIGNED);
	assert_int_equal(s.expires_s, 86400);
	assert_true(str_eq(s.access_key_id, S("AKIAIOSFODNN7EXAMPLE")));
	clock_manual_set(at("20130525T000001Z"));
	assert_int_equal(check(&r, S3_SECRET, S(""), &s, &why), SIGV4_EXPIRED);
	assert_true(str_eq(why, S("Request has expired")));
	r.method = S("PUT");
	clock_manual_set(at("20130524T000000Z"));
	assert_int_equal(check(&r, S3_SECRET, S(""), &s, &why), SIGV4_MISMATCH);
}

/* As botocore's signer of version 2 made it for key "a", secret "b". */
static void test_presigned_v2(void **state)
{
	struct http_request r = request(
	        "GET "
	        "/buck/a%20b/%C3%A4%3A%2B?AWSAccessKeyId=a&Signature=zFmuNE7GN5PAWRE1VHpXhab6e1w"
	        "%3D&Expires=1795823409\nHost: localhost:4566");
	struct http_request subresource = request(
	        "GET /buck/a%20b/%C3%A4%3A%2B?versionId=x%20y&AWSAccessKeyId=a&Signature="
	        "miQlgzyus7p9z2Bw93Cs9Ixn%2Fec%3D&Expires=1795823409\nHost: localhost:4566");
	struct http_request put = request(
	        "PUT /buck/a%20b/%C3%A4%3A%2B?AWSAccessKeyId=a&Signature=4v%2FTdANdmE%2FQAIT3rx%2F"
	        "SZOWxCxc%3D&x-amz-meta-x=y&content-type=a%2Fb&Expires=1795823409\n"
	        "Host: localhost:4566\nContent-Type: a/b");
	struct sigv4 s;
	struct str why;

	clock_manual_set(1795823409000 - 1000);
	assert_int_equal(check(&r, S("b"), S(""), &s, &why), 0);
	assert_int_equal(s.kind, SIGV4_PRESIGNED_V2);
	assert_true(s.verified);
	assert_int_equal(check(&r, S("c"), S(""), &s, &why), SIGV4_MISMATCH);
	assert_int_equal(check(&subresource, S("b"), S(""), &s, &why), 0);
	assert_int_equal(check(&put, S("b"), S("body"), &s, &why), 0);
	/* Addressed by host name, the bucket is signed all the same. */
	r.target = str_sub(r.target, 5, r.target.n);
	assert_int_equal(check(&r, S("b"), S(""), &s, &why), 0);
	clock_manual_set(1795823409000 + 1000);
	assert_int_equal(check(&r, S("b"), S(""), &s, &why), SIGV4_EXPIRED);
	assert_true(str_eq(why, S("Request has expired")));
}

static void test_incomplete(void **state)
{
	static const struct {
		const char *request, *why;
		int error; /* 0: SIGV4_INCOMPLETE */
	} cases[] = {
		{ "GET /\nX-Amz-Date: 20130524T000000Z\nAuthorization: AWS4-HMAC-SHA256 "
		  "Credential=a/b",
		        "Authorization header requires 'Signature' parameter. Authorization header "
		        "requires 'SignedHeaders' parameter. (Hashed" },
		{ "GET /\nX-Amz-Date: 20130524T000000Z\nAuthorization: AWS4-HMAC-SHA256 "
		  "Credential=a/b, SignedHeaders=host, Signature=x",
		        "Credential must have exactly 5 slash-delimited elements, e.g. "
		        "keyid/date/region/service/term, got 'a/b'" },
		{ "GET /\nAuthorization: AWS4-HMAC-SHA256 Credential",
		        "'Credential' not a valid key=value pair (missing equal-sign)" },
		{ "GET /\nX-Amz-Date: 20130524T000000Z\nAuthorization: AWS4-HMAC-SHA256 "
		  "Credential=a/20130525/r/s/aws4_request, SignedHeaders=host, Signature=x",
		        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of "
		        "date from HTTP: '20130525' != '20130524', from '20130524T000000Z'.",
		        SIGV4_MISMATCH },
		{ "GET /\nX-Amz-Date: 20130524T000000Z\nAuthorization: AWS4-HMAC-SHA256 "
		  "Credential=a/20130525/r/s3/aws4_request, SignedHeaders=host, Signature=x",
		        "The authorization header is malformed; Invalid credential date." },
		{ "GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a",
		        "Query-string authentication version 4 requires" },
		{ "GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a/20130524/r/s3/"
		  "aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-SignedHeaders=host&"
		  "X-Amz-Signature=0&X-Amz-Expires=604801",
		        "X-Amz-Expires must be less than a week (in seconds)" },
		{ "GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a/20130524/r/s3/"
		  "aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-SignedHeaders=host&"
		  "X-Amz-Signature=0&X-Amz-Expires=-1",
		        "X-Amz-Expires must be non-negative" },
		{ "GET /?AWSAccessKeyId=a&Signature=b",
		        "Query-string authentication requires the Signature, Expires and" },
		{ "GET /?AWSAccessKeyId=a&Signature=b&Expires=soon",
		        "Invalid date (should be seconds since epoch): soon" },
		{ "GET /\nAuthorization: AWS AKID:c2ln",
		        "The authorization mechanism you have provided is not supported." },
	};
	struct sigv4 s;
	struct str why;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http_request r = request(cases[i].request);
		int error = cases[i].error ? cases[i].error : SIGV4_INCOMPLETE;
		assert_int_equal(sigv4_parse(a, &r, &s, &why), error);
		if (!str_starts(why, str_of(cases[i].why)))
			print_message("%.*s\n", STR(why));
		assert_true(str_starts(why, str_of(cases[i].why)));
	}
	struct http_request none = request("GET /\nAuthorization: Bearer x");
	assert_int_equal(sigv4_parse(a, &none, &s, &why), 0);
	assert_int_equal(s.kind, SIGV4_NONE);
}

/* ---- our own signer ---- */

static int sign_and_check(const char *url, struct str service, int64_t age_ms, struct str *why)
{
	struct sigv4_credentials c = { S("AKID"), S("secret"), S("token") };
	struct uri uri;
	struct sigv4 s;
	struct http_request r = { .method = S("POST") };

	assert_int_equal(uri_parse(str_of(url), &uri), 0);
	r.target = str_sub(str_of(url), (size_t)(uri.path.p - url), SIZE_MAX);
	r.path = uri.path;
	r.query = uri.query;
	http_header_add(a, &r.headers, S("Content-Type"), S("  a   b "));
	http_header_add(a, &r.headers, S("User-Agent"), S("wolke"));
	sigv4_sign(a, &c, r.method, str_of(url), &r.headers, S("body"), S("eu-west-1"), service,
	        clock_now_ms() - age_ms);
	int bad = check(&r, S("secret"), S("body"), &s, why);
	assert_true(str_eq(s.session_token, S("token")));
	assert_true(str_eq(s.region, S("eu-west-1")));
	return bad;
}

static void test_sign(void **state)
{
	struct str why;
	const char *url = "http://localhost:4566/a%2Fb/../c//d?x=1&y&a=%7e+z&b-c=2&b=1";

	assert_int_equal(sign_and_check(url, S("lambda"), 0, &why), 0);
	assert_int_equal(sign_and_check(url, S("s3"), 0, &why), 0);
	assert_int_equal(sign_and_check("https://h", S("s3"), 0, &why), 0);
	if (clock_is_manual())
		return;
	assert_int_equal(sign_and_check(url, S("lambda"), 14 * 60 * 1000, &why), 0);
	assert_int_equal(sign_and_check(url, S("lambda"), 16 * 60 * 1000, &why), SIGV4_EXPIRED);
	assert_true(str_starts(why, S("Signature expired: ")));
	assert_int_equal(sign_and_check(url, S("s3"), 16 * 60 * 1000, &why), SIGV4_EXPIRED);
	assert_int_equal(sign_and_check(url, S("lambda"), -6 * 60 * 1000, &why), SIGV4_NOT_YET);
	assert_true(str_starts(why, S("Signature not yet current: ")));
}

/* ---- chunked uploads ---- */

static struct str repeat(char c, size_t n)
{
	char *p = arena_bytes(a, n);

	memset(p, c, n);
	return (struct str){ p, n };
}

struct upload {
	struct str body, decoded, checksum;
	const char *head, *checksum_name;
	bool verify;
	int result, verified;
};

static int run_upload(struct task *t, void *arg)
{
	struct upload *u = arg;
	struct http_request r = request(u->head);
	struct sigv4 s;
	struct str why;

	u->verified = check(&r, S3_SECRET, S(""), &s, &why);
	struct stream *in = sigv4_chunked(a, stream_of_str(a, u->body), &s, &r, &r.headers);
	u->result = stream_read_all(t, in, a, 1 << 20, &u->decoded);
	if (u->checksum_name)
		u->checksum = http_header_get(&r.headers, str_of(u->checksum_name));
	stream_close(in);
	return 0;
}

static void upload(struct upload *u)
{
	struct loop *loop = loop_new();

	task_start(loop, "upload", run_upload, u);
	loop_run(loop);
	loop_free(loop);
}

static const char chunked_head[] =
        "PUT /examplebucket/chunkObject.txt\nHost: s3.amazonaws.com\n"
        "x-amz-date: 20130524T000000Z\nx-amz-storage-class: REDUCED_REDUNDANCY\n"
        "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD\nContent-Encoding: aws-chunked\n"
        "x-amz-decoded-content-length: 66560\nContent-Length: 66824\nAuthorization: " S3_SCOPE
        "SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
        "x-amz-decoded-content-length;x-amz-storage-class,"
        "Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";

static struct str chunked_body(const char *last)
{
	return str_concat(a, 8,
	        S("10000;chunk-signature="
	          "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n"),
	        repeat('a', 65536), S("\r\n"),
	        S("400;chunk-signature="
	          "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n"),
	        repeat('a', 1024), S("\r\n0;chunk-signature="), str_of(last), S("\r\n\r\n"));
}

static void test_chunked(void **state)
{
	struct upload u = { .head = chunked_head };

	clock_manual_set(at("20130524T000000Z"));
	u.body = chunked_body("b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
	upload(&u);
	assert_int_equal(u.verified, 0);
	assert_int_equal(u.result, 0);
	assert_true(str_eq(u.decoded, repeat('a', 66560)));

	u.body = chunked_body("b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df8");
	upload(&u);
	assert_int_equal(u.result, SIGV4_BAD_CHUNK);

	/* A byte of the first chunk differs. */
	u.body = str_dup(a, chunked_body("b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e"
	                                 "279d449df9"));
	((char *)u.body.p)[200] = 'b';
	upload(&u);
	assert_int_equal(u.result, SIGV4_BAD_CHUNK);

	/* Cut off. */
	u.body = str_sub(u.body, 0, 66000);
	upload(&u);
	assert_int_equal(u.result, SIGV4_BAD_CHUNK);
}

static const char trailer_head[] =
        "PUT /examplebucket/chunkObject.txt\nHost: s3.amazonaws.com\n"
        "x-amz-date: 20130524T000000Z\nx-amz-storage-class: REDUCED_REDUNDANCY\n"
        "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER\n"
        "Content-Encoding: aws-chunked\nx-amz-decoded-content-length: 66560\n"
        "x-amz-trailer: x-amz-checksum-crc32c\nContent-Length: 66946\nAuthorization: " S3_SCOPE
        "SignedHeaders=content-encoding;host;x-amz-content-sha256;x-amz-date;"
        "x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer,"
        "Signature=106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";

static struct str trailer_body(const char *checksum)
{
	return str_concat(a, 8,
	        S("10000;chunk-signature="
	          "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n"),
	        repeat('a', 65536), S("\r\n"),
	        S("400;chunk-signature="
	          "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n"),
	        repeat('a', 1024),
	        S("\r\n0;chunk-signature="
	          "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n"),
	        str_of(checksum),
	        S("x-amz-trailer-signature:"
	          "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"));
}

static void test_trailer(void **state)
{
	struct upload u = { .head = trailer_head, .checksum_name = "x-amz-checksum-crc32c" };

	clock_manual_set(at("20130524T000000Z"));
	u.body = trailer_body("x-amz-checksum-crc32c:sOO8/Q==\r\n");
	upload(&u);
	assert_int_equal(u.verified, 0);
	assert_int_equal(u.result, 0);
	assert_int_equal(u.decoded.n, 66560);
	assert_true(str_eq(u.checksum, S("sOO8/Q==")));
	/* The documented example ends the line in its own way. */
	u.body = trailer_body("x-amz-checksum-crc32c:sOO8/Q==\n\r\n");
	upload(&u);
	assert_int_equal(u.result, 0);
	u.body = trailer_body("x-amz-checksum-crc32c:sOO8/g==\r\n");
	upload(&u);
	assert_int_equal(u.result, SIGV4_BAD_CHUNK);
	u.body = trailer_body("");
	upload(&u);
	assert_int_equal(u.result, SIGV4_BAD_CHUNK);
}

#define UNSIGNED_HEAD                                                \
	"PUT /b/k\nHost: h\nx-amz-date: 20130524T000000Z\n"          \
	"x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\n" \
	"x-amz-trailer: x-amz-checksum-crc32\nx-amz-decoded-content-length: 5\n"

static void test_unsigned_trailer(void **state)
{
	static const struct {
		const char *body;
		int result;
	} cases[] = {
		{ "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", 0 },
		{ "2\r\nhe\r\n3\r\nllo\r\n0\r\nX-Amz-Checksum-CRC32: NhCmhg==\r\n\r\n", 0 },
		{ "5\r\nhello\r\n0\r\n\r\n", SIGV4_BAD_CHUNK },
		{ "5\r\nhello\r\n0\r\nx-amz-acl:public-read\r\n\r\n", SIGV4_BAD_CHUNK },
		{ "4\r\nhell\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", SIGV4_BAD_CHUNK },
		{ "6\r\nhello!\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", SIGV4_BAD_CHUNK },
		{ "5\r\nhello", SIGV4_BAD_CHUNK },
		{ "zz\r\n", SIGV4_BAD_CHUNK },
		{ "fffffffffffffff\r\nhello", SIGV4_BAD_CHUNK },
		{ "5\r\nhelloX\r\n", SIGV4_BAD_CHUNK },
		{ "", SIGV4_BAD_CHUNK },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct upload u = { .body = str_of(cases[i].body),
			.head = UNSIGNED_HEAD "Authorization: " S3_SCOPE
			                      "SignedHeaders=host,Signature=0",
			.checksum_name = "x-amz-checksum-crc32" };
		upload(&u);
		assert_int_equal(u.result, cases[i].result);
		if (u.result == 0) {
			assert_true(str_eq(u.decoded, S("hello")));
			assert_true(str_eq(u.checksum, S("NhCmhg==")));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sign), /* first: before the clock is set by hand */
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_s3_examples),
		cmocka_unit_test(test_presigned),
		cmocka_unit_test(test_presigned_v2),
		cmocka_unit_test(test_incomplete),
		cmocka_unit_test(test_chunked),
		cmocka_unit_test(test_trailer),
		cmocka_unit_test(test_unsigned_trailer),
	};
	a = arena_create();
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_destroy(a);
	return failed;
}
