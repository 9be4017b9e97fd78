#pragma once
/*
 * work: how an IAM operation is written. Almost all of them are one transaction over a few rows, so
 * that is all that an operation's code is:
 *
 *	static int get_role(struct iam_work *w, const struct iam_get_role_in *in,
 *		struct iam_get_role_out *out)
 *	{
 *		struct iam_entity_record r;
 *
 *		TRY(iam_entity_get(w, IAM_ROLE, in->role_name, &r));
 *		out->role = iam_role_of(w, &r);
 *		return 0;
 *	}
 *	IAM_OPERATION(iam_view, get_role)		// or iam_update: defines iam_get_role()
 *
 * The function is pure but for the transaction: it may run on another thread and may run again.
 * An error for the client is returned by iam_refuse() with its text.
 *
 * Rows, all with region "":
 *	("iam", account, "", "user" | "group" | "role", name)	entity, with its inline policies
 *	("iam", account, "", "key", access key id)		a user's access key
 *	("iam", account, "", "member", group, user)		index of groups
 *	("iam", account, "", "policy", name)			customer managed policy, default
 *document
 *	("iam", account, "", "version", name, number)		its versions
 *	("iam", account, "", "use", arn, usage, kind, name)	who attaches a policy, as what
 *	("iam", account, "", "profile", name)			instance profile
 *	("iam", account, "", "provider", kind, name)		OpenID Connect and SAML providers
 *	("iam", account, "", "settings")			alias, password policy
 *	("iam", account, "", "count", kind)			how many there are, for quotas
 * Names in keys are in lower case: IAM does not distinguish names by case.
 */
#include "api/api.h"
#include "api/record.h"
#include "iam_gen.h"
#include "kv/key.h"

struct iam_work {
	struct kv_txn *txn;
	struct arena *arena;
	struct str account;
	struct str caller_user; /* name of the calling user; absent: not a user */
	struct str fresh;       /* 17 random characters for an id: A-Z, 2-7 */
	int64_t now_ms;
	struct str secret; /* the installation's */
	struct str marker; /* the request's, opened; absent: none */
	struct str why;
};

typedef int iam_work_fn(struct iam_work *w, const void *in, void *out);

int iam_view(struct task *t, iam_work_fn *fn, const void *in, void *out) MUST_USE;
int iam_update(struct task *t, iam_work_fn *fn, const void *in, void *out) MUST_USE;
int iam_refuse(struct iam_work *w, int code, const char *format, ...) PRINTF(3, 4);

#define IAM_OPERATION(run, op)                                                                   \
	static int op##_work(struct iam_work *w, const void *in, void *out)                      \
	{                                                                                        \
		return op(w, in, out);                                                           \
	}                                                                                        \
	int iam_##op(struct task *t, const struct iam_##op##_in *in, struct iam_##op##_out *out) \
	{                                                                                        \
		return run(t, op##_work, in, out);                                               \
	}

/* "AROA" and the fresh characters. */
struct str iam_fresh_id(struct iam_work *w, struct str prefix);
/* A row's key: kind and up to two names, in lower case; name absent: the prefix of all. */
struct str iam_key1(struct iam_work *w, struct str kind, struct str name);
struct str iam_key2(struct iam_work *w, struct str kind, struct str first, struct str second);

/* Counts one more or less of a kind; LimitExceeded past the quota. */
int iam_count(struct iam_work *w, struct str kind, int change, int64_t quota) MUST_USE;
int64_t iam_count_get(struct iam_work *w, struct str kind);

/* An account's policy documents as answers carry them: percent-encoded. */
struct str iam_document(struct arena *a, struct str json);
/* Checks a document's language; quota in characters that are not white space, or 0. */
int iam_document_check(struct iam_work *w, struct str json, enum policy_kind kind) MUST_USE;
size_t iam_document_size(struct str json);

/* ---- paging ---- */

/* A page of an answer. The request's Marker is opened before the work, and the answer's sealed
 * after it: in between both are plain positions. */
struct iam_page {
	struct opt_int max_items; /* as given */
	struct str path_prefix;   /* as given; absent: all */
	/* for the answer */
	struct str next;
	struct opt_bool truncated;
};
#define IAM_PAGE(in)                         \
	{                                    \
		.max_items = (in)->max_items \
	}
#define IAM_PAGED(page, out) ((out)->marker = (page)->next, (out)->is_truncated = (page)->truncated)

size_t iam_page_size(const struct iam_page *page);
bool iam_path_shown(const struct iam_page *page, struct str path);

/* Walks the rows below prefix from the page's marker on. each() returns 1 when it took the row as
 * an element of the page (at most iam_page_size() do), 0 when it skipped it, or -errno. */
struct iam_walk {
	struct str prefix;
	int (*each)(struct iam_work *w, void *arg, struct str key, struct str value);
	void *arg;
};
int iam_walk_rows(struct iam_work *w, struct iam_page *page, const struct iam_walk *walk) MUST_USE;
/* The part of a list of n elements that the page shows: [*from, *to). */
void iam_walk_list(struct iam_work *w, struct iam_page *page, size_t n, size_t *from, size_t *to);
