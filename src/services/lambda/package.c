/* package: code into the store. */
#include "services/lambda/package.h"

#include "codec/archive.h"
#include "codec/codec.h"
#include "kv/blobs.h"
#include "loop/pool.h"
#include "s3_gen.h"

#define PIECE (64 * 1024)

struct check {
	const char *path;
	struct archive_stats stats;
};

static int check_on_pool(void *arg)
{
	struct check *c = arg;

	return archive_check(c->path, LAMBDA_UNZIPPED_MAX, &c->stats);
}

static int check(struct task *t, struct lambda_package *p)
{
	struct kv *kv = loop_get(task_loop(t), LOOP_KV);
	struct check c = { .path = kv_blob_path(task_arena(t), kv, p->blob).p };
	int bad = pool_run(t, check_on_pool, &c);

	p->unpacked = c.stats.unpacked_bytes;
	switch (bad) {
	case ARCHIVE_BAD:
	case ARCHIVE_UNSAFE:
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "Could not unzip uploaded file. Please check your file, then try to upload "
		        "again.");
	case ARCHIVE_TOO_LARGE:
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "Unzipped size must be smaller than %d bytes", LAMBDA_UNZIPPED_MAX);
	default:
		return bad;
	}
}

/* Writes the stream into a blob, hashing on the way. */
static int store_stream(struct task *t, struct stream *s, struct kv_blob_writer *w, struct hash *h)
{
	char *p = arena_bytes(task_arena(t), PIECE);
	size_t got;

	for (;;) {
		TRY(stream_read(t, s, p, PIECE, &got));
		if (got == 0)
			return 0;
		hash_add(h, (struct str){ p, got });
		TRY(kv_blob_write(t, w, (struct str){ p, got }));
	}
}

static int store(struct task *t, struct stream *s, struct lambda_package *p)
{
	struct kv_blob_writer *w;
	struct hash *h = hash_new(HASH_SHA256);
	int bad = kv_blob_create(t, &w);

	if (!bad) {
		bad = store_stream(t, s, w, h);
		if (bad)
			kv_blob_abort(w);
	}
	if (!bad)
		bad = kv_blob_finish(t, w, &p->blob, &p->size);
	p->sha256 = base64_encode(task_arena(t), hash_take(h, task_arena(t)));
	stream_close(s);
	TRY(bad);
	return check(t, p);
}

/* With the rights of whoever creates the function, as Lambda does. */
static int open_s3(struct task *t, const struct lambda_source *source, struct stream **s)
{
	struct api_caller who = api_caller_same(t);
	struct s3_get_object_in in = {
		.bucket = source->s3_bucket, .key = source->s3_key, .version_id = source->s3_version
	};
	struct s3_get_object_out out = { 0 };
	int bad = api_call(t, &who, "s3", "GetObject", &in, &out);

	if (bad > 0) {
		const struct api_failure *f = api_failure(t);
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "Error occurred while GetObject. S3 Error Code: %.*s. S3 Error Message: "
		        "%.*s",
		        STR(f->name), STR(f->message));
	}
	*s = out.body;
	return bad;
}

int lambda_package_store(
        struct task *t, const struct lambda_source *source, struct lambda_package *p)
{
	struct stream *s;

	if (source->image_uri.p)
		return fail(t, API_ERROR_NOT_IMPLEMENTED, "Container images are not run here");
	if (source->zip_file.p) {
		if (source->zip_file.n > LAMBDA_ZIP_MAX)
			return fail(t, API_ERROR_TOO_LARGE,
			        "Request must be smaller than 70167211 bytes for the "
			        "CreateFunction operation");
		return store(t, stream_of_str(task_arena(t), source->zip_file), p);
	}
	if (!source->s3_bucket.p || !source->s3_key.p)
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "Please provide a source for function code.");
	TRY(open_s3(t, source, &s));
	return store(t, s, p);
}
