#pragma once
/*
 * exchange: one request to a deployed API, on its way through the gateway:
 *
 *	address -> deployment, method -> authorization -> API key -> validation
 *		-> integration request -> integration -> response -> logs
 *
 * A step returns 0 to go on, EXCHANGE_ANSWERED when the answer stands (mostly by
 * exchange_refuse(), with the API's own gateway response), or -errno.
 */
#include "api/record.h"
#include "apigateway_gen.h"
#include "codec/json.h"
#include "services/apigateway/grow.h"

#define EXCHANGE_ANSWERED 1
#define EXCHANGE_MAX_BODY 10485760

struct exchange {
	struct http_exchange *http;
	const struct http_request *request;
	struct arena *arena;
	int64_t now_ms;
	uint64_t started_ns;
	struct str request_id, extended_id, trace_id;

	/* where it goes */
	struct str account, region, api_id, stage_name;
	struct str path;      /* behind the stage, escaped: "/pets/1" */
	struct str full_path; /* "/prod/pets/1" */
	struct str domain;    /* "abc.execute-api.us-east-1.amazonaws.com" */
	bool found;           /* stage and deployment exist */
	const struct apigateway_stage *stage;
	const struct apigateway_snapshot_record *snapshot;
	const struct apigateway_resource *resource;
	const struct apigateway_method *method;
	const struct apigateway_integration *integration;
	const struct apigateway_method_setting *setting; /* NULL: none */

	/* what came */
	struct http_headers headers, query, path_params;
	struct str body; /* as sent */
	bool binary;     /* its type is one of the API's binary media types */

	/* who */
	struct principal principal;
	struct str api_key, api_key_id;
	struct str principal_id;        /* from a Lambda authorizer */
	yyjson_val *authorizer_context; /* an object; NULL: none */
	uint64_t authorizer_ms;

	/* what goes back */
	int status;
	struct http_headers answer;
	struct str answer_body;
	struct str error_type, error_message, error_response; /* of a refusal */
	int integration_status;
	uint64_t integration_ms;

	bool log_errors, log_info, log_data;
	struct buf log; /* lines, separated by NUL bytes */
};

/* ---- refusals: gateway_answer.c ---- */

enum refusal {
	REFUSE_ACCESS_DENIED,
	REFUSE_API_CONFIGURATION,
	REFUSE_AUTHORIZER_CONFIGURATION,
	REFUSE_AUTHORIZER_FAILURE,
	REFUSE_BAD_BODY,
	REFUSE_BAD_PARAMETERS,
	REFUSE_EXPIRED_TOKEN,
	REFUSE_INTEGRATION_FAILURE,
	REFUSE_INTEGRATION_TIMEOUT,
	REFUSE_INVALID_API_KEY,
	REFUSE_INVALID_SIGNATURE,
	REFUSE_MALFORMED, /* a function's answer: 502 */
	REFUSE_MISSING_AUTHENTICATION_TOKEN,
	REFUSE_QUOTA_EXCEEDED,
	REFUSE_TOO_LARGE,
	REFUSE_THROTTLED,
	REFUSE_UNAUTHORIZED,
	REFUSE_UNSUPPORTED_MEDIA_TYPE,
	REFUSE_FORBIDDEN, /* no such API or stage: nothing that could be customized */
};

/* message absent: the type's own. Returns EXCHANGE_ANSWERED. */
int exchange_refuse(struct exchange *e, enum refusal type, struct str message);

/* ---- the execution log: execution_log.c ---- */

/* A line of INFO, of ERROR (kept at both levels), of data tracing. */
void exchange_log(struct exchange *e, const char *format, ...) PRINTF(2, 3);
void exchange_log_error(struct exchange *e, const char *format, ...) PRINTF(2, 3);
void exchange_log_data(struct exchange *e, const char *format, ...) PRINTF(2, 3);
/* Sends execution and access log on their way, in the background. */
void exchange_log_flush(struct task *t, struct exchange *e);

/* ---- the steps ---- */

int exchange_load(struct task *t, struct exchange *e) MUST_USE;      /* exchange_load.c */
int exchange_authorize(struct task *t, struct exchange *e) MUST_USE; /* authorize.c */
int exchange_check_key(struct task *t, struct exchange *e) MUST_USE; /* check_key.c */
int exchange_validate(struct task *t, struct exchange *e) MUST_USE;  /* validate.c */
int exchange_integrate(struct task *t, struct exchange *e) MUST_USE; /* integrate.c */

/* ---- what steps share: context.c ---- */

/* $context as a JSON object: the requestContext of a proxy event and more. */
struct str exchange_context_json(struct exchange *e);
void exchange_write_request_context(struct exchange *e, struct json_writer *w);
/* $context.<dotted path> as text; "-" when unknown. */
struct str exchange_context_text(struct exchange *e, struct str path);
/* "${stageVariables.x}" replaced in a URI or credentials. */
struct str exchange_stage_variables(struct exchange *e, struct str text);
/* arn:aws:execute-api:region:account:api/stage/GET/pets/1 */
struct str exchange_method_arn(struct exchange *e);
/* "25/Jul/2026:10:00:00 +0000" */
struct str exchange_clf_time(struct arena *a, int64_t ms);
/* Does a media type fit one of the API's binary media types? */
bool exchange_is_binary_type(const struct exchange *e, struct str media_type);
/* "application/json; charset=utf-8" -> "application/json", lower case */
struct str exchange_media_type(struct arena *a, struct str content_type);
