#pragma once
/*
 * heap: the intrusive priority queue of timers; the node with the smallest key is first.
 */
#include "base/err.h"

struct heap_node {
	uint64_t key;
	size_t at; /* 1 + index in the heap; 0: in none */
};

struct heap {
	struct heap_node **v;
	size_t n, capacity;
};

void heap_deinit(struct heap *h);
void heap_push(struct heap *h, struct heap_node *n, uint64_t key);
void heap_remove(struct heap *h, struct heap_node *n); /* n may be in no heap */
static inline struct heap_node *heap_first(const struct heap *h)
{
	return h->n ? h->v[0] : NULL;
}
