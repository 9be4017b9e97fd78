/* dev_show: a function's log for people: its own lines as they are, one line per invocation. */
#include "main/dev.h"

#include "codec/json.h"
#include "services/lambda/prices.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#define RED    "31"
#define GREEN  "32"
#define YELLOW "33"
#define BLUE   "36"
#define DIM    "2"

static void paint(const struct dev_show *s, const char *color, struct str text)
{
	if (s->color)
		printf("\033[%sm%.*s\033[0m", color, STR(text));
	else
		printf("%.*s", STR(text));
}

static void print_time(const struct dev_show *s, struct arena *a, int64_t ms)
{
	time_t seconds = ms / 1000;
	struct tm tm;

	localtime_r(&seconds, &tm);
	paint(s, DIM,
	        str_printf(a, "%02d:%02d:%02d.%03d ", tm.tm_hour, tm.tm_min, tm.tm_sec,
	                (int)(ms % 1000)));
}

void dev_say(const struct dev_show *s, const char *format, ...)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	va_list args;

	va_start(args, format);
	struct str text = str_vprintf(a, format, args);
	va_end(args);
	paint(s, BLUE, text);
	printf("\n");
	fflush(stdout);
}

/* "Name: value" of a tab-separated REPORT line; absent: not there. */
static struct str field(struct str report, struct str name)
{
	ptrdiff_t at = str_find(report, name);
	struct str rest =
	        at < 0 ? (struct str){ 0 } : str_sub(report, (size_t)at + name.n, report.n);

	return rest.p ? str_trim(str_cut(&rest, '\t')) : rest;
}

static double number(struct arena *a, struct str text)
{
	return text.p ? strtod(str_cstr(a, text), NULL) : 0;
}

struct invocation {
	struct str id, status, error;
	double duration_ms, init_ms, billed_ms, used_mib, memory_mib;
};

static void show_invocation(struct dev_show *s, struct arena *a, const struct invocation *i)
{
	bool bad = i->status.n > 0 || i->error.n > 0 || s->failed;
	struct buf b = buf_init(a);

	buf_printf(&b, "%s %.1f ms", bad ? "✗" : "✓", i->duration_ms);
	if (i->init_ms > 0)
		buf_printf(&b, " + %.1f ms init", i->init_ms);
	buf_printf(&b, "  billed %.0f ms  memory %.0f of %.0f MB  $%.10f", i->billed_ms,
	        i->used_mib, i->memory_mib, price_invocation(false, i->billed_ms, i->memory_mib));
	if (bad)
		buf_printf(&b, "  %.*s", STR(i->error.n ? i->error : i->status));
	s->failed = false;
	paint(s, bad ? RED : GREEN, buf_str(&b));
	paint(s, DIM, str_printf(a, "  %.*s\n", STR(i->id)));
}

static void show_report(struct dev_show *s, struct arena *a, struct str line)
{
	struct invocation i = {
		.id = field(line, S("RequestId: ")),
		.status = field(line, S("\tStatus: ")),
		.error = field(line, S("\tError Type: ")),
		.duration_ms = number(a, field(line, S("\tDuration: "))),
		.init_ms = number(a, field(line, S("\tInit Duration: "))),
		.billed_ms = number(a, field(line, S("\tBilled Duration: "))),
		.used_mib = number(a, field(line, S("\tMax Memory Used: "))),
		.memory_mib = number(a, field(line, S("\tMemory Size: "))),
	};

	show_invocation(s, a, &i);
}

static double metric(yyjson_val *metrics, const char *name)
{
	return yyjson_get_num(json_get(metrics, name));
}

static bool show_json_report(struct dev_show *s, struct arena *a, struct str line)
{
	yyjson_val *root;

	if (!str_starts(line, S("{")) || json_parse(a, line, &root) != 0)
		return false;
	struct str type = json_get_str(root, "type");
	if (!str_eq(type, S("platform.report")))
		return str_eq(type, S("platform.start")) || str_eq(type, S("platform.initStart"));
	yyjson_val *record = json_get(root, "record"), *m = json_get(record, "metrics");
	struct invocation i = {
		.id = json_get_str(record, "requestId"),
		.status = json_get_str(record, "status"),
		.error = json_get_str(record, "errorType"),
		.duration_ms = metric(m, "durationMs"),
		.init_ms = metric(m, "initDurationMs"),
		.billed_ms = metric(m, "billedDurationMs"),
		.used_mib = metric(m, "maxMemoryUsedMB"),
		.memory_mib = metric(m, "memorySizeMB"),
	};
	if (str_eq(i.status, S("success")))
		i.status = S("");
	show_invocation(s, a, &i);
	return true;
}

static const struct {
	struct str part;
	bool starts;
	const char *color;
} colors[] = {
	{ S_INIT("[wolke]"), true, YELLOW },
	{ S_INIT("[ERROR]"), true, RED },
	{ S_INIT("\tERROR\t"), false, RED },
	{ S_INIT("[WARNING]"), true, YELLOW },
	{ S_INIT("\tWARN\t"), false, YELLOW },
	{ S_INIT("Task timed out after"), false, RED },
	{ S_INIT("Traceback (most recent call last)"), true, RED },
	{ S_INIT("Error: Runtime exited"), false, RED },
	{ S_INIT("\"level\":\"ERROR\""), false, RED },
};

static const char *color_of(struct str line)
{
	for (size_t i = 0; i < ARRAY_LEN(colors); i++)
		if (colors[i].starts ? str_starts(line, colors[i].part)
		                     : str_find(line, colors[i].part) >= 0)
			return colors[i].color;
	return NULL;
}

/* Lines of one event are separated by carriage returns, and begin with unbreakable blanks. */
static struct str unfold(struct arena *a, struct str text)
{
	char *copy = arena_bytes(a, text.n + 1);

	for (size_t i = 0; i < text.n; i++)
		copy[i] = text.p[i] == '\r' ? '\n' : text.p[i];
	return (struct str){ copy, text.n };
}

static void show_message(struct dev_show *s, struct arena *a, int64_t time, struct str text)
{
	if (str_ends(text, S("\n")))
		text.n--;
	if (str_starts(text, S("START RequestId: ")) || str_starts(text, S("END RequestId: ")) ||
	        str_starts(text, S("INIT_START ")))
		return;
	if (str_starts(text, S("REPORT RequestId: "))) {
		print_time(s, a, time);
		show_report(s, a, text);
		return;
	}
	print_time(s, a, time);
	if (show_json_report(s, a, text))
		return;
	/* The report of what the function threw does not say so. */
	s->failed |= str_starts(text, S("[ERROR] ")) ||
	             str_find(text, S("\tERROR\tInvoke Error")) >= 0;
	const char *color = color_of(text);
	if (color)
		paint(s, color, unfold(a, text));
	else
		printf("%.*s", STR(unfold(a, text)));
	printf("\n");
}

void dev_show_line(struct dev_show *s, struct arena *a, struct str line)
{
	yyjson_val *root;

	if (!line.n || json_parse(a, line, &root) != 0)
		return;
	int64_t time = json_get_i64(root, "time", 0);
	struct str changed = json_get_str(root, "changed"), text = json_get_str(root, "message");
	int64_t missed = json_get_i64(root, "missed", 0);

	if (text.p)
		show_message(s, a, time, text);
	if (changed.p) {
		print_time(s, a, time);
		paint(s, BLUE, str_printf(a, "changed: %.*s\n", STR(changed)));
	}
	if (missed)
		dev_say(s, "%lld lines came too fast to be shown", (long long)missed);
	fflush(stdout);
}
