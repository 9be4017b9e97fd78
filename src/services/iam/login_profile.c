/*
 * Login profiles: Create, Get, Update, Delete. There is no sign-in page, so no password is kept:
 * it is checked against the account's password policy, and that is all it is good for here.
 */
#include "services/iam/settings.h"

static int find(struct iam_work *w, struct str given, struct iam_entity_record *user)
{
	struct str name;

	TRY(iam_user_or_caller(w, given, &name));
	return iam_entity_get(w, IAM_USER, name, user);
}

static int find_login(struct iam_work *w, struct str given, struct iam_entity_record *user)
{
	TRY(find(w, given, user));
	if (user->login)
		return 0;
	return iam_refuse(w, IAM_NO_SUCH_ENTITY_EXCEPTION,
	        "Login Profile for User %.*s cannot be found.", STR(user->name));
}

static struct iam_login_profile *shown(struct iam_work *w, const struct iam_entity_record *user)
{
	struct iam_login_profile *p = arena_new(w->arena, struct iam_login_profile);

	p->user_name = user->name;
	p->create_date = user->login->created;
	p->password_reset_required = user->login->reset_required;
	return p;
}

static int create_login_profile(struct iam_work *w, const struct iam_create_login_profile_in *in,
        struct iam_create_login_profile_out *out)
{
	struct iam_entity_record user;

	TRY(find(w, in->user_name, &user));
	if (user.login)
		return iam_refuse(w, IAM_ENTITY_ALREADY_EXISTS_EXCEPTION,
		        "Login Profile for user %.*s already exists.", STR(user.name));
	if (in->password.p)
		TRY(iam_password_check(w, in->password));
	user.login = arena_new(w->arena, struct iam_login_record);
	user.login->created = opt_time(w->now_ms / 1000 * 1000);
	user.login->reset_required = opt_bool(in->password_reset_required.v);
	iam_entity_put(w, IAM_USER, &user);
	out->login_profile = shown(w, &user);
	return 0;
}
IAM_OPERATION(iam_update, create_login_profile)

static int get_login_profile(struct iam_work *w, const struct iam_get_login_profile_in *in,
        struct iam_get_login_profile_out *out)
{
	struct iam_entity_record user;

	TRY(find_login(w, in->user_name, &user));
	out->login_profile = shown(w, &user);
	return 0;
}
IAM_OPERATION(iam_view, get_login_profile)

static int update_login_profile(struct iam_work *w, const struct iam_update_login_profile_in *in,
        struct iam_update_login_profile_out *out)
{
	struct iam_entity_record user;

	TRY(find_login(w, in->user_name, &user));
	if (in->password.p)
		TRY(iam_password_check(w, in->password));
	if (in->password_reset_required.set)
		user.login->reset_required = in->password_reset_required;
	iam_entity_put(w, IAM_USER, &user);
	return 0;
}
IAM_OPERATION(iam_update, update_login_profile)

static int delete_login_profile(struct iam_work *w, const struct iam_delete_login_profile_in *in,
        struct iam_delete_login_profile_out *out)
{
	struct iam_entity_record user;

	TRY(find_login(w, in->user_name, &user));
	user.login = NULL;
	iam_entity_put(w, IAM_USER, &user);
	return 0;
}
IAM_OPERATION(iam_update, delete_login_profile)
