#pragma once
/*
 * report: the platform's own log lines, as text and as JSON objects, and the error documents of
 * failures that the platform (not the function) finds. Pure.
 *
 * Lambda Developer Guide, "Lambda execution environment lifecycle" and "Telemetry API event
 * schema".
 */
#include "base/buf.h"

#define REPORT_RESPONSE_MAX 6291556

struct report {
	struct str request_id;
	struct str version;          /* of the function */
	double duration_ms, init_ms; /* init_ms < 0: a warm start */
	double restore_ms;           /* of SnapStart; 0: not restored */
	uint32_t memory_size_mib, max_memory_mib;
	struct str status;     /* "timeout", "error"; absent: success */
	struct str error_type; /* with "error" */
	struct str trace_id;   /* X-Amzn-Trace-Id of a traced invocation, else absent */
};

struct report_init {
	struct str runtime; /* "python3.12" */
	struct str exact;   /* "3.12.1" */
	struct str region, name, version;
	struct str phase; /* "init" or "invoke" */
	double duration_ms;
	struct str status; /* "timeout", "error" */
	struct str error_type;
};

struct report_extension {
	struct str name, state; /* "Ready" */
	struct str events;      /* "INVOKE,SHUTDOWN" */
	struct str error_type;  /* absent: none */
};

struct report_subscription {
	bool logs_api;
	struct str name, state; /* "Subscribed" */
	struct str types;       /* "platform,function" */
};

/* Durations are billed by the started millisecond, with the init phase. */
double report_billed_ms(double duration_ms, double init_ms);

/* Each adds one line with its newline. */
void report_start(struct buf *b, bool json, int64_t now_ms, const struct report *r);
void report_end(struct buf *b, const struct report *r); /* text only */
void report_report(struct buf *b, bool json, int64_t now_ms, const struct report *r);
void report_init_start(struct buf *b, bool json, int64_t now_ms, const struct report_init *r);
void report_init_report(struct buf *b, bool json, int64_t now_ms, const struct report_init *r);
void report_restore_start(struct buf *b, bool json, int64_t now_ms, const struct report_init *r);
void report_restore_report(
        struct buf *b, bool json, int64_t now_ms, double duration_ms, struct str error_type);
void report_extension(struct buf *b, bool json, int64_t now_ms, const struct report_extension *r);
void report_subscription(
        struct buf *b, bool json, int64_t now_ms, const struct report_subscription *r);
/* Of the Telemetry API only: "success", "error" or "timeout". */
void report_runtime_done(struct buf *b, int64_t now_ms, const struct report *r);
void report_init_runtime_done(struct buf *b, int64_t now_ms, const struct report_init *r);
/* "<time> <id> Task timed out after 3.00 seconds" */
void report_timed_out(struct buf *b, int64_t now_ms, struct str request_id, uint32_t timeout_s);

/* How a process ended, in Lambda's words: "exit status 1", "signal: killed"; absent for status 0.
 */
struct str report_exit_reason(struct arena *a, int exit_code, int exit_signal);
/* {"errorType":...,"errorMessage":"RequestId: ... Error: ..."} */
struct str report_error(struct arena *a, struct str type, struct str request_id, struct str what);
struct str report_too_large(void);
/* Of a streamed response. */
struct str report_stream_too_large(void);
