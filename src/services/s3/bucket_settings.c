/* The bucket's settings: versioning, tags, CORS, encryption, public access block, ownership. */
#include "services/s3/bucket.h"

#include "services/s3/tags.h"

#define CORS_RULES_MAX 100

static int not_found(struct task *t, struct str bucket, const char *code, const char *message)
{
	struct s3_error_detail d = { .bucket_name = bucket };

	return s3_fail(t, &d, code, 404, message);
}

/* ---- versioning ---- */

static void set_versioning(struct s3_bucket_record *b, const void *arg)
{
	b->versioning = *(const struct str *)arg;
}

int s3_put_bucket_versioning(struct task *t, const struct s3_put_bucket_versioning_in *in,
        struct s3_put_bucket_versioning_out *out)
{
	const struct s3_versioning_configuration *v = in->versioning_configuration;

	if (!v || (!str_eq(v->status, S("Enabled")) && !str_eq(v->status, S("Suspended"))))
		return v && !v->status.p
		               ? s3_fail(t, NULL, "IllegalVersioningConfigurationException", 400,
		                         "The Versioning element must be specified")
		               : s3_malformed_xml(t);
	if (in->mfa.p || str_eq(v->mfa_delete, S("Enabled")))
		return fail(t, API_ERROR_NOT_IMPLEMENTED,
		        "A header you provided implies functionality that is not implemented");
	return s3_bucket_change(t, in->bucket, set_versioning, &v->status);
}

int s3_get_bucket_versioning(struct task *t, const struct s3_get_bucket_versioning_in *in,
        struct s3_get_bucket_versioning_out *out)
{
	struct s3_bucket_record b;

	TRY(s3_bucket_load(t, in->bucket, &b));
	out->status = b.versioning;
	return 0;
}

/* ---- tags ---- */

static void set_tags(struct s3_bucket_record *b, const void *arg)
{
	b->tag_set = *(const struct s3_tag_set *)arg;
}

int s3_put_bucket_tagging(struct task *t, const struct s3_put_bucket_tagging_in *in,
        struct s3_put_bucket_tagging_out *out)
{
	if (!in->tagging)
		return s3_malformed_xml(t);
	TRY(s3_tags_check(t, &in->tagging->tag_set, 50));
	call_of(t)->status = 204;
	return s3_bucket_change(t, in->bucket, set_tags, &in->tagging->tag_set);
}

int s3_get_bucket_tagging(struct task *t, const struct s3_get_bucket_tagging_in *in,
        struct s3_get_bucket_tagging_out *out)
{
	struct s3_bucket_record b;

	TRY(s3_bucket_load(t, in->bucket, &b));
	if (b.tag_set.n == 0)
		return not_found(t, in->bucket, "NoSuchTagSet", "The TagSet does not exist");
	out->tag_set = b.tag_set;
	return 0;
}

int s3_delete_bucket_tagging(struct task *t, const struct s3_delete_bucket_tagging_in *in,
        struct s3_delete_bucket_tagging_out *out)
{
	struct s3_tag_set none = { 0 };

	return s3_bucket_change(t, in->bucket, set_tags, &none);
}

/* ---- CORS ---- */

static void set_cors(struct s3_bucket_record *b, const void *arg)
{
	b->cors_rules = *(const struct s3_cors_rules *)arg;
}

static int check_cors_rule(struct task *t, const struct s3_cors_rule *r)
{
	static const struct str methods[] = { S_INIT("GET"), S_INIT("PUT"), S_INIT("HEAD"),
		S_INIT("POST"), S_INIT("DELETE") };

	if (r->allowed_methods.n == 0 || r->allowed_origins.n == 0)
		return s3_malformed_xml(t);
	for (size_t i = 0; i < r->allowed_methods.n; i++) {
		size_t k = 0;
		while (k < ARRAY_LEN(methods) && !str_eq(methods[k], r->allowed_methods.v[i]))
			k++;
		if (k == ARRAY_LEN(methods))
			return fail_named(t, "InvalidRequest", 400,
			        "Found unsupported HTTP method in CORS config. Unsupported method "
			        "is %.*s",
			        STR(r->allowed_methods.v[i]));
	}
	for (size_t i = 0; i < r->allowed_origins.n; i++) {
		struct str o = r->allowed_origins.v[i];
		if (str_find_char(o, '*') != str_rfind_char(o, '*'))
			return fail_named(t, "InvalidRequest", 400,
			        "AllowedOrigin \"%.*s\" can not have more than one wildcard.",
			        STR(o));
	}
	return 0;
}

int s3_put_bucket_cors(
        struct task *t, const struct s3_put_bucket_cors_in *in, struct s3_put_bucket_cors_out *out)
{
	const struct s3_cors_rules *rules =
	        in->cors_configuration ? &in->cors_configuration->cors_rules : NULL;

	if (!rules || rules->n == 0 || rules->n > CORS_RULES_MAX)
		return s3_malformed_xml(t);
	for (size_t i = 0; i < rules->n; i++)
		TRY(check_cors_rule(t, &rules->v[i]));
	return s3_bucket_change(t, in->bucket, set_cors, rules);
}

int s3_get_bucket_cors(
        struct task *t, const struct s3_get_bucket_cors_in *in, struct s3_get_bucket_cors_out *out)
{
	struct s3_bucket_record b;

	TRY(s3_bucket_load(t, in->bucket, &b));
	if (b.cors_rules.n == 0)
		return not_found(t, in->bucket, "NoSuchCORSConfiguration",
		        "The CORS configuration does not exist");
	out->cors_rules = b.cors_rules;
	return 0;
}

int s3_delete_bucket_cors(struct task *t, const struct s3_delete_bucket_cors_in *in,
        struct s3_delete_bucket_cors_out *out)
{
	struct s3_cors_rules none = { 0 };

	return s3_bucket_change(t, in->bucket, set_cors, &none);
}

/* ---- encryption: what S3 manages itself, the default ---- */

static void set_encryption(struct s3_bucket_record *b, const void *arg)
{
	b->encryption = (struct s3_server_side_encryption_configuration *)(uintptr_t)arg;
}

int s3_put_bucket_encryption(struct task *t, const struct s3_put_bucket_encryption_in *in,
        struct s3_put_bucket_encryption_out *out)
{
	const struct s3_server_side_encryption_configuration *c =
	        in->server_side_encryption_configuration;

	if (!c || c->rules.n != 1)
		return s3_malformed_xml(t);
	const struct s3_server_side_encryption_by_default *d =
	        c->rules.v[0].apply_server_side_encryption_by_default;
	if (d && d->kms_master_key_id.p && str_eq(d->sse_algorithm, S("AES256")))
		return s3_fail(t, NULL, "InvalidArgument", 400,
		        "a KMSMasterKeyID is not applicable if the default sse algorithm is not "
		        "aws:kms or aws:kms:dsse");
	if (d && !str_eq(d->sse_algorithm, S("AES256")))
		return str_starts(d->sse_algorithm, S("aws:kms"))
		               ? fail(t, API_ERROR_NOT_IMPLEMENTED,
		                         "Encryption with KMS keys is not implemented")
		               : s3_malformed_xml(t);
	return s3_bucket_change(t, in->bucket, set_encryption, c);
}

int s3_get_bucket_encryption(struct task *t, const struct s3_get_bucket_encryption_in *in,
        struct s3_get_bucket_encryption_out *out)
{
	struct arena *a = task_arena(t);
	struct s3_bucket_record b;
	struct s3_server_side_encryption_configuration *c;

	TRY(s3_bucket_load(t, in->bucket, &b));
	c = b.encryption;
	if (!c) {
		c = arena_new(a, struct s3_server_side_encryption_configuration);
		c->rules.v = arena_new(a, struct s3_server_side_encryption_rule);
		c->rules.n = 1;
	}
	struct s3_server_side_encryption_rule *r = &c->rules.v[0];
	if (!r->apply_server_side_encryption_by_default) {
		r->apply_server_side_encryption_by_default =
		        arena_new(a, struct s3_server_side_encryption_by_default);
		r->apply_server_side_encryption_by_default->sse_algorithm = S("AES256");
	}
	if (!r->bucket_key_enabled.set)
		r->bucket_key_enabled = opt_bool(false);
	out->server_side_encryption_configuration = c;
	return 0;
}

int s3_delete_bucket_encryption(struct task *t, const struct s3_delete_bucket_encryption_in *in,
        struct s3_delete_bucket_encryption_out *out)
{
	return s3_bucket_change(t, in->bucket, set_encryption, NULL);
}

/* ---- public access block ---- */

static void set_block(struct s3_bucket_record *b, const void *arg)
{
	b->public_access_block = (struct s3_public_access_block_configuration *)(uintptr_t)arg;
}

int s3_put_public_access_block(struct task *t, const struct s3_put_public_access_block_in *in,
        struct s3_put_public_access_block_out *out)
{
	const struct s3_public_access_block_configuration *c =
	        in->public_access_block_configuration;

	if (!c)
		return s3_malformed_xml(t);
	struct s3_public_access_block_configuration whole = { opt_bool(c->block_public_acls.v),
		opt_bool(c->ignore_public_acls.v), opt_bool(c->block_public_policy.v),
		opt_bool(c->restrict_public_buckets.v) };
	return s3_bucket_change(t, in->bucket, set_block, &whole);
}

int s3_get_public_access_block(struct task *t, const struct s3_get_public_access_block_in *in,
        struct s3_get_public_access_block_out *out)
{
	struct s3_bucket_record b;

	TRY(s3_bucket_load(t, in->bucket, &b));
	if (!b.public_access_block)
		return not_found(t, in->bucket, "NoSuchPublicAccessBlockConfiguration",
		        "The public access block configuration was not found");
	out->public_access_block_configuration = b.public_access_block;
	return 0;
}

int s3_delete_public_access_block(struct task *t, const struct s3_delete_public_access_block_in *in,
        struct s3_delete_public_access_block_out *out)
{
	return s3_bucket_change(t, in->bucket, set_block, NULL);
}

/* ---- ownership: always the bucket owner's; ACLs are off ---- */

int s3_put_bucket_ownership_controls(struct task *t,
        const struct s3_put_bucket_ownership_controls_in *in,
        struct s3_put_bucket_ownership_controls_out *out)
{
	const struct s3_ownership_controls *o = in->ownership_controls;

	if (!o || o->rules.n != 1)
		return s3_malformed_xml(t);
	if (!str_eq(o->rules.v[0].object_ownership, S("BucketOwnerEnforced")))
		return fail(t, API_ERROR_NOT_IMPLEMENTED,
		        "Access control lists are not served here: object ownership is "
		        "BucketOwnerEnforced");
	return 0;
}

int s3_get_bucket_ownership_controls(struct task *t,
        const struct s3_get_bucket_ownership_controls_in *in,
        struct s3_get_bucket_ownership_controls_out *out)
{
	struct arena *a = task_arena(t);
	struct s3_bucket_record b;

	TRY(s3_bucket_load(t, in->bucket, &b));
	out->ownership_controls = arena_new(a, struct s3_ownership_controls);
	out->ownership_controls->rules.v = arena_new(a, struct s3_ownership_controls_rule);
	out->ownership_controls->rules.v[0].object_ownership = S("BucketOwnerEnforced");
	out->ownership_controls->rules.n = 1;
	return 0;
}
