#pragma once
/*
 * message: how a sandbox_message becomes bytes and back. One table lists the fields; integers are
 * 32 bits in host order, strings their length and bytes, lists their count and strings.
 */
#include "base/arena.h"
#include "sandbox/sandbox.h"

#include <sys/types.h>

/* Writes m into room; returns the size or -EMSGSIZE. Descriptors are not part of it. */
ssize_t message_pack(const struct sandbox_message *m, char *room, size_t size);
/* -EBADMSG for what message_pack() did not make. The strings lie in the bytes. fds become -1. */
int message_unpack(struct str bytes, struct arena *a, struct sandbox_message *m) MUST_USE;
