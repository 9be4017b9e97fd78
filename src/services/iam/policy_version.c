/* Versions of managed policies: Create, Get, List, Delete, SetDefaultPolicyVersion */
#include "services/iam/policy.h"

bool iam_version_parse(struct str id, int64_t *number)
{
	return id.n > 1 && id.p[0] == 'v' && str_to_i64(str_sub(id, 1, id.n), number);
}

struct str iam_version_key(struct iam_work *w, const struct iam_policy_record *r, int64_t number)
{
	struct buf b = buf_init(w->arena);

	buf_add(&b, iam_key1(w, S("version"), r->name));
	kv_key_add(&b, "i", number);
	return buf_str(&b);
}

static struct iam_policy_version version_of(struct iam_work *w, const struct iam_policy_record *r,
        const struct iam_policy_version_record *v)
{
	return (struct iam_policy_version){
		.version_id = str_printf(w->arena, "v%lld", (long long)v->number.v),
		.is_default_version = opt_bool(v->number.v == r->default_version.v),
		.create_date = v->created,
	};
}

int iam_versions_of(struct iam_work *w, const struct iam_policy_record *r,
        struct iam_policy_document_version_list_type *list)
{
	CLEANUP(kv_scan_close)
	struct kv_scan *s = kv_scan_prefix(w->txn, iam_key1(w, S("version"), r->name), true);
	struct str key, value;

	*list = (struct iam_policy_document_version_list_type){
		.v = arena_new_n(w->arena, struct iam_policy_version, IAM_VERSIONS_MAX)
	};
	while (list->n < IAM_VERSIONS_MAX && kv_next(s, &key, &value)) {
		struct iam_policy_version_record v = { 0 };
		TRY(record_unpack(
		        w->arena, &iam_shape_policy_version_record, str_dup(w->arena, value), &v));
		list->v[list->n] = version_of(w, r, &v);
		list->v[list->n++].document = iam_document(w->arena, v.document);
	}
	return 0;
}

static int find_version(struct iam_work *w, const struct iam_policy_record *r, struct str id,
        struct iam_policy_version_record *v)
{
	int64_t number = 0;
	int got = KV_NOT_FOUND;

	*v = (struct iam_policy_version_record){ 0 };
	if (iam_version_parse(id, &number))
		got = record_get(
		        w->txn, iam_version_key(w, r, number), &iam_shape_policy_version_record, v);
	if (got != KV_NOT_FOUND)
		return got;
	return iam_refuse(w, IAM_NO_SUCH_ENTITY_EXCEPTION,
	        "Policy %.*s version %.*s does not exist or is not attachable.",
	        STR(iam_policy_arn(w, r)), STR(id));
}

static int create_policy_version(struct iam_work *w, const struct iam_create_policy_version_in *in,
        struct iam_create_policy_version_out *out)
{
	struct iam_policy_record r;
	struct iam_policy_document_version_list_type there;

	TRY(iam_policy_check(w, in->policy_document));
	TRY(iam_policy_of_customer(w, in->policy_arn, &r));
	TRY(iam_versions_of(w, &r, &there));
	if (there.n >= IAM_VERSIONS_MAX)
		return iam_refuse(w, IAM_LIMIT_EXCEEDED_EXCEPTION,
		        "A managed policy can have up to %d versions. Before you create a new "
		        "version, you must delete an existing version.",
		        IAM_VERSIONS_MAX);
	struct iam_policy_version_record v = { opt_int(r.last_version.v + 1),
		opt_time(w->now_ms / 1000 * 1000), in->policy_document };
	r.last_version = v.number;
	r.updated = v.created;
	if (in->set_as_default.v) {
		r.default_version = v.number;
		r.document = v.document;
	}
	iam_policy_put(w, &r);
	record_put(
	        w->txn, iam_version_key(w, &r, v.number.v), &iam_shape_policy_version_record, &v);
	out->policy_version = arena_new(w->arena, struct iam_policy_version);
	*out->policy_version = version_of(w, &r, &v);
	return 0;
}
IAM_OPERATION(iam_update, create_policy_version)

static struct iam_policy_version *aws_version(
        struct iam_work *w, const struct iam_aws_policy *aws, bool with_document)
{
	struct iam_policy_version *v = arena_new(w->arena, struct iam_policy_version);

	v->version_id = aws->version;
	v->is_default_version = opt_bool(true);
	v->create_date = iam_aws_policy_of(w, aws)->create_date;
	if (with_document)
		v->document = iam_document(w->arena, aws->document);
	return v;
}

static int get_policy_version(struct iam_work *w, const struct iam_get_policy_version_in *in,
        struct iam_get_policy_version_out *out)
{
	const struct iam_aws_policy *aws = iam_aws_policy_find(in->policy_arn);
	struct iam_policy_record r;
	struct iam_policy_version_record v;

	if (aws && str_eq(in->version_id, aws->version)) {
		out->policy_version = aws_version(w, aws, true);
		return 0;
	}
	if (aws)
		return iam_refuse(w, IAM_NO_SUCH_ENTITY_EXCEPTION,
		        "Policy %.*s version %.*s does not exist or is not attachable.",
		        STR(in->policy_arn), STR(in->version_id));
	TRY(iam_policy_of_customer(w, in->policy_arn, &r));
	TRY(find_version(w, &r, in->version_id, &v));
	out->policy_version = arena_new(w->arena, struct iam_policy_version);
	*out->policy_version = version_of(w, &r, &v);
	out->policy_version->document = iam_document(w->arena, v.document);
	return 0;
}
IAM_OPERATION(iam_view, get_policy_version)

static int list_policy_versions(struct iam_work *w, const struct iam_list_policy_versions_in *in,
        struct iam_list_policy_versions_out *out)
{
	const struct iam_aws_policy *aws = iam_aws_policy_find(in->policy_arn);
	struct iam_policy_document_version_list_type all;
	struct iam_page page = IAM_PAGE(in);
	struct iam_policy_record r;
	size_t from, to;

	if (aws) {
		all = (struct iam_policy_document_version_list_type){ aws_version(w, aws, false),
			1 };
	} else {
		TRY(iam_policy_of_customer(w, in->policy_arn, &r));
		TRY(iam_versions_of(w, &r, &all));
	}
	for (size_t i = 0; i < all.n; i++)
		all.v[i].document = (struct str){ 0 };
	iam_walk_list(w, &page, all.n, &from, &to);
	out->versions = (struct iam_policy_document_version_list_type){ all.v + from, to - from };
	IAM_PAGED(&page, out);
	return 0;
}
IAM_OPERATION(iam_view, list_policy_versions)

static int set_default_policy_version(struct iam_work *w,
        const struct iam_set_default_policy_version_in *in,
        struct iam_set_default_policy_version_out *out)
{
	struct iam_policy_record r;
	struct iam_policy_version_record v;

	TRY(iam_policy_of_customer(w, in->policy_arn, &r));
	TRY(find_version(w, &r, in->version_id, &v));
	r.default_version = v.number;
	r.document = v.document;
	r.updated = opt_time(w->now_ms / 1000 * 1000);
	iam_policy_put(w, &r);
	return 0;
}
IAM_OPERATION(iam_update, set_default_policy_version)

static int delete_policy_version(struct iam_work *w, const struct iam_delete_policy_version_in *in,
        struct iam_delete_policy_version_out *out)
{
	struct iam_policy_record r;
	struct iam_policy_version_record v;

	TRY(iam_policy_of_customer(w, in->policy_arn, &r));
	TRY(find_version(w, &r, in->version_id, &v));
	if (v.number.v == r.default_version.v)
		return iam_refuse(w, IAM_DELETE_CONFLICT_EXCEPTION,
		        "Cannot delete the default version of a policy.");
	kv_del(w->txn, iam_version_key(w, &r, v.number.v));
	return 0;
}
IAM_OPERATION(iam_update, delete_policy_version)
