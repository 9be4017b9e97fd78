#pragma once
/*
 * credentials: temporary credentials of execution roles, by AssumeRole as lambda.amazonaws.com with
 * the function's name as the session's. Kept per role and function until they are near their end.
 */
#include "runtime/runtime_internal.h"

struct role_credentials {
	struct str access_key_id, secret_access_key, session_token;
	int64_t expires_ms;
};

/* 0; positive: refused, said once in the log (the function runs without credentials); -errno.
 * The strings are in a. */
int credentials_get(struct task *t, struct runtime *rt, const struct runtime_function *f,
        struct arena *a, struct role_credentials *c) MUST_USE;
void credentials_free(struct runtime *rt);
