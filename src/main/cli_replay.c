/* cli_replay: `wolke record`, `wolke recordings`, `wolke replay`. */
#include "main/cli.h"
#include "main/command.h"

#include "codec/codec.h"
#include "codec/json.h"

#include <stdio.h>

#define DIFF_MAX 2000 /* lines of each side */

static int ask(struct task *t, const struct options *o, struct str method, struct str path,
        struct str body, yyjson_val **root)
{
	struct cli_request r = {
		.service = S("lambda"), .method = method, .path = path, .body = body
	};
	struct http_fetch f = { .timeout_ms = 910000, .max_body = 64 << 20 };

	TRY(cli_call(t, o, &r, &f));
	return json_parse(task_arena(t), f.response_body, root) == 0 ? 0 : -EPROTO;
}

static int record_task(struct task *t, void *arg)
{
	const struct options *o = arg;
	struct arena *a = task_arena(t);
	struct str word = o->n_args > 1 ? o->args[1] : S("on");
	struct str path = str_printf(a, "/_wolke/lambda/functions/%.*s/recording",
	        STR(uri_encode(a, o->args[0], false)));
	yyjson_val *root;

	TRY(ask(t, o, S("PUT"), path,
	        str_eq(word, S("off")) ? S("{\"On\":false}") : S("{\"On\":true}"), &root));
	printf("%.*s is %s recorded\n", STR(o->args[0]),
	        json_get_bool(root, "On", false) ? "being" : "no longer");
	return 0;
}

int command_record(struct arena *a, const struct options *o)
{
	bool good =
	        o->n_args == 1 ||
	        (o->n_args == 2 && (str_eq(o->args[1], S("on")) || str_eq(o->args[1], S("off"))));

	if (!good) {
		fprintf(stderr, "wolke: wolke record FUNCTION [on|off]\n");
		return 2;
	}
	return cli_run(record_task, (void *)(uintptr_t)o);
}

static int recordings_task(struct task *t, void *arg)
{
	const struct options *o = arg;
	struct arena *a = task_arena(t);
	struct str path = S("/_wolke/lambda/recordings");
	yyjson_val *root, *r;
	size_t i, n;

	if (o->n_args)
		path = str_concat(a, 3, path, S("?function="), uri_encode(a, o->args[0], false));
	TRY(ask(t, o, S("GET"), path, S(""), &root));
	printf("%-36s %-24s %-30s %12s %10s  %s\n", "ID", "TIME", "FUNCTION", "MS", "EVENT", "");
	yyjson_arr_foreach(root, i, n, r)
	{
		struct str error = json_get_str(r, "FunctionError");
		printf("%-36.*s %-24.*s %-30.*s %12.1f %9lldB  %s\n", STR(json_get_str(r, "Id")),
		        STR(json_get_str(r, "Time")), STR(json_get_str(r, "FunctionName")),
		        yyjson_get_num(json_get(r, "DurationMs")),
		        (long long)json_get_i64(r, "EventBytes", 0), error.n ? "failed" : "");
	}
	return 0;
}

int command_recordings(struct arena *a, const struct options *o)
{
	return cli_run(recordings_task, (void *)(uintptr_t)o);
}

/* ---- the difference of two results ---- */

struct lines {
	struct str *v;
	size_t n;
};

static struct lines lines_of(struct arena *a, struct str payload)
{
	struct lines l = { arena_new_n(a, struct str, DIFF_MAX), 0 };
	yyjson_val *root;
	struct str rest = json_parse(a, payload, &root) == 0 ? json_text_pretty(a, root) : payload;

	while (rest.p && l.n < DIFF_MAX)
		l.v[l.n++] = str_cut(&rest, '\n');
	return l;
}

/* Longest common subsequence, from the ends of both. */
static uint16_t *table_of(struct arena *a, const struct lines *x, const struct lines *y)
{
	size_t width = y->n + 1;
	uint16_t *t = arena_new_n(a, uint16_t, (x->n + 1) * width);

	for (size_t i = x->n; i-- > 0;)
		for (size_t k = y->n; k-- > 0;)
			t[i * width + k] = str_eq(x->v[i], y->v[k]) ? t[(i + 1) * width + k + 1] + 1
			                                            : MAX(t[(i + 1) * width + k],
			                                                      t[i * width + k + 1]);
	return t;
}

static void print_difference(struct arena *a, struct str before, struct str after)
{
	struct lines x = lines_of(a, before), y = lines_of(a, after);
	const uint16_t *t = table_of(a, &x, &y);
	size_t width = y.n + 1, i = 0, k = 0;

	while (i < x.n || k < y.n) {
		if (i < x.n && k < y.n && str_eq(x.v[i], y.v[k])) {
			printf("  %.*s\n", STR(x.v[i]));
			i++, k++;
		} else if (k == y.n ||
		           (i < x.n && t[(i + 1) * width + k] >= t[i * width + k + 1])) {
			printf("- %.*s\n", STR(x.v[i]));
			i++;
		} else {
			printf("+ %.*s\n", STR(y.v[k]));
			k++;
		}
	}
}

static void show(struct arena *a, yyjson_val *root)
{
	yyjson_val *then = json_get(root, "Recorded"), *now = json_get(root, "Replayed");
	struct str log = json_get_str(root, "Log"), note = json_get_str(root, "Note");

	fprintf(stderr, "%.*s", STR(log));
	fflush(stderr);
	if (note.n)
		printf("note: %.*s\n", STR(note));
	printf("%.*s of %.*s: %.1f ms then, %.1f ms now\n", STR(json_get_str(root, "FunctionName")),
	        STR(json_get_str(root, "Time")), yyjson_get_num(json_get(then, "DurationMs")),
	        yyjson_get_num(json_get(now, "DurationMs")));
	if (json_get_bool(root, "Same", false)) {
		printf("the result is the same:\n%.*s\n", STR(json_get_str(now, "Payload")));
		return;
	}
	printf("the result differs (- then, + now):\n");
	print_difference(a, json_get_str(then, "Payload"), json_get_str(now, "Payload"));
}

static int replay_task(struct task *t, void *arg)
{
	const struct options *o = arg;
	struct arena *a = task_arena(t);
	yyjson_val *root;
	struct str body = S("{}");

	if (o->debug)
		body = str_printf(a, "{\"Debug\":%d}", o->debug_port);
	TRY(ask(t, o, S("POST"),
	        str_printf(a, "/_wolke/lambda/recordings/%.*s/replay",
	                STR(uri_encode(a, o->args[0], false))),
	        body, &root));
	show(a, root);
	return 0;
}

int command_replay(struct arena *a, const struct options *o)
{
	if (o->n_args < 1) {
		fprintf(stderr, "wolke: which? wolke replay ID; wolke recordings lists them\n");
		return 2;
	}
	return cli_run(replay_task, (void *)(uintptr_t)o);
}
