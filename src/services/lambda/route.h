#pragma once
/* route: the paths of the service that are no operations. */
#include "api/api.h"

#define LAMBDA_PACKAGE_PATH "/_lambda/package/"

bool lambda_package_match(const struct http_request *r);
int lambda_package_serve(struct task *t, struct http_exchange *x);
