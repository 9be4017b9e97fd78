#pragma once
/* resource: the tree of path parts; shared with import. */
#include "services/apigateway/store.h"

#define RESOURCES_MAX 300

bool resource_is_variable(struct str part); /* {id}, {proxy+} */
bool resource_is_greedy(struct str part);   /* {proxy+} */
/* A child of a resource, checked as CreateResource does. */
int resource_add(
        struct apigw_change *c, struct str parent_id, struct str part, struct str *id) MUST_USE;
