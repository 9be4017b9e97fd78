#pragma once
/*
 * cli: what the commands that talk to a running wolke share: one signed request, as AWS's CLI makes
 * it.
 */
#include "main/options.h"
#include "net/client.h"

/* Sends a request signed with the installation's root key (or AWS_ACCESS_KEY_ID ...) to
 * AWS_ENDPOINT_URL, else the local port. Says on standard error what went wrong. */
struct cli_request {
	struct str service, method, path, target, body; /* target: X-Amz-Target, may be absent */
	struct http_headers headers;
	bool quiet; /* nothing is said when nothing answers */
};
int cli_call(struct task *t, const struct options *o, const struct cli_request *r,
        struct http_fetch *f) MUST_USE;

/* As cli_call, silent about answers of 300 and more: f->status tells. */
int cli_ask(struct task *t, const struct options *o, const struct cli_request *r,
        struct http_fetch *f) MUST_USE;

/* Turns the debugger of a function on or off, {"Port": N}, and says where it is. */
int cli_debug(struct task *t, const struct options *o, struct str function,
        struct str body) MUST_USE;

/* Runs fn as the only task of a loop of its own; its result becomes the exit code. */
int cli_run(task_fn *fn, void *arg);
struct str cli_endpoint(struct arena *a, const struct options *o);
