/*
 * GetAccountAuthorizationDetails: everything, in the order of the store: groups, policies, roles,
 * users; then those of AWS's policies that are attached.
 */
#include "services/iam/instance_profile.h"
#include "services/iam/policy.h"

struct details {
	const struct iam_get_account_authorization_details_in *in;
	struct iam_get_account_authorization_details_out *out;
	struct iam_page page;
	size_t shown;
};

static struct iam_policy_detail_list_type inline_policies(
        struct iam_work *w, const struct iam_entity_record *r)
{
	struct iam_policy_detail_list_type list = {
		.v = arena_new_n(w->arena, struct iam_policy_detail, r->inline_policies.n + 1)
	};

	for (size_t i = 0; i < r->inline_policies.n; i++)
		list.v[list.n++] = (struct iam_policy_detail){ r->inline_policies.v[i].name,
			iam_document(w->arena, r->inline_policies.v[i].document) };
	return list;
}

static struct iam_attached_policies_list_type attached_policies(
        struct iam_work *w, const struct iam_entity_record *r)
{
	struct iam_attached_policies_list_type list = {
		.v = arena_new_n(w->arena, struct iam_attached_policy, r->attached.n + 1)
	};

	for (size_t i = 0; i < r->attached.n; i++)
		list.v[list.n++] =
		        (struct iam_attached_policy){ iam_policy_arn_name(r->attached.v[i]),
			        r->attached.v[i] };
	return list;
}

static int add_group(struct iam_work *w, struct details *d, struct str value)
{
	struct iam_entity_record r = { 0 };

	TRY(record_unpack(w->arena, &iam_shape_entity_record, value, &r));
	const struct iam_group *g = iam_group_of(w, &r);
	d->out->group_detail_list.v[d->out->group_detail_list.n++] = (struct iam_group_detail){
		.path = g->path,
		.group_name = g->group_name,
		.group_id = g->group_id,
		.arn = g->arn,
		.create_date = g->create_date,
		.group_policy_list = inline_policies(w, &r),
		.attached_managed_policies = attached_policies(w, &r),
	};
	return 0;
}

static int add_role(struct iam_work *w, struct details *d, struct str value)
{
	struct iam_entity_record r = { 0 };
	struct iam_role_detail *to = &d->out->role_detail_list.v[d->out->role_detail_list.n++];

	TRY(record_unpack(w->arena, &iam_shape_entity_record, value, &r));
	const struct iam_role *role = iam_role_of(w, &r);
	*to = (struct iam_role_detail){
		.path = role->path,
		.role_name = role->role_name,
		.role_id = role->role_id,
		.arn = role->arn,
		.create_date = role->create_date,
		.assume_role_policy_document = role->assume_role_policy_document,
		.role_policy_list = inline_policies(w, &r),
		.attached_managed_policies = attached_policies(w, &r),
		.permissions_boundary = role->permissions_boundary,
		.tags = role->tags,
		.role_last_used = arena_new(w->arena, struct iam_role_last_used),
	};
	*to->role_last_used = (struct iam_role_last_used){ r.last_used, r.last_used_region };
	return iam_profiles_of(w, r.name, &to->instance_profile_list);
}

static int add_user(struct iam_work *w, struct details *d, struct str value)
{
	struct iam_entity_record r = { 0 };

	TRY(record_unpack(w->arena, &iam_shape_entity_record, value, &r));
	const struct iam_user *u = iam_user_of(w, &r);
	d->out->user_detail_list.v[d->out->user_detail_list.n++] = (struct iam_user_detail){
		.path = u->path,
		.user_name = u->user_name,
		.user_id = u->user_id,
		.arn = u->arn,
		.create_date = u->create_date,
		.user_policy_list = inline_policies(w, &r),
		.group_list = { r.groups.v, r.groups.n },
		.attached_managed_policies = attached_policies(w, &r),
		.permissions_boundary = u->permissions_boundary,
		.tags = u->tags,
	};
	return 0;
}

static struct iam_managed_policy_detail *add_managed(struct details *d, const struct iam_policy *p)
{
	struct iam_managed_policy_detail *to = &d->out->policies.v[d->out->policies.n++];

	*to = (struct iam_managed_policy_detail){
		.policy_name = p->policy_name,
		.policy_id = p->policy_id,
		.arn = p->arn,
		.path = p->path,
		.default_version_id = p->default_version_id,
		.attachment_count = p->attachment_count,
		.permissions_boundary_usage_count = p->permissions_boundary_usage_count,
		.is_attachable = p->is_attachable,
		.description = p->description,
		.create_date = p->create_date,
		.update_date = p->update_date,
	};
	return to;
}

static int add_policy(struct iam_work *w, struct details *d, struct str value)
{
	struct iam_policy_record r = { 0 };

	TRY(record_unpack(w->arena, &iam_shape_policy_record, value, &r));
	return iam_versions_of(w, &r, &add_managed(d, iam_policy_of(w, &r))->policy_version_list);
}

static void add_aws(struct iam_work *w, struct details *d)
{
	size_t n;
	const struct iam_aws_policy *all = iam_aws_policies(&n);

	for (size_t i = 0; i < n; i++) {
		const struct iam_policy *p = iam_aws_policy_of(w, &all[i]);
		if (p->attachment_count.v == 0)
			continue;
		struct iam_policy_version *v = arena_new(w->arena, struct iam_policy_version);
		*v = (struct iam_policy_version){ iam_document(w->arena, all[i].document),
			all[i].version, opt_bool(true), p->create_date };
		add_managed(d, p)->policy_version_list =
		        (struct iam_policy_document_version_list_type){ v, 1 };
	}
}

static const struct stage {
	struct str row, filter;
	int (*add)(struct iam_work *w, struct details *d, struct str value);
} stages[] = {
	{ S_INIT("group"), S_INIT("Group"), add_group },
	{ S_INIT("policy"), S_INIT("LocalManagedPolicy"), add_policy },
	{ S_INIT("role"), S_INIT("Role"), add_role },
	{ S_INIT("user"), S_INIT("User"), add_user },
};

static bool is_wanted(const struct details *d, struct str kind)
{
	for (size_t i = 0; i < d->in->filter.n; i++)
		if (str_eq(d->in->filter.v[i], kind))
			return true;
	return d->in->filter.n == 0;
}

/* Walks one kind from the marker on; false when the page is full. */
static int run_stage(struct iam_work *w, struct details *d, const struct stage *stage, bool *full)
{
	struct str prefix = iam_key1(w, stage->row, (struct str){ 0 });
	struct str after =
	        str_concat(w->arena, 2, w->marker.p ? w->marker : S(""), (struct str){ "\0", 1 });
	struct str from = w->marker.p && str_cmp(after, prefix) > 0 ? after : prefix;
	struct str to = kv_prefix_end(w->arena, prefix), key, value, last = w->marker;

	if (str_cmp(from, to) >= 0)
		return 0;
	CLEANUP(kv_scan_close) struct kv_scan *s = kv_scan(w->txn, from, to, false);
	while (kv_next(s, &key, &value)) {
		if (d->shown == iam_page_size(&d->page)) {
			*full = true;
			d->page.next = last;
			return 0;
		}
		TRY(stage->add(w, d, str_dup(w->arena, value)));
		last = str_dup(w->arena, key);
		d->shown++;
	}
	w->marker = last;
	return 0;
}

static int get_account_authorization_details(struct iam_work *w,
        const struct iam_get_account_authorization_details_in *in,
        struct iam_get_account_authorization_details_out *out)
{
	struct details d = { .in = in, .out = out, .page = IAM_PAGE(in) };
	struct str marker = w->marker;
	size_t n, max = iam_page_size(&d.page) + 1;
	bool full = false;

	iam_aws_policies(&n);
	*out = (struct iam_get_account_authorization_details_out){
		.user_detail_list.v = arena_new_n(w->arena, struct iam_user_detail, max),
		.group_detail_list.v = arena_new_n(w->arena, struct iam_group_detail, max),
		.role_detail_list.v = arena_new_n(w->arena, struct iam_role_detail, max),
		.policies.v = arena_new_n(w->arena, struct iam_managed_policy_detail, max + n),
	};
	for (size_t i = 0; i < ARRAY_LEN(stages) && !full; i++)
		if (is_wanted(&d, stages[i].filter))
			TRY(run_stage(w, &d, &stages[i], &full));
	if (!full && is_wanted(&d, S("AWSManagedPolicy")))
		add_aws(w, &d);
	w->marker = marker;
	d.page.truncated = opt_bool(full);
	IAM_PAGED(&d.page, out);
	return 0;
}
IAM_OPERATION(iam_view, get_account_authorization_details)
