/* policy_keys: the condition keys that a document names. */
#include "api/policy_internal.h"

struct names {
	struct str *v;
	size_t n, capacity;
};

static void add_name(struct arena *a, struct names *names, struct str name)
{
	for (size_t i = 0; i < names->n; i++)
		if (str_eq_nocase(names->v[i], name))
			return;
	if (names->n == names->capacity) {
		size_t capacity = MAX(names->capacity * 2, (size_t)8);
		struct str *v = arena_new_n(a, struct str, capacity);
		if (names->n)
			memcpy(v, names->v, names->n * sizeof *v);
		names->v = v;
		names->capacity = capacity;
	}
	names->v[names->n++] = name;
}

static void add_variables(
        struct arena *a, struct names *names, const struct policy_patterns *patterns)
{
	struct str name, otherwise;

	for (size_t i = 0; i < patterns->n; i++) {
		size_t at = 0;
		while (patterns->v[i].variables &&
		        policy_next_variable(patterns->v[i].text, &at, &name, &otherwise))
			add_name(a, names, name);
	}
}

size_t policy_context_keys(struct arena *a, const struct policy *p, struct str **names)
{
	struct names found = { 0 };

	for (size_t i = 0; i < p->n; i++) {
		const struct policy_statement *s = &p->v[i];
		add_variables(a, &found, &s->resources);
		for (size_t k = 0; k < s->n_conditions; k++) {
			add_name(a, &found, s->conditions[k].key);
			add_variables(a, &found, &s->conditions[k].values);
		}
	}
	*names = found.v;
	return found.n;
}
