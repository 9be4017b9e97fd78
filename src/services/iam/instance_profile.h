#pragma once
/* instance_profile: what other files ask about instance profiles. */
#include "services/iam/entity.h"

/* Is the role in an instance profile? */
bool iam_profiles_have(struct iam_work *w, struct str role);
/* The instance profiles with the role, as answers show them. */
int iam_profiles_of(
        struct iam_work *w, struct str role, struct iam_instance_profile_list_type *list) MUST_USE;
