/* upload: rows of multipart uploads. */
#include "services/s3/upload.h"

#include "kv/key.h"

struct str s3_upload_key(struct arena *a, struct str bucket, struct str key, struct str id)
{
	return kv_key(a, "sssssss", S("s3"), S(""), S(""), S("upload"), bucket, key, id);
}

static struct str parts_prefix(struct arena *a, struct str upload_id)
{
	return kv_key(a, "sssss", S("s3"), S(""), S(""), S("part"), upload_id);
}

struct str s3_part_key(struct arena *a, struct str upload_id, uint64_t number)
{
	return kv_key(a, "sssssu", S("s3"), S(""), S(""), S("part"), upload_id, number);
}

int s3_upload_read(struct kv_txn *txn, struct str bucket, struct str key, struct str id,
        struct s3_upload_record *u)
{
	*u = (struct s3_upload_record){ 0 };
	int got = record_get(
	        txn, s3_upload_key(kv_arena(txn), bucket, key, id), &s3_shape_upload_record, u);
	return got == KV_NOT_FOUND ? S3_NO_SUCH_UPLOAD : got;
}

int s3_upload_failed(struct task *t, int code, struct str id, const struct s3_ref *ref)
{
	struct s3_error_detail d = { .upload_id = id };

	if (code != S3_NO_SUCH_UPLOAD)
		return s3_object_failed(t, code, ref, NULL);
	return s3_fail(t, &d, "NoSuchUpload", 404,
	        "The specified upload does not exist. The upload ID may be invalid, or the upload "
	        "may have been aborted or completed.");
}

int s3_upload_parts(struct kv_txn *txn, struct str id, uint64_t after, size_t max,
        struct s3_part_record_list *parts)
{
	struct arena *a = kv_arena(txn);
	struct str prefix = parts_prefix(a, id), key, value;
	CLEANUP(kv_scan_close)
	struct kv_scan *s =
	        kv_scan(txn, s3_part_key(a, id, after + 1), kv_prefix_end(a, prefix), false);
	size_t capacity = 0;

	*parts = (struct s3_part_record_list){ 0 };
	while (parts->n < max && kv_next(s, &key, &value)) {
		if (parts->n == capacity) {
			capacity = MAX((size_t)16, 2 * capacity);
			struct s3_part_record *v = arena_new_n(a, struct s3_part_record, capacity);
			if (parts->n)
				memcpy(v, parts->v, parts->n * sizeof *v);
			parts->v = v;
		}
		TRY(record_unpack(
		        a, &s3_shape_part_record, str_dup(a, value), &parts->v[parts->n++]));
	}
	return 0;
}

void s3_upload_forget(struct kv_txn *txn, struct str key_of_upload, struct str id)
{
	kv_del_prefix(txn, parts_prefix(kv_arena(txn), id));
	kv_del(txn, key_of_upload);
}

int s3_upload_drop(struct kv_txn *txn, struct str key_of_upload, struct str id)
{
	struct s3_part_record_list parts;

	TRY(s3_upload_parts(txn, id, 0, SIZE_MAX, &parts));
	for (size_t i = 0; i < parts.n; i++)
		s3_data_drop(txn, parts.v[i].data);
	s3_upload_forget(txn, key_of_upload, id);
	return 0;
}

int s3_uploads_drop(struct kv_txn *txn, struct str bucket)
{
	struct arena *a = kv_arena(txn);
	struct str prefix = kv_key(a, "sssss", S("s3"), S(""), S(""), S("upload"), bucket);
	struct str key, value, skip, id;

	for (;;) {
		CLEANUP(kv_scan_close) struct kv_scan *s = kv_scan_prefix(txn, prefix, false);
		if (!kv_next(s, &key, &value))
			return 0;
		key = str_dup(a, key);
		if (!kv_key_read(a, key, "sssssss", &skip, &skip, &skip, &skip, &skip, &skip, &id))
			return -EPROTO;
		kv_scan_close(&s);
		s = NULL;
		TRY(s3_upload_drop(txn, key, id));
	}
}
