/* heap: a binary heap in an array. */
#include "base/heap.h"

#include "base/arena.h"

void heap_deinit(struct heap *h)
{
	mem_free(h->v);
	*h = (struct heap){ 0 };
}

static void place(struct heap *h, size_t i, struct heap_node *n)
{
	h->v[i] = n;
	n->at = i + 1;
}

static void up(struct heap *h, size_t i, struct heap_node *n)
{
	while (i > 0 && h->v[(i - 1) / 2]->key > n->key) {
		place(h, i, h->v[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(h, i, n);
}

static void down(struct heap *h, size_t i, struct heap_node *n)
{
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= h->n)
			break;
		if (child + 1 < h->n && h->v[child + 1]->key < h->v[child]->key)
			child++;
		if (h->v[child]->key >= n->key)
			break;
		place(h, i, h->v[child]);
		i = child;
	}
	place(h, i, n);
}

void heap_push(struct heap *h, struct heap_node *n, uint64_t key)
{
	ensure(n->at == 0);
	if (h->n == h->capacity) {
		h->capacity = MAX((size_t)64, h->capacity * 2);
		h->v = mem_resize(h->v, h->capacity * sizeof(struct heap_node *));
	}
	n->key = key;
	up(h, h->n++, n);
}

void heap_remove(struct heap *h, struct heap_node *n)
{
	if (n->at == 0)
		return;
	size_t i = n->at - 1;
	n->at = 0;
	struct heap_node *last = h->v[--h->n];
	if (last == n)
		return;
	if (i > 0 && h->v[(i - 1) / 2]->key > last->key)
		up(h, i, last);
	else
		down(h, i, last);
}
