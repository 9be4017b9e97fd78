/* Managed policies: Create, Get, List, Delete, tags, ListEntitiesForPolicy */
#include "services/iam/policy.h"

#include "codec/codec.h"

#define POLICY_MAX   6144
#define POLICIES_MAX 1500
/* AWS shows when it made its policies; here all are as old as the service. */
#define AWS_CREATED_MS INT64_C(1423180800000)

static void count_uses(struct iam_work *w, struct iam_policy *p)
{
	p->attachment_count = opt_int(iam_use_count(w, p->arn, IAM_USE_ATTACHED));
	p->permissions_boundary_usage_count = opt_int(iam_use_count(w, p->arn, IAM_USE_BOUNDARY));
	p->is_attachable = opt_bool(true);
}

struct iam_policy *iam_policy_of(struct iam_work *w, const struct iam_policy_record *r)
{
	struct iam_policy *p = arena_new(w->arena, struct iam_policy);

	p->policy_name = r->name;
	p->policy_id = r->id;
	p->arn = iam_policy_arn(w, r);
	p->path = r->path;
	p->default_version_id = str_printf(w->arena, "v%lld", (long long)r->default_version.v);
	p->description = r->description;
	p->create_date = r->created;
	p->update_date = r->updated;
	p->tags = iam_tags_shown(&r->tags);
	count_uses(w, p);
	return p;
}

/* The same on every installation. */
static struct str aws_policy_id(struct arena *a, struct str arn)
{
	struct str hex = hash_sha256_hex(a, arn);
	char *id = arena_bytes(a, 21);

	memcpy(id, "ANPA", 4);
	for (size_t i = 0; i < 17; i++)
		id[4 + i] = (char)(hex.p[i] >= 'a' ? hex.p[i] - 'a' + 'A' : hex.p[i]);
	return (struct str){ id, 21 };
}

struct iam_policy *iam_aws_policy_of(struct iam_work *w, const struct iam_aws_policy *aws)
{
	struct iam_policy *p = arena_new(w->arena, struct iam_policy);

	p->policy_name = aws->name;
	p->arn = iam_aws_policy_arn(w->arena, aws);
	p->policy_id = aws_policy_id(w->arena, p->arn);
	p->path = aws->path;
	p->default_version_id = aws->version;
	p->create_date = p->update_date = opt_time(AWS_CREATED_MS);
	count_uses(w, p);
	return p;
}

int iam_policy_of_customer(struct iam_work *w, struct str arn, struct iam_policy_record *r)
{
	int got = iam_policy_find(w, arn, r);

	if (iam_aws_policy_find(arn))
		return iam_refuse(w, API_ERROR_ACCESS_DENIED,
		        "Access to the AWS managed policy %.*s is denied", STR(arn));
	if (got == KV_NOT_FOUND)
		return iam_refuse(
		        w, IAM_NO_SUCH_ENTITY_EXCEPTION, "Policy %.*s was not found.", STR(arn));
	return got;
}

void iam_policy_put(struct iam_work *w, const struct iam_policy_record *r)
{
	record_put(w->txn, iam_key1(w, S("policy"), r->name), &iam_shape_policy_record, r);
}

int iam_policy_check(struct iam_work *w, struct str document)
{
	const struct policy *policy;
	struct str why;

	TRY(iam_document_check(w, document, POLICY_IDENTITY));
	if (policy_parse(w->arena, document, POLICY_IDENTITY, &policy, &why) == 0 &&
	        !policy_is_2012(policy))
		return iam_refuse(w, IAM_MALFORMED_POLICY_DOCUMENT_EXCEPTION,
		        "Policy document must be version 2012-10-17 or greater.");
	if (iam_document_size(document) > POLICY_MAX)
		return iam_refuse(w, IAM_LIMIT_EXCEEDED_EXCEPTION,
		        "Cannot exceed quota for PolicySize: %d", POLICY_MAX);
	return 0;
}

static int create_policy(struct iam_work *w, const struct iam_create_policy_in *in,
        struct iam_create_policy_out *out)
{
	struct iam_policy_record r = {
		.name = in->policy_name,
		.path = in->path.n ? in->path : S("/"),
		.id = iam_fresh_id(w, S("ANPA")),
		.description = in->description,
		.created = opt_time(w->now_ms / 1000 * 1000),
		.updated = opt_time(w->now_ms / 1000 * 1000),
		.default_version = opt_int(1),
		.last_version = opt_int(1),
		.document = in->policy_document,
	};
	struct iam_policy_version_record v = { opt_int(1), r.created, r.document };

	TRY(iam_policy_check(w, in->policy_document));
	if (kv_has(w->txn, iam_key1(w, S("policy"), r.name)))
		return iam_refuse(w, IAM_ENTITY_ALREADY_EXISTS_EXCEPTION,
		        "A policy called %.*s already exists. Duplicate names are not allowed.",
		        STR(r.name));
	TRY(iam_count(w, S("Policies"), 1, POLICIES_MAX));
	TRY(iam_tags_merge(w, &r.tags, &in->tags));
	iam_policy_put(w, &r);
	record_put(w->txn, iam_version_key(w, &r, 1), &iam_shape_policy_version_record, &v);
	out->policy = iam_policy_of(w, &r);
	out->policy->description = (struct str){ 0 };
	return 0;
}
IAM_OPERATION(iam_update, create_policy)

static int get_policy(
        struct iam_work *w, const struct iam_get_policy_in *in, struct iam_get_policy_out *out)
{
	const struct iam_aws_policy *aws = iam_aws_policy_find(in->policy_arn);
	struct iam_policy_record r;

	if (aws) {
		out->policy = iam_aws_policy_of(w, aws);
		return 0;
	}
	TRY(iam_policy_of_customer(w, in->policy_arn, &r));
	out->policy = iam_policy_of(w, &r);
	return 0;
}
IAM_OPERATION(iam_view, get_policy)

static int delete_policy(struct iam_work *w, const struct iam_delete_policy_in *in,
        struct iam_delete_policy_out *out)
{
	struct iam_policy_record r;
	struct iam_policy_document_version_list_type versions;

	TRY(iam_policy_of_customer(w, in->policy_arn, &r));
	if (iam_use_count(w, in->policy_arn, IAM_USE_ATTACHED) ||
	        iam_use_count(w, in->policy_arn, IAM_USE_BOUNDARY))
		return iam_refuse(w, IAM_DELETE_CONFLICT_EXCEPTION,
		        "Cannot delete a policy attached to entities.");
	TRY(iam_versions_of(w, &r, &versions));
	if (versions.n > 1)
		return iam_refuse(w, IAM_DELETE_CONFLICT_EXCEPTION,
		        "This policy has more than one version. Before you delete a policy, you "
		        "must delete the policy's versions. The default version is deleted with "
		        "the policy.");
	kv_del_prefix(w->txn, iam_key1(w, S("version"), r.name));
	kv_del(w->txn, iam_key1(w, S("policy"), r.name));
	return iam_count(w, S("Policies"), -1, 0);
}
IAM_OPERATION(iam_update, delete_policy)

/* ---- ListPolicies: the customer's in the order of names, then AWS's ---- */

struct listing {
	const struct iam_list_policies_in *in;
	struct iam_page page;
	struct iam_policy_list_type list;
};

static bool is_shown(const struct listing *l, const struct iam_policy *p)
{
	bool boundary = str_eq(l->in->policy_usage_filter, S("PermissionsBoundary"));
	int64_t uses = boundary ? p->permissions_boundary_usage_count.v : p->attachment_count.v;

	if (!iam_path_shown(&l->page, p->path))
		return false;
	if (l->in->policy_usage_filter.n && uses == 0)
		return false;
	return !l->in->only_attached.v || p->attachment_count.v > 0;
}

static int show(struct listing *l, struct iam_policy *p)
{
	if (!is_shown(l, p))
		return 0;
	p->tags = (struct iam_tag_list_type){ 0 };
	p->description = (struct str){ 0 };
	l->list.v[l->list.n++] = *p;
	return 1;
}

static int add_policy(struct iam_work *w, void *arg, struct str key, struct str value)
{
	struct iam_policy_record r = { 0 };

	TRY(record_unpack(w->arena, &iam_shape_policy_record, value, &r));
	return show(arg, iam_policy_of(w, &r));
}

/* From the marker "aws:<index>" on. */
static void add_aws(struct iam_work *w, struct listing *l, size_t from)
{
	size_t n, max = iam_page_size(&l->page);
	const struct iam_aws_policy *all = iam_aws_policies(&n);

	for (size_t i = from; i < n; i++) {
		if (l->list.n == max) {
			l->page.truncated = opt_bool(true);
			l->page.next = str_printf(w->arena, "aws:%zu", i);
			return;
		}
		show(l, iam_aws_policy_of(w, &all[i]));
	}
}

static int list_policies(struct iam_work *w, const struct iam_list_policies_in *in,
        struct iam_list_policies_out *out)
{
	struct listing l = { .in = in, .page = IAM_PAGE(in) };
	struct iam_walk walk = { iam_key1(w, S("policy"), (struct str){ 0 }), add_policy, &l };
	bool in_aws = str_starts(w->marker, S("aws:"));
	uint64_t from = 0;

	l.page.path_prefix = in->path_prefix;
	l.page.truncated = opt_bool(false);
	l.list.v = arena_new_n(w->arena, struct iam_policy, iam_page_size(&l.page) + 1);
	if (in_aws && !str_to_u64(str_sub(w->marker, 4, w->marker.n), &from))
		return iam_refuse(w, API_ERROR_VALIDATION, "Invalid Marker.");
	if (!in_aws && !str_eq(in->scope, S("AWS")))
		TRY(iam_walk_rows(w, &l.page, &walk));
	if (!l.page.truncated.v && !str_eq(in->scope, S("Local")))
		add_aws(w, &l, (size_t)from);
	out->policies = l.list;
	IAM_PAGED(&l.page, out);
	return 0;
}
IAM_OPERATION(iam_view, list_policies)

/* ---- who uses it ---- */

struct users {
	const struct iam_list_entities_for_policy_in *in;
	struct iam_page page;
	struct iam_list_entities_for_policy_out *out;
};

static bool is_wanted(const struct users *u, enum iam_kind kind, struct str usage)
{
	static const struct str filters[] = { [IAM_USER] = S_INIT("User"),
		[IAM_GROUP] = S_INIT("Group"),
		[IAM_ROLE] = S_INIT("Role") };
	bool boundary = str_eq(usage, IAM_USE_BOUNDARY);
	struct str filter = u->in->policy_usage_filter;

	if (u->in->entity_filter.n && !str_eq(u->in->entity_filter, filters[kind]))
		return false;
	if (!filter.n)
		return true;
	return boundary == str_eq(filter, S("PermissionsBoundary"));
}

static int add_user_of_policy(struct iam_work *w, void *arg, struct str key, struct str value)
{
	struct users *u = arg;
	struct str service, account, region, row, arn, usage, word, name;
	struct iam_entity_record r;
	enum iam_kind kind = IAM_USER;

	if (!kv_key_read(w->arena, key, "ssssssss", &service, &account, &region, &row, &arn, &usage,
	            &word, &name))
		return -EPROTO;
	while (!str_eq(iam_kind_facts(kind)->row, word))
		kind++;
	if (!is_wanted(u, kind, usage))
		return 0;
	TRY(record_get(w->txn, iam_entity_key(w, kind, name), &iam_shape_entity_record,
	        memset(&r, 0, sizeof r)));
	if (!iam_path_shown(&u->page, r.path))
		return 0;
	if (kind == IAM_USER)
		u->out->policy_users.v[u->out->policy_users.n++] =
		        (struct iam_policy_user){ r.name, r.id };
	else if (kind == IAM_GROUP)
		u->out->policy_groups.v[u->out->policy_groups.n++] =
		        (struct iam_policy_group){ r.name, r.id };
	else
		u->out->policy_roles.v[u->out->policy_roles.n++] =
		        (struct iam_policy_role){ r.name, r.id };
	return 1;
}

static int list_entities_for_policy(struct iam_work *w,
        const struct iam_list_entities_for_policy_in *in,
        struct iam_list_entities_for_policy_out *out)
{
	struct users u = { .in = in, .page = IAM_PAGE(in), .out = out };
	struct iam_walk walk = { .each = add_user_of_policy, .arg = &u };
	size_t max = iam_page_size(&u.page) + 1;
	struct iam_policy_record r;

	if (!iam_aws_policy_find(in->policy_arn))
		TRY(iam_policy_of_customer(w, in->policy_arn, &r));
	*out = (struct iam_list_entities_for_policy_out){
		.policy_groups.v = arena_new_n(w->arena, struct iam_policy_group, max),
		.policy_users.v = arena_new_n(w->arena, struct iam_policy_user, max),
		.policy_roles.v = arena_new_n(w->arena, struct iam_policy_role, max),
	};
	walk.prefix =
	        kv_key(w->arena, "sssss", S("iam"), w->account, S(""), S("use"), in->policy_arn);
	u.page.path_prefix = in->path_prefix;
	TRY(iam_walk_rows(w, &u.page, &walk));
	IAM_PAGED(&u.page, out);
	return 0;
}
IAM_OPERATION(iam_view, list_entities_for_policy)

/* ---- tags ---- */

static int tag_policy(
        struct iam_work *w, const struct iam_tag_policy_in *in, struct iam_tag_policy_out *out)
{
	struct iam_policy_record r;

	TRY(iam_policy_of_customer(w, in->policy_arn, &r));
	TRY(iam_tags_merge(w, &r.tags, &in->tags));
	iam_policy_put(w, &r);
	return 0;
}
IAM_OPERATION(iam_update, tag_policy)

static int untag_policy(
        struct iam_work *w, const struct iam_untag_policy_in *in, struct iam_untag_policy_out *out)
{
	struct iam_policy_record r;

	TRY(iam_policy_of_customer(w, in->policy_arn, &r));
	iam_tags_remove(&r.tags, in->tag_keys.v, in->tag_keys.n);
	iam_policy_put(w, &r);
	return 0;
}
IAM_OPERATION(iam_update, untag_policy)

static int list_policy_tags(struct iam_work *w, const struct iam_list_policy_tags_in *in,
        struct iam_list_policy_tags_out *out)
{
	struct iam_page page = IAM_PAGE(in);
	struct iam_policy_record r = { 0 };

	if (!iam_aws_policy_find(in->policy_arn))
		TRY(iam_policy_of_customer(w, in->policy_arn, &r));
	out->tags = iam_tags_page(w, &page, &r.tags);
	IAM_PAGED(&page, out);
	return 0;
}
IAM_OPERATION(iam_view, list_policy_tags)
