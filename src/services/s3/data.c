/* data: receiving, keeping, reading. */
#include "services/s3/data.h"

#include "base/rand.h"
#include "kv/blobs.h"
#include "kv/key.h"
#include "services/s3/bucket.h"

#include <unistd.h>

#define PIECE 65536

static struct str data_key(struct arena *a, struct str id)
{
	return kv_key(a, "sssss", S("s3"), S(""), S(""), S("data"), id);
}

struct str s3_parts_key(struct arena *a, struct str id)
{
	return kv_key(a, "sssss", S("s3"), S(""), S(""), S("parts"), id);
}

/* ---- receiving ---- */

struct receiving {
	struct hash *md5, *checksum, *sha256;
	struct hash *stated; /* when another algorithm is stated than stored */
	struct kv_blob_writer *blob;
	struct buf small;
	int64_t size;
};

static void add_hashes(struct receiving *g, struct str bytes)
{
	hash_add(g->md5, bytes);
	hash_add(g->checksum, bytes);
	if (g->sha256)
		hash_add(g->sha256, bytes);
	if (g->stated)
		hash_add(g->stated, bytes);
}

static int add(struct task *t, struct receiving *g, struct str bytes)
{
	add_hashes(g, bytes);
	g->size += (int64_t)bytes.n;
	if (!g->blob && g->small.n + bytes.n <= S3_SMALL) {
		buf_add(&g->small, bytes);
		return 0;
	}
	if (!g->blob) {
		TRY(kv_blob_create(t, &g->blob));
		TRY(kv_blob_write(t, g->blob, buf_str(&g->small)));
	}
	return kv_blob_write(t, g->blob, bytes);
}

static int too_large(struct task *t, int64_t size)
{
	struct s3_error_detail d = { .proposed_size =
		                             str_printf(task_arena(t), "%lld", (long long)size),
		.max_size_allowed = str_printf(task_arena(t), "%lld", (long long)S3_PUT_MAX) };

	return s3_fail(t, &d, "EntityTooLarge", 400,
	        "Your proposed upload exceeds the maximum allowed size");
}

static int incomplete(struct task *t)
{
	return s3_fail(t, NULL, "IncompleteBody", 400, "The request body terminated unexpectedly");
}

static int receive_all(
        struct task *t, struct stream *s, const struct s3_claims *claims, struct receiving *g)
{
	char *piece = arena_bytes(task_arena(t), PIECE);
	size_t got;

	for (;;) {
		int bad = stream_read(t, s, piece, PIECE, &got);
		if (bad > 0)
			return call_of(t)->failure.code
			               ? bad
			               : fail(t, API_ERROR_SIGNATURE,
			                         "The request signature we calculated does not "
			                         "match "
			                         "the signature you provided. Check your key and "
			                         "signing method.");
		TRY(bad);
		if (got == 0)
			break;
		TRY(add(t, g, (struct str){ piece, got }));
		if (g->size > S3_PUT_MAX)
			return too_large(t, g->size);
	}
	return claims->length >= 0 && g->size != claims->length ? incomplete(t) : 0;
}

static int check_md5(struct task *t, const struct s3_claims *claims, struct str md5)
{
	struct arena *a = task_arena(t);

	if (!claims->md5.p || str_eq(claims->md5, md5))
		return 0;
	struct s3_error_detail d = { .expected_digest = base64_encode(a, claims->md5),
		.calculated_digest = base64_encode(a, md5) };
	return s3_fail(t, &d, "BadDigest", 400,
	        "The Content-MD5 you specified did not match what we received.");
}

static int check_sha256(struct task *t, const struct s3_claims *claims, struct str sha256)
{
	if (!claims->sha256_hex.p || str_eq(claims->sha256_hex, sha256))
		return 0;
	struct s3_error_detail d = { .client_computed_content_sha256 = claims->sha256_hex,
		.s3_computed_content_sha256 = sha256 };
	return s3_fail(t, &d, "XAmzContentSHA256Mismatch", 400,
	        "The provided 'x-amz-content-sha256' header does not match what was computed.");
}

static int check_checksum(struct task *t, const struct s3_claims *claims, struct str computed)
{
	struct str stated = claims->checksum;

	if (claims->in_trailer)
		stated = http_header_get(
		        &call_of(t)->http->request.headers, claims->algorithm->header);
	if (claims->in_trailer && !stated.p)
		return s3_fail(t, NULL, "MalformedTrailerError", 400,
		        "The request contained trailing data that was not well-formed or did not "
		        "conform to our published schema.");
	if (!stated.p || str_eq(stated, computed))
		return 0;
	return fail_named(t, "BadDigest", 400,
	        "The %.*s you specified did not match the calculated checksum.",
	        STR(claims->algorithm->name));
}

static int check(
        struct task *t, const struct s3_claims *claims, struct receiving *g, struct s3_received *r)
{
	struct arena *a = task_arena(t);
	struct str sha256 = S(""), stated;

	r->md5 = hash_take(g->md5, a);
	g->md5 = NULL;
	r->e_tag = str_concat(a, 3, S("\""), hex_encode(a, r->md5), S("\""));
	r->checksum = base64_encode(a, hash_take(g->checksum, a));
	g->checksum = NULL;
	if (g->sha256) {
		sha256 = hex_encode(a, hash_take(g->sha256, a));
		g->sha256 = NULL;
	}
	stated = r->checksum;
	if (g->stated) {
		stated = base64_encode(a, hash_take(g->stated, a));
		g->stated = NULL;
	}
	TRY(check_md5(t, claims, r->md5));
	TRY(check_sha256(t, claims, sha256));
	return check_checksum(t, claims, stated);
}

static int finish(struct task *t, struct receiving *g, struct s3_received *r)
{
	r->data.size = opt_int(g->size);
	if (g->blob) {
		struct kv_blob_writer *w = g->blob;
		g->blob = NULL;
		return kv_blob_finish(t, w, &r->data.blob, NULL);
	}
	r->bytes = buf_str(&g->small);
	if (g->size > 0)
		r->data.row =
		        rand_text(task_arena(t), 24, S("0123456789abcdefghijklmnopqrstuvwxyz"));
	return 0;
}

int s3_receive(
        struct task *t, struct stream *s, const struct s3_claims *claims, struct s3_received *r)
{
	struct receiving g = { .md5 = hash_new(HASH_MD5),
		.checksum = hash_new(claims->store->hash),
		.stated = claims->store != claims->algorithm ? hash_new(claims->algorithm->hash)
		                                             : NULL,
		.sha256 = claims->sha256_hex.p ? hash_new(HASH_SHA256) : NULL,
		.small = buf_init(task_arena(t)) };

	*r = (struct s3_received){ 0 };
	int bad = claims->length > S3_PUT_MAX ? too_large(t, claims->length) : 0;
	if (!bad && claims->as_blob)
		bad = kv_blob_create(t, &g.blob);
	if (!bad && s)
		bad = receive_all(t, s, claims, &g);
	if (!bad)
		bad = check(t, claims, &g, r);
	if (!bad)
		bad = finish(t, &g, r);
	kv_blob_abort(g.blob);
	hash_free(g.md5);
	hash_free(g.checksum);
	hash_free(g.sha256);
	hash_free(g.stated);
	return bad;
}

void s3_received_discard(struct task *t, const struct s3_received *r)
{
	struct kv *kv = loop_get(task_loop(t), LOOP_KV);

	if (r->data.blob.p)
		unlink(str_cstr(task_arena(t), kv_blob_path(task_arena(t), kv, r->data.blob)));
}

/* ---- keeping ---- */

void s3_data_keep(struct kv_txn *txn, const struct s3_received *r)
{
	if (r->data.blob.p)
		kv_blob_ref(txn, r->data.blob);
	if (r->data.row.p)
		kv_put(txn, data_key(kv_arena(txn), r->data.row), r->bytes);
}

void s3_data_drop(struct kv_txn *txn, const struct s3_data_record *d)
{
	if (!d)
		return;
	if (d->blob.p)
		kv_blob_unref(txn, d->blob);
	if (d->row.p)
		kv_del(txn, data_key(kv_arena(txn), d->row));
}

void s3_object_drop_data(struct kv_txn *txn, const struct s3_object_record *o)
{
	struct arena *a = kv_arena(txn);
	struct s3_parts_record p = { 0 };

	s3_data_drop(txn, o->data);
	if (!o->parts.p || record_get(txn, s3_parts_key(a, o->parts), &s3_shape_parts_record, &p))
		return;
	for (size_t i = 0; i < p.parts.n; i++)
		s3_data_drop(txn, p.parts.v[i].data);
	kv_del(txn, s3_parts_key(a, o->parts));
}

/* ---- reading ---- */

int s3_content_find(struct kv_txn *txn, const struct s3_object_record *o, struct s3_content *c)
{
	struct arena *a = kv_arena(txn);

	*c = (struct s3_content){ .object = o };
	if (o->parts.p)
		return record_get(
		        txn, s3_parts_key(a, o->parts), &s3_shape_parts_record, &c->parts);
	if (o->data && o->data->row.p)
		return kv_get(txn, data_key(a, o->data->row), &c->bytes);
	return 0;
}

/* One part after the other, each opened when the one before is at its end. */
struct chain {
	struct stream stream;
	struct s3_part_record_list parts;
	size_t next;
	int64_t skip, left;
	struct stream *now;
};

static int chain_advance(struct task *t, struct chain *c)
{
	for (; c->next < c->parts.n; c->next++) {
		const struct s3_data_record *d = c->parts.v[c->next].data;
		int64_t size = d->size.v, n = MIN(size - c->skip, c->left);
		if (c->skip >= size) {
			c->skip -= size;
			continue;
		}
		TRY(kv_blob_open(t, d->blob, c->skip, n, &c->now));
		c->skip = 0;
		c->next++;
		return 0;
	}
	return -EIO;
}

static int chain_read(struct task *t, struct stream *s, void *p, size_t n, size_t *got)
{
	struct chain *c = (struct chain *)s;

	*got = 0;
	while (c->left > 0) {
		if (!c->now)
			TRY(chain_advance(t, c));
		TRY(stream_read(t, c->now, p, n, got));
		c->left -= (int64_t)*got;
		if (*got > 0)
			return 0;
		stream_close(c->now);
		c->now = NULL;
	}
	return 0;
}

static void chain_close(struct stream *s)
{
	struct chain *c = (struct chain *)s;

	stream_close(c->now);
	c->now = NULL;
}

static int chain_open(struct task *t, const struct s3_content *content, int64_t offset, int64_t n,
        struct stream **s)
{
	struct chain *c = arena_new(task_arena(t), struct chain);

	c->stream = (struct stream){ chain_read, chain_close, n };
	c->parts = content->parts.parts;
	c->skip = offset;
	c->left = n;
	*s = &c->stream;
	return n > 0 ? chain_advance(t, c) : 0;
}

int s3_content_open(
        struct task *t, const struct s3_content *c, int64_t offset, int64_t n, struct stream **s)
{
	const struct s3_data_record *d = c->object->data;

	if (c->object->parts.p)
		return chain_open(t, c, offset, n, s);
	if (d && d->blob.p)
		return kv_blob_open(t, d->blob, offset, n, s);
	*s = stream_of_str(task_arena(t), str_sub(c->bytes, (size_t)offset, (size_t)n));
	return 0;
}
