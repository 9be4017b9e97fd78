/* sources: which policies apply to whom. */
#include "services/iam/sources.h"

#include "services/iam/managed.h"

void iam_sources_add(struct arena *a, struct iam_sources *s, struct iam_source source)
{
	if (s->n == s->capacity) {
		size_t capacity = s->capacity ? s->capacity * 2 : 8;
		struct iam_source *v = arena_new_n(a, struct iam_source, capacity);
		for (size_t i = 0; i < s->n; i++)
			v[i] = s->v[i];
		s->v = v;
		s->capacity = capacity;
	}
	s->v[s->n++] = source;
}

static int managed_source(struct iam_work *w, struct str arn, struct iam_source *source)
{
	*source = (struct iam_source){
		.id = iam_policy_arn_name(arn),
		.type = iam_aws_policy_find(arn) ? S("aws-managed") : S("user-managed"),
	};
	return iam_policy_document(w, arn, &source->document);
}

static int add_entity(struct iam_work *w, enum iam_kind kind, const struct iam_entity_record *r,
        struct iam_sources *s)
{
	struct str row = iam_kind_facts(kind)->row;
	struct iam_source source;

	for (size_t i = 0; i < r->inline_policies.n; i++) {
		const struct iam_inline_policy_record *p = &r->inline_policies.v[i];
		source = (struct iam_source){
			.id = str_concat(w->arena, 5, row, S("_"), r->name, S("_"), p->name),
			.type = row,
			.document = p->document,
		};
		iam_sources_add(w->arena, s, source);
	}
	for (size_t i = 0; i < r->attached.n; i++) {
		int got = managed_source(w, r->attached.v[i], &source);
		if (got < 0)
			return got;
		if (got == 0)
			iam_sources_add(w->arena, s, source);
	}
	return 0;
}

int iam_sources_of(struct iam_work *w, enum iam_kind kind, struct str name, struct iam_sources *s)
{
	struct iam_entity_record r, group;

	TRY(iam_entity_get(w, kind, name, &r));
	TRY(add_entity(w, kind, &r, s));
	for (size_t i = 0; i < r.groups.n; i++) {
		TRY(iam_entity_get(w, IAM_GROUP, r.groups.v[i], &group));
		TRY(add_entity(w, IAM_GROUP, &group, s));
	}
	if (!r.boundary.p)
		return 0;
	int got = managed_source(w, r.boundary, &s->boundary);
	if (got == KV_NOT_FOUND)
		s->boundary.document = S(IAM_NOTHING);
	return got < 0 ? got : 0;
}

static int parse(struct arena *a, const struct iam_source *source, struct policy_source *to)
{
	struct str why;

	to->name = source->id;
	return policy_parse(a, source->document, POLICY_IDENTITY, &to->policy, &why) == 0 ? 0
	                                                                                  : -EPROTO;
}

int iam_sources_parse(struct arena *a, const struct iam_sources *s, struct policy_set *set)
{
	set->identity = arena_new_n(a, struct policy_source, s->n + 1);
	set->n_identity = 0;
	for (size_t i = 0; i < s->n; i++)
		TRY(parse(a, &s->v[i], &set->identity[set->n_identity++]));
	if (!s->boundary.document.p)
		return 0;
	set->boundary = arena_new(a, struct policy_source);
	set->n_boundary = 1;
	return parse(a, &s->boundary, set->boundary);
}

int iam_sources_parse_root(struct arena *a, struct policy_set *set)
{
	struct iam_sources s = { 0 };

	iam_sources_add(a, &s,
	        (struct iam_source){ S("root"), S("root"),
	                S("{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
	                  "\"Action\":\"*\",\"Resource\":\"*\"}]}") });
	return iam_sources_parse(a, &s, set);
}
