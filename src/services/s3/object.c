/* object: versions. */
#include "services/s3/object.h"

#include "base/rand.h"
#include "kv/key.h"

#define RANDOM_CHARS 16
#define NULL_VERSION S("null")

struct str s3_object_key(struct arena *a, struct str bucket, struct str key)
{
	return kv_key(a, "ssssss", S("s3"), S(""), S(""), S("object"), bucket, key);
}

struct str s3_version_key(struct arena *a, struct str bucket, struct str key, uint64_t age)
{
	return kv_key(a, "ssssssu", S("s3"), S(""), S(""), S("version"), bucket, key, age);
}

static struct str version_prefix(struct arena *a, const struct s3_ref *ref)
{
	return kv_key(a, "ssssss", S("s3"), S(""), S(""), S("version"), ref->bucket, ref->key);
}

static struct str null_key(struct arena *a, const struct s3_ref *ref)
{
	return kv_key(a, "ssssss", S("s3"), S(""), S(""), S("null"), ref->bucket, ref->key);
}

struct str s3_version_random(struct arena *a)
{
	return rand_text(a, RANDOM_CHARS,
	        S("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._"));
}

static uint64_t next_age(struct kv_txn *txn)
{
	return ~kv_sequence_next(txn, S("s3-version"));
}

static struct str version_id(struct arena *a, uint64_t age, struct str random)
{
	return str_printf(a, "%016llx%.*s", (unsigned long long)age, STR(random));
}

static bool age_of(struct str id, uint64_t *age)
{
	*age = 0;
	if (id.n != 16 + RANDOM_CHARS)
		return false;
	for (size_t i = 0; i < 16; i++) {
		char c = id.p[i];
		if (c >= '0' && c <= '9')
			*age = *age << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*age = *age << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	return true;
}

static bool is_null(struct str id)
{
	return str_eq(id, NULL_VERSION);
}

static int get_current(struct kv_txn *txn, const struct s3_ref *ref, struct s3_object_record *o)
{
	*o = (struct s3_object_record){ 0 };
	return record_get(txn, s3_object_key(kv_arena(txn), ref->bucket, ref->key),
	        &s3_shape_object_record, o);
}

static void put_current(
        struct kv_txn *txn, const struct s3_ref *ref, const struct s3_object_record *o)
{
	record_put(txn, s3_object_key(kv_arena(txn), ref->bucket, ref->key),
	        &s3_shape_object_record, o);
}

static void put_version(struct kv_txn *txn, const struct s3_ref *ref, uint64_t age,
        const struct s3_object_record *o)
{
	struct arena *a = kv_arena(txn);

	record_put(txn, s3_version_key(a, ref->bucket, ref->key, age), &s3_shape_object_record, o);
	if (is_null(o->version_id))
		kv_put(txn, null_key(a, ref), kv_key(a, "u", age));
}

/* Among the versions that are not current. */
static int find_age(struct kv_txn *txn, const struct s3_ref *ref, uint64_t *age)
{
	struct arena *a = kv_arena(txn);
	struct str value;

	if (!is_null(ref->version_id))
		return age_of(ref->version_id, age) ? 0 : S3_BAD_VERSION_ID;
	int got = kv_get(txn, null_key(a, ref), &value);
	if (got != 0)
		return got == KV_NOT_FOUND ? S3_NO_SUCH_VERSION : got;
	return kv_key_read(a, value, "u", age) ? 0 : -EPROTO;
}

static int find_old(
        struct kv_txn *txn, const struct s3_ref *ref, uint64_t *age, struct s3_object_record *o)
{
	TRY(find_age(txn, ref, age));
	*o = (struct s3_object_record){ 0 };
	int got = record_get(txn, s3_version_key(kv_arena(txn), ref->bucket, ref->key, *age),
	        &s3_shape_object_record, o);
	if (got != 0)
		return got == KV_NOT_FOUND ? S3_NO_SUCH_VERSION : got;
	return str_eq(o->version_id, ref->version_id) ? 0 : S3_NO_SUCH_VERSION;
}

static void drop_old(struct kv_txn *txn, const struct s3_ref *ref, uint64_t age,
        const struct s3_object_record *o)
{
	struct arena *a = kv_arena(txn);

	s3_object_drop_data(txn, o);
	kv_del(txn, s3_version_key(a, ref->bucket, ref->key, age));
	if (is_null(o->version_id))
		kv_del(txn, null_key(a, ref));
}

/* The newest version that is not current. KV_NOT_FOUND: none. */
static int newest_old(
        struct kv_txn *txn, const struct s3_ref *ref, uint64_t *age, struct s3_object_record *o)
{
	struct arena *a = kv_arena(txn);
	struct str prefix = version_prefix(a, ref), key, value;
	CLEANUP(kv_scan_close) struct kv_scan *s = kv_scan_prefix(txn, prefix, false);

	*o = (struct s3_object_record){ 0 };
	if (!kv_next(s, &key, &value))
		return KV_NOT_FOUND;
	if (!kv_key_read(a, str_sub(key, prefix.n, key.n), "u", age))
		return -EPROTO;
	return record_unpack(a, &s3_shape_object_record, str_dup(a, value), o);
}

/* ---- finding ---- */

int s3_object_find(struct kv_txn *txn, const struct s3_ref *ref, struct s3_object_record *o)
{
	uint64_t age;
	int got = get_current(txn, ref, o);

	if (got < 0)
		return got;
	if (!ref->version_id.p) {
		if (got == 0)
			return 0;
		got = newest_old(txn, ref, &age, o);
		if (got < 0)
			return got;
		return got == 0 && o->delete_marker.v ? S3_IS_MARKER : S3_NO_SUCH_KEY;
	}
	if (got == 0 && str_eq(o->version_id, ref->version_id))
		return 0;
	TRY(find_old(txn, ref, &age, o));
	return o->delete_marker.v ? S3_IS_MARKER : 0;
}

int s3_object_age(struct kv_txn *txn, const struct s3_ref *ref, uint64_t *age)
{
	return find_age(txn, ref, age);
}

void s3_object_rewrite(
        struct kv_txn *txn, const struct s3_ref *ref, const struct s3_object_record *o)
{
	struct s3_object_record current;
	struct s3_ref exact = { ref->bucket, ref->key, o->version_id };
	uint64_t age;

	if (get_current(txn, ref, &current) == 0 && str_eq(current.version_id, o->version_id))
		put_current(txn, ref, o);
	else if (find_age(txn, &exact, &age) == 0)
		put_version(txn, ref, age, o);
}

/* ---- placing ---- */

static struct str unquoted(struct str s)
{
	s = str_trim(s);
	if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		return str_sub(s, 1, s.n - 2);
	return s;
}

static int check_conditions(
        struct s3_write_conditions *c, bool exists, const struct s3_object_record *current)
{
	if (c->if_match.p) {
		c->failed = "If-Match";
		if (!exists)
			return S3_NO_SUCH_KEY;
		if (!str_eq(c->if_match, S("*")) &&
		        !str_eq(unquoted(c->if_match), unquoted(current->e_tag)))
			return S3_PRECONDITION_FAILED;
	}
	if (c->if_none_match.p && exists) {
		c->failed = "If-None-Match";
		return S3_PRECONDITION_FAILED;
	}
	return 0;
}

/* Makes room for a new null version: the one there is goes. */
static int drop_null(struct kv_txn *txn, const struct s3_ref *ref)
{
	struct s3_ref null = { ref->bucket, ref->key, NULL_VERSION };
	struct s3_object_record o;
	uint64_t age;
	int got = find_old(txn, &null, &age, &o);

	if (got == 0)
		drop_old(txn, ref, age, &o);
	return got < 0 ? got : 0;
}

/* What happens to the current version when another takes its place. */
static int retire(struct kv_txn *txn, const struct s3_ref *ref, bool keep_null,
        const struct s3_object_record *current)
{
	uint64_t age;

	if (!keep_null && is_null(current->version_id)) {
		s3_object_drop_data(txn, current);
		return 0;
	}
	if (!age_of(current->version_id, &age))
		age = next_age(txn);
	put_version(txn, ref, age, current);
	return 0;
}

int s3_object_place(struct kv_txn *txn, struct s3_placing *p)
{
	struct s3_bucket_record b;
	struct s3_object_record current;

	TRY(s3_bucket_read(txn, p->ref.bucket, &b));
	int got = get_current(txn, &p->ref, &current);
	if (got < 0)
		return got;
	TRY(check_conditions(&p->conditions, got == 0, &current));
	bool enabled = str_eq(b.versioning, S("Enabled"));
	p->has_versions = b.versioning.p != NULL;
	if (got == 0)
		TRY(retire(txn, &p->ref, enabled, &current));
	if (!enabled && p->has_versions)
		TRY(drop_null(txn, &p->ref));
	p->object->version_id =
	        enabled ? version_id(kv_arena(txn), next_age(txn), p->random) : NULL_VERSION;
	put_current(txn, &p->ref, p->object);
	return 0;
}

/* ---- removing ---- */

static int add_marker(struct kv_txn *txn, struct s3_removal *r, bool enabled)
{
	uint64_t age = next_age(txn);
	struct s3_object_record marker = { .delete_marker = opt_bool(true),
		.last_modified = opt_time(s3_second(r->now_ms)) };

	marker.version_id = enabled ? version_id(kv_arena(txn), age, r->random) : NULL_VERSION;
	put_version(txn, &r->ref, age, &marker);
	r->version_id = marker.version_id;
	r->marker = true;
	return 0;
}

static int remove_current(struct kv_txn *txn, struct s3_removal *r, struct str versioning)
{
	struct arena *a = kv_arena(txn);
	struct s3_object_record current;
	bool enabled = str_eq(versioning, S("Enabled"));
	int got = get_current(txn, &r->ref, &current);

	if (got < 0)
		return got;
	struct s3_write_conditions c = { .if_match = r->if_match };
	int bad = check_conditions(&c, got == 0, &current);
	r->failed = c.failed;
	TRY(bad);
	if (got == 0) {
		TRY(retire(txn, &r->ref, enabled, &current));
		kv_del(txn, s3_object_key(a, r->ref.bucket, r->ref.key));
	}
	if (!versioning.p)
		return 0;
	if (!enabled)
		TRY(drop_null(txn, &r->ref));
	return add_marker(txn, r, enabled);
}

/* When the latest version went, the one before is the current one again, unless it is a marker. */
static int promote(struct kv_txn *txn, const struct s3_ref *ref)
{
	struct arena *a = kv_arena(txn);
	struct s3_object_record o;
	uint64_t age;
	int got;

	if (kv_has(txn, s3_object_key(a, ref->bucket, ref->key)))
		return 0;
	got = newest_old(txn, ref, &age, &o);
	if (got != 0)
		return got == KV_NOT_FOUND ? 0 : got;
	if (o.delete_marker.v)
		return 0;
	kv_del(txn, s3_version_key(a, ref->bucket, ref->key, age));
	if (is_null(o.version_id))
		kv_del(txn, null_key(a, ref));
	put_current(txn, ref, &o);
	return 0;
}

static int remove_version(struct kv_txn *txn, struct s3_removal *r)
{
	struct s3_object_record o;
	uint64_t age;
	int got = get_current(txn, &r->ref, &o);

	if (got < 0)
		return got;
	r->version_id = r->ref.version_id;
	if (got == 0 && str_eq(o.version_id, r->ref.version_id)) {
		s3_object_drop_data(txn, &o);
		kv_del(txn, s3_object_key(kv_arena(txn), r->ref.bucket, r->ref.key));
		return promote(txn, &r->ref);
	}
	got = find_old(txn, &r->ref, &age, &o);
	if (got == S3_NO_SUCH_VERSION)
		return 0;
	TRY(got);
	r->marker = o.delete_marker.v;
	drop_old(txn, &r->ref, age, &o);
	return promote(txn, &r->ref);
}

int s3_object_remove(struct kv_txn *txn, struct s3_removal *r)
{
	struct s3_bucket_record b;

	TRY(s3_bucket_read(txn, r->ref.bucket, &b));
	r->marker = false;
	r->version_id = (struct str){ 0 };
	if (r->ref.version_id.p)
		return remove_version(txn, r);
	return remove_current(txn, r, b.versioning);
}

/* ---- saying no ---- */

int s3_object_failed(struct task *t, int code, const struct s3_ref *ref, const char *condition)
{
	struct s3_error_detail d = { .key = ref->key };

	switch (code) {
	case S3_NO_SUCH_BUCKET:
		return s3_no_such_bucket(t, ref->bucket);
	case S3_NO_SUCH_KEY:
		return s3_fail(t, &d, "NoSuchKey", 404, "The specified key does not exist.");
	case S3_NO_SUCH_VERSION:
		d.version_id = ref->version_id;
		return s3_fail(
		        t, &d, "NoSuchVersion", 404, "The specified version does not exist.");
	case S3_BAD_VERSION_ID:
		return s3_invalid_argument(
		        t, "versionId", ref->version_id, "Invalid version id specified");
	case S3_PRECONDITION_FAILED:
		d = (struct s3_error_detail){ .condition = str_of(condition) };
		return s3_fail(t, &d, "PreconditionFailed", 412,
		        "At least one of the pre-conditions you specified did not hold");
	case S3_IS_MARKER:
		d = (struct s3_error_detail){ .method = call_of(t)->operation->method,
			.resource_type = S("DeleteMarker") };
		return s3_fail(t, &d, "MethodNotAllowed", 405,
		        "The specified method is not allowed against this resource.");
	default:
		return code;
	}
}

int64_t s3_second(int64_t ms)
{
	return ms / 1000 * 1000;
}
