#pragma once
/*
 * list: the intrusive doubly linked list.
 *
 *	struct env { struct list_node node; ... };
 *	list_push_back(&pool->idle, &env->node);
 *	list_for_each (n, &pool->idle)
 *		use(CONTAINER_OF(n, struct env, node));
 */
#include "base/err.h"

struct list_node {
	struct list_node *prev, *next;
};

struct list {
	struct list_node head; /* a ring; empty when it points to itself */
};

static inline void list_init(struct list *l)
{
	l->head.prev = l->head.next = &l->head;
}

static inline bool list_is_empty(const struct list *l)
{
	return l->head.next == &l->head;
}

static inline void list_insert_before(struct list_node *at, struct list_node *n)
{
	n->prev = at->prev;
	n->next = at;
	at->prev->next = n;
	at->prev = n;
}

static inline void list_push_back(struct list *l, struct list_node *n)
{
	list_insert_before(&l->head, n);
}

static inline void list_push_front(struct list *l, struct list_node *n)
{
	list_insert_before(l->head.next, n);
}

/* Unlinks n, which may be in no list (all zero or removed before). */
static inline void list_remove(struct list_node *n)
{
	if (!n->next)
		return;
	n->prev->next = n->next;
	n->next->prev = n->prev;
	n->prev = n->next = NULL;
}

static inline bool list_is_linked(const struct list_node *n)
{
	return n->next != NULL;
}

/* The first node without taking it out, or NULL. */
static inline struct list_node *list_first(const struct list *l)
{
	return list_is_empty(l) ? NULL : l->head.next;
}

static inline struct list_node *list_last(const struct list *l)
{
	return list_is_empty(l) ? NULL : l->head.prev;
}

static inline struct list_node *list_pop_front(struct list *l)
{
	struct list_node *n = list_first(l);

	if (n)
		list_remove(n);
	return n;
}

#define list_for_each(n, l) for (struct list_node *n = (l)->head.next; n != &(l)->head; n = n->next)
/* Allows the body to remove n. */
#define list_for_each_safe(n, l)                                                         \
	for (struct list_node *n = (l)->head.next, *n##_next = n->next; n != &(l)->head; \
	        n = n##_next, n##_next = n->next)
