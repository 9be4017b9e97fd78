#pragma once
/*
 * lines: cuts what a function writes into log events: one per line with its newline, at most
 * LINE_MAX_BYTES each. A line that is not complete yet is kept until more comes. Pure.
 */
#include "base/str.h"

#define LINE_MAX_BYTES (256 * 1024)

struct lines {
	char *rest; /* of an incomplete line */
	size_t n, capacity;
};

typedef void lines_fn(void *arg, struct str line);

void lines_feed(struct lines *l, struct str bytes, lines_fn *fn, void *arg);
/* What was not ended by a newline, at the end. */
void lines_end(struct lines *l, lines_fn *fn, void *arg);
void lines_deinit(struct lines *l);
