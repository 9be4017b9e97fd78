#pragma once
/*
 * mapping: parameters and bodies, from the method's side to the integration's and back, as the
 * mapping expressions say: "method.request.header.x", "integration.response.body.$.id",
 * "context.requestId", "stageVariables.v", "'static'".
 */
#include "services/apigateway/exchange.h"

/* What is sent to an integration. */
struct mapped_request {
	struct http_headers headers, query, path;
	struct str body;
	bool body_is_bytes; /* binary, not to be read as text */
};

/* What an integration gave. */
struct mapped_response {
	int status;
	struct http_headers headers;
	struct str body;
	bool of_function; /* selection patterns look at its error, which is empty when it succeeds */
	struct str error;
};

/* Request parameters, template, passthrough, content handling. EXCHANGE_ANSWERED: 415, 500. */
int mapping_request(struct exchange *e, struct mapped_request *out) MUST_USE;
/* Chooses the integration response and makes the answer of it. */
int mapping_response(struct exchange *e, const struct mapped_response *in) MUST_USE;
/* Status, headers and body of a customized gateway response; false: it has no template. */
bool mapping_gateway_response(struct exchange *e, const struct apigateway_gateway_response *custom);
