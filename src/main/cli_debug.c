/* cli_debug: `wolke debug FUNCTION [PORT|off]`. */
#include "main/cli.h"
#include "main/command.h"

#include "codec/codec.h"
#include "codec/json.h"

#include <stdio.h>

static const struct {
	struct str runtime;
	const char *what, *how;
} hows[] = {
	{ S_INIT("nodejs"), "Node.js inspector", "VS Code: attach; or chrome://inspect" },
	{ S_INIT("python"), "debugpy", "VS Code: attach; the directory is /var/task" },
	{ S_INIT("provided"), "gdbserver", "gdb: target remote" },
};

int cli_debug(struct task *t, const struct options *o, struct str function, struct str body)
{
	struct arena *a = task_arena(t);
	struct cli_request r = { .service = S("lambda"), .method = S("PUT"), .body = body };
	struct http_fetch f = { .timeout_ms = 300000 };
	yyjson_val *root;

	r.path = str_printf(
	        a, "/_wolke/lambda/functions/%.*s/debugger", STR(uri_encode(a, function, false)));
	TRY(cli_call(t, o, &r, &f));
	if (json_parse(a, f.response_body, &root) != 0)
		return -EPROTO;
	int port = (int)json_get_i64(root, "Port", -1);
	for (size_t i = 0; i < ARRAY_LEN(hows) && port > 0; i++)
		if (str_starts(json_get_str(root, "Runtime"), hows[i].runtime))
			printf("%s at 127.0.0.1:%d (%s)\n", hows[i].what, port, hows[i].how);
	fflush(stdout);
	return 0;
}

static int debug_task(struct task *t, void *arg)
{
	const struct options *o = arg;
	struct str port = o->n_args > 1 ? o->args[1] : S("0");
	int64_t n = -1;

	if (!str_eq(port, S("off")) && (!str_to_i64(port, &n) || n < 0 || n > 65535)) {
		fprintf(stderr, "wolke: %.*s is no port\n", STR(port));
		return 2;
	}
	return cli_debug(
	        t, o, o->args[0], str_printf(task_arena(t), "{\"Port\":%lld}", (long long)n));
}

int command_debug(struct arena *a, const struct options *o)
{
	if (o->n_args < 1) {
		fprintf(stderr, "wolke: wolke debug FUNCTION [PORT|off]\n");
		return 2;
	}
	return cli_run(debug_task, (void *)(uintptr_t)o);
}
