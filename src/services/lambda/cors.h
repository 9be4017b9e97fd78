#pragma once
/*
 * cors: the headers by which browsers let pages call a function URL. The configuration answers for
 * the function: what the function itself says about origins is replaced.
 */
#include "lambda_gen.h"
#include "net/server.h"

/* Is it a browser asking whether it may? */
bool cors_is_preflight(const struct http_request *r);
/* Adds, for the request's origin, what the configuration allows. */
void cors_apply(struct arena *a, const struct lambda_cors *cors, const struct http_request *r,
        struct http_headers *answer);
