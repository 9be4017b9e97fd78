#pragma once
/*
 * grow: the generated lists and maps ({ T *v; size_t n; }) as things that change.
 *
 *	struct apigateway_resource *r = GROW_ADD(a, &api->resources);	// zeroed, at the end
 *	struct apigateway_model *m = GROW_FIND(&api->models, name, in->name);	// NULL: none
 *	GROW_REMOVE(&api->models, m);
 */
#include "base/arena.h"
#include "base/str.h"

/* A copy of old's n elements with room for one more, zeroed. */
void *grow_add(struct arena *a, const void *old, size_t n, size_t size);
/* The element whose struct str at offset equals value; NULL. */
void *grow_find(const void *v, size_t n, size_t size, size_t offset, struct str value);
void grow_remove(void *v, size_t *n, size_t size, size_t at);

#define GROW_ADD(a, l) \
	((l)->v = grow_add((a), (l)->v, (l)->n, sizeof *(l)->v), (l)->n++, &(l)->v[(l)->n - 1])
#define GROW_FIND(l, field, value)  \
	((typeof((l)->v))grow_find( \
	        (l)->v, (l)->n, sizeof *(l)->v, offsetof(typeof(*(l)->v), field), (value)))
#define GROW_REMOVE(l, e) grow_remove((l)->v, &(l)->n, sizeof *(l)->v, (size_t)((e) - (l)->v))
