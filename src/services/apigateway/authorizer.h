#pragma once
/* authorizer: the checks that creation, update and import share. */
#include "services/apigateway/store.h"

int authorizer_check(struct apigw_change *c, const struct apigateway_authorizer *a) MUST_USE;
