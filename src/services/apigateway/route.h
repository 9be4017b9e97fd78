#pragma once
/*
 * route: requests to deployed APIs, by host ({id}.execute-api.<anything>, path /{stage}/...) or by
 * path (/restapis/{id}/{stage}/_user_request_/...).
 */
#include "api/api.h"

bool apigw_route_match(const struct http_request *r);
int apigw_route_serve(struct task *t, struct http_exchange *x);
