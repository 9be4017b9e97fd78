#pragma once
/* proxy_event: the request as a Lambda function with proxy integration, or a REQUEST authorizer,
 * sees it. */
#include "services/apigateway/exchange.h"

struct str proxy_event(struct exchange *e);
/* The members that both kinds of event have, from "resource" to "requestContext". */
void proxy_event_members(struct exchange *e, struct json_writer *w);
