#pragma once
/*
 * seal: bytes that only this installation can read or make: authenticated encryption (AES-256-GCM)
 * under a key derived from the installation's secret, a label that says what the bytes are for, and
 * a random salt of their own, so that no two seals share a key.
 *
 *	struct seal s = { secret, S("iam-access-key"), key_id };
 *	struct str sealed = seal_make(a, &s, plain);
 *	if (seal_open(a, &s, sealed, &plain) != 0) ...	// CODEC_BAD
 *
 * `bound` is authenticated, not stored: the seal opens only beside the same bytes (an id, a row's
 * key), so that it cannot be moved to another place.
 */
#include "codec/codec.h"

struct seal {
	struct str secret, label, bound;
};

struct str seal_make(struct arena *a, const struct seal *s, struct str plain);
int seal_open(struct arena *a, const struct seal *s, struct str sealed, struct str *plain) MUST_USE;
