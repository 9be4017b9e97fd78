/*
 * fail: how a handler says no. The error is noted in the call; the wire turns it into what the
 * service's protocol sends.
 */
#include "api/api_engine.h"

#include <stdio.h>

/* An error that every service has, as each family of protocols names it. */
struct common {
	const char *json, *query, *s3; /* json: of json 1.x and rest-json */
	uint16_t status, rest_status;  /* of json 1.x; of all others */
	const char *s3_message;        /* S3's own words */
};

static const struct common commons[API_ERROR_FIRST] = {
	[API_ERROR_VALIDATION] = { "ValidationException", "ValidationError", "InvalidArgument", 400,
	        400, NULL },
	[API_ERROR_ACCESS_DENIED] = { "AccessDeniedException", "AccessDenied", "AccessDenied", 400,
	        403, NULL },
	[API_ERROR_NOT_IMPLEMENTED] = { "NotImplemented", "NotImplemented", "NotImplemented", 501,
	        501, NULL },
	[API_ERROR_INTERNAL] = { "InternalServerError", "InternalFailure", "InternalError", 500,
	        500, "We encountered an internal error. Please try again." },
	[API_ERROR_THROTTLING] = { "ThrottlingException", "Throttling", "SlowDown", 400, 429,
	        NULL },
	[API_ERROR_SERIALIZATION] = { "SerializationException", "MalformedInput", "MalformedXML",
	        400, 400,
	        "The XML you provided was not well-formed or did not validate against our "
	        "published schema" },
	[API_ERROR_MISSING_AUTH] = { "MissingAuthenticationTokenException",
	        "MissingAuthenticationToken", "AccessDenied", 400, 403, "Access Denied" },
	[API_ERROR_INVALID_TOKEN] = { "UnrecognizedClientException", "InvalidClientTokenId",
	        "InvalidAccessKeyId", 400, 403,
	        "The AWS Access Key Id you provided does not exist in our records." },
	[API_ERROR_SIGNATURE] = { "InvalidSignatureException", "SignatureDoesNotMatch",
	        "SignatureDoesNotMatch", 400, 403,
	        "The request signature we calculated does not match the signature you provided. "
	        "Check your key and signing method." },
	[API_ERROR_INCOMPLETE_SIGNATURE] = { "IncompleteSignatureException", "IncompleteSignature",
	        "AuthorizationHeaderMalformed", 400, 400, NULL },
	[API_ERROR_EXPIRED_TOKEN] = { "ExpiredTokenException", "ExpiredToken", "ExpiredToken", 400,
	        403, "The provided token has expired." },
	[API_ERROR_REQUEST_EXPIRED] = { "InvalidSignatureException", "SignatureDoesNotMatch",
	        "RequestTimeTooSkewed", 400, 403,
	        "The difference between the request time and the current time is too large." },
	[API_ERROR_UNKNOWN_OPERATION] = { "UnknownOperationException", "InvalidAction",
	        "MethodNotAllowed", 400, 404,
	        "The specified method is not allowed against this resource." },
	[API_ERROR_TOO_LARGE] = { "RequestEntityTooLargeException", "RequestEntityTooLarge",
	        "EntityTooLarge", 413, 413,
	        "Your proposed upload exceeds the maximum allowed size" },
	[API_ERROR_UNSUPPORTED_MEDIA] = { "UnsupportedMediaTypeException", "UnsupportedMediaType",
	        "UnsupportedMediaType", 415, 415, NULL },
};

struct call *call_of(struct task *t)
{
	return task_local(t);
}

static uint8_t protocol_of(const struct call *c)
{
	return c->service ? c->service->model->protocol : WIRE_REST_JSON;
}

static void note_common(struct call *c, int code)
{
	struct api_failure *f = &c->failure;
	const struct common *e = &commons[code];
	uint8_t protocol = protocol_of(c);
	bool json_rpc = protocol == WIRE_JSON_1_0 || protocol == WIRE_JSON_1_1;

	ensure(e->json != NULL);
	f->http_status = json_rpc ? e->status : e->rest_status;
	f->sender = f->http_status < 500;
	if (protocol == WIRE_REST_XML) {
		f->name = str_of(e->s3);
		if (e->s3_message)
			f->message = str_of(e->s3_message);
	} else if (protocol == WIRE_QUERY || protocol == WIRE_EC2) {
		f->name = str_of(e->query);
	} else {
		f->name = str_of(e->json);
	}
	if (code == API_ERROR_VALIDATION && c->service && c->service->validation_error)
		f->name = str_of(c->service->validation_error);
}

static void note_modelled(struct call *c, int code, const void *detail)
{
	const struct shape_service *model = c->service->model;
	struct api_failure *f = &c->failure;
	uint32_t i = (uint32_t)(code - API_ERROR_FIRST);

	ensure(i < model->n_errors);
	const struct shape_error *e = &model->errors[i];
	f->name = e->code.n ? e->code : e->name;
	f->http_status = e->status;
	f->sender = e->sender;
	f->shape = e->shape;
	f->detail = detail;
}

static int note(struct task *t, int code, const void *detail, const char *format, va_list args)
        PRINTF(4, 0);
static int note(struct task *t, int code, const void *detail, const char *format, va_list args)
{
	struct call *c = call_of(t);

	c->failure = (struct api_failure){ .code = code };
	c->failure.message = str_vprintf(task_arena(t), format, args);
	if (code >= API_ERROR_FIRST)
		note_modelled(c, code, detail);
	else
		note_common(c, code);
	return code;
}

int fail(struct task *t, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	note(t, code, NULL, format, args);
	va_end(args);
	return code;
}

int fail_with(struct task *t, int code, const void *detail, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	note(t, code, detail, format, args);
	va_end(args);
	return code;
}

int fail_named(struct task *t, const char *name, int http_status, const char *format, ...)
{
	struct call *c = call_of(t);
	va_list args;

	va_start(args, format);
	c->failure = (struct api_failure){ .code = API_ERROR_CUSTOM,
		.name = str_of(name),
		.message = str_vprintf(task_arena(t), format, args),
		.http_status = http_status,
		.sender = http_status < 500 };
	va_end(args);
	return API_ERROR_CUSTOM;
}

void fail_element(struct task *t, struct str name, struct str value)
{
	struct arena *a = task_arena(t);
	struct api_failure *f = &call_of(t)->failure;

	http_header_add(a, &f->elements, name, value);
}
