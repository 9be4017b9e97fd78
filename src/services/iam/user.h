#pragma once
/*
 * user: what belongs to a user beside its row: access keys and memberships.
 */
#include "services/iam/entity.h"

struct str iam_access_key_row(struct arena *a, struct str account, struct str id);

/* Rows that name the user (access keys, memberships, uses of policies): written for the name, or
 * removed. */
int iam_user_references(struct iam_work *w, const struct iam_entity_record *r, struct str name,
        bool present) MUST_USE;

/* groups of a user */
struct str iam_member_key(struct iam_work *w, struct str group, struct str user);
