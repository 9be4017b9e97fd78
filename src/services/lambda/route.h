#pragma once
/* route: the paths of the service that are no operations. */
#include "api/api.h"

#define LAMBDA_PACKAGE_PATH "/_lambda/package/"

/* A link that works for ten minutes, for whoever has it, as AWS's presigned one does. */
struct str lambda_package_link(struct task *t, struct str blob);
bool lambda_package_match(const struct http_request *r);
int lambda_package_serve(struct task *t, struct http_exchange *x);
