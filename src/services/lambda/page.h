#pragma once
/*
 * page: one page of rows in the order of their keys, for the List operations.
 *
 *	struct lambda_page p = { .prefix = prefix, .take = take, .arg = &listing };
 *	TRY(lambda_page_read(t, &p, in->marker, in->max_items));
 *	out->next_marker = p.next;		// absent on the last page
 */
#include "services/lambda/function.h"

#define LAMBDA_PAGE 50

/* Looks at a row: 1 it is shown, 0 it is passed over, -errno. n: how many are shown so far. */
typedef int lambda_page_fn(struct arena *a, void *arg, size_t n, struct str value);

struct lambda_page {
	struct str prefix;
	lambda_page_fn *take;
	void *arg;
	size_t n; /* shown */
	struct str next;
	/* its own */
	size_t max;
	struct str after, last;
	bool more;
};

int lambda_page_read(struct task *t, struct lambda_page *p, struct str marker,
        struct opt_int max_items) MUST_USE;
