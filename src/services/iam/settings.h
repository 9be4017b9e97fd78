#pragma once
/* settings: what an account has one of: its alias and its password policy. */
#include "services/iam/entity.h"

/* 0 or PasswordPolicyViolation. */
int iam_password_check(struct iam_work *w, struct str password) MUST_USE;
