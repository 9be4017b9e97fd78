#pragma once
/*
 * key: order-preserving tuples. Keys compare as their elements do, element by element, and no
 * tuple's bytes are a prefix of another's unless its elements are.
 *
 *	struct str k = kv_key(a, "ssssu", S("logs"), account, region, group, timestamp_ms);
 *	kv_key_read(key, "ssssu", &service, &account, &region, &group, &ts);
 *
 * Letters: s struct str (may hold NUL bytes: escaped), u uint64_t, i int64_t (negatives first).
 * Every key starts with (service, account, region, kind, ...); "" for what is not regional.
 * A key made of the first elements is the prefix of all keys that continue it.
 */
#include "base/buf.h"

struct str kv_key(struct arena *a, const char *types, ...);
void kv_key_add(struct buf *b, const char *types, ...);
/* Reads the leading elements back; strings are in the arena. False when the key has another form.
 */
bool kv_key_read(struct arena *a, struct str key, const char *types, ...) MUST_USE;
