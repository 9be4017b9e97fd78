#pragma once
/*
 * sources: the policies that a user, group or role carries, as documents with the names that
 * Simulate* gives them.
 */
#include "services/iam/entity.h"

/* A document that allows nothing: in the place of one that limits and is gone. */
#define IAM_NOTHING                                                         \
	"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\"," \
	"\"Action\":\"none:Nothing\",\"Resource\":\"*\"}]}"

struct iam_source {
	struct str id;   /* "role_Worker_Inline" or the managed policy's name */
	struct str type; /* "user", "group", "role", "aws-managed", "user-managed" */
	struct str document;
};

struct iam_sources {
	struct iam_source *v;
	size_t n, capacity;
	struct iam_source boundary; /* document absent: none */
};

void iam_sources_add(struct arena *a, struct iam_sources *s, struct iam_source source);
/* In a transaction: inline and managed policies, a user's groups' too. NoSuchEntity. */
int iam_sources_of(
        struct iam_work *w, enum iam_kind kind, struct str name, struct iam_sources *s) MUST_USE;
/* Adds them to the set's identity side and boundary. -EPROTO: a stored document does not parse. */
int iam_sources_parse(
        struct arena *a, const struct iam_sources *s, struct policy_set *set) MUST_USE;
/* All that root may: for who stands on it. */
int iam_sources_parse_root(struct arena *a, struct policy_set *set) MUST_USE;
