/* Managed policies of users, groups and roles: Attach, Detach, ListAttached; boundaries. */
#include "services/iam/managed.h"

#include "api/arn.h"

static struct str use_key(struct iam_work *w, const struct iam_use *use)
{
	struct buf b = buf_init(w->arena);

	buf_add(&b, iam_use_prefix(w, use->arn, use->usage));
	kv_key_add(&b, "ss", iam_kind_facts(use->kind)->row, use->name);
	return buf_str(&b);
}

struct str iam_use_prefix(struct iam_work *w, struct str arn, struct str usage)
{
	return kv_key(w->arena, "ssssss", S("iam"), w->account, S(""), S("use"), arn, usage);
}

void iam_use_add(struct iam_work *w, const struct iam_use *use)
{
	kv_put(w->txn, use_key(w, use), S("1"));
}

void iam_use_remove(struct iam_work *w, const struct iam_use *use)
{
	kv_del(w->txn, use_key(w, use));
}

int64_t iam_use_count(struct iam_work *w, struct str arn, struct str usage)
{
	CLEANUP(kv_scan_close)
	struct kv_scan *s = kv_scan_prefix(w->txn, iam_use_prefix(w, arn, usage), false);
	struct str key, value;
	int64_t n = 0;

	while (kv_next(s, &key, &value))
		n++;
	return n;
}

static void note_use(struct iam_work *w, const struct iam_use *use, bool present)
{
	if (present)
		iam_use_add(w, use);
	else
		iam_use_remove(w, use);
}

void iam_entity_uses(
        struct iam_work *w, enum iam_kind kind, const struct iam_entity_record *r, bool present)
{
	struct iam_use use = { r->boundary, IAM_USE_BOUNDARY, kind, r->name };

	if (r->boundary.p)
		note_use(w, &use, present);
	use.usage = IAM_USE_ATTACHED;
	for (size_t i = 0; i < r->attached.n; i++) {
		use.arn = r->attached.v[i];
		note_use(w, &use, present);
	}
}

struct attachment {
	enum iam_kind kind;
	struct str name, arn;
};

static int check_arn(struct iam_work *w, struct str text)
{
	struct arn arn;

	if (arn_parse(text, &arn) && str_eq(arn.service, S("iam")) &&
	        str_starts(arn.resource, S("policy/")))
		return 0;
	return iam_refuse(w, IAM_INVALID_INPUT_EXCEPTION, "ARN %.*s is not valid.", STR(text));
}

static int attach(struct iam_work *w, const struct attachment *x)
{
	const struct iam_kind_facts *f = iam_kind_facts(x->kind);
	struct iam_entity_record r;
	struct str document;

	TRY(check_arn(w, x->arn));
	TRY(iam_entity_change(w, x->kind, x->name, &r));
	int got = iam_policy_document(w, x->arn, &document);
	if (got == KV_NOT_FOUND)
		return iam_refuse(w, IAM_NO_SUCH_ENTITY_EXCEPTION,
		        "Policy %.*s does not exist or is not attachable.", STR(x->arn));
	TRY(got);
	if (!iam_list_add(w->arena, &r.attached, x->arn))
		return 0;
	if (r.attached.n > f->attached_quota)
		return iam_refuse(w, IAM_LIMIT_EXCEEDED_EXCEPTION,
		        "Cannot exceed quota for %.*s: %zu", STR(f->attached_quota_name),
		        f->attached_quota);
	iam_use_add(w, &(struct iam_use){ x->arn, IAM_USE_ATTACHED, x->kind, r.name });
	iam_entity_put(w, x->kind, &r);
	return 0;
}

static int detach(struct iam_work *w, const struct attachment *x)
{
	struct iam_entity_record r;

	TRY(check_arn(w, x->arn));
	TRY(iam_entity_change(w, x->kind, x->name, &r));
	if (!iam_list_remove(&r.attached, x->arn))
		return iam_refuse(
		        w, IAM_NO_SUCH_ENTITY_EXCEPTION, "Policy %.*s was not found.", STR(x->arn));
	iam_use_remove(w, &(struct iam_use){ x->arn, IAM_USE_ATTACHED, x->kind, r.name });
	iam_entity_put(w, x->kind, &r);
	return 0;
}

static int set_boundary(struct iam_work *w, const struct attachment *x)
{
	struct iam_entity_record r;

	TRY(iam_entity_change(w, x->kind, x->name, &r));
	TRY(iam_set_boundary(w, x->kind, &r, x->arn));
	iam_entity_put(w, x->kind, &r);
	return 0;
}

static int clear_boundary(struct iam_work *w, const struct attachment *x)
{
	struct iam_entity_record r;

	TRY(iam_entity_change(w, x->kind, x->name, &r));
	if (!r.boundary.p)
		return iam_refuse(w, IAM_NO_SUCH_ENTITY_EXCEPTION,
		        "%.*s %.*s does not have a permissions boundary",
		        STR(iam_kind_facts(x->kind)->word), STR(r.name));
	iam_clear_boundary(w, x->kind, &r);
	iam_entity_put(w, x->kind, &r);
	return 0;
}

int iam_set_boundary(
        struct iam_work *w, enum iam_kind kind, struct iam_entity_record *r, struct str arn)
{
	struct str document;
	int got = iam_policy_document(w, arn, &document);

	if (got == KV_NOT_FOUND)
		return iam_refuse(w, IAM_NO_SUCH_ENTITY_EXCEPTION,
		        "Scope ARN: %.*s does not exist or is not attachable.", STR(arn));
	TRY(got);
	iam_clear_boundary(w, kind, r);
	r->boundary = arn;
	iam_use_add(w, &(struct iam_use){ arn, IAM_USE_BOUNDARY, kind, r->name });
	return 0;
}

void iam_clear_boundary(struct iam_work *w, enum iam_kind kind, struct iam_entity_record *r)
{
	if (r->boundary.p)
		iam_use_remove(
		        w, &(struct iam_use){ r->boundary, IAM_USE_BOUNDARY, kind, r->name });
	r->boundary = (struct str){ 0 };
}

struct attached {
	enum iam_kind kind;
	struct str name;
	struct iam_page page;
	struct iam_attached_policies_list_type *list;
};

static int list_attached(struct iam_work *w, struct attached *x)
{
	struct iam_entity_record r;
	struct iam_name_record_list shown = { 0 };
	size_t from, to;

	TRY(iam_entity_get(w, x->kind, x->name, &r));
	shown.v = arena_new_n(w->arena, struct str, r.attached.n + 1);
	for (size_t i = 0; i < r.attached.n; i++) {
		struct str path = str_sub(r.attached.v[i],
		        (size_t)str_find_char(r.attached.v[i], '/'), r.attached.v[i].n);
		if (iam_path_shown(&x->page, path))
			shown.v[shown.n++] = r.attached.v[i];
	}
	iam_walk_list(w, &x->page, shown.n, &from, &to);
	*x->list = (struct iam_attached_policies_list_type){
		.v = arena_new_n(w->arena, struct iam_attached_policy, to - from + 1)
	};
	for (size_t i = from; i < to; i++)
		x->list->v[x->list->n++] =
		        (struct iam_attached_policy){ iam_policy_arn_name(shown.v[i]), shown.v[i] };
	return 0;
}

/* The same for each kind of entity. */
#define ATTACH(kind, lower, list_op)                                                              \
	static int attach_##lower##_policy(struct iam_work *w,                                    \
	        const struct iam_attach_##lower##_policy_in *in,                                  \
	        struct iam_attach_##lower##_policy_out *out)                                      \
	{                                                                                         \
		return attach(w, &(struct attachment){ kind, in->lower##_name, in->policy_arn }); \
	}                                                                                         \
	IAM_OPERATION(iam_update, attach_##lower##_policy)                                        \
	static int detach_##lower##_policy(struct iam_work *w,                                    \
	        const struct iam_detach_##lower##_policy_in *in,                                  \
	        struct iam_detach_##lower##_policy_out *out)                                      \
	{                                                                                         \
		return detach(w, &(struct attachment){ kind, in->lower##_name, in->policy_arn }); \
	}                                                                                         \
	IAM_OPERATION(iam_update, detach_##lower##_policy)                                        \
	static int list_op(struct iam_work *w, const struct iam_##list_op##_in *in,               \
	        struct iam_##list_op##_out *out)                                                  \
	{                                                                                         \
		struct attached x = { kind, in->lower##_name, IAM_PAGE(in),                       \
			&out->attached_policies };                                                \
		x.page.path_prefix = in->path_prefix;                                             \
		TRY(list_attached(w, &x));                                                        \
		IAM_PAGED(&x.page, out);                                                          \
		return 0;                                                                         \
	}                                                                                         \
	IAM_OPERATION(iam_view, list_op)
ATTACH(IAM_USER, user, list_attached_user_policies)
ATTACH(IAM_GROUP, group, list_attached_group_policies)
ATTACH(IAM_ROLE, role, list_attached_role_policies)

#define BOUNDARY(the_kind, lower)                                                               \
	static int put_##lower##_permissions_boundary(struct iam_work *w,                       \
	        const struct iam_put_##lower##_permissions_boundary_in *in,                     \
	        struct iam_put_##lower##_permissions_boundary_out *out)                         \
	{                                                                                       \
		return set_boundary(w, &(struct attachment){ the_kind, in->lower##_name,        \
		                               in->permissions_boundary });                     \
	}                                                                                       \
	IAM_OPERATION(iam_update, put_##lower##_permissions_boundary)                           \
	static int delete_##lower##_permissions_boundary(struct iam_work *w,                    \
	        const struct iam_delete_##lower##_permissions_boundary_in *in,                  \
	        struct iam_delete_##lower##_permissions_boundary_out *out)                      \
	{                                                                                       \
		return clear_boundary(                                                          \
		        w, &(struct attachment){ .kind = the_kind, .name = in->lower##_name }); \
	}                                                                                       \
	IAM_OPERATION(iam_update, delete_##lower##_permissions_boundary)
BOUNDARY(IAM_USER, user)
BOUNDARY(IAM_ROLE, role)
