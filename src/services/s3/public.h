#pragma once
/*
 * public: is a bucket policy public, as Block Public Access means it? Pure.
 */
#include "base/arena.h"
#include "base/str.h"

/* True when a statement allows everybody and no condition narrows that to fixed values. */
bool s3_policy_is_public(struct arena *a, struct str policy);
