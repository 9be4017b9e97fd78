/*
 * execution_log: the lines a stage's logging level asks for, and the access log. They are written
 * in the background, by the role that the account gave API Gateway for it, and a request never
 * waits for them.
 */
#include "services/apigateway/exchange.h"

#include "api/arn.h"
#include "base/log.h"
#include "codec/codec.h"
#include "logs_gen.h"
#include "services/apigateway/call_as.h"
#include "services/apigateway/store.h"

#include <stdarg.h>

#define TRACE_MAX 1024 /* a line of data tracing is cut there */

static void PRINTF(2, 0) add_line(struct exchange *e, const char *format, va_list args)
{
	struct str text = str_vprintf(e->arena, format, args);

	if (text.n > TRACE_MAX)
		text = str_concat(e->arena, 2, str_sub(text, 0, TRACE_MAX), S(" [TRUNCATED]"));
	buf_add_char(&e->log, '(');
	buf_add(&e->log, e->request_id);
	buf_add(&e->log, S(") "));
	buf_add(&e->log, text);
	buf_add_char(&e->log, 0);
}

void exchange_log(struct exchange *e, const char *format, ...)
{
	va_list args;

	if (!e->log_info)
		return;
	va_start(args, format);
	add_line(e, format, args);
	va_end(args);
}

void exchange_log_error(struct exchange *e, const char *format, ...)
{
	va_list args;

	if (!e->log_errors)
		return;
	va_start(args, format);
	add_line(e, format, args);
	va_end(args);
}

void exchange_log_data(struct exchange *e, const char *format, ...)
{
	va_list args;

	if (!e->log_data)
		return;
	va_start(args, format);
	add_line(e, format, args);
	va_end(args);
}

/* ---- the access log ---- */

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.';
}

static struct str access_line(struct exchange *e, struct str format)
{
	static const struct str begin = S_INIT("$context.");
	struct buf b = buf_init(e->arena);

	for (;;) {
		ptrdiff_t at = str_find(format, begin);
		if (at < 0)
			break;
		buf_add(&b, str_sub(format, 0, (size_t)at));
		format = str_sub(format, (size_t)at + begin.n, format.n);
		size_t n = 0;
		while (n < format.n && is_name_char(format.p[n]))
			n++;
		while (n > 0 && format.p[n - 1] == '.')
			n--;
		buf_add(&b, exchange_context_text(e, str_sub(format, 0, n)));
		format = str_sub(format, n, format.n);
	}
	buf_add(&b, format);
	return buf_str(&b);
}

/* ---- sending ---- */

/* Lives on the heap until it is written: the request's arena is gone by then. */
struct sending {
	struct arena *arena;
	struct str account, region, group, stream, lines;
	int64_t now_ms;
};

static int load_role(struct kv_txn *txn, void *arg)
{
	struct api_caller *who = arg;
	struct apigw_change c = { .account = who->account, .region = who->region };
	struct apigateway_account account = { 0 };

	TRY(record_get(txn, apigw_row_key(kv_arena(txn), &c, S("account"), S("settings")),
	        &apigateway_shape_account, &account));
	who->principal.role_arn = account.cloudwatch_role_arn;
	return 0;
}

static int create(struct task *t, const struct api_caller *who, const struct sending *s)
{
	struct logs_create_log_group_in group = { .log_group_name = s->group };
	struct logs_create_log_stream_in stream = { .log_group_name = s->group,
		.log_stream_name = s->stream };
	char nothing[64];
	int bad = api_call(t, who, "logs", "CreateLogGroup", &group, nothing);

	if (bad < 0)
		return bad;
	bad = api_call(t, who, "logs", "CreateLogStream", &stream, nothing);
	return bad == LOGS_RESOURCE_ALREADY_EXISTS_EXCEPTION ? 0 : bad;
}

static int put(struct task *t, const struct api_caller *who, const struct sending *s)
{
	struct logs_put_log_events_in in = { .log_group_name = s->group,
		.log_stream_name = s->stream };
	struct logs_put_log_events_out out = { 0 };

	for (struct str rest = s->lines; rest.n;) {
		struct str line = str_cut(&rest, 0);
		*GROW_ADD(s->arena, &in.log_events) =
		        (struct logs_input_log_event){ opt_int(s->now_ms), line };
	}
	return api_call(t, who, "logs", "PutLogEvents", &in, &out);
}

static int send_lines(struct task *t, void *arg)
{
	struct sending *s = arg;
	struct api_caller who = { .account = s->account, .region = s->region };
	int bad = kv_view(t, load_role, &who);

	if (bad == 0 && who.principal.role_arn.n) {
		who.principal = call_as_role(
		        s->arena, who.principal.role_arn, S("BackplaneAssumeRoleSession"));
		bad = put(t, &who, s);
		if (bad == LOGS_RESOURCE_NOT_FOUND_EXCEPTION && create(t, &who, s) == 0)
			bad = put(t, &who, s);
		if (bad)
			log_warn("apigateway: %.*s cannot be written: %s", STR(s->group),
			        bad < 0 ? strerror(-bad)
			                : str_cstr(s->arena, api_failure(t)->message));
	}
	arena_destroy(s->arena);
	return 0;
}

static struct str stream_name(struct arena *a, struct str group, int64_t now_ms)
{
	struct str day = time_iso8601(a, now_ms, false);

	return hex_encode(a, hash_md5(a, str_concat(a, 2, group, str_sub(day, 0, 10))));
}

static void send(struct task *t, const struct exchange *e, struct str group, struct str lines)
{
	struct arena *a = arena_create();
	struct sending *s = arena_new(a, struct sending);

	s->arena = a;
	s->account = str_dup(a, e->account);
	s->region = str_dup(a, e->region);
	s->group = str_dup(a, group);
	s->stream = stream_name(a, s->group, e->now_ms);
	s->lines = str_dup(a, lines);
	s->now_ms = e->now_ms;
	task_start(task_loop(t), "apigateway-log", send_lines, s);
}

void exchange_log_flush(struct task *t, struct exchange *e)
{
	struct arn arn;

	if (!e->stage)
		return;
	if (e->log.n)
		send(t, e,
		        str_printf(e->arena, "API-Gateway-Execution-Logs_%.*s/%.*s", STR(e->api_id),
		                STR(e->stage_name)),
		        buf_str(&e->log));
	const struct apigateway_access_log_settings *access = e->stage->access_log_settings;
	if (!access || !access->format.n || !arn_parse(access->destination_arn, &arn) ||
	        !str_starts(arn.resource, S("log-group:")))
		return;
	struct str group = str_sub(arn.resource, 10, arn.resource.n);
	if (str_ends(group, S(":*")))
		group = str_sub(group, 0, group.n - 2);
	struct str line = access_line(e, access->format);
	send(t, e, group, str_concat(e->arena, 2, line, (struct str){ "\0", 1 }));
}
