#pragma once
/*
 * server: all layers put together into one running process.
 */
#include "api/api.h"
#include "main/options.h"

extern const struct api_service *const server_services[]; /* NULL-terminated */

/* Requests below /_wolke/: health, clock, functions, tasks. False when the path is another. */
bool admin_matches(const struct http_request *r);
int admin_serve(struct task *t, struct http_exchange *x);
