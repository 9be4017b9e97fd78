#pragma once
/* method: checks that PutMethod, UpdateMethod, PutIntegration and import share. */
#include "services/apigateway/store.h"

bool method_is_verb(struct str verb); /* GET ... OPTIONS, ANY */
/* Authorization, validator, models and parameter names fit the API. */
int method_check(struct apigw_change *c, const struct apigateway_method *m) MUST_USE;
/* Fills in what the caller left open and checks: type, URI, verb, timeout. */
int integration_check(struct apigw_change *c, struct apigateway_integration *i) MUST_USE;
