#pragma once
/* stage: the rows of stages; shared by deployments and the data plane. */
#include "services/apigateway/store.h"

/* 0, or NotFoundException noted. */
int stage_load(struct apigw_change *c, struct str name, struct apigateway_stage **stage) MUST_USE;
void stage_store(struct apigw_change *c, struct apigateway_stage *stage);
/* A stage with its defaults. */
struct apigateway_stage *stage_begin(
        struct apigw_change *c, struct str name, struct str deployment_id);
int stage_check_name(struct apigw_change *c, struct str name) MUST_USE;
/* Any stage that shows this deployment? */
bool stage_uses(struct apigw_change *c, struct str deployment_id);
