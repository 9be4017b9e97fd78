/* overlay: a skip list in an arena. */
#include "kv/overlay.h"

void overlay_init(struct overlay *o, struct arena *a)
{
	*o = (struct overlay){ .arena = a, .random = 2463534242u };
}

/* The last nodes < key on each level; NULL is the head. */
static void seek(const struct overlay *o, struct str key, struct overlay_node **before)
{
	struct overlay_node *n = NULL;

	for (int level = OVERLAY_LEVELS - 1; level >= 0; level--) {
		for (;;) {
			struct overlay_node *next = n ? n->next[level] : o->head[level];
			if (!next || str_cmp(next->key, key) >= 0)
				break;
			n = next;
		}
		before[level] = n;
	}
}

static int random_height(struct overlay *o)
{
	int height = 1;

	o->random ^= o->random << 13;
	o->random ^= o->random >> 17;
	o->random ^= o->random << 5;
	for (uint32_t r = o->random; height < OVERLAY_LEVELS && (r & 3) == 0; r >>= 2)
		height++;
	return height;
}

void overlay_set(struct overlay *o, struct str key, struct str value, bool del)
{
	struct overlay_node *before[OVERLAY_LEVELS];

	seek(o, key, before);
	struct overlay_node *at = before[0] ? before[0]->next[0] : o->head[0];
	if (!at || !str_eq(at->key, key)) {
		int height = random_height(o);
		at = arena_alloc(o->arena, sizeof *at + (size_t)height * sizeof at->next[0]);
		at->key = str_dup(o->arena, key);
		for (int i = 0; i < height; i++) {
			struct overlay_node **link = before[i] ? &before[i]->next[i] : &o->head[i];
			at->next[i] = *link;
			*link = at;
		}
		o->n++;
	}
	at->del = del;
	at->value = del ? (struct str){ 0 } : str_dup(o->arena, value);
}

struct overlay_node *overlay_from(const struct overlay *o, struct str key)
{
	struct overlay_node *before[OVERLAY_LEVELS];

	seek(o, key, before);
	return before[0] ? before[0]->next[0] : o->head[0];
}

struct overlay_node *overlay_before(const struct overlay *o, struct str key)
{
	struct overlay_node *before[OVERLAY_LEVELS];

	seek(o, key, before);
	return before[0];
}

struct overlay_node *overlay_find(const struct overlay *o, struct str key)
{
	struct overlay_node *n = o->n ? overlay_from(o, key) : NULL;

	return n && str_eq(n->key, key) ? n : NULL;
}
