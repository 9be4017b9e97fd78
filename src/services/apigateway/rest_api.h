#pragma once
/* rest_api: making and showing an API, for creation and import. */
#include "services/apigateway/store.h"

/* A new API with its id, root resource, defaults and the models that every API has. */
void rest_api_begin(struct apigw_change *c);
/* As an answer shows it: the policy with escaped quotes, as AWS does. */
void rest_api_show(
        struct arena *a, const struct apigateway_rest_api *api, struct apigateway_rest_api *out);
