/* Roles: Create, Get, List, Update, UpdateDescription, Delete, UpdateAssumeRolePolicy */
#include "services/iam/entity.h"

#include "services/iam/instance_profile.h"
#include "services/iam/trust.h"

#define DURATION_PRESET 3600

static int create_role(
        struct iam_work *w, const struct iam_create_role_in *in, struct iam_create_role_out *out)
{
	struct iam_entity_record r = {
		.name = in->role_name,
		.path = in->path,
		.trust = in->assume_role_policy_document,
		.description = in->description,
		.max_session_duration = in->max_session_duration.set ? in->max_session_duration
		                                                     : opt_int(DURATION_PRESET),
		.boundary = in->permissions_boundary,
		.tags = in->tags,
	};

	TRY(iam_trust_check(w, r.trust));
	if (str_starts(r.path, S("/aws-service-role/")))
		return iam_refuse(w, API_ERROR_VALIDATION,
		        "Role paths beginning with /aws-service-role/ are reserved.");
	TRY(iam_entity_create(w, IAM_ROLE, &r));
	out->role = iam_role_of(w, &r);
	return 0;
}
IAM_OPERATION(iam_update, create_role)

static int get_role(
        struct iam_work *w, const struct iam_get_role_in *in, struct iam_get_role_out *out)
{
	struct iam_entity_record r;

	TRY(iam_entity_get(w, IAM_ROLE, in->role_name, &r));
	out->role = iam_role_of(w, &r);
	out->role->role_last_used = arena_new(w->arena, struct iam_role_last_used);
	out->role->role_last_used->last_used_date = r.last_used;
	out->role->role_last_used->region = r.last_used_region;
	return 0;
}
IAM_OPERATION(iam_view, get_role)

struct listing {
	struct iam_page page;
	struct iam_role_list_type list;
};

static int add_role(struct iam_work *w, void *arg, struct str key, struct str value)
{
	struct listing *l = arg;
	struct iam_entity_record r = { 0 };

	TRY(record_unpack(w->arena, &iam_shape_entity_record, value, &r));
	if (!iam_path_shown(&l->page, r.path))
		return 0;
	struct iam_role *role = iam_role_of(w, &r);
	role->tags = (struct iam_tag_list_type){ 0 };
	role->permissions_boundary = NULL;
	l->list.v[l->list.n++] = *role;
	return 1;
}

static int list_roles(
        struct iam_work *w, const struct iam_list_roles_in *in, struct iam_list_roles_out *out)
{
	struct listing l = { .page = IAM_PAGE(in) };
	struct iam_walk walk = { iam_entity_key(w, IAM_ROLE, (struct str){ 0 }), add_role, &l };

	l.page.path_prefix = in->path_prefix;
	l.list.v = arena_new_n(w->arena, struct iam_role, iam_page_size(&l.page) + 1);
	TRY(iam_walk_rows(w, &l.page, &walk));
	out->roles = l.list;
	IAM_PAGED(&l.page, out);
	return 0;
}
IAM_OPERATION(iam_view, list_roles)

static int update_role(
        struct iam_work *w, const struct iam_update_role_in *in, struct iam_update_role_out *out)
{
	struct iam_entity_record r;

	TRY(iam_entity_change(w, IAM_ROLE, in->role_name, &r));
	if (in->description.p)
		r.description = in->description;
	if (in->max_session_duration.set)
		r.max_session_duration = in->max_session_duration;
	iam_entity_put(w, IAM_ROLE, &r);
	return 0;
}
IAM_OPERATION(iam_update, update_role)

static int update_role_description(struct iam_work *w,
        const struct iam_update_role_description_in *in,
        struct iam_update_role_description_out *out)
{
	struct iam_entity_record r;

	TRY(iam_entity_get(w, IAM_ROLE, in->role_name, &r));
	r.description = in->description;
	iam_entity_put(w, IAM_ROLE, &r);
	out->role = iam_role_of(w, &r);
	return 0;
}
IAM_OPERATION(iam_update, update_role_description)

static int update_assume_role_policy(struct iam_work *w,
        const struct iam_update_assume_role_policy_in *in,
        struct iam_update_assume_role_policy_out *out)
{
	struct iam_entity_record r;

	TRY(iam_trust_check(w, in->policy_document));
	TRY(iam_entity_change(w, IAM_ROLE, in->role_name, &r));
	r.trust = in->policy_document;
	iam_entity_put(w, IAM_ROLE, &r);
	return 0;
}
IAM_OPERATION(iam_update, update_assume_role_policy)

static int delete_role(
        struct iam_work *w, const struct iam_delete_role_in *in, struct iam_delete_role_out *out)
{
	struct iam_entity_record r;

	TRY(iam_entity_change(w, IAM_ROLE, in->role_name, &r));
	if (iam_profiles_have(w, r.name))
		return iam_refuse(w, IAM_DELETE_CONFLICT_EXCEPTION,
		        "Cannot delete entity, must remove roles from instance profile first.");
	return iam_entity_delete(w, IAM_ROLE, &r);
}
IAM_OPERATION(iam_update, delete_role)
