#pragma once
/* trust: what a role's trust policy must be. */
#include "services/iam/entity.h"

/* Its language, its size, and that the users and roles it names exist. */
int iam_trust_check(struct iam_work *w, struct str json) MUST_USE;
