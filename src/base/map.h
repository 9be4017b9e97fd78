#pragma once
/*
 * map: byte strings to pointers, for long-lived objects. Keys are copied; values are borrowed.
 *
 *	struct map m = { 0 };
 *	map_put(&m, name, env);
 *	struct env *env = map_get(&m, name);	// NULL when absent
 *	map_deinit(&m);
 */
#include "base/str.h"

struct map_slot {
	uint64_t hash;
	struct str key; /* key.p NULL: free; key.n SIZE_MAX: deleted */
	void *value;
};

struct map {
	struct map_slot *slots;
	size_t capacity; /* a power of two, or 0 */
	size_t n;
	size_t n_used; /* with the deleted ones */
};

void map_deinit(struct map *m);
void *map_get(const struct map *m, struct str key);
/* Sets key's value (not NULL); returns the one before, or NULL. */
void *map_put(struct map *m, struct str key, void *value);
/* Removes key; returns its value, or NULL. */
void *map_remove(struct map *m, struct str key);
/* Iterates: `size_t at = 0; while ((slot = map_next(&m, &at)))`. No map_put meanwhile. */
struct map_slot *map_next(const struct map *m, size_t *at);

uint64_t map_hash(struct str s);
