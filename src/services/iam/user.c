/* Users: Create, Get, List, Update, Delete */
#include "services/iam/user.h"

static int create_user(
        struct iam_work *w, const struct iam_create_user_in *in, struct iam_create_user_out *out)
{
	struct iam_entity_record r = {
		.name = in->user_name,
		.path = in->path,
		.boundary = in->permissions_boundary,
		.tags = in->tags,
	};

	TRY(iam_entity_create(w, IAM_USER, &r));
	out->user = iam_user_of(w, &r);
	return 0;
}
IAM_OPERATION(iam_update, create_user)

static int get_user(
        struct iam_work *w, const struct iam_get_user_in *in, struct iam_get_user_out *out)
{
	struct iam_entity_record r;
	struct str name;

	TRY(iam_user_or_caller(w, in->user_name, &name));
	TRY(iam_entity_get(w, IAM_USER, name, &r));
	out->user = iam_user_of(w, &r);
	return 0;
}

static int get_user_work(struct iam_work *w, const void *in, void *out)
{
	return get_user(w, in, out);
}

/* Root asks for itself: no row knows it. */
int iam_get_user(struct task *t, const struct iam_get_user_in *in, struct iam_get_user_out *out)
{
	const struct call *c = call_of(t);

	if (in->user_name.p || c->principal.type != PRINCIPAL_ROOT)
		return iam_view(t, get_user_work, in, out);
	out->user = arena_new(task_arena(t), struct iam_user);
	out->user->user_id = c->account;
	out->user->arn = c->principal.arn;
	out->user->create_date = opt_time(0);
	return 0;
}

struct listing {
	struct iam_page page;
	struct iam_user_list_type list;
};

static int add_user(struct iam_work *w, void *arg, struct str key, struct str value)
{
	struct listing *l = arg;
	struct iam_entity_record r = { 0 };

	TRY(record_unpack(w->arena, &iam_shape_entity_record, value, &r));
	if (!iam_path_shown(&l->page, r.path))
		return 0;
	struct iam_user *user = iam_user_of(w, &r);
	user->tags = (struct iam_tag_list_type){ 0 };
	user->permissions_boundary = NULL;
	l->list.v[l->list.n++] = *user;
	return 1;
}

static int list_users(
        struct iam_work *w, const struct iam_list_users_in *in, struct iam_list_users_out *out)
{
	struct listing l = { .page = IAM_PAGE(in) };
	struct iam_walk walk = { iam_entity_key(w, IAM_USER, (struct str){ 0 }), add_user, &l };

	l.page.path_prefix = in->path_prefix;
	l.list.v = arena_new_n(w->arena, struct iam_user, iam_page_size(&l.page) + 1);
	TRY(iam_walk_rows(w, &l.page, &walk));
	out->users = l.list;
	IAM_PAGED(&l.page, out);
	return 0;
}
IAM_OPERATION(iam_view, list_users)

/* What refers to the user by name follows. */
static int rename_user(struct iam_work *w, struct iam_entity_record *r, struct str name)
{
	if (kv_has(w->txn, iam_entity_key(w, IAM_USER, name)) && !str_eq_nocase(name, r->name))
		return iam_refuse(w, IAM_ENTITY_ALREADY_EXISTS_EXCEPTION,
		        "User with name %.*s already exists.", STR(name));
	kv_del(w->txn, iam_entity_key(w, IAM_USER, r->name));
	TRY(iam_user_references(w, r, r->name, false));
	r->name = name;
	return iam_user_references(w, r, name, true);
}

static int update_user(
        struct iam_work *w, const struct iam_update_user_in *in, struct iam_update_user_out *out)
{
	struct iam_entity_record r;

	TRY(iam_entity_get(w, IAM_USER, in->user_name, &r));
	if (in->new_path.p)
		r.path = in->new_path;
	if (in->new_user_name.p)
		TRY(rename_user(w, &r, in->new_user_name));
	iam_entity_put(w, IAM_USER, &r);
	return 0;
}
IAM_OPERATION(iam_update, update_user)

static int delete_user(
        struct iam_work *w, const struct iam_delete_user_in *in, struct iam_delete_user_out *out)
{
	struct iam_entity_record r;

	TRY(iam_entity_get(w, IAM_USER, in->user_name, &r));
	if (r.access_keys.n)
		return iam_refuse(w, IAM_DELETE_CONFLICT_EXCEPTION,
		        "Cannot delete entity, must delete access keys first.");
	if (r.login)
		return iam_refuse(w, IAM_DELETE_CONFLICT_EXCEPTION,
		        "Cannot delete entity, must delete login profile first.");
	if (r.groups.n)
		return iam_refuse(w, IAM_DELETE_CONFLICT_EXCEPTION,
		        "Cannot delete entity, must remove users from group first.");
	return iam_entity_delete(w, IAM_USER, &r);
}
IAM_OPERATION(iam_update, delete_user)
