/* grow: adding to, finding in and removing from generated lists. */
#include "services/apigateway/grow.h"

void *grow_add(struct arena *a, const void *old, size_t n, size_t size)
{
	char *v = arena_alloc(a, arena_product(size, n + 1));

	if (n)
		memcpy(v, old, size * n);
	return v;
}

void *grow_find(const void *v, size_t n, size_t size, size_t offset, struct str value)
{
	char *at = (char *)(uintptr_t)v;

	for (size_t i = 0; i < n; i++, at += size)
		if (str_eq(*(struct str *)(void *)(at + offset), value))
			return at;
	return NULL;
}

void grow_remove(void *v, size_t *n, size_t size, size_t at)
{
	char *p = (char *)v + at * size;

	memmove(p, p + size, (*n - at - 1) * size);
	--*n;
}
