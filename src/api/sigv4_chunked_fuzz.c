/* Fuzzes the aws-chunked decoder; the first byte chooses the kind and how reads are cut up. */
#include "api/sigv4.h"
#include "loop/loop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
	struct arena *a;
	struct str bytes;
	unsigned choice;
};

struct pieces {
	struct stream stream;
	struct str rest;
	size_t most;
};

static int read_piece(struct task *t, struct stream *s, void *p, size_t n, size_t *got)
{
	struct pieces *f = (struct pieces *)s;

	*got = MIN(MIN(n, f->most), f->rest.n);
	if (*got)
		memcpy(p, f->rest.p, *got);
	f->rest = str_sub(f->rest, *got, f->rest.n);
	return 0;
}

static int decode(struct task *t, void *arg)
{
	static const struct str kinds[] = { S_INIT("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
		S_INIT("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"),
		S_INIT("STREAMING-UNSIGNED-PAYLOAD-TRAILER") };
	struct fuzz *f = arg;
	struct pieces raw = { { .read = read_piece, .length = -1 }, f->bytes, 1 + f->choice % 61 };
	struct sigv4 s = { .payload_hash = kinds[f->choice % 3],
		.verified = f->choice & 64,
		.signature =
		        S("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9") };
	struct http_request r = { .method = S("PUT") };
	char out[37];
	size_t got = 1, total = 0;

	http_header_add(f->a, &r.headers, S("x-amz-trailer"), S("x-amz-checksum-crc32"));
	if (f->choice & 128)
		http_header_add(f->a, &r.headers, S("x-amz-decoded-content-length"), S("5"));
	struct stream *in = sigv4_chunked(f->a, &raw.stream, &s, &r, &r.headers);
	while (got) {
		int bad = stream_read(t, in, out, sizeof out, &got);
		if (bad) {
			ensure(bad == SIGV4_BAD_CHUNK);
			return 0;
		}
		total += got;
		ensure(got <= sizeof out);
	}
	ensure(total <= f->bytes.n && (!(f->choice & 128) || total == 5));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = { .a = arena_create() };

	if (size > 0) {
		f.choice = data[0];
		f.bytes = str_dup(f.a, (struct str){ (const char *)data + 1, size - 1 });
		struct loop *loop = loop_new();
		task_start(loop, "fuzz", decode, &f);
		loop_run(loop);
		loop_free(loop);
	}
	arena_destroy(f.a);
	return 0;
}
