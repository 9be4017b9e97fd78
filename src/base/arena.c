/* arena: chunks of memory, bumped through, freed together. */
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#define RED_ZONE       8
#else
#define POISON(p, n)   ((void)0)
#define UNPOISON(p, n) ((void)0)
#define RED_ZONE       0
#endif

#define FIRST_CHUNK (8 * 1024 - 64)
#define CHUNK       (32 * 1024 - 64)
#define ALIGN       16

struct chunk {
	struct chunk *next;
	size_t size;
	size_t used;
	_Alignas(ALIGN) char data[];
};

struct arena {
	struct chunk *head; /* the newest, from which allocations are taken */
	struct chunk *first;
	size_t used;
};

void *mem_alloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	ensure(p != NULL);
	return p;
}

void *mem_resize(void *p, size_t size)
{
	p = realloc(p, size ? size : 1);
	ensure(p != NULL);
	return p;
}

void mem_free(void *p)
{
	free(p);
}

static struct chunk *chunk_new(size_t size)
{
	struct chunk *c = malloc(sizeof *c + size);

	ensure(c != NULL);
	c->next = NULL;
	c->size = size;
	c->used = 0;
	POISON(c->data, size);
	return c;
}

static void chunk_free(struct chunk *c)
{
	UNPOISON(c->data, c->size);
	free(c);
}

struct arena *arena_create(void)
{
	struct arena *a = mem_new(struct arena);

	a->first = a->head = chunk_new(FIRST_CHUNK);
	return a;
}

static void free_all_but_first(struct arena *a)
{
	for (struct chunk *c = a->head, *next; c != a->first; c = next) {
		next = c->next;
		chunk_free(c);
	}
	a->head = a->first;
}

void arena_reset(struct arena *a)
{
	free_all_but_first(a);
	a->first->used = 0;
	a->used = 0;
	POISON(a->first->data, a->first->size);
}

void arena_destroy(struct arena *a)
{
	if (!a)
		return;
	free_all_but_first(a);
	chunk_free(a->first);
	free(a);
}

void arena_destroyp(struct arena **a)
{
	arena_destroy(*a);
	*a = NULL;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}

static char *take(struct arena *a, size_t size, size_t align)
{
	struct chunk *c = a->head;
	size_t at = (c->used + align - 1) & ~(align - 1);

	ensure(size < SIZE_MAX / 4);
	if (at + size + RED_ZONE > c->size) {
		struct chunk *fresh = chunk_new(MAX(size + RED_ZONE, (size_t)CHUNK));
		fresh->next = c;
		a->head = c = fresh;
		at = 0;
	}
	c->used = at + size + RED_ZONE;
	a->used += size;
	UNPOISON(c->data + at, size);
	return c->data + at;
}

void *arena_alloc(struct arena *a, size_t size)
{
	return memset(take(a, size, ALIGN), 0, size);
}

char *arena_bytes(struct arena *a, size_t size)
{
	/* 8, not 1: ASan poisons in units of eight bytes. */
	return take(a, size, 8);
}

char *arena_grow(struct arena *a, char *p, size_t old_size, size_t new_size)
{
	struct chunk *c = a->head;

	ensure(new_size >= old_size);
	if (p && p + old_size + RED_ZONE == c->data + c->used &&
	        (size_t)(p - c->data) + new_size + RED_ZONE <= c->size) {
		c->used += new_size - old_size;
		a->used += new_size - old_size;
		UNPOISON(p, new_size);
		return p;
	}
	char *grown = arena_bytes(a, new_size);
	if (old_size)
		memcpy(grown, p, old_size);
	return grown;
}
