/*
 * sigv4_chunked: the body inside Content-Encoding: aws-chunked, with its chunk signatures, and the
 * trailers behind it.
 *
 *	10000;chunk-signature=<64 hex>\r\n <bytes> \r\n ... 0;chunk-signature=<64 hex>\r\n
 *	x-amz-checksum-crc32c:sOO8/Q==\r\n x-amz-trailer-signature:<64 hex>\r\n \r\n
 *
 * Bytes are passed on as they come; a chunk whose signature is wrong is known at its end, and the
 * reader, who gets SIGV4_BAD_CHUNK then, throws away what it has.
 */
#include "api/sigv4_internal.h"

#include <openssl/sha.h>

#define BUFFER_SIZE  8192
#define MAX_LINE     512
#define MAX_TRAILERS 8192

enum state { CHUNK_HEAD, CHUNK_DATA, CHUNK_TAIL, TRAILERS, DONE, BROKEN };

struct chunked {
	struct stream stream;
	struct stream *raw;
	struct arena *arena;
	const struct sigv4 *sig;
	struct http_headers *trailers;
	struct str announced;      /* x-amz-trailer: the names, comma-separated; absent: none */
	bool check, signed_chunks; /* signatures are checked; they are there at all */
	enum state state;
	bool raw_end;
	uint64_t chunk_left;
	int64_t decoded, expected; /* expected -1: not announced */
	struct str scope;
	char previous[64], claimed[64]; /* signatures */
	SHA256_CTX sha;                 /* of the chunk's bytes so far */
	size_t from, to;                /* what is unread in buffer */
	char buffer[BUFFER_SIZE];
};

/* The low-level functions: no memory that a cancelled task would leak. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static void sha_begin(struct chunked *c)
{
	if (c->check)
		SHA256_Init(&c->sha);
}

static void sha_add(struct chunked *c, const void *p, size_t n)
{
	if (c->check)
		SHA256_Update(&c->sha, p, n);
}

static void sha_end(struct chunked *c, char hex[64])
{
	unsigned char digest[32];

	SHA256_Final(digest, &c->sha);
	sigv4_hex(digest, 32, hex);
}
#pragma GCC diagnostic pop

static int broken(struct chunked *c)
{
	c->state = BROKEN;
	return SIGV4_BAD_CHUNK;
}

static struct str hex64(const char *p)
{
	return (struct str){ p, 64 };
}

/* ---- the bytes below ---- */

static int fill(struct task *t, struct chunked *c)
{
	size_t got;

	if (c->from) {
		memmove(c->buffer, c->buffer + c->from, c->to - c->from);
		c->to -= c->from;
		c->from = 0;
	}
	TRY(stream_read(t, c->raw, c->buffer + c->to, BUFFER_SIZE - c->to, &got));
	c->to += got;
	c->raw_end = got == 0;
	return 0;
}

static struct str unread(const struct chunked *c)
{
	return (struct str){ c->buffer + c->from, c->to - c->from };
}

/* A line without its end; valid until the next fill. */
static int read_line(struct task *t, struct chunked *c, struct str *line)
{
	ptrdiff_t end;

	while ((end = str_find(unread(c), S("\r\n"))) < 0) {
		if (c->raw_end || unread(c).n > MAX_LINE)
			return broken(c);
		TRY(fill(t, c));
	}
	*line = str_sub(unread(c), 0, (size_t)end);
	c->from += (size_t)end + 2;
	return 0;
}

/* ---- signatures ---- */

/* Compares what was claimed and makes it the one before the next. */
static int check_signature(struct chunked *c, struct str kind, struct str hashes)
{
	struct buf b = buf_init(c->arena);
	unsigned char mac[32];
	char signature[64];

	buf_reserve(&b, 512);
	buf_add(&b, kind);
	buf_add_char(&b, '\n');
	buf_add(&b, c->sig->timestamp);
	buf_add_char(&b, '\n');
	buf_add(&b, c->scope);
	buf_add_char(&b, '\n');
	buf_add(&b, hex64(c->previous));
	buf_add_char(&b, '\n');
	buf_add(&b, hashes);
	hash_hmac_sha256((struct str){ (const char *)c->sig->signing_key, 32 }, buf_str(&b), mac);
	sigv4_hex(mac, 32, signature);
	if (!hash_equal(hex64(signature), hex64(c->claimed)))
		return broken(c);
	memcpy(c->previous, signature, 64);
	return 0;
}

static int end_chunk(struct chunked *c)
{
	char hashes[65 + 64];

	if (!c->check)
		return 0;
	memcpy(hashes, SIGV4_EMPTY_SHA.p, 64);
	hashes[64] = '\n';
	sha_end(c, hashes + 65);
	return check_signature(
	        c, S("AWS4-HMAC-SHA256-PAYLOAD"), (struct str){ hashes, sizeof hashes });
}

/* ---- chunks ---- */

static bool parse_size(struct str text, uint64_t *size)
{
	uint64_t v = 0;

	if (text.n == 0 || text.n > 15)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i], l = (char)(c | 32);
		bool digit = c >= '0' && c <= '9';
		if (!digit && !(l >= 'a' && l <= 'f'))
			return false;
		v = v << 4 | (uint64_t)(digit ? c - '0' : l - 'a' + 10);
	}
	*size = v;
	return true;
}

static int read_head(struct task *t, struct chunked *c)
{
	struct str line, prefix = S("chunk-signature=");

	TRY(read_line(t, c, &line));
	struct str size = str_cut(&line, ';');
	if (!parse_size(size, &c->chunk_left))
		return broken(c);
	if (c->signed_chunks) {
		struct str signature = str_sub(line, prefix.n, line.n);
		if (!line.p || !str_starts(line, prefix) || signature.n != 64)
			return broken(c);
		memcpy(c->claimed, signature.p, 64);
	}
	if (c->expected >= 0 && (uint64_t)(c->expected - c->decoded) < c->chunk_left)
		return broken(c);
	sha_begin(c);
	c->state = CHUNK_DATA;
	if (c->chunk_left)
		return 0;
	if (c->expected >= 0 && c->expected != c->decoded)
		return broken(c);
	c->state = TRAILERS;
	return end_chunk(c);
}

static int read_data(struct task *t, struct chunked *c, void *p, size_t n, size_t *got)
{
	size_t want = (size_t)MIN((uint64_t)n, c->chunk_left);

	if (unread(c).n) {
		*got = MIN(want, unread(c).n);
		memcpy(p, unread(c).p, *got);
		c->from += *got;
	} else {
		TRY(stream_read(t, c->raw, p, want, got));
		if (*got == 0)
			return broken(c);
	}
	sha_add(c, p, *got);
	c->decoded += (int64_t)*got;
	c->chunk_left -= *got;
	if (c->chunk_left == 0)
		c->state = CHUNK_TAIL;
	return 0;
}

static int read_tail(struct task *t, struct chunked *c)
{
	struct str line;

	TRY(read_line(t, c, &line));
	if (line.n)
		return broken(c);
	TRY(end_chunk(c));
	c->state = CHUNK_HEAD;
	return 0;
}

/* ---- trailers ---- */

/* Only announced checksums: a trailer must not pass for another header. */
static bool is_announced(const struct chunked *c, struct str name)
{
	struct str rest = c->announced;

	if (name.n < 15 || !str_eq_nocase(str_sub(name, 0, 15), S("x-amz-checksum-")))
		return false;
	while (rest.p)
		if (str_eq_nocase(str_trim(str_cut(&rest, ',')), name))
			return true;
	return false;
}

static int add_trailer(struct chunked *c, struct str line, struct buf *canonical, bool *is_signed)
{
	struct str value = line, name = str_trim(str_cut(&value, ':'));

	if (!value.p)
		return broken(c);
	value = str_dup(c->arena, str_trim(value));
	name = str_lower(c->arena, name);
	if (str_eq(name, S("x-amz-trailer-signature"))) {
		if (value.n != 64 || *is_signed)
			return broken(c);
		memcpy(c->claimed, value.p, 64);
		*is_signed = true;
		return 0;
	}
	if (*is_signed || !is_announced(c, name))
		return broken(c);
	buf_printf(canonical, "%.*s:%.*s\n", STR(name), STR(value));
	http_header_add(c->arena, c->trailers, name, value);
	return 0;
}

static int use_trailers(struct chunked *c, struct str rest)
{
	struct buf canonical = buf_init(c->arena);
	size_t before = c->trailers->n;
	bool is_signed = false;

	while (rest.p) {
		struct str line = str_trim(str_cut(&rest, '\n'));
		if (line.n)
			TRY(add_trailer(c, line, &canonical, &is_signed));
	}
	if (c->announced.p && c->trailers->n == before)
		return broken(c);
	if (!c->check || (!canonical.n && !is_signed))
		return 0;
	if (!is_signed)
		return broken(c);
	return check_signature(
	        c, S("AWS4-HMAC-SHA256-TRAILER"), hash_sha256_hex(c->arena, buf_str(&canonical)));
}

/* All that is left is trailers; they fit the buffer or are refused. */
static int read_trailers(struct task *t, struct chunked *c)
{
	while (!c->raw_end) {
		if (unread(c).n >= MAX_TRAILERS)
			return broken(c);
		TRY(fill(t, c));
	}
	TRY(use_trailers(c, unread(c)));
	c->state = DONE;
	return 0;
}

static int chunked_read(struct task *t, struct stream *s, void *p, size_t n, size_t *got)
{
	struct chunked *c = (struct chunked *)s;

	*got = 0;
	while (*got == 0) {
		switch (c->state) {
		case CHUNK_HEAD:
			TRY(read_head(t, c));
			break;
		case CHUNK_DATA:
			TRY(read_data(t, c, p, n, got));
			break;
		case CHUNK_TAIL:
			TRY(read_tail(t, c));
			break;
		case TRAILERS:
			TRY(read_trailers(t, c));
			break;
		case DONE:
			return 0;
		case BROKEN:
			return SIGV4_BAD_CHUNK;
		}
	}
	return 0;
}

static void chunked_close(struct stream *s)
{
	stream_close(((struct chunked *)s)->raw);
}

struct stream *sigv4_chunked(struct arena *a, struct stream *raw, const struct sigv4 *s,
        const struct http_request *r, struct http_headers *trailers)
{
	struct chunked *c = arena_new(a, struct chunked);
	struct buf scope = buf_init(a);
	struct str length = http_header_get(&r->headers, S("x-amz-decoded-content-length"));

	sigv4_add_scope(&scope, s);
	if (!str_to_i64(length, &c->expected) || c->expected < 0)
		c->expected = -1;
	c->stream = (struct stream){ chunked_read, chunked_close, c->expected };
	c->raw = raw;
	c->arena = a;
	c->sig = s;
	c->trailers = trailers;
	c->announced = http_header_get(&r->headers, S("x-amz-trailer"));
	c->scope = buf_str(&scope);
	c->signed_chunks = str_starts(s->payload_hash, S("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"));
	c->check = c->signed_chunks && s->verified && s->signature.n == 64;
	if (c->check)
		memcpy(c->previous, s->signature.p, 64);
	return &c->stream;
}
