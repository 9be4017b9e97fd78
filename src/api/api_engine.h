#pragma once
/*
 * api_engine: what the parts of the engine share with each other, and nobody else includes.
 */
#include "api/api.h"
#include "api/sigv4.h"
#include "api/wire.h"

#include "base/map.h"

#include <pthread.h>

struct api {
	struct api_options options;
	pthread_mutex_t warned_lock;
	struct map warned; /* "principal action resource" of the last warnings, so that each is said
	                      once */
};

struct api *api_of(struct task *t);

/* The services whose API this request may be for, best first: NULL-terminated, in the arena. */
const struct api_service **api_select(struct arena *a, const struct api *api,
        const struct http_request *r, const struct sigv4 *sig);

const struct api_row *api_row_of(
        const struct api_service *service, const struct shape_operation *op);
const struct api_service *api_service_by_id(const struct api *api, struct str id);

/* Fills in call's principal, account and region. body_hash as for sigv4_verify. */
/* Says, in the service's own way, what is wrong with a signature (enum sigv4_error). */
int api_signature_failed(
        struct task *t, const struct sigv4 *sig, int error, struct str why) MUST_USE;
int api_authenticate(
        struct task *t, struct call *c, struct sigv4 *sig, struct str body_hash) MUST_USE;

/* Asks the row what the operation touches and decides. */
int api_authorize_row(struct task *t, const struct api_row *row, const void *in) MUST_USE;

/* Validation, authorization and the handler, for a call whose principal is known. */
int api_run(struct task *t, const struct api_row *row, const void *in, void *out) MUST_USE;

/* S3's have a form of their own. */
struct str api_request_id(struct arena *a, const struct api_service *service);

/* A new call as the task's current one, child of the one before (which it returns). */
struct call *api_call_push(
        struct task *t, const struct api_service *service, const struct shape_operation *op);

/* Ends an answer of events. */
int api_events_end(struct task *t, struct call *c) MUST_USE;
