/* entity: rows of users, groups and roles, and how answers show them. */
#include "services/iam/entity.h"

#include "api/arn.h"

#define TAGS_MAX 50

static const struct iam_kind_facts facts[] = {
	[IAM_USER] = {
		.row = S_INIT("user"),
		.word = S_INIT("User"),
		.id_prefix = S_INIT("AIDA"),
		.counted = S_INIT("Users"),
		.quota = 5000,
		.inline_quota = 2048,
		.attached_quota = 10,
		.attached_quota_name = S_INIT("PoliciesPerUser"),
	},
	[IAM_GROUP] = {
		.row = S_INIT("group"),
		.word = S_INIT("Group"),
		.id_prefix = S_INIT("AGPA"),
		.counted = S_INIT("Groups"),
		.quota = 300,
		.inline_quota = 5120,
		.attached_quota = 10,
		.attached_quota_name = S_INIT("PoliciesPerGroup"),
	},
	[IAM_ROLE] = {
		.row = S_INIT("role"),
		.word = S_INIT("Role"),
		.id_prefix = S_INIT("AROA"),
		.counted = S_INIT("Roles"),
		.quota = 1000,
		.inline_quota = 10240,
		.attached_quota = 10,
		.attached_quota_name = S_INIT("PoliciesPerRole"),
	},
};

const struct iam_kind_facts *iam_kind_facts(enum iam_kind kind)
{
	return &facts[kind];
}

struct str iam_entity_key(struct iam_work *w, enum iam_kind kind, struct str name)
{
	return iam_key1(w, facts[kind].row, name);
}

struct str iam_entity_arn(
        struct arena *a, struct str account, enum iam_kind kind, const struct iam_entity_record *r)
{
	return arn_make(a, "iam", S(""), account, "%.*s%.*s%.*s", STR(facts[kind].row),
	        STR(r->path), STR(r->name));
}

int iam_entity_get(
        struct iam_work *w, enum iam_kind kind, struct str name, struct iam_entity_record *r)
{
	*r = (struct iam_entity_record){ 0 };
	int got = record_get(w->txn, iam_entity_key(w, kind, name), &iam_shape_entity_record, r);
	if (got != KV_NOT_FOUND)
		return got;
	return iam_refuse(w, IAM_NO_SUCH_ENTITY_EXCEPTION,
	        "The %.*s with name %.*s cannot be found.", STR(facts[kind].row), STR(name));
}

int iam_entity_change(
        struct iam_work *w, enum iam_kind kind, struct str name, struct iam_entity_record *r)
{
	TRY(iam_entity_get(w, kind, name, r));
	if (!r->linked_service.n)
		return 0;
	return iam_refuse(w, IAM_UNMODIFIABLE_ENTITY_EXCEPTION,
	        "Cannot perform the operation on the protected role '%.*s' - this role is only "
	        "modifiable by AWS",
	        STR(r->name));
}

void iam_entity_put(struct iam_work *w, enum iam_kind kind, const struct iam_entity_record *r)
{
	record_put(w->txn, iam_entity_key(w, kind, r->name), &iam_shape_entity_record, r);
}

int iam_entity_create(struct iam_work *w, enum iam_kind kind, struct iam_entity_record *r)
{
	const struct iam_kind_facts *f = &facts[kind];
	struct iam_tag_list_type tags = r->tags;

	if (kv_has(w->txn, iam_entity_key(w, kind, r->name)))
		return iam_refuse(w, IAM_ENTITY_ALREADY_EXISTS_EXCEPTION,
		        "%.*s with name %.*s already exists.", STR(f->word), STR(r->name));
	TRY(iam_count(w, f->counted, 1, f->quota));
	if (!r->path.n)
		r->path = S("/");
	r->id = iam_fresh_id(w, f->id_prefix);
	r->created = opt_time(w->now_ms / 1000 * 1000);
	r->tags = (struct iam_tag_list_type){ 0 };
	TRY(iam_tags_merge(w, &r->tags, &tags));
	if (r->boundary.p)
		TRY(iam_set_boundary(w, kind, r, r->boundary));
	iam_entity_put(w, kind, r);
	return 0;
}

int iam_entity_delete(struct iam_work *w, enum iam_kind kind, const struct iam_entity_record *r)
{
	struct iam_entity_record gone = *r;

	if (r->attached.n)
		return iam_refuse(w, IAM_DELETE_CONFLICT_EXCEPTION,
		        "Cannot delete entity, must detach all policies first.");
	if (r->inline_policies.n)
		return iam_refuse(w, IAM_DELETE_CONFLICT_EXCEPTION,
		        "Cannot delete entity, must delete policies first.");
	iam_clear_boundary(w, kind, &gone);
	kv_del(w->txn, iam_entity_key(w, kind, r->name));
	return iam_count(w, facts[kind].counted, -1, 0);
}

int iam_user_or_caller(struct iam_work *w, struct str given, struct str *name)
{
	*name = given.p ? given : w->caller_user;
	if (name->p)
		return 0;
	return iam_refuse(w, API_ERROR_VALIDATION,
	        "Must specify userName when calling with non-User credentials");
}

/* ---- as answers show them ---- */

struct iam_attached_permissions_boundary *iam_boundary_of(struct arena *a, struct str arn)
{
	struct iam_attached_permissions_boundary *b;

	if (!arn.p)
		return NULL;
	b = arena_new(a, struct iam_attached_permissions_boundary);
	b->permissions_boundary_type = S("Policy");
	b->permissions_boundary_arn = arn;
	return b;
}

struct iam_role *iam_role_of(struct iam_work *w, const struct iam_entity_record *r)
{
	struct iam_role *role = arena_new(w->arena, struct iam_role);

	role->path = r->path;
	role->role_name = r->name;
	role->role_id = r->id;
	role->arn = iam_entity_arn(w->arena, w->account, IAM_ROLE, r);
	role->create_date = r->created;
	role->assume_role_policy_document = iam_document(w->arena, r->trust);
	role->description = r->description;
	role->max_session_duration = r->max_session_duration;
	role->permissions_boundary = iam_boundary_of(w->arena, r->boundary);
	role->tags = iam_tags_shown(&r->tags);
	return role;
}

struct iam_user *iam_user_of(struct iam_work *w, const struct iam_entity_record *r)
{
	struct iam_user *user = arena_new(w->arena, struct iam_user);

	user->path = r->path;
	user->user_name = r->name;
	user->user_id = r->id;
	user->arn = iam_entity_arn(w->arena, w->account, IAM_USER, r);
	user->create_date = r->created;
	user->permissions_boundary = iam_boundary_of(w->arena, r->boundary);
	user->tags = iam_tags_shown(&r->tags);
	return user;
}

struct iam_group *iam_group_of(struct iam_work *w, const struct iam_entity_record *r)
{
	struct iam_group *group = arena_new(w->arena, struct iam_group);

	group->path = r->path;
	group->group_name = r->name;
	group->group_id = r->id;
	group->arn = iam_entity_arn(w->arena, w->account, IAM_GROUP, r);
	group->create_date = r->created;
	return group;
}

/* ---- lists inside of records ---- */

ptrdiff_t iam_list_find(const struct iam_name_record_list *l, struct str name)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->v[i], name))
			return (ptrdiff_t)i;
	return -1;
}

bool iam_list_add(struct arena *a, struct iam_name_record_list *l, struct str name)
{
	struct str *v = arena_new_n(a, struct str, l->n + 1);
	size_t at = 0;

	if (iam_list_find(l, name) >= 0)
		return false;
	while (at < l->n && str_cmp(l->v[at], name) < 0)
		at++;
	for (size_t i = 0; i < l->n; i++)
		v[i < at ? i : i + 1] = l->v[i];
	v[at] = name;
	*l = (struct iam_name_record_list){ v, l->n + 1 };
	return true;
}

bool iam_list_remove(struct iam_name_record_list *l, struct str name)
{
	ptrdiff_t at = iam_list_find(l, name);

	if (at < 0)
		return false;
	for (size_t i = (size_t)at + 1; i < l->n; i++)
		l->v[i - 1] = l->v[i];
	l->n--;
	return true;
}

static struct iam_tag *find_tag(struct iam_tag_list_type *tags, struct str key)
{
	for (size_t i = 0; i < tags->n; i++)
		if (str_eq_nocase(tags->v[i].key, key))
			return &tags->v[i];
	return NULL;
}

int iam_tags_merge(
        struct iam_work *w, struct iam_tag_list_type *to, const struct iam_tag_list_type *add)
{
	struct iam_tag_list_type merged = {
		.v = arena_new_n(w->arena, struct iam_tag, to->n + add->n + 1), .n = to->n
	};

	for (size_t i = 0; i < add->n; i++)
		for (size_t j = 0; j < i; j++)
			if (str_eq_nocase(add->v[i].key, add->v[j].key))
				return iam_refuse(w, IAM_INVALID_INPUT_EXCEPTION,
				        "Duplicate tag keys found. Please note that Tag keys are "
				        "case insensitive.");
	for (size_t i = 0; i < to->n; i++)
		merged.v[i] = to->v[i];
	for (size_t i = 0; i < add->n; i++) {
		struct iam_tag *there = find_tag(&merged, add->v[i].key);
		if (there)
			*there = add->v[i];
		else
			merged.v[merged.n++] = add->v[i];
	}
	if (merged.n > TAGS_MAX)
		return iam_refuse(w, IAM_LIMIT_EXCEEDED_EXCEPTION,
		        "The number of tags has reached the maximum limit.");
	*to = merged;
	return 0;
}

void iam_tags_remove(struct iam_tag_list_type *from, const struct str *keys, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < from->n; i++) {
		bool gone = false;
		for (size_t k = 0; k < n; k++)
			gone = gone || str_eq_nocase(from->v[i].key, keys[k]);
		if (!gone)
			from->v[kept++] = from->v[i];
	}
	from->n = kept;
}

struct iam_tag_list_type iam_tags_shown(const struct iam_tag_list_type *tags)
{
	return tags->n ? *tags : (struct iam_tag_list_type){ 0 };
}

struct iam_tag_list_type iam_tags_page(
        struct iam_work *w, struct iam_page *page, const struct iam_tag_list_type *tags)
{
	size_t from, to;

	iam_walk_list(w, page, tags->n, &from, &to);
	return (struct iam_tag_list_type){ tags->v ? tags->v + from : NULL, to - from };
}
