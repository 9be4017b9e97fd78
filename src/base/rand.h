#pragma once
/*
 * rand: unpredictable bytes and the identifiers AWS makes of them.
 */
#include "base/str.h"

void rand_bytes(void *p, size_t n);
uint64_t rand_u64(void);
/* n characters out of the alphabet: rand_text(a, 10, S("abcdefghijklmnopqrstuvwxyz0123456789")) */
struct str rand_text(struct arena *a, size_t n, struct str alphabet);
/* 32 hexadecimal digits and a NUL: what names a blob, an environment. */
void rand_hex32(char id[33]);
/* A version 4 UUID, 36 characters, lower case. */
struct str rand_uuid(struct arena *a);
