#pragma once
/* extensions_api: the routes of the Extensions, Telemetry and Logs APIs. */
#include "runtime/runtime_api.h"

/* False: no path of these. *bad: the result of serving it. */
bool extensions_api_route(struct task *t, struct runtime_conn *c, struct api_request *r, int *bad);
