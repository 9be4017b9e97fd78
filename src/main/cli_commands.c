/* cli_commands: status, invoke, functions, runtimes, cert, env. */
#include "main/cli.h"
#include "main/command.h"

#include "codec/codec.h"
#include "codec/json.h"
#include "net/tls.h"
#include "runtime/runtime.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int get(struct task *t, const struct options *o, struct str service, struct str path,
        yyjson_val **root)
{
	struct cli_request r = { .service = service, .method = S("GET"), .path = path };
	struct http_fetch f = { 0 };

	TRY(cli_call(t, o, &r, &f));
	if (json_parse(task_arena(t), f.response_body, root) != 0)
		return -EPROTO;
	return 0;
}

static int status_task(struct task *t, void *arg)
{
	yyjson_val *health, *envs;

	TRY(get(t, arg, S("lambda"), S("/_wolke/health"), &health));
	TRY(get(t, arg, S("lambda"), S("/_wolke/environments"), &envs));
	printf("%.*s, version %.*s, at %.*s, %zu environments\n",
	        STR(json_get_str(health, "status")), STR(json_get_str(health, "version")),
	        STR(cli_endpoint(task_arena(t), arg)), yyjson_arr_size(envs));
	return 0;
}

int command_status(struct arena *a, const struct options *o)
{
	return cli_run(status_task, (void *)(uintptr_t)o);
}

static struct str read_all(struct arena *a, int fd)
{
	struct buf b = buf_init(a);
	ssize_t n;

	while ((n = read(fd, buf_reserve(&b, 65536), 65536)) > 0)
		buf_commit(&b, (size_t)n);
	return buf_str(&b);
}

/* "@file", "-" for standard input, or the JSON itself. */
static struct str payload_of(struct arena *a, struct str arg)
{
	if (str_eq(arg, S("-")))
		return read_all(a, STDIN_FILENO);
	if (!str_starts(arg, S("@")))
		return arg.n ? arg : S("{}");
	CLEANUP(fd_closep) int fd = open(str_cstr(a, str_sub(arg, 1, arg.n)), O_RDONLY | O_CLOEXEC);
	return fd < 0 ? (struct str){ 0 } : read_all(a, fd);
}

static int invoke_task(struct task *t, void *arg)
{
	const struct options *o = arg;
	struct arena *a = task_arena(t);
	struct cli_request r = { .service = S("lambda"), .method = S("POST") };
	struct http_fetch f = { .timeout_ms = 910000 };
	struct str log;

	r.path = str_printf(
	        a, "/2015-03-31/functions/%.*s/invocations", STR(uri_encode(a, o->args[0], false)));
	r.body = payload_of(a, o->n_args > 1 ? o->args[1] : S(""));
	if (!r.body.p) {
		fprintf(stderr, "wolke: cannot read %.*s\n", STR(o->args[1]));
		return 1;
	}
	http_header_add(a, &r.headers, S("X-Amz-Log-Type"), S("Tail"));
	TRY(cli_call(t, o, &r, &f));
	struct str tail = http_header_get(&f.response_headers, S("X-Amz-Log-Result"));
	if (tail.p && base64_decode(a, tail, &log) == 0)
		fprintf(stderr, "%.*s", STR(log));
	printf("%.*s\n", STR(f.response_body));
	return http_header_get(&f.response_headers, S("X-Amz-Function-Error")).p ? 1 : 0;
}

int command_invoke(struct arena *a, const struct options *o)
{
	if (o->n_args < 1) {
		fprintf(stderr, "wolke: which function? wolke invoke FUNCTION [JSON|@FILE|-]\n");
		return 2;
	}
	return cli_run(invoke_task, (void *)(uintptr_t)o);
}

static size_t count_environments(yyjson_val *envs, struct str arn)
{
	size_t i, n, found = 0;
	yyjson_val *e;

	yyjson_arr_foreach(envs, i, n, e) found += str_eq(json_get_str(e, "function"), arn);
	return found;
}

static void print_functions(yyjson_val *list, yyjson_val *envs)
{
	yyjson_val *f;
	size_t i, n;

	yyjson_arr_foreach(list, i, n, f) printf("%-40.*s %-16.*s %6lld %7llds %12zu\n",
	        STR(json_get_str(f, "FunctionName")), STR(json_get_str(f, "Runtime")),
	        (long long)json_get_i64(f, "MemorySize", 0),
	        (long long)json_get_i64(f, "Timeout", 0),
	        count_environments(envs, json_get_str(f, "FunctionArn")));
}

static int functions_task(struct task *t, void *arg)
{
	struct arena *a = task_arena(t);
	struct str path = S("/2015-03-31/functions");
	yyjson_val *page, *envs;

	TRY(get(t, arg, S("lambda"), S("/_wolke/environments"), &envs));
	printf("%-40s %-16s %6s %8s %12s\n", "FUNCTION", "RUNTIME", "MEMORY", "TIMEOUT",
	        "ENVIRONMENTS");
	while (path.p) {
		TRY(get(t, arg, S("lambda"), path, &page));
		print_functions(json_get(page, "Functions"), envs);
		struct str marker = json_get_str(page, "NextMarker");
		path = marker.p ? str_printf(a, "/2015-03-31/functions?Marker=%.*s",
		                          STR(uri_encode(a, marker, false)))
		                : (struct str){ 0 };
	}
	return 0;
}

int command_functions(struct arena *a, const struct options *o)
{
	return cli_run(functions_task, (void *)(uintptr_t)o);
}

int command_runtimes(struct arena *a, const struct options *o)
{
	struct str table = runtime_table(a);

	printf("%.*s", STR(table));
	return 0;
}

int command_cert(struct arena *a, const struct options *o)
{
	struct tls_server *tls;
	int bad = tls_server_new(o->data_dir, &tls);

	if (bad) {
		fprintf(stderr, "wolke: %.*s: %s\n", STR(o->data_dir), strerror(-bad));
		return 1;
	}
	printf("%.*s\n", STR(tls_server_ca_path(tls)));
	tls_server_free(tls);
	return 0;
}

int command_env(struct arena *a, const struct options *o)
{
	char secret[65] = "wolke";
	struct str path = str_printf(a, "%.*s/root-secret", STR(o->data_dir));
	CLEANUP(fd_closep) int fd = open(str_cstr(a, path), O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, secret, 64);

	if (n > 0)
		secret[n] = 0;
	printf("export AWS_ENDPOINT_URL=http://%.*s:%d\nexport AWS_ACCESS_KEY_ID=%.*s\n"
	       "export AWS_SECRET_ACCESS_KEY=%s\nexport AWS_DEFAULT_REGION=%.*s\n"
	       "export AWS_DISABLE_HOST_PREFIX_INJECTION=true\n",
	        STR(o->host), o->port, STR(o->account), secret, STR(o->region));
	return 0;
}
