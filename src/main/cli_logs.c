/* cli_logs: `wolke logs`: the latest lines of a function's log group, and with -f those to come. */
#include "main/cli.h"
#include "main/command.h"

#include "base/clock.h"
#include "codec/codec.h"
#include "codec/json.h"

#include <stdio.h>

#define LATEST_MS (3600 * 1000)
#define POLL_MS   500

struct following {
	struct str group;
	int64_t from_ms;    /* only events from here on */
	struct str last_id; /* the newest event shown */
};

static struct str group_of(struct arena *a, struct str name)
{
	return str_starts(name, S("/")) ? name : str_concat(a, 2, S("/aws/lambda/"), name);
}

static int fetch(struct task *t, const struct options *o, const struct following *f,
        struct str token, yyjson_val **root)
{
	struct arena *a = task_arena(t);
	struct buf b = buf_init(a);
	struct json_writer w = json_writer(&b);
	struct cli_request r = { .service = S("logs"),
		.method = S("POST"),
		.path = S("/"),
		.target = S("Logs_20140328.FilterLogEvents") };
	struct http_fetch fetched = { 0 };

	json_object(&w);
	json_member_str(&w, S("logGroupName"), f->group);
	json_member_i64(&w, S("startTime"), f->from_ms);
	json_member_str(&w, S("nextToken"), token);
	json_end(&w);
	r.body = buf_str(&b);
	TRY(cli_call(t, o, &r, &fetched));
	return json_parse(a, fetched.response_body, root) == 0 ? 0 : -EPROTO;
}

static void show(struct arena *a, yyjson_val *event)
{
	struct str message = json_get_str(event, "message");
	struct str when = time_iso8601(a, json_get_i64(event, "timestamp", 0), true);

	if (str_ends(message, S("\n")))
		message.n--;
	printf("%.*s %.*s\n", STR(when), STR(message));
}

/* Shows what is new of all pages; events come in order of time. */
static int show_new(struct task *t, const struct options *o, struct following *f)
{
	struct arena *a = task_arena(t);
	struct str token = { 0 };
	bool skipping = f->last_id.p != NULL;
	yyjson_val *root, *event;
	size_t i, n;

	do {
		TRY(fetch(t, o, f, token, &root));
		yyjson_arr_foreach(json_get(root, "events"), i, n, event)
		{
			struct str id = json_get_str(event, "eventId");
			if (skipping) {
				skipping = str_cmp(id, f->last_id) < 0;
				if (skipping || str_eq(id, f->last_id))
					continue;
			}
			show(a, event);
			f->last_id = id;
			f->from_ms = json_get_i64(event, "timestamp", f->from_ms);
		}
		token = json_get_str(root, "nextToken");
	} while (token.p);
	fflush(stdout);
	return 0;
}

static int logs_task(struct task *t, void *arg)
{
	const struct options *o = arg;
	struct following f = { .group = group_of(task_arena(t), o->args[0]),
		.from_ms = clock_now_ms() - LATEST_MS };

	TRY(show_new(t, o, &f));
	while (o->follow) {
		TRY(task_sleep(t, POLL_MS));
		TRY(show_new(t, o, &f));
	}
	return 0;
}

int command_logs(struct arena *a, const struct options *o)
{
	if (o->n_args < 1) {
		fprintf(stderr, "wolke: whose? wolke logs [-f] FUNCTION|GROUP\n");
		return 2;
	}
	return cli_run(logs_task, (void *)(uintptr_t)o);
}
