#pragma once
/*
 * entity: users, groups and roles. IAM treats the three alike in most of what can be done to them,
 * so they are one record with one set of functions; what differs is a row of a table.
 */
#include "services/iam/work.h"

enum iam_kind { IAM_USER, IAM_GROUP, IAM_ROLE };

struct iam_kind_facts {
	struct str row;        /* "role": its kind in keys and ARNs */
	struct str word;       /* "Role": in messages */
	struct str id_prefix;  /* "AROA" */
	struct str counted;    /* "Roles": its counter and quota */
	int64_t quota;         /* per account */
	size_t inline_quota;   /* characters of all inline policies */
	size_t attached_quota; /* managed policies */
	struct str attached_quota_name;
};

const struct iam_kind_facts *iam_kind_facts(enum iam_kind kind);

struct str iam_entity_key(struct iam_work *w, enum iam_kind kind, struct str name);
struct str iam_entity_arn(
        struct arena *a, struct str account, enum iam_kind kind, const struct iam_entity_record *r);
/* 0, or NoSuchEntity in AWS's words. */
int iam_entity_get(struct iam_work *w, enum iam_kind kind, struct str name,
        struct iam_entity_record *r) MUST_USE;
/* The same for an operation that changes it: refused for what belongs to a service. */
int iam_entity_change(struct iam_work *w, enum iam_kind kind, struct str name,
        struct iam_entity_record *r) MUST_USE;
void iam_entity_put(struct iam_work *w, enum iam_kind kind, const struct iam_entity_record *r);
/* A new one: EntityAlreadyExists, LimitExceeded. Gives it its id and path. */
int iam_entity_create(struct iam_work *w, enum iam_kind kind, struct iam_entity_record *r) MUST_USE;
/* Refuses what is still in use with DeleteConflict; else removes the row. */
int iam_entity_delete(
        struct iam_work *w, enum iam_kind kind, const struct iam_entity_record *r) MUST_USE;
/* The user's name given, or the caller's own. */
int iam_user_or_caller(struct iam_work *w, struct str given, struct str *name) MUST_USE;

/* ---- as answers show them ---- */

struct iam_role *iam_role_of(struct iam_work *w, const struct iam_entity_record *r);
struct iam_user *iam_user_of(struct iam_work *w, const struct iam_entity_record *r);
struct iam_group *iam_group_of(struct iam_work *w, const struct iam_entity_record *r);
struct iam_attached_permissions_boundary *iam_boundary_of(struct arena *a, struct str arn);

/* ---- lists inside of records ---- */

/* Index in the list, or -1. */
ptrdiff_t iam_list_find(const struct iam_name_record_list *l, struct str name);
/* Inserts in order; false: it was there. */
bool iam_list_add(struct arena *a, struct iam_name_record_list *l, struct str name);
bool iam_list_remove(struct iam_name_record_list *l, struct str name);

/* Tags: at most 50, keys unique without case. */
int iam_tags_merge(struct iam_work *w, struct iam_tag_list_type *to,
        const struct iam_tag_list_type *add) MUST_USE;
void iam_tags_remove(struct iam_tag_list_type *from, const struct str *keys, size_t n);
/* Absent when there are none: not shown. */
struct iam_tag_list_type iam_tags_shown(const struct iam_tag_list_type *tags);
/* The page of the tags that the answer shows. */
struct iam_tag_list_type iam_tags_page(
        struct iam_work *w, struct iam_page *page, const struct iam_tag_list_type *tags);

/* ---- uses of managed policies (attach.c) ---- */

#define IAM_USE_ATTACHED S("attached")
#define IAM_USE_BOUNDARY S("boundary")
int iam_set_boundary(struct iam_work *w, enum iam_kind kind, struct iam_entity_record *r,
        struct str arn) MUST_USE;
void iam_clear_boundary(struct iam_work *w, enum iam_kind kind, struct iam_entity_record *r);
/* Notes, or forgets, all that the entity uses: it is renamed. */
void iam_entity_uses(
        struct iam_work *w, enum iam_kind kind, const struct iam_entity_record *r, bool present);
