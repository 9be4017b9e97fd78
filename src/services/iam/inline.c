/* Inline policies of users, groups and roles: Put, Get, Delete, List. */
#include "services/iam/entity.h"

struct place {
	enum iam_kind kind;
	struct str entity, policy, document;
};

static ptrdiff_t find(const struct iam_entity_record *r, struct str policy)
{
	for (size_t i = 0; i < r->inline_policies.n; i++)
		if (str_eq(r->inline_policies.v[i].name, policy))
			return (ptrdiff_t)i;
	return -1;
}

static int not_found(struct iam_work *w, const struct place *p)
{
	return iam_refuse(w, IAM_NO_SUCH_ENTITY_EXCEPTION,
	        "The %.*s policy with name %.*s cannot be found.",
	        STR(iam_kind_facts(p->kind)->row), STR(p->policy));
}

/* Sets the policy in the list, which stays in the order of names. */
static void set(struct iam_work *w, struct iam_entity_record *r, const struct place *p)
{
	struct iam_inline_policy_record_list *l = &r->inline_policies;
	struct iam_inline_policy_record *v =
	        arena_new_n(w->arena, struct iam_inline_policy_record, l->n + 1);
	ptrdiff_t there = find(r, p->policy);
	size_t n = 0, i = 0;

	if (there >= 0) {
		l->v[there].document = p->document;
		return;
	}
	while (i < l->n && str_cmp(l->v[i].name, p->policy) < 0)
		v[n++] = l->v[i++];
	v[n++] = (struct iam_inline_policy_record){ p->policy, p->document };
	while (i < l->n)
		v[n++] = l->v[i++];
	*l = (struct iam_inline_policy_record_list){ v, n };
}

static int put(struct iam_work *w, const struct place *p)
{
	const struct iam_kind_facts *f = iam_kind_facts(p->kind);
	struct iam_entity_record r;
	size_t size = 0;

	TRY(iam_document_check(w, p->document, POLICY_IDENTITY));
	TRY(iam_entity_change(w, p->kind, p->entity, &r));
	set(w, &r, p);
	for (size_t i = 0; i < r.inline_policies.n; i++)
		size += iam_document_size(r.inline_policies.v[i].document);
	if (size > f->inline_quota)
		return iam_refuse(w, IAM_LIMIT_EXCEEDED_EXCEPTION,
		        "Maximum policy size of %zu bytes exceeded for %.*s %.*s", f->inline_quota,
		        STR(f->row), STR(r.name));
	iam_entity_put(w, p->kind, &r);
	return 0;
}

static int get(struct iam_work *w, struct place *p)
{
	struct iam_entity_record r;

	TRY(iam_entity_get(w, p->kind, p->entity, &r));
	ptrdiff_t at = find(&r, p->policy);
	if (at < 0)
		return not_found(w, p);
	p->entity = r.name;
	p->document = iam_document(w->arena, r.inline_policies.v[at].document);
	return 0;
}

static int del(struct iam_work *w, const struct place *p)
{
	struct iam_entity_record r;

	TRY(iam_entity_change(w, p->kind, p->entity, &r));
	ptrdiff_t at = find(&r, p->policy);
	if (at < 0)
		return not_found(w, p);
	r.inline_policies.n--;
	for (size_t i = (size_t)at; i < r.inline_policies.n; i++)
		r.inline_policies.v[i] = r.inline_policies.v[i + 1];
	iam_entity_put(w, p->kind, &r);
	return 0;
}

static int list(struct iam_work *w, const struct place *p, struct iam_page *page,
        struct iam_policy_name_list_type *names)
{
	struct iam_entity_record r;
	size_t from, to;

	TRY(iam_entity_get(w, p->kind, p->entity, &r));
	iam_walk_list(w, page, r.inline_policies.n, &from, &to);
	*names = (struct iam_policy_name_list_type){ .v = arena_new_n(
		                                             w->arena, struct str, to - from + 1) };
	for (size_t i = from; i < to; i++)
		names->v[names->n++] = r.inline_policies.v[i].name;
	return 0;
}

/* The same for each kind of entity. */
#define INLINE(the_kind, lower)                                                                    \
	static int put_##lower##_policy(struct iam_work *w,                                        \
	        const struct iam_put_##lower##_policy_in *in,                                      \
	        struct iam_put_##lower##_policy_out *out)                                          \
	{                                                                                          \
		return put(w, &(struct place){ the_kind, in->lower##_name, in->policy_name,        \
		                      in->policy_document });                                      \
	}                                                                                          \
	IAM_OPERATION(iam_update, put_##lower##_policy)                                            \
	static int get_##lower##_policy(struct iam_work *w,                                        \
	        const struct iam_get_##lower##_policy_in *in,                                      \
	        struct iam_get_##lower##_policy_out *out)                                          \
	{                                                                                          \
		struct place p = { the_kind, in->lower##_name, in->policy_name, { 0 } };           \
		TRY(get(w, &p));                                                                   \
		out->lower##_name = p.entity;                                                      \
		out->policy_name = p.policy;                                                       \
		out->policy_document = p.document;                                                 \
		return 0;                                                                          \
	}                                                                                          \
	IAM_OPERATION(iam_view, get_##lower##_policy)                                              \
	static int delete_##lower##_policy(struct iam_work *w,                                     \
	        const struct iam_delete_##lower##_policy_in *in,                                   \
	        struct iam_delete_##lower##_policy_out *out)                                       \
	{                                                                                          \
		return del(                                                                        \
		        w, &(struct place){ the_kind, in->lower##_name, in->policy_name, { 0 } }); \
	}                                                                                          \
	IAM_OPERATION(iam_update, delete_##lower##_policy)                                         \
	static int list_##lower##_policies(struct iam_work *w,                                     \
	        const struct iam_list_##lower##_policies_in *in,                                   \
	        struct iam_list_##lower##_policies_out *out)                                       \
	{                                                                                          \
		struct iam_page page = IAM_PAGE(in);                                               \
		TRY(list(w, &(struct place){ .kind = the_kind, .entity = in->lower##_name },       \
		        &page, &out->policy_names));                                               \
		IAM_PAGED(&page, out);                                                             \
		return 0;                                                                          \
	}                                                                                          \
	IAM_OPERATION(iam_view, list_##lower##_policies)
INLINE(IAM_USER, user)
INLINE(IAM_GROUP, group)
INLINE(IAM_ROLE, role)
