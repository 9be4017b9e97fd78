/* report: text by hand, since START, END and REPORT are written for every invocation. */
#include "runtime/report.h"

#include "codec/codec.h"
#include "codec/json.h"

#include <math.h>
#include <signal.h>

double report_billed_ms(double duration_ms, double init_ms)
{
	return ceil(duration_ms + (init_ms > 0 ? init_ms : 0));
}

/* With two digits behind the point. */
static void add_fixed2(struct buf *b, double v)
{
	uint64_t hundredths = (uint64_t)(v * 100 + 0.5);

	buf_add_u64(b, hundredths / 100);
	buf_add_char(b, '.');
	buf_add_char(b, (char)('0' + hundredths / 10 % 10));
	buf_add_char(b, (char)('0' + hundredths % 10));
}

/* {"time":...,"type":...,"record":{ ... */
static struct json_writer begin_json(struct buf *b, int64_t now_ms, struct str type)
{
	struct json_writer w = json_writer(b);

	json_object(&w);
	json_member_str(&w, S("time"), time_iso8601(b->arena, now_ms, true));
	json_member_str(&w, S("type"), type);
	json_key(&w, S("record"));
	json_object(&w);
	return w;
}

static void end_json(struct buf *b, struct json_writer *w)
{
	json_end(w);
	json_end(w);
	buf_add_char(b, '\n');
}

void report_start(struct buf *b, bool json, int64_t now_ms, const struct report *r)
{
	if (json) {
		struct json_writer w = begin_json(b, now_ms, S("platform.start"));
		json_member_str(&w, S("requestId"), r->request_id);
		json_member_str(&w, S("version"), r->version);
		end_json(b, &w);
		return;
	}
	buf_add(b, S("START RequestId: "));
	buf_add(b, r->request_id);
	buf_add(b, S(" Version: "));
	buf_add(b, r->version);
	buf_add_char(b, '\n');
}

void report_end(struct buf *b, const struct report *r)
{
	buf_add(b, S("END RequestId: "));
	buf_add(b, r->request_id);
	buf_add_char(b, '\n');
}

static double two_digits(double v)
{
	return round(v * 100) / 100;
}

static void report_json(struct buf *b, int64_t now_ms, const struct report *r)
{
	struct json_writer w = begin_json(b, now_ms, S("platform.report"));

	json_member_str(&w, S("requestId"), r->request_id);
	json_key(&w, S("metrics"));
	json_object(&w);
	json_key(&w, S("durationMs"));
	json_double(&w, two_digits(r->duration_ms));
	json_member_i64(
	        &w, S("billedDurationMs"), (int64_t)report_billed_ms(r->duration_ms, r->init_ms));
	json_member_i64(&w, S("memorySizeMB"), r->memory_size_mib);
	json_member_i64(&w, S("maxMemoryUsedMB"), r->max_memory_mib);
	if (r->init_ms >= 0) {
		json_key(&w, S("initDurationMs"));
		json_double(&w, two_digits(r->init_ms));
	}
	if (r->restore_ms > 0) {
		json_key(&w, S("restoreDurationMs"));
		json_double(&w, two_digits(r->restore_ms));
		json_member_i64(&w, S("billedRestoreDurationMs"), (int64_t)ceil(r->restore_ms));
	}
	json_end(&w);
	json_member_str(&w, S("status"), r->status.p ? r->status : S("success"));
	json_member_str(&w, S("errorType"), r->error_type);
	end_json(b, &w);
}

static struct str trace_part(struct str trace, struct str name)
{
	while (trace.p) {
		struct str part = str_cut(&trace, ';');
		if (str_starts(part, name))
			return str_sub(part, name.n, part.n);
	}
	return S("");
}

static void add_trace(struct buf *b, struct str trace_id)
{
	if (!trace_id.p)
		return;
	buf_add(b, S("\nXRAY TraceId: "));
	buf_add(b, trace_part(trace_id, S("Root=")));
	buf_add(b, S("\tSegmentId: "));
	buf_add(b, trace_part(trace_id, S("Parent=")));
	buf_add(b, S("\tSampled: true\t"));
}

void report_report(struct buf *b, bool json, int64_t now_ms, const struct report *r)
{
	if (json) {
		report_json(b, now_ms, r);
		return;
	}
	buf_add(b, S("REPORT RequestId: "));
	buf_add(b, r->request_id);
	buf_add(b, S("\tDuration: "));
	add_fixed2(b, r->duration_ms);
	buf_add(b, S(" ms\tBilled Duration: "));
	buf_add_u64(b, (uint64_t)report_billed_ms(r->duration_ms, r->init_ms));
	buf_add(b, S(" ms\tMemory Size: "));
	buf_add_u64(b, r->memory_size_mib);
	buf_add(b, S(" MB\tMax Memory Used: "));
	buf_add_u64(b, r->max_memory_mib);
	buf_add(b, S(" MB\t"));
	if (r->init_ms >= 0) {
		buf_add(b, S("Init Duration: "));
		add_fixed2(b, r->init_ms);
		buf_add(b, S(" ms\t"));
	}
	if (r->restore_ms > 0) {
		buf_add(b, S("Restore Duration: "));
		add_fixed2(b, r->restore_ms);
		buf_add(b, S(" ms\tBilled Restore Duration: "));
		buf_add_u64(b, (uint64_t)ceil(r->restore_ms));
		buf_add(b, S(" ms\t"));
	}
	if (r->status.p) {
		buf_add(b, S("Status: "));
		buf_add(b, r->status);
		if (r->error_type.p) {
			buf_add(b, S("\tError Type: "));
			buf_add(b, r->error_type);
		}
	}
	add_trace(b, r->trace_id);
	buf_add_char(b, '\n');
}

/* "python:3.12.1" */
static void add_runtime_version(struct buf *b, const struct report_init *r)
{
	size_t n = 0;

	while (n < r->runtime.n &&
	        ((r->runtime.p[n] >= 'a' && r->runtime.p[n] <= 'z') || r->runtime.p[n] == '.'))
		n++;
	buf_add(b, r->exact.n ? str_sub(r->runtime, 0, n) : r->runtime);
	if (r->exact.n) {
		buf_add_char(b, ':');
		buf_add(b, r->exact);
	}
}

static void add_runtime_arn(struct buf *b, const struct report_init *r)
{
	struct str what = str_concat(b->arena, 3, r->runtime, S(":"), r->exact);

	buf_add(b, S("arn:aws:lambda:"));
	buf_add(b, r->region);
	buf_add(b, S("::runtime:"));
	buf_add(b, hash_sha256_hex(b->arena, what));
}

void report_init_start(struct buf *b, bool json, int64_t now_ms, const struct report_init *r)
{
	struct buf version = buf_init(b->arena), arn = buf_init(b->arena);

	add_runtime_version(&version, r);
	add_runtime_arn(&arn, r);
	if (!json) {
		buf_printf(b, "INIT_START Runtime Version: %.*s\tRuntime Version ARN: %.*s\n",
		        STR(buf_str(&version)), STR(buf_str(&arn)));
		return;
	}
	struct json_writer w = begin_json(b, now_ms, S("platform.initStart"));
	json_member_str(&w, S("initializationType"), S("on-demand"));
	json_member_str(&w, S("phase"), r->phase);
	json_member_str(&w, S("runtimeVersion"), buf_str(&version));
	json_member_str(&w, S("runtimeVersionArn"), buf_str(&arn));
	json_member_str(&w, S("functionName"), r->name);
	json_member_str(&w, S("functionVersion"), r->version);
	end_json(b, &w);
}

void report_init_report(struct buf *b, bool json, int64_t now_ms, const struct report_init *r)
{
	if (json) {
		struct json_writer w = begin_json(b, now_ms, S("platform.initReport"));
		json_member_str(&w, S("initializationType"), S("on-demand"));
		json_member_str(&w, S("phase"), r->phase);
		json_member_str(&w, S("status"), r->status);
		json_member_str(&w, S("errorType"), r->error_type);
		json_key(&w, S("metrics"));
		json_object(&w);
		json_key(&w, S("durationMs"));
		json_double(&w, two_digits(r->duration_ms));
		json_end(&w);
		end_json(b, &w);
		return;
	}
	buf_add(b, S("INIT_REPORT Init Duration: "));
	add_fixed2(b, r->duration_ms);
	buf_printf(b, " ms\tPhase: %.*s\tStatus: %.*s", STR(r->phase), STR(r->status));
	if (r->error_type.p)
		buf_printf(b, "\tError Type: %.*s", STR(r->error_type));
	buf_add_char(b, '\n');
}

void report_timed_out(struct buf *b, int64_t now_ms, struct str request_id, uint32_t timeout_s)
{
	buf_add(b, time_iso8601(b->arena, now_ms, true));
	buf_printf(b, " %.*s Task timed out after %u.00 seconds\n", STR(request_id), timeout_s);
}

void report_restore_start(struct buf *b, bool json, int64_t now_ms, const struct report_init *r)
{
	struct buf version = buf_init(b->arena), arn = buf_init(b->arena);

	add_runtime_version(&version, r);
	add_runtime_arn(&arn, r);
	if (!json) {
		buf_printf(b, "RESTORE_START Runtime Version: %.*s\tRuntime Version ARN: %.*s\n",
		        STR(buf_str(&version)), STR(buf_str(&arn)));
		return;
	}
	struct json_writer w = begin_json(b, now_ms, S("platform.restoreStart"));
	json_member_str(&w, S("runtimeVersion"), buf_str(&version));
	json_member_str(&w, S("runtimeVersionArn"), buf_str(&arn));
	json_member_str(&w, S("functionName"), r->name);
	json_member_str(&w, S("functionVersion"), r->version);
	end_json(b, &w);
}

void report_restore_report(
        struct buf *b, bool json, int64_t now_ms, double duration_ms, struct str error_type)
{
	if (!json) {
		buf_add(b, S("RESTORE_REPORT Restore Duration: "));
		add_fixed2(b, duration_ms);
		buf_add(b, S(" ms"));
		if (error_type.p)
			buf_printf(b, "\tStatus: error\tError Type: %.*s", STR(error_type));
		buf_add_char(b, '\n');
		return;
	}
	struct json_writer w = begin_json(b, now_ms, S("platform.restoreReport"));
	json_member_str(&w, S("status"), error_type.p ? S("error") : S("success"));
	json_member_str(&w, S("errorType"), error_type);
	json_key(&w, S("metrics"));
	json_object(&w);
	json_key(&w, S("durationMs"));
	json_double(&w, two_digits(duration_ms));
	json_end(&w);
	end_json(b, &w);
}

/* "a,b" as the elements of an array. */
static void list_json(struct json_writer *w, struct str key, struct str list)
{
	json_key(w, key);
	json_array(w);
	while (list.n)
		json_str(w, str_cut(&list, ','));
	json_end(w);
}

void report_extension(struct buf *b, bool json, int64_t now_ms, const struct report_extension *r)
{
	if (!json) {
		buf_printf(b, "EXTENSION\tName: %.*s\tState: %.*s\tEvents: [%.*s]", STR(r->name),
		        STR(r->state), STR(r->events));
		if (r->error_type.n)
			buf_printf(b, "\tError Type: %.*s", STR(r->error_type));
		buf_add_char(b, '\n');
		return;
	}
	struct json_writer w = begin_json(b, now_ms, S("platform.extension"));
	json_member_str(&w, S("name"), r->name);
	json_member_str(&w, S("state"), r->state);
	list_json(&w, S("events"), r->events);
	if (r->error_type.n)
		json_member_str(&w, S("errorType"), r->error_type);
	end_json(b, &w);
}

void report_subscription(
        struct buf *b, bool json, int64_t now_ms, const struct report_subscription *r)
{
	if (!json) {
		buf_printf(b, "%s\tName: %.*s\tState: %.*s\tTypes: [%.*s]\n",
		        r->logs_api ? "LOGS" : "TELEMETRY", STR(r->name), STR(r->state),
		        STR(r->types));
		return;
	}
	struct json_writer w = begin_json(b, now_ms,
	        r->logs_api ? S("platform.logsSubscription") : S("platform.telemetrySubscription"));
	json_member_str(&w, S("name"), r->name);
	json_member_str(&w, S("state"), r->state);
	list_json(&w, S("types"), r->types);
	end_json(b, &w);
}

void report_runtime_done(struct buf *b, int64_t now_ms, const struct report *r)
{
	struct json_writer w = begin_json(b, now_ms, S("platform.runtimeDone"));

	json_member_str(&w, S("requestId"), r->request_id);
	json_member_str(&w, S("status"), r->status.p ? r->status : S("success"));
	json_member_str(&w, S("errorType"), r->error_type);
	json_key(&w, S("metrics"));
	json_object(&w);
	json_key(&w, S("durationMs"));
	json_double(&w, two_digits(r->duration_ms));
	json_end(&w);
	end_json(b, &w);
}

void report_init_runtime_done(struct buf *b, int64_t now_ms, const struct report_init *r)
{
	struct json_writer w = begin_json(b, now_ms, S("platform.initRuntimeDone"));

	json_member_str(&w, S("initializationType"), S("on-demand"));
	json_member_str(&w, S("phase"), r->phase);
	json_member_str(&w, S("status"), r->status.p ? r->status : S("success"));
	json_member_str(&w, S("errorType"), r->error_type);
	end_json(b, &w);
}

static const struct {
	int signal;
	struct str words;
} signals[] = {
	{ SIGHUP, S_INIT("hangup") },
	{ SIGINT, S_INIT("interrupt") },
	{ SIGQUIT, S_INIT("quit") },
	{ SIGILL, S_INIT("illegal instruction") },
	{ SIGTRAP, S_INIT("trace/breakpoint trap") },
	{ SIGABRT, S_INIT("aborted") },
	{ SIGBUS, S_INIT("bus error") },
	{ SIGFPE, S_INIT("floating point exception") },
	{ SIGKILL, S_INIT("killed") },
	{ SIGUSR1, S_INIT("user defined signal 1") },
	{ SIGSEGV, S_INIT("segmentation fault") },
	{ SIGUSR2, S_INIT("user defined signal 2") },
	{ SIGPIPE, S_INIT("broken pipe") },
	{ SIGALRM, S_INIT("alarm clock") },
	{ SIGTERM, S_INIT("terminated") },
	{ SIGSYS, S_INIT("bad system call") },
};

struct str report_exit_reason(struct arena *a, int exit_code, int exit_signal)
{
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		if (signals[i].signal == exit_signal)
			return str_concat(a, 2, S("signal: "), signals[i].words);
	if (exit_signal)
		return str_printf(a, "signal: signal %d", exit_signal);
	return exit_code ? str_printf(a, "exit status %d", exit_code) : (struct str){ 0 };
}

struct str report_error(struct arena *a, struct str type, struct str request_id, struct str what)
{
	struct buf b = buf_init(a);
	struct json_writer w = json_writer(&b);

	json_object(&w);
	json_member_str(&w, S("errorType"), type);
	json_member_str(&w, S("errorMessage"),
	        str_concat(a, 4, S("RequestId: "), request_id, S(" Error: "), what));
	json_end(&w);
	return buf_str(&b);
}

struct str report_too_large(void)
{
	return S("{\"errorMessage\":\"Response payload size exceeded maximum allowed payload size "
	         "(6291556 bytes).\",\"errorType\":\"Function.ResponseSizeTooLarge\"}");
}

struct str report_stream_too_large(void)
{
	return S("{\"errorMessage\":\"Response payload size exceeded maximum allowed payload size "
	         "(209715200 bytes).\",\"errorType\":\"Function.ResponseSizeTooLarge\"}");
}
