/* DeleteObjects */
#include "services/s3/object.h"

#define OBJECTS_MAX 1000
#define STEP        100 /* deletions in one update */

struct deletion {
	struct s3_removal removal;
	int code; /* why not; 0: done */
	struct str error, message;
};

struct step {
	struct deletion *v;
	size_t n;
};

static int delete (struct kv_txn *txn, void *arg)
{
	struct step *s = arg;

	for (size_t i = 0; i < s->n; i++) {
		struct deletion *d = &s->v[i];
		if (d->error.p)
			continue;
		d->code = s3_object_remove(txn, &d->removal);
		if (d->code < 0 || d->code == S3_NO_SUCH_BUCKET)
			return d->code;
	}
	return 0;
}

static void note_failure(struct task *t, struct deletion *d)
{
	struct call *c = call_of(t);

	d->error = c->failure.name;
	d->message = c->failure.message;
	c->failure = (struct api_failure){ 0 };
}

/* Each object is a decision of its own, and a refusal one line of the answer. */
static int authorize(struct task *t, struct api_access bucket, struct deletion *d)
{
	const struct s3_ref *ref = &d->removal.ref;

	bucket.action = ref->version_id.p ? S("s3:DeleteObjectVersion") : S("s3:DeleteObject");
	bucket.resource = str_concat(
	        task_arena(t), 3, s3_bucket_arn(task_arena(t), ref->bucket), S("/"), ref->key);
	int bad = s3_check_anonymous(t, &bucket);
	if (!bad)
		bad = api_authorize(t, &bucket);
	if (bad > 0)
		note_failure(t, d);
	return bad < 0 ? bad : 0;
}

static void prepare(struct task *t, const struct s3_delete_objects_in *in, struct deletion *d)
{
	const struct s3_object_identifier_list *list = &in->delete->objects;

	for (size_t i = 0; i < list->n; i++)
		d[i].removal = (struct s3_removal){
			.ref = { in->bucket, list->v[i].key, list->v[i].version_id },
			.random = s3_version_random(task_arena(t)),
			.if_match = list->v[i].e_tag,
			.now_ms = call_of(t)->now_ms,
		};
}

static int run(struct task *t, struct deletion *v, size_t n)
{
	for (size_t at = 0; at < n; at += STEP) {
		struct step s = { v + at, MIN(n - at, (size_t)STEP) };
		TRY(s3_object_failed(t, kv_update(t, delete, &s), &v[at].removal.ref, NULL));
	}
	for (size_t i = 0; i < n; i++)
		if (v[i].code > 0) {
			(void)!s3_object_failed(
			        t, v[i].code, &v[i].removal.ref, v[i].removal.failed);
			note_failure(t, &v[i]);
		}
	return 0;
}

static void show(struct arena *a, const struct deletion *v, size_t n, bool quiet,
        struct s3_delete_objects_out *out)
{
	out->deleted.v = arena_new_n(a, struct s3_deleted_object, n);
	out->errors.v = arena_new_n(a, struct s3_error, n);
	for (size_t i = 0; i < n; i++) {
		const struct s3_removal *r = &v[i].removal;
		if (v[i].error.p) {
			out->errors.v[out->errors.n++] = (struct s3_error){ .key = r->ref.key,
				.version_id = r->ref.version_id,
				.code = v[i].error,
				.message = v[i].message };
			continue;
		}
		if (quiet)
			continue;
		struct s3_deleted_object *d = &out->deleted.v[out->deleted.n++];
		*d = (struct s3_deleted_object){ .key = r->ref.key,
			.version_id = r->ref.version_id };
		if (r->marker) {
			d->delete_marker = opt_bool(true);
			d->delete_marker_version_id = r->version_id;
		}
	}
}

int s3_delete_objects(
        struct task *t, const struct s3_delete_objects_in *in, struct s3_delete_objects_out *out)
{
	size_t n = in->delete ? in->delete->objects.n : 0;
	struct deletion *v = arena_new_n(task_arena(t), struct deletion, n + 1);
	struct api_access bucket = { 0 };

	TRY(s3_body_check(t, true));
	if (n == 0 || n > OBJECTS_MAX)
		return s3_malformed_xml(t);
	if (in->mfa.p)
		return fail(t, API_ERROR_NOT_IMPLEMENTED,
		        "A header you provided implies functionality that is not implemented");
	prepare(t, in, v);
	TRY(s3_access_of(t, in, &bucket));
	for (size_t i = 0; i < n; i++)
		TRY(authorize(t, bucket, &v[i]));
	TRY(run(t, v, n));
	show(task_arena(t), v, n, in->delete->quiet.v, out);
	return 0;
}
