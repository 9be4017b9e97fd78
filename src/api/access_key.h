#pragma once
/*
 * access_key: ids of access keys. As AWS's do, an id says which account it belongs to: AKIA (long
 * lived) or ASIA (temporary), then 16 characters of base32: one set bit, the account number in 40
 * bits, 39 random bits.
 */
#include "base/str.h"

struct str access_key_make(struct arena *a, struct str prefix, struct str account);
/* False when the id has another form. */
bool access_key_account(struct arena *a, struct str id, struct str *account) MUST_USE;
