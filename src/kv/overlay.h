#pragma once
/*
 * overlay: writes not yet in the engine, in order: a skip list of puts and deletes. Updates read
 * through it; a batch is one.
 */
#include "base/arena.h"
#include "base/str.h"

#define OVERLAY_LEVELS 12

struct overlay_node {
	struct str key, value;
	bool del;
	struct overlay_node *next[];
};

struct overlay {
	struct arena *arena;
	struct overlay_node *head[OVERLAY_LEVELS];
	size_t n;
	uint32_t random;
};

void overlay_init(struct overlay *o, struct arena *a);
/* Copies key and value. */
void overlay_set(struct overlay *o, struct str key, struct str value, bool del);
struct overlay_node *overlay_find(const struct overlay *o, struct str key);
struct overlay_node *overlay_from(const struct overlay *o, struct str key);   /* first >= key */
struct overlay_node *overlay_before(const struct overlay *o, struct str key); /* last < key */
