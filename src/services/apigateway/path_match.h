#pragma once
/*
 * path_match: which resource a request's path means. Pure.
 *
 * "/pets/{id}" matches one segment, "/files/{proxy+}" one or more; a segment written out beats
 * {id}, which beats {proxy+}, decided at the first segment that differs. A trailing slash does not
 * matter. Values stay escaped, as AWS passes them on.
 */
#include "net/http.h"

/* True when path fits the template; params (may be NULL) get the variables' values. */
bool path_match(struct arena *a, struct str template, struct str path, struct http_headers *params);
/* Of two templates that both match: negative when x is the more specific. */
int path_match_compare(struct str x, struct str y);
