/* Instance profiles: Create, Get, List, ListForRole, Delete, AddRole, RemoveRole, tags */
#include "services/iam/instance_profile.h"

#include "api/arn.h"

#define PROFILES_MAX 1000

static struct str profile_key(struct iam_work *w, struct str name)
{
	return iam_key1(w, S("profile"), name);
}

/* Index: role -> profile. */
static struct str role_key(struct iam_work *w, struct str role, struct str profile)
{
	return iam_key2(w, S("role-profile"), role, profile);
}

static int profile_get(struct iam_work *w, struct str name, struct iam_instance_profile_record *r)
{
	*r = (struct iam_instance_profile_record){ 0 };
	int got = record_get(w->txn, profile_key(w, name), &iam_shape_instance_profile_record, r);
	if (got != KV_NOT_FOUND)
		return got;
	return iam_refuse(w, IAM_NO_SUCH_ENTITY_EXCEPTION, "Instance Profile %.*s cannot be found.",
	        STR(name));
}

static void profile_put(struct iam_work *w, const struct iam_instance_profile_record *r)
{
	record_put(w->txn, profile_key(w, r->name), &iam_shape_instance_profile_record, r);
}

static int profile_of(struct iam_work *w, const struct iam_instance_profile_record *r,
        struct iam_instance_profile *p)
{
	struct iam_entity_record role;

	*p = (struct iam_instance_profile){
		.path = r->path,
		.instance_profile_name = r->name,
		.instance_profile_id = r->id,
		.arn = arn_make(w->arena, "iam", S(""), w->account, "instance-profile%.*s%.*s",
		        STR(r->path), STR(r->name)),
		.create_date = r->created,
		.tags = iam_tags_shown(&r->tags),
		.roles.v = arena_new(w->arena, struct iam_role),
	};
	if (!r->role.p)
		return 0;
	TRY(iam_entity_get(w, IAM_ROLE, r->role, &role));
	p->roles.v[p->roles.n++] = *iam_role_of(w, &role);
	return 0;
}

bool iam_profiles_have(struct iam_work *w, struct str role)
{
	CLEANUP(kv_scan_close)
	struct kv_scan *s = kv_scan_prefix(w->txn, role_key(w, role, (struct str){ 0 }), false);
	struct str key, value;

	return kv_next(s, &key, &value);
}

int iam_profiles_of(
        struct iam_work *w, struct str role, struct iam_instance_profile_list_type *list)
{
	CLEANUP(kv_scan_close)
	struct kv_scan *s = kv_scan_prefix(w->txn, role_key(w, role, (struct str){ 0 }), false);
	struct iam_instance_profile_record r;
	struct str key, value;
	size_t capacity = 0;

	*list = (struct iam_instance_profile_list_type){ .v = arena_new(w->arena,
		                                                 struct iam_instance_profile) };
	while (kv_next(s, &key, &value)) {
		if (list->n >= capacity) {
			struct iam_instance_profile *v = arena_new_n(
			        w->arena, struct iam_instance_profile, capacity * 2 + 8);
			for (size_t i = 0; i < list->n; i++)
				v[i] = list->v[i];
			list->v = v;
			capacity = capacity * 2 + 8;
		}
		TRY(profile_get(w, str_dup(w->arena, value), &r));
		TRY(profile_of(w, &r, &list->v[list->n++]));
	}
	return 0;
}

static int create_instance_profile(struct iam_work *w,
        const struct iam_create_instance_profile_in *in,
        struct iam_create_instance_profile_out *out)
{
	struct iam_instance_profile_record r = {
		.name = in->instance_profile_name,
		.path = in->path.n ? in->path : S("/"),
		.id = iam_fresh_id(w, S("AIPA")),
		.created = opt_time(w->now_ms / 1000 * 1000),
	};

	if (kv_has(w->txn, profile_key(w, r.name)))
		return iam_refuse(w, IAM_ENTITY_ALREADY_EXISTS_EXCEPTION,
		        "Instance Profile %.*s already exists.", STR(r.name));
	TRY(iam_count(w, S("InstanceProfiles"), 1, PROFILES_MAX));
	TRY(iam_tags_merge(w, &r.tags, &in->tags));
	profile_put(w, &r);
	out->instance_profile = arena_new(w->arena, struct iam_instance_profile);
	return profile_of(w, &r, out->instance_profile);
}
IAM_OPERATION(iam_update, create_instance_profile)

static int get_instance_profile(struct iam_work *w, const struct iam_get_instance_profile_in *in,
        struct iam_get_instance_profile_out *out)
{
	struct iam_instance_profile_record r;

	TRY(profile_get(w, in->instance_profile_name, &r));
	out->instance_profile = arena_new(w->arena, struct iam_instance_profile);
	return profile_of(w, &r, out->instance_profile);
}
IAM_OPERATION(iam_view, get_instance_profile)

struct listing {
	struct iam_page page;
	struct iam_instance_profile_list_type list;
};

static int add_profile(struct iam_work *w, void *arg, struct str key, struct str value)
{
	struct listing *l = arg;
	struct iam_instance_profile_record r = { 0 };

	TRY(record_unpack(w->arena, &iam_shape_instance_profile_record, value, &r));
	if (!iam_path_shown(&l->page, r.path))
		return 0;
	struct iam_instance_profile *p = &l->list.v[l->list.n];
	if (profile_of(w, &r, p) != 0)
		return -EPROTO;
	p->tags = (struct iam_tag_list_type){ 0 };
	l->list.n++;
	return 1;
}

static int list_instance_profiles(struct iam_work *w,
        const struct iam_list_instance_profiles_in *in, struct iam_list_instance_profiles_out *out)
{
	struct listing l = { .page = IAM_PAGE(in) };
	struct iam_walk walk = { profile_key(w, (struct str){ 0 }), add_profile, &l };

	l.page.path_prefix = in->path_prefix;
	l.list.v = arena_new_n(w->arena, struct iam_instance_profile, iam_page_size(&l.page) + 1);
	TRY(iam_walk_rows(w, &l.page, &walk));
	out->instance_profiles = l.list;
	IAM_PAGED(&l.page, out);
	return 0;
}
IAM_OPERATION(iam_view, list_instance_profiles)

static int list_instance_profiles_for_role(struct iam_work *w,
        const struct iam_list_instance_profiles_for_role_in *in,
        struct iam_list_instance_profiles_for_role_out *out)
{
	struct iam_instance_profile_list_type all;
	struct iam_page page = IAM_PAGE(in);
	struct iam_entity_record role;
	size_t from, to;

	TRY(iam_entity_get(w, IAM_ROLE, in->role_name, &role));
	TRY(iam_profiles_of(w, role.name, &all));
	iam_walk_list(w, &page, all.n, &from, &to);
	out->instance_profiles = (struct iam_instance_profile_list_type){ all.v + from, to - from };
	IAM_PAGED(&page, out);
	return 0;
}
IAM_OPERATION(iam_view, list_instance_profiles_for_role)

static int delete_instance_profile(struct iam_work *w,
        const struct iam_delete_instance_profile_in *in,
        struct iam_delete_instance_profile_out *out)
{
	struct iam_instance_profile_record r;

	TRY(profile_get(w, in->instance_profile_name, &r));
	if (r.role.p)
		return iam_refuse(w, IAM_DELETE_CONFLICT_EXCEPTION,
		        "Cannot delete entity, must remove roles from instance profile first.");
	kv_del(w->txn, profile_key(w, r.name));
	return iam_count(w, S("InstanceProfiles"), -1, 0);
}
IAM_OPERATION(iam_update, delete_instance_profile)

static int add_role_to_instance_profile(struct iam_work *w,
        const struct iam_add_role_to_instance_profile_in *in,
        struct iam_add_role_to_instance_profile_out *out)
{
	struct iam_instance_profile_record r;
	struct iam_entity_record role;

	TRY(profile_get(w, in->instance_profile_name, &r));
	TRY(iam_entity_get(w, IAM_ROLE, in->role_name, &role));
	if (r.role.p)
		return iam_refuse(w, IAM_LIMIT_EXCEEDED_EXCEPTION,
		        "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1");
	r.role = role.name;
	profile_put(w, &r);
	kv_put(w->txn, role_key(w, role.name, r.name), r.name);
	return 0;
}
IAM_OPERATION(iam_update, add_role_to_instance_profile)

static int remove_role_from_instance_profile(struct iam_work *w,
        const struct iam_remove_role_from_instance_profile_in *in,
        struct iam_remove_role_from_instance_profile_out *out)
{
	struct iam_instance_profile_record r;

	TRY(profile_get(w, in->instance_profile_name, &r));
	if (!str_eq_nocase(r.role, in->role_name))
		return iam_refuse(w, IAM_NO_SUCH_ENTITY_EXCEPTION,
		        "The role with name %.*s cannot be found.", STR(in->role_name));
	kv_del(w->txn, role_key(w, r.role, r.name));
	r.role = (struct str){ 0 };
	profile_put(w, &r);
	return 0;
}
IAM_OPERATION(iam_update, remove_role_from_instance_profile)

static int tag_instance_profile(struct iam_work *w, const struct iam_tag_instance_profile_in *in,
        struct iam_tag_instance_profile_out *out)
{
	struct iam_instance_profile_record r;

	TRY(profile_get(w, in->instance_profile_name, &r));
	TRY(iam_tags_merge(w, &r.tags, &in->tags));
	profile_put(w, &r);
	return 0;
}
IAM_OPERATION(iam_update, tag_instance_profile)

static int untag_instance_profile(struct iam_work *w,
        const struct iam_untag_instance_profile_in *in, struct iam_untag_instance_profile_out *out)
{
	struct iam_instance_profile_record r;

	TRY(profile_get(w, in->instance_profile_name, &r));
	iam_tags_remove(&r.tags, in->tag_keys.v, in->tag_keys.n);
	profile_put(w, &r);
	return 0;
}
IAM_OPERATION(iam_update, untag_instance_profile)

static int list_instance_profile_tags(struct iam_work *w,
        const struct iam_list_instance_profile_tags_in *in,
        struct iam_list_instance_profile_tags_out *out)
{
	struct iam_page page = IAM_PAGE(in);
	struct iam_instance_profile_record r;

	TRY(profile_get(w, in->instance_profile_name, &r));
	out->tags = iam_tags_page(w, &page, &r.tags);
	IAM_PAGED(&page, out);
	return 0;
}
IAM_OPERATION(iam_view, list_instance_profile_tags)
