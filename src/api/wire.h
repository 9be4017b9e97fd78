#pragma once
/*
 * wire: generated structs to bytes and back, driven by the shape tables; one pair of files per
 * protocol. Nothing here knows a service.
 */
#include "api/api.h"

/* Decodes a request: body, path labels (values of the matched URI template), query and headers. A
 * streaming body member gets body_stream. 0 or API_ERROR_SERIALIZATION / VALIDATION by fail(). */
struct wire_request {
	const struct shape_service *service;
	const struct shape_operation *operation;
	struct http_request *http;
	struct str body;                 /* all of it, unless the operation streams in */
	struct str *labels;              /* by order of {labels} in the template, escaped as sent */
	size_t n_labels;
};
int wire_decode(struct task *t, const struct wire_request *r, void *in) MUST_USE;

struct wire_response {
	int status;
	struct http_headers headers;
	struct str body;
	struct stream *stream; /* instead of body */
};
void wire_encode(struct task *t, const struct call *c, const void *out, struct wire_response *response);
void wire_encode_error(struct task *t, const struct call *c, struct wire_response *response);

/* Which operation a request is for. 0; API_ERROR_UNKNOWN_OPERATION. rest-*: method and URI template
 * (literal segments before labels, greedy labels last, query literals); json: X-Amz-Target; query:
 * Action in the body or query string. */
int wire_route(struct arena *a, const struct shape_service *service, const struct http_request *http, struct str body, const struct shape_operation **operation, struct str **labels, size_t *n_labels) MUST_USE;

/* Checks constraints as AWS does: "1 validation error detected: Value '' at 'functionName' failed to
 * satisfy constraint: Member must have length greater than or equal to 1". All violations in one
 * message, in AWS's order and wording for the service's protocol. 0 or fail(API_ERROR_VALIDATION). */
int wire_validate(struct task *t, const struct shape_service *service, const struct shape *shape, const void *in) MUST_USE;

/* A shape as JSON text (SDK form: member names of the model, blobs base64, times epoch seconds or
 * ISO 8601), for call_json, logs and documents. */
struct str wire_to_json(struct arena *a, const struct shape *shape, const void *value);
int wire_from_json(struct arena *a, const struct shape *shape, struct str json, void *value) MUST_USE;

/* An event stream message: prelude, headers, payload, CRCs. */
void wire_event(struct buf *b, struct str type, struct str content_type, struct str payload);
void wire_event_encode(struct buf *b, const struct shape_service *service, const struct shape *events, const char *member, const void *event, struct arena *a);
