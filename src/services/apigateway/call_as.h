#pragma once
/* call_as: in whose name the gateway calls other services. */
#include "api/api.h"

/* A session of a role that trusts API Gateway. */
struct principal call_as_role(struct arena *a, struct str role_arn, struct str session);
