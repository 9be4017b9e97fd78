#pragma once
/*
 * listing: names in order with a prefix, rolled up at a delimiter: how objects, versions and
 *uploads are listed. Groups that are rolled up are skipped with one seek.
 *
 *	struct s3_listing l = { .prefix, .delimiter, .after, .max };
 *	s3_listing_key(&l, a, name)	->	what to do with the next name
 */
#include "services/s3/bucket.h"

struct s3_listing {
	struct str prefix, delimiter; /* absent: none */
	struct str after;             /* names up to here were shown */
	bool after_group; /* after is a common prefix: all that begins with it was shown */
	size_t max, n;    /* n: shown, names and prefixes together */
	bool more;
	struct str last; /* the last name or common prefix that was shown */
	bool last_is_group;
	struct s3_common_prefix *groups;
	size_t n_groups, capacity;
};

/* Where to begin: the smallest name that can be shown. False: nothing can. */
bool s3_listing_begin(struct s3_listing *l, struct arena *a, struct str *name);
/* Where a name's group is, or absent. */
struct str s3_listing_group(const struct s3_listing *l, struct str name);
/* Notes a group (once per group). False: the page is full. */
bool s3_listing_add_group(struct s3_listing *l, struct arena *a, struct str group);
/* Counts a name. False: the page is full. */
bool s3_listing_add(struct s3_listing *l, struct str name);

/* MaxKeys and its like, at most 1,000. */
int s3_listing_max(struct task *t, struct opt_int asked, const char *name, size_t *max) MUST_USE;
/* EncodingType: checked; and a text as it asks. */
int s3_listing_encoding(struct task *t, struct str encoding) MUST_USE;
struct str s3_listing_text(struct arena *a, struct str encoding, struct str text);
