#pragma once
/*
 * runtime: function environments. Who has a function to run calls runtime_invoke; environments are
 * started, reused, frozen, and reaped here. Everything lives on loop 0; calls from other loops are
 * carried there.
 *
 * Life-cycle of an environment: starting -> init -> idle <-> busy -> stopping -> gone. One
 * invocation at a time in each. It speaks the documented Runtime API on 127.0.0.1:9001 inside its
 * own network namespace, and AWS's APIs at AWS_ENDPOINT_URL there.
 */
#include "api/api.h"

/* Whether it reaches the outside (the sandbox's network.h says how). */
enum runtime_network { RUNTIME_NETWORK_STANDARD, RUNTIME_NETWORK_ON, RUNTIME_NETWORK_OFF };

/* A function version as it is to be run. Borrowed during calls; the pool keeps its own copy. */
struct runtime_function {
	struct str key; /* identity of code and configuration: changes whenever either does */
	struct str account, region;
	struct str name, version, arn; /* arn unqualified; version "$LATEST" or a number */
	struct str runtime, handler;   /* "python3.12", "app.handler" */
	uint32_t memory_mib, timeout_s, tmp_mib;
	struct str code_blob;    /* blob id of the zip */
	struct str code_sha256;  /* base64, as in the API; names the unpacked copy */
	struct str *layer_blobs; /* in order */
	size_t n_layers;
	struct str *env; /* "NAME=value" of the function's configuration */
	size_t n_env;
	struct str role_arn;
	struct str log_group; /* "/aws/lambda/<name>" or as configured */
	bool log_json;        /* LoggingConfig LogFormat JSON */
	struct str application_log_level, system_log_level;
	bool tracing_active;
	int32_t reserved_concurrency; /* -1: none */
	uint32_t max_async_age_s;
	uint16_t debug_port; /* inside; set by the runtime itself */
	bool replay;         /* of a recorded invocation: not on the bill */
	bool arm64;          /* as configured: counts for the bill */
	bool snap_start;     /* SnapStart on this (published) version */
	struct str code_dir; /* development: a directory instead of code_blob */
	enum runtime_network network;
};

struct runtime_invocation {
	struct str request_id;
	struct str payload;          /* JSON */
	struct str client_context;   /* JSON, decoded; absent: none */
	struct str cognito_identity; /* JSON */
	struct str trace_id;         /* X-Amzn-Trace-Id */
	struct str invoked_arn;      /* with the qualifier that was used */
	bool want_log_tail;
	struct runtime_stream *stream; /* of runtime_stream_open, which sets it */
};

struct runtime_result {
	struct str payload; /* what the function answered, or the error document */
	struct str
	        function_error; /* "Unhandled"; absent: success. (Handled is never sent today.) */
	struct str error_type; /* with function_error: what the function or the platform calls it */
	struct str log_tail;   /* last 4 KiB of this invocation's log, raw */
	struct str env_id, log_stream;
	double duration_ms, billed_ms, init_ms; /* init_ms < 0: a warm start */
	uint32_t max_memory_mib;
	bool timed_out;
};

enum runtime_error {
	RUNTIME_THROTTLED_RESERVED = 1, /* 429 ReservedFunctionConcurrentInvocationLimitExceeded */
	RUNTIME_THROTTLED_ACCOUNT,      /* 429 ConcurrentInvocationLimitExceeded */
	RUNTIME_THROTTLED_HOST,         /* the machine is full: 429 after a bounded wait */
	RUNTIME_UNAVAILABLE, /* no interpreter for it here: result->payload says what to install */
	RUNTIME_BAD_PACKAGE, /* the zip cannot be unpacked */
	RUNTIME_SNAPSHOT_FAILED,    /* the function's init, or one of its hooks, has failed */
	RUNTIME_RESPONSE_TOO_LARGE, /* never returned: becomes a function error, as in AWS */
};

/* Runs one invocation to its end. 0: the function answered or failed, see result. result's strings
 * are in t's arena. */
int runtime_invoke(struct task *t, const struct runtime_function *f,
        const struct runtime_invocation *in, struct runtime_result *result) MUST_USE;

/*
 * An invocation whose answer is read while the function still makes it:
 *
 *	bad = runtime_stream_open(t, f, in, &s);	// as runtime_invoke; waits for the first
 *byte while (!bad && !(bad = runtime_stream_read(t, s, p, size, &n)) && n)
 *		...
 *	runtime_stream_result(s)->function_error
 *	runtime_stream_close(t, s);			// also when open has failed
 *
 * What a function that does not stream answers comes at its end. Closing before the end does not
 * end the function: AWS runs it to its end, too. 200 MiB at most.
 */
struct runtime_stream;
int runtime_stream_open(struct task *t, const struct runtime_function *f,
        const struct runtime_invocation *in, struct runtime_stream **s) MUST_USE;
/* *got 0: the end. */
int runtime_stream_read(
        struct task *t, struct runtime_stream *s, void *p, size_t n, size_t *got) MUST_USE;
/* The Content-Type that the function gave; absent: it did not stream. */
struct str runtime_stream_type(const struct runtime_stream *s);
/* After the end, or when open has failed. Valid until it is closed. */
const struct runtime_result *runtime_stream_result(const struct runtime_stream *s);
void runtime_stream_close(struct task *t, struct runtime_stream *s);

/* Code or configuration of $LATEST changed: its environments with other keys end when idle. With an
 * empty key the function was deleted: all environments of this unqualified ARN end. */
void runtime_retire(struct loop *loop, struct str arn, struct str keep_key);

/* Provisioned concurrency of one version. */
struct runtime_provision {
	const struct runtime_function *f;
	uint32_t wanted;
	uint32_t available, allocated; /* initialised; initialised or about to be */
	bool failed;                   /* again and again; it is still tried */
};
/* From now on these versions of the unqualified ARN, and no others, are kept initialised ahead. In
 * memory only: whoever wants it says so again after a start. */
int runtime_provision(
        struct task *t, struct str arn, struct runtime_provision *v, size_t n) MUST_USE;
/* Fills in what there is. */
int runtime_provisioned(struct task *t, struct runtime_provision *v, size_t n) MUST_USE;

/* SnapStart: initialises environments of the version and keeps them frozen; returns when the first
 * one is. RUNTIME_SNAPSHOT_FAILED: its log says why. */
int runtime_snapshot(struct task *t, const struct runtime_function *f) MUST_USE;

/* Is there an interpreter for the runtime here? 0; RUNTIME_UNAVAILABLE with a sentence on *why that
 * says what to install; on *nearest the one that would be used when it is not exact. */
int runtime_check(
        struct arena *a, struct str runtime, struct str *nearest, struct str *why) MUST_USE;

/* A function was created or changed: its package is unpacked and an interpreter is made ready in
 * the background, so that the first call finds them. */
void runtime_prepare(struct loop *loop, const struct runtime_function *f);

struct runtime_options {
	struct str data_dir;          /* packages/ and sandbox/ lie below it */
	struct str runtimes_dir;      /* runtimes/ of the installation */
	int sandbox_fd;               /* from sandbox_helper_start */
	bool network;                 /* RUNTIME_NETWORK_STANDARD is on */
	bool nearest;                 /* --runtimes=nearest */
	uint32_t keep_warm_s;         /* idle environments end after it; 0: 600 */
	uint32_t account_concurrency; /* 0: 1000 */
	uint32_t max_environments;    /* of the host; 0: by memory */
	struct str endpoint;          /* AWS_ENDPOINT_URL inside: "http://127.0.0.1:4566" */
};

/* On loop 0; sets LOOP_RUNTIME there. Other loops that call get the same object in their slot. */
int runtime_start(struct loop *loop, const struct runtime_options *o) MUST_USE;
/* SIGTERM to the functions, two seconds, then the end; flushes the logs. */
int runtime_stop(struct task *t) MUST_USE;

struct runtime_env_info {
	struct str id, function_arn, version, state;
	int pid;
	uint64_t invocations;
	int64_t idle_ms;
};
/* For `wolke functions`, the console and tests. */
void runtime_list(struct arena *a, struct loop *loop, struct runtime_env_info **v, size_t *n);
/* Lets a debugger attach to $LATEST at 127.0.0.1:*port of the host (0: the language's usual port,
 * which is told); -1: no more. RUNTIME_UNAVAILABLE with a sentence on *why. Any loop. */
int runtime_debug(
        struct task *t, const struct runtime_function *f, int *port, struct str *why) MUST_USE;
/* Waits until one is attached. */
int runtime_debug_wait(struct task *t, const struct runtime_function *f) MUST_USE;
/* What was counted until now is in the store when it returns. Any loop. */
int runtime_usage_flush(struct task *t) MUST_USE;
/* One line per runtime for `wolke runtimes`. */
struct str runtime_table(struct arena *a);
