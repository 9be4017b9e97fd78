#pragma once
/*
 * arena: memory with one end. Everything allocated from an arena is freed with it, at once.
 *
 * A task owns one (task_arena) for all that belongs to its request. Out of memory aborts: state
 * is durable, and inputs are bounded before they are read. Freed memory is poisoned under ASan.
 *
 *	struct thing *x = arena_new(a, struct thing);		// zeroed
 *	struct thing *v = arena_new_n(a, struct thing, n);	// zeroed
 */
#include "base/err.h"

struct arena;

struct arena *arena_create(void);
void arena_destroy(struct arena *a);
void arena_destroyp(struct arena **a);
/* Frees all allocations, keeps the first chunk for what comes next. */
void arena_reset(struct arena *a);
/* Bytes handed out since creation or the last reset. */
size_t arena_used(const struct arena *a);

/* Zeroed, aligned for any object. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((returns_nonnull, malloc));
/* Not initialised, not aligned: for text and bytes. */
char *arena_bytes(struct arena *a, size_t size) __attribute__((returns_nonnull, malloc));
/* Grows the newest arena_bytes() allocation where it stands when there is room, else copies. */
char *arena_grow(struct arena *a, char *p, size_t old_size, size_t new_size);

#define arena_new(a, type)      ((type *)arena_alloc(a, sizeof(type)))
#define arena_new_n(a, type, n) ((type *)arena_alloc(a, arena_product(sizeof(type), n)))

static inline size_t arena_product(size_t size, size_t n)
{
	size_t total;

	ensure(!__builtin_mul_overflow(size, n, &total));
	return total;
}

/* malloc family that aborts when memory is out; for long-lived objects (x_new / x_free). */
void *mem_alloc(size_t size) __attribute__((returns_nonnull, malloc)); /* zeroed */
void *mem_resize(void *p, size_t size) __attribute__((returns_nonnull));
void mem_free(void *p);
#define mem_new(type) ((type *)mem_alloc(sizeof(type)))
