#pragma once
/* regex: PCRE2 with limits, for selection patterns, authorizers and templates. */
#include "base/buf.h"

#define REGEX_BAD 1

/* Does the whole text match? A pattern that does not compile matches nothing. */
bool regex_matches(struct str pattern, struct str text);
/* Does it match anywhere in the text? */
bool regex_finds(struct str pattern, struct str text);
/* Java's replaceAll and replaceFirst ($1 ...); absent: no such pattern, or too much text. */
struct str regex_replace(
        struct arena *a, struct str text, struct str pattern, struct str with, bool all);
/* Calls piece(arg, s) for what lies between the matches. */
int regex_split(struct str text, struct str pattern, void (*piece)(void *arg, struct str s),
        void *arg) MUST_USE;
