/* cli: signed requests to a running wolke. */
#include "main/cli.h"

#include "api/sigv4.h"
#include "base/clock.h"
#include "codec/json.h"
#include "net/client.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct str cli_endpoint(struct arena *a, const struct options *o)
{
	const char *url = getenv("AWS_ENDPOINT_URL");

	if (url && *url)
		return str_of(url);
	return str_printf(a, "http://%.*s:%d", STR(o->host), o->port);
}

static struct str root_secret(struct arena *a, const struct options *o)
{
	char *bytes = arena_bytes(a, 64);
	struct str path = str_printf(a, "%.*s/root-secret", STR(o->data_dir));
	CLEANUP(fd_closep) int fd = open(str_cstr(a, path), O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, bytes, 64);

	return n > 0 ? str_trim((struct str){ bytes, (size_t)n }) : S("wolke");
}

static struct sigv4_credentials credentials(struct arena *a, const struct options *o)
{
	const char *key = getenv("AWS_ACCESS_KEY_ID"), *secret = getenv("AWS_SECRET_ACCESS_KEY");

	if (key && *key && secret && *secret)
		return (struct sigv4_credentials){ str_of(key), str_of(secret),
			str_of(getenv("AWS_SESSION_TOKEN")) };
	return (struct sigv4_credentials){ .access_key_id = o->account,
		.secret = root_secret(a, o) };
}

static void say_error(const struct http_fetch *f, struct arena *a)
{
	yyjson_val *root;
	struct str message = f->response_body;

	if (json_parse(a, f->response_body, &root) == 0) {
		struct str m = json_get_str(root, "message");
		if (!m.p)
			m = json_get_str(root, "Message");
		message = m.p ? m : message;
	}
	fprintf(stderr, "wolke: %d %.*s\n", f->status, STR(message));
}

int cli_ask(
        struct task *t, const struct options *o, const struct cli_request *r, struct http_fetch *f)
{
	struct arena *a = task_arena(t);
	struct sigv4_credentials c = credentials(a, o);
	struct str endpoint = cli_endpoint(a, o);

	f->method = r->method;
	f->url = str_concat(a, 2, endpoint, r->path);
	f->headers = r->headers;
	f->body = r->body.p ? r->body : S("");
	if (r->target.p) {
		http_header_set(a, &f->headers, S("X-Amz-Target"), r->target);
		http_header_set(a, &f->headers, S("Content-Type"), S("application/x-amz-json-1.1"));
	}
	sigv4_sign(a, &c, f->method, f->url, &f->headers, f->body, o->region, r->service,
	        clock_now_ms());
	int bad = http_fetch(t, f);
	if (bad && bad != -ECANCELED && !r->quiet)
		fprintf(stderr, "wolke: nothing answers at %.*s (%s): is `wolke start` running?\n",
		        STR(endpoint), strerror(-bad));
	return bad;
}

int cli_call(
        struct task *t, const struct options *o, const struct cli_request *r, struct http_fetch *f)
{
	TRY(cli_ask(t, o, r, f));
	if (f->status >= 300) {
		say_error(f, task_arena(t));
		return 1;
	}
	return 0;
}

struct run {
	task_fn *fn;
	void *arg;
	int result;
};

static int run_task(struct task *t, void *arg)
{
	struct run *r = arg;

	r->result = r->fn(t, r->arg);
	http_client_close(task_loop(t));
	loop_stop(task_loop(t));
	return 0;
}

int cli_run(task_fn *fn, void *arg)
{
	struct run r = { fn, arg, 0 };
	struct loop *loop = loop_new();

	task_start(loop, "command", run_task, &r);
	loop_run(loop);
	loop_free(loop);
	return r.result ? 1 : 0;
}
