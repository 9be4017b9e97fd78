/* Groups: Create, Get, List, Update, Delete, AddUser, RemoveUser, ListGroupsForUser */
#include "services/iam/user.h"

#define GROUPS_PER_USER 10

struct str iam_member_key(struct iam_work *w, struct str group, struct str user)
{
	return iam_key2(w, S("member"), group, user);
}

static int create_group(
        struct iam_work *w, const struct iam_create_group_in *in, struct iam_create_group_out *out)
{
	struct iam_entity_record r = { .name = in->group_name, .path = in->path };

	TRY(iam_entity_create(w, IAM_GROUP, &r));
	out->group = iam_group_of(w, &r);
	return 0;
}
IAM_OPERATION(iam_update, create_group)

struct members {
	struct iam_page page;
	struct iam_user_list_type list;
};

static int add_member(struct iam_work *w, void *arg, struct str key, struct str value)
{
	struct members *m = arg;
	struct str service, account, region, row, group, user;
	struct iam_entity_record r = { 0 };

	if (!kv_key_read(w->arena, key, "ssssss", &service, &account, &region, &row, &group, &user))
		return -EPROTO;
	if (record_get(w->txn, iam_entity_key(w, IAM_USER, user), &iam_shape_entity_record, &r) !=
	        0)
		return -EPROTO;
	struct iam_user *shown = iam_user_of(w, &r);
	shown->tags = (struct iam_tag_list_type){ 0 };
	shown->permissions_boundary = NULL;
	m->list.v[m->list.n++] = *shown;
	return 1;
}

static int get_group(
        struct iam_work *w, const struct iam_get_group_in *in, struct iam_get_group_out *out)
{
	struct members m = { .page = IAM_PAGE(in) };
	struct iam_walk walk = { iam_member_key(w, in->group_name, (struct str){ 0 }), add_member,
		&m };
	struct iam_entity_record r;

	TRY(iam_entity_get(w, IAM_GROUP, in->group_name, &r));
	m.list.v = arena_new_n(w->arena, struct iam_user, iam_page_size(&m.page) + 1);
	TRY(iam_walk_rows(w, &m.page, &walk));
	out->group = iam_group_of(w, &r);
	out->users = m.list;
	IAM_PAGED(&m.page, out);
	return 0;
}
IAM_OPERATION(iam_view, get_group)

struct listing {
	struct iam_page page;
	struct iam_group_list_type list;
};

static int add_group(struct iam_work *w, void *arg, struct str key, struct str value)
{
	struct listing *l = arg;
	struct iam_entity_record r = { 0 };

	TRY(record_unpack(w->arena, &iam_shape_entity_record, value, &r));
	if (!iam_path_shown(&l->page, r.path))
		return 0;
	l->list.v[l->list.n++] = *iam_group_of(w, &r);
	return 1;
}

static int list_groups(
        struct iam_work *w, const struct iam_list_groups_in *in, struct iam_list_groups_out *out)
{
	struct listing l = { .page = IAM_PAGE(in) };
	struct iam_walk walk = { iam_entity_key(w, IAM_GROUP, (struct str){ 0 }), add_group, &l };

	l.page.path_prefix = in->path_prefix;
	l.list.v = arena_new_n(w->arena, struct iam_group, iam_page_size(&l.page) + 1);
	TRY(iam_walk_rows(w, &l.page, &walk));
	out->groups = l.list;
	IAM_PAGED(&l.page, out);
	return 0;
}
IAM_OPERATION(iam_view, list_groups)

static int list_groups_for_user(struct iam_work *w, const struct iam_list_groups_for_user_in *in,
        struct iam_list_groups_for_user_out *out)
{
	struct iam_page page = IAM_PAGE(in);
	struct iam_entity_record user, group;
	size_t from, to;

	TRY(iam_entity_get(w, IAM_USER, in->user_name, &user));
	iam_walk_list(w, &page, user.groups.n, &from, &to);
	out->groups = (struct iam_group_list_type){ .v = arena_new_n(w->arena, struct iam_group,
		                                            to - from + 1) };
	for (size_t i = from; i < to; i++) {
		TRY(iam_entity_get(w, IAM_GROUP, user.groups.v[i], &group));
		out->groups.v[out->groups.n++] = *iam_group_of(w, &group);
	}
	IAM_PAGED(&page, out);
	return 0;
}
IAM_OPERATION(iam_view, list_groups_for_user)

static int move_member(struct iam_work *w, struct str user, struct str from, struct str to)
{
	struct iam_entity_record r;

	TRY(iam_entity_get(w, IAM_USER, user, &r));
	if (from.p) {
		iam_list_remove(&r.groups, from);
		kv_del(w->txn, iam_member_key(w, from, r.name));
	}
	if (to.p && iam_list_add(w->arena, &r.groups, to))
		kv_put(w->txn, iam_member_key(w, to, r.name), S("1"));
	if (r.groups.n > GROUPS_PER_USER)
		return iam_refuse(w, IAM_LIMIT_EXCEEDED_EXCEPTION,
		        "Cannot exceed quota for GroupsPerUser: %d", GROUPS_PER_USER);
	iam_entity_put(w, IAM_USER, &r);
	return 0;
}

static int add_user_to_group(struct iam_work *w, const struct iam_add_user_to_group_in *in,
        struct iam_add_user_to_group_out *out)
{
	struct iam_entity_record group;

	TRY(iam_entity_get(w, IAM_GROUP, in->group_name, &group));
	return move_member(w, in->user_name, (struct str){ 0 }, group.name);
}
IAM_OPERATION(iam_update, add_user_to_group)

static int remove_user_from_group(struct iam_work *w,
        const struct iam_remove_user_from_group_in *in, struct iam_remove_user_from_group_out *out)
{
	struct iam_entity_record group;

	TRY(iam_entity_get(w, IAM_GROUP, in->group_name, &group));
	return move_member(w, in->user_name, group.name, (struct str){ 0 });
}
IAM_OPERATION(iam_update, remove_user_from_group)

/* The names of a group's members: a page without an end. */
static int members_of(struct iam_work *w, struct str group, struct iam_name_record_list *names)
{
	CLEANUP(kv_scan_close)
	struct kv_scan *s =
	        kv_scan_prefix(w->txn, iam_member_key(w, group, (struct str){ 0 }), false);
	struct str key, value, service, account, region, row, name, user;

	while (kv_next(s, &key, &value)) {
		if (!kv_key_read(w->arena, key, "ssssss", &service, &account, &region, &row, &name,
		            &user))
			return -EPROTO;
		iam_list_add(w->arena, names, user);
	}
	return 0;
}

static int rename_group(struct iam_work *w, struct iam_entity_record *r, struct str name)
{
	struct iam_name_record_list members = { 0 };
	struct str before = r->name;

	if (kv_has(w->txn, iam_entity_key(w, IAM_GROUP, name)) && !str_eq_nocase(name, before))
		return iam_refuse(w, IAM_ENTITY_ALREADY_EXISTS_EXCEPTION,
		        "Group with name %.*s already exists.", STR(name));
	TRY(members_of(w, before, &members));
	for (size_t i = 0; i < members.n; i++)
		TRY(move_member(w, members.v[i], before, name));
	kv_del(w->txn, iam_entity_key(w, IAM_GROUP, before));
	iam_entity_uses(w, IAM_GROUP, r, false);
	r->name = name;
	iam_entity_uses(w, IAM_GROUP, r, true);
	return 0;
}

static int update_group(
        struct iam_work *w, const struct iam_update_group_in *in, struct iam_update_group_out *out)
{
	struct iam_entity_record r;

	TRY(iam_entity_get(w, IAM_GROUP, in->group_name, &r));
	if (in->new_path.p)
		r.path = in->new_path;
	if (in->new_group_name.p)
		TRY(rename_group(w, &r, in->new_group_name));
	iam_entity_put(w, IAM_GROUP, &r);
	return 0;
}
IAM_OPERATION(iam_update, update_group)

static int delete_group(
        struct iam_work *w, const struct iam_delete_group_in *in, struct iam_delete_group_out *out)
{
	struct iam_name_record_list members = { 0 };
	struct iam_entity_record r;

	TRY(iam_entity_get(w, IAM_GROUP, in->group_name, &r));
	TRY(members_of(w, r.name, &members));
	if (members.n)
		return iam_refuse(w, IAM_DELETE_CONFLICT_EXCEPTION,
		        "Cannot delete entity, must remove users from group first.");
	return iam_entity_delete(w, IAM_GROUP, &r);
}
IAM_OPERATION(iam_update, delete_group)
