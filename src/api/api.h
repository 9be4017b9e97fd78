#pragma once
/*
 * api: the engine that turns requests into calls of handlers, and the call bus between services.
 *
 *	request -> route -> decode + validate -> authenticate -> authorize -> handler -> encode
 *
 * A handler, the only code an operation needs besides its row in the service's table:
 *
 *	int lambda_get_function(struct task *t, const struct lambda_get_function_in *in,
 *		struct lambda_get_function_out *out)
 *	{
 *		struct call *c = call_of(t);
 *		...
 *		return fail(t, LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION, "Function not found: %.*s", STR(arn));
 *	}
 *
 * It returns 0, a named error by fail(), or -errno: a broken system, logged once, answered 500.
 * in and out are in the task's arena; out is zeroed before.
 */
#include "api/policy.h"
#include "api/shape.h"
#include "kv/kv.h"
#include "net/server.h"

/* ---- who calls ---- */

enum principal_type { PRINCIPAL_ANONYMOUS, PRINCIPAL_ROOT, PRINCIPAL_USER, PRINCIPAL_ROLE, PRINCIPAL_SERVICE };

struct principal {
	enum principal_type type;
	struct str account;        /* 12 digits; empty: anonymous or a service */
	struct str arn;            /* arn:aws:iam::1:root, ...:user/x, arn:aws:sts::1:assumed-role/r/session */
	struct str id;             /* unique id: AIDA..., AROA...:session, the account for root */
	struct str role_arn;       /* of a role session */
	struct str service;        /* "apigateway.amazonaws.com" */
	struct str access_key_id;
	struct str *session_policies; /* JSON texts given at AssumeRole */
	size_t n_session_policies;
	struct policy_key *tags;   /* aws:PrincipalTag/... with session tags, and what else is the
	                            * session's own: aws:TokenIssueTime, aws:SourceIdentity ... */
	size_t n_tags;
};

/* ---- the call being served ---- */

struct call {
	const struct api_service *service;
	const struct shape_operation *operation;
	struct str account, region;    /* where the call works: every key starts with them */
	struct str request_id;
	struct principal principal;
	struct str source_arn, source_account; /* of a service's call on behalf of a resource */
	struct str source_ip, user_agent;
	int64_t now_ms;                /* when the call began */
	struct http_exchange *http;    /* NULL: came over the call bus */
	struct str body;               /* as received, of an operation that does not stream it */
	struct call *caller;           /* the call that made this one over the bus; NULL */
	/* the answer's own parts */
	struct http_headers headers;   /* extra response headers: api_header() */
	int status;                    /* other than the modelled one; 0: as modelled */
	bool events_begun;             /* api_event_send has sent the head */
	struct api_failure {
		int code;
		struct str name;       /* "ResourceNotFoundException" */
		struct str message;
		int http_status;
		bool sender;
		const struct shape *shape;
		const void *detail;    /* members of the error's shape, beyond the message */
		struct http_headers elements; /* fail_element */
	} failure;
	struct api_failure bus_failure; /* of the last api_call made from here */
};

struct call *call_of(struct task *t);

/* ---- errors ---- */

/* Errors that every service has; a service's own start at API_ERROR_FIRST (generated enums).
 * Names and statuses differ by protocol; the engine knows. */
enum api_error {
	API_ERROR_CUSTOM = 1,       /* fail_named */
	API_ERROR_VALIDATION,       /* ValidationException, ValidationError ... */
	API_ERROR_ACCESS_DENIED,
	API_ERROR_NOT_IMPLEMENTED,  /* 501 */
	API_ERROR_INTERNAL,         /* 500 */
	API_ERROR_THROTTLING,
	API_ERROR_SERIALIZATION,
	API_ERROR_MISSING_AUTH,     /* MissingAuthenticationToken */
	API_ERROR_INVALID_TOKEN,    /* UnrecognizedClientException, InvalidClientTokenId, InvalidAccessKeyId */
	API_ERROR_SIGNATURE,        /* SignatureDoesNotMatch, InvalidSignatureException */
	API_ERROR_INCOMPLETE_SIGNATURE,
	API_ERROR_EXPIRED_TOKEN,
	API_ERROR_REQUEST_EXPIRED,  /* RequestExpired, RequestTimeTooSkewed */
	API_ERROR_UNKNOWN_OPERATION,
	API_ERROR_TOO_LARGE,        /* RequestEntityTooLargeException 413 */
	API_ERROR_UNSUPPORTED_MEDIA,
	API_ERROR_FIRST = 100,
};

/* Notes the error for the client and returns code. */
int fail(struct task *t, int code, const char *format, ...) PRINTF(3, 4);
/* With further members of the error's shape: detail is its generated struct. */
int fail_with(struct task *t, int code, const void *detail, const char *format, ...) PRINTF(4, 5);
/* An error that the model does not list (S3's, mostly). */
int fail_named(struct task *t, const char *name, int http_status, const char *format, ...) PRINTF(4, 5);
/* A further element of the error just noted, for S3's documents: BucketName, Key, Resource. */
void fail_element(struct task *t, struct str name, struct str value);
/* The error that the last api_call of this task returned a positive code for. */
const struct api_failure *api_failure(struct task *t);

/* ---- a service ---- */

struct api_access {
	struct str action;           /* preset: "<iam prefix>:<Operation>" or the row's */
	struct str resource;         /* ARN; preset "*" */
	struct str resource_account; /* preset: the call's account */
	struct str resource_policy;  /* JSON; absent: none */
	/* JSON of a role's trust policy, in its place: it must allow, whatever the caller's own
	 * policies say. */
	struct str trust_policy;
	struct policy_key *keys;     /* condition keys of the service, beside the global ones */
	size_t n_keys;
};

struct api_row {
	int (*handler)(struct task *t, const void *in, void *out); /* NULL: 501 */
	const char *action;          /* NULL: "<prefix>:<Operation>"; "": any authenticated caller may */
	/* Fills in the resource and what else the decision needs; NULL: resource "*". May fail(). */
	int (*authorize)(struct task *t, const void *in, struct api_access *access);
};
/* The row of an operation:  API_ROW(lambda, GET_FUNCTION, get_function, .authorize = on_function) */
#define API_ROW(svc, UPPER, lower, ...)                                                            \
	[API_OP_(svc, UPPER)] = { .handler = svc##_##lower##_call, ##__VA_ARGS__ }
#define API_OP_(svc, UPPER) svc##_OP_##UPPER

/* A path or host that is no modelled API: function URLs, API invocations, the console. */
struct api_route {
	bool (*match)(const struct http_request *r);
	int (*serve)(struct task *t, struct http_exchange *x);
};

struct api_service {
	const struct shape_service *model;
	const char *iam_prefix;      /* "lambda" */
	const struct api_row *rows;  /* indexed by operation */
	size_t n_rows;
	const struct api_route *routes;
	size_t n_routes;
	size_t max_body_bytes;       /* of operations that do not stream; 0: 10 MiB */
	const char *validation_error; /* how the service names a broken constraint; NULL: as most do */
	/* At start, on loop 0, before serving: timer and job handlers, sweeps. May be NULL. */
	int (*start)(struct task *t);
	/* Last word on a request that routing gave to this service: S3 finds its bucket in the host
	 * name here and rewrites r->path. May be NULL. */
	void (*prepare)(struct arena *a, struct http_request *r);
};

/* ---- the engine ---- */

enum api_iam_mode { API_IAM_WARN, API_IAM_ENFORCE, API_IAM_OFF };

/* The identity side of a principal, implemented by services/iam, wired up by main. */
struct api_key {
	struct str secret;
	struct principal principal;
	int64_t expires_ms; /* 0: never */
};
struct api_identity {
	/* 0; 1: unknown key; 2: the token is wrong or expired; -errno. In the task's arena. */
	int (*key)(struct task *t, struct str access_key_id, struct str session_token, struct api_key *key);
	/* Identity policies, boundary and session policies; resource side is left alone. */
	int (*policies)(struct task *t, const struct principal *p, struct policy_set *set);
};

struct api_options {
	const struct api_service *const *services; /* NULL-terminated */
	const struct api_identity *identity;
	enum api_iam_mode iam;
	struct str default_account, default_region; /* "000000000000", "us-east-1" */
	struct str root_secret;     /* of access keys that are account numbers */
	struct str host;            /* own name: "localhost" */
	int port;
	void (*access_log)(const char *line); /* NULL: none */
};

struct api;
int api_new(const struct api_options *options, struct api **api) MUST_USE;
void api_free(struct api *api);
const struct api_options *api_options_of(struct task *t);
/* Runs every service's start. loop_set(loop, LOOP_API, api) comes before. */
int api_start(struct task *t) MUST_USE;
/* The handler for the public port (http_server_options.handler); x->arg is not used. */
int api_serve(struct task *t, struct http_exchange *x);

/* ---- the call bus ---- */

/* Who makes a call without a request: a service for a resource, or a role that was handed over. */
struct api_caller {
	struct principal principal;
	struct str account, region;  /* where the call works */
	struct str source_arn, source_account;
};

struct api_caller api_caller_service(struct str service_principal, struct str account, struct str region, struct str source_arn);
/* The caller of the running call, passed on (account and region of the call). */
struct api_caller api_caller_same(struct task *t);

/* Calls an operation through validation, authorization and metrics. in and out are the callee's
 * generated structs (zero out before). 0; positive: the callee's error, see api_failure(t). */
int api_call(struct task *t, const struct api_caller *who, const char *service, const char *operation, const void *in, void *out) MUST_USE;
/* The same with JSON in the SDKs' form, for universal targets. */
int api_call_json(struct task *t, const struct api_caller *who, const char *service, const char *operation, struct str in, struct str *out) MUST_USE;

/* Decides for a pair that a row's authorize cannot name (several resources). 0, or fails the call
 * with AWS's access-denied message. In warn mode: records and allows. */
int api_authorize(struct task *t, const struct api_access *access) MUST_USE;
/* Decides for another principal: does this service or role have the right? No fail(), no warning
 * mode: *result tells. */
int api_decide(struct task *t, const struct principal *p, const struct api_access *access, struct policy_result *result) MUST_USE;

/* For requests of a route: who signed it, into the running call; anonymous when nobody did. Fails as
 * operations do. body is all of it. */
int api_authenticate_http(struct task *t, struct str body) MUST_USE;

/* ---- the answer's extras ---- */

void api_header(struct task *t, struct str name, struct str value);
/* Operations with an event stream: begins the answer at the first call, sends one event. member is
 * the union member's name in the model ("PayloadChunk"), event its generated struct. */
int api_event_send(struct task *t, const char *member, const void *event) MUST_USE;

/* ---- paging ---- */

/* Opaque tokens: a sealed (HMAC) position; a token that was changed or belongs to another
 * operation, account or region does not open. */
struct str api_token_seal(struct task *t, struct str position);
bool api_token_open(struct task *t, struct str token, struct str *position) MUST_USE;
