#pragma once
/* access: what an IAM operation touches, for the decision whether the caller may. */
#include "services/iam/entity.h"

/* For all rows: finds the resource in the operation's own members. */
int iam_on_input(struct task *t, const void *in, struct api_access *access);
