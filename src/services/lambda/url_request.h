#pragma once
/* url_request: a request to a function URL on its way through. */
#include "services/lambda/function_url.h"

#include "services/lambda/cors.h"

struct url_request {
	struct http_exchange *x;
	struct arena *arena;
	struct str id, path; /* path: as the function sees it */
	struct str domain;
	struct str body;
	struct lambda_ref ref;
	struct lambda_url_record url;
	struct lambda_function_record function;
	struct str policy;
	struct str trace_id;
	/* the answer */
	int status;
	struct http_headers headers;
	struct str answer;
	struct runtime_stream *stream; /* RESPONSE_STREAM: what follows answer */
};

/* The event, payload format version 2.0. Lambda Developer Guide, "Invoking Lambda function URLs".
 */
struct str url_event(struct task *t, const struct url_request *r);
/* The function's answer into status, headers and answer. False: it is no answer. */
bool url_take_answer(struct url_request *r, struct str payload) MUST_USE;
/* What goes before a streamed body: status, headers and cookies. False: it is no such thing. */
bool url_take_prelude(struct url_request *r, struct str json) MUST_USE;

/* ---- url_stream.c ---- */
/* Invokes in the RESPONSE_STREAM mode: status, headers and the body's beginning are known after it.
 * A positive result is a refusal that is filled in. */
int url_stream_open(struct task *t, struct url_request *r, struct runtime_invocation *in) MUST_USE;
/* Sends all of the answer. */
int url_stream_respond(struct task *t, struct url_request *r) MUST_USE;
