/* map: open addressing, linear probing, a keyed hash so that clients cannot choose collisions. */
#include "base/map.h"

#include "base/arena.h"
#include "base/rand.h"

#include <pthread.h>

static const char deleted_mark = 0;
static uint64_t seed;
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void seed_init(void)
{
	seed = rand_u64() | 1;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	__uint128_t m = (__uint128_t)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

uint64_t map_hash(struct str s)
{
	pthread_once(&seed_once, seed_init);
	uint64_t h = seed ^ s.n;
	while (s.n >= 8) {
		uint64_t w;
		memcpy(&w, s.p, 8);
		h = mix(h ^ w, 0x9e3779b97f4a7c15u);
		s = str_sub(s, 8, s.n);
	}
	uint64_t tail = 0;
	if (s.n)
		memcpy(&tail, s.p, s.n);
	return mix(h ^ tail, 0xd6e8feb86659fd93u ^ seed);
}

static bool is_deleted(const struct map_slot *s)
{
	return s->key.p == &deleted_mark;
}

static bool is_live(const struct map_slot *s)
{
	return s->key.p && !is_deleted(s);
}

void map_deinit(struct map *m)
{
	for (size_t i = 0; i < m->capacity; i++)
		if (is_live(&m->slots[i]))
			mem_free((void *)m->slots[i].key.p);
	mem_free(m->slots);
	*m = (struct map){ 0 };
}

static struct map_slot *find(const struct map *m, uint64_t hash, struct str key)
{
	if (m->capacity == 0)
		return NULL;
	for (size_t i = hash & (m->capacity - 1);; i = (i + 1) & (m->capacity - 1)) {
		struct map_slot *s = &m->slots[i];
		if (!s->key.p)
			return NULL;
		if (s->hash == hash && is_live(s) && str_eq(s->key, key))
			return s;
	}
}

void *map_get(const struct map *m, struct str key)
{
	struct map_slot *s = m->n ? find(m, map_hash(key), key) : NULL;

	return s ? s->value : NULL;
}

static void insert(struct map *m, struct map_slot fresh)
{
	size_t i = fresh.hash & (m->capacity - 1);

	while (m->slots[i].key.p)
		i = (i + 1) & (m->capacity - 1);
	m->slots[i] = fresh;
	m->n++;
	m->n_used++;
}

static void rehash(struct map *m)
{
	struct map old = *m;

	*m = (struct map){ .capacity = MAX((size_t)16, old.n * 4) };
	while (m->capacity & (m->capacity - 1))
		m->capacity += m->capacity & -m->capacity;
	m->slots = mem_alloc(m->capacity * sizeof *m->slots);
	for (size_t i = 0; i < old.capacity; i++)
		if (is_live(&old.slots[i]))
			insert(m, old.slots[i]);
	mem_free(old.slots);
}

void *map_put(struct map *m, struct str key, void *value)
{
	uint64_t hash = map_hash(key);
	struct map_slot *s = find(m, hash, key);

	ensure(value != NULL);
	if (s) {
		void *before = s->value;
		s->value = value;
		return before;
	}
	if ((m->n_used + 1) * 2 > m->capacity)
		rehash(m);
	char *copy = mem_alloc(key.n + 1);
	if (key.n)
		memcpy(copy, key.p, key.n);
	insert(m, (struct map_slot){ hash, { copy, key.n }, value });
	return NULL;
}

void *map_remove(struct map *m, struct str key)
{
	struct map_slot *s = find(m, map_hash(key), key);

	if (!s)
		return NULL;
	mem_free((void *)s->key.p);
	s->key = (struct str){ &deleted_mark, 0 };
	m->n--;
	return s->value;
}

struct map_slot *map_next(const struct map *m, size_t *at)
{
	while (*at < m->capacity) {
		struct map_slot *s = &m->slots[(*at)++];
		if (is_live(s))
			return s;
	}
	return NULL;
}
