/*
 * cli_dev: `wolke dev DIR`. The server watches and serves the directory; here the function is made
 * or found, the project's build is run, and the log is shown. Ends with Ctrl-C.
 */
#include "main/cli.h"
#include "main/command.h"
#include "main/dev.h"

#include "codec/codec.h"
#include "codec/json.h"
#include "loop/tree.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define MADE_BY_DEV "Served from a directory by wolke dev"
#define ROLE        "wolke-dev"
#define BASIC       "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
#define AGAIN_MS    200
#define QUIET_MS    30

/* A zip with one empty file: CreateFunction wants one; nothing runs it. */
#define PLACEHOLDER                                                                          \
	"UEsDBBQAAAAAAAAAIVwAAAAAAAAAAAAAAAAXAAAAc2VydmVkLWZyb20tYS1kaXJlY3RvcnlQSwECFAMUAA" \
	"AAAAAAACFcAAAAAAAAAAAAAAAAFwAAAAAAAAAAAAAApIEAAAAAc2VydmVkLWZyb20tYS1kaXJlY3RvcnlQ" \
	"SwUGAAAAAAEAAQBFAAAANQAAAAAA"

struct dev {
	const struct options *o;
	struct dev_show show;
	struct str directory; /* of the project, whole path */
	struct str served;    /* what the function sees as /var/task */
	struct str below;     /* "dist": where in it the code is */
	struct str build;     /* command, or absent */
	struct tree *sources;
	struct dev_child watcher; /* the project's own watch mode */
	struct str name, path;    /* function; its path below /_wolke/lambda/ */
	struct dev_guess guess;
	bool made; /* by dev: there is no deployed code */
	int signal_fd;
	struct task *tail, *builder;
};

static struct str function_path(struct arena *a, const struct dev *d, const char *verb)
{
	return str_printf(a, "/2015-03-31/functions%s%.*s%s", d->name.n ? "/" : "",
	        STR(uri_encode(a, d->name, false)), verb);
}

/* ---- the role ---- */

static int iam(struct task *t, const struct dev *d, struct str body, struct http_fetch *f)
{
	struct cli_request r = {
		.service = S("iam"), .method = S("POST"), .path = S("/"), .body = body
	};

	http_header_add(task_arena(t), &r.headers, S("Content-Type"),
	        S("application/x-www-form-urlencoded"));
	return cli_ask(t, d->o, &r, f);
}

static int make_role(struct task *t, const struct dev *d, struct str *arn)
{
	static const char trust[] =
	        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":"
	        "{\"Service\":\"lambda.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}";
	struct arena *a = task_arena(t);
	struct http_fetch create = { 0 }, attach = { 0 };

	TRY(iam(t, d,
	        str_printf(a,
	                "Action=CreateRole&Version=2010-05-08&RoleName=" ROLE
	                "&AssumeRolePolicyDocument=%.*s",
	                STR(uri_encode(a, str_of(trust), false))),
	        &create));
	TRY(iam(t, d,
	        str_printf(a,
	                "Action=AttachRolePolicy&Version=2010-05-08&RoleName=" ROLE
	                "&PolicyArn=%.*s",
	                STR(uri_encode(a, S(BASIC), false))),
	        &attach));
	if (create.status >= 300 && create.status != 409) {
		fprintf(stderr, "wolke: no role %s can be made: %.*s\n", ROLE,
		        STR(create.response_body));
		return 1;
	}
	*arn = str_printf(a, "arn:aws:iam::%.*s:role/" ROLE, STR(d->o->account));
	return 0;
}

/* ---- the function ---- */

static void add_environment(struct json_writer *w, const struct dev *d, yyjson_val *before)
{
	size_t i, n;
	yyjson_val *key, *value;

	if (!d->o->env.n)
		return;
	json_key(w, S("Environment"));
	json_object(w);
	json_key(w, S("Variables"));
	json_object(w);
	yyjson_obj_foreach(before, i, n, key, value)
	        json_member_str(w, json_str_of(key), json_str_of(value));
	for (i = 0; i < d->o->env.n; i++) {
		struct str rest = d->o->env.v[i], name = str_cut(&rest, '=');
		json_member_str(w, name, rest.p ? rest : str_of(getenv(name.p)));
	}
	json_end(w);
	json_end(w);
}

static void add_layers(struct json_writer *w, const struct dev *d)
{
	bool begun = false;

	for (size_t i = 0; i < d->o->layers.n; i++) {
		if (!str_starts(d->o->layers.v[i], S("arn:")))
			continue;
		if (!begun) {
			json_key(w, S("Layers"));
			json_array(w);
		}
		begun = true;
		json_str(w, d->o->layers.v[i]);
	}
	if (begun)
		json_end(w);
}

static void add_settings(struct json_writer *w, const struct dev *d, yyjson_val *before)
{
	const struct options *o = d->o;

	json_member_str(w, S("Runtime"), o->runtime.n ? o->runtime : d->guess.runtime);
	json_member_str(w, S("Handler"), o->handler.n ? o->handler : d->guess.handler);
	if (o->timeout)
		json_member_i64(w, S("Timeout"), o->timeout);
	if (o->memory)
		json_member_i64(w, S("MemorySize"), o->memory);
	add_environment(w, d, json_get(json_get(before, "Environment"), "Variables"));
	add_layers(w, d);
}

static int send(struct task *t, const struct dev *d, struct str method, struct str path,
        const struct buf *body)
{
	struct cli_request r = { .service = S("lambda"), .method = method, .path = path };
	struct http_fetch f = { 0 };

	if (body)
		r.body = buf_str(body);
	return cli_call(t, d->o, &r, &f);
}

static int create(struct task *t, struct dev *d)
{
	struct arena *a = task_arena(t);
	struct buf b = buf_init(a);
	struct json_writer w = json_writer(&b);
	struct str role = d->o->role, collection = S("/2015-03-31/functions");

	d->made = true;
	if (!role.n)
		TRY(make_role(t, d, &role));
	json_object(&w);
	json_member_str(&w, S("FunctionName"), d->name);
	json_member_str(&w, S("Description"), S(MADE_BY_DEV));
	json_member_str(&w, S("Role"), role);
	add_settings(&w, d, NULL);
	json_key(&w, S("Code"));
	json_object(&w);
	json_member_str(&w, S("ZipFile"), S(PLACEHOLDER));
	json_end(&w);
	json_end(&w);
	return send(t, d, S("POST"), collection, &b);
}

/* What was deployed keeps its settings, but for those that are given. */
static int update(struct task *t, struct dev *d, yyjson_val *before)
{
	struct arena *a = task_arena(t);
	struct buf b = buf_init(a);
	struct json_writer w = json_writer(&b);

	d->made = str_eq(json_get_str(before, "Description"), S(MADE_BY_DEV));
	if (!d->made)
		d->guess = (struct dev_guess){ 0 };
	json_object(&w);
	if (d->o->role.n)
		json_member_str(&w, S("Role"), d->o->role);
	add_settings(&w, d, before);
	json_end(&w);
	if (!d->made) {
		d->guess.runtime = json_get_str(before, "Runtime");
		d->guess.handler = json_get_str(before, "Handler");
	}
	return b.n > 2 ? send(t, d, S("PUT"), function_path(a, d, "/configuration"), &b) : 0;
}

static int whole_path(struct arena *a, struct str path, struct str *whole)
{
	char *real = realpath(str_cstr(a, path), NULL);
	int bad = real ? 0 : -errno;

	if (bad)
		fprintf(stderr, "wolke: %.*s: %s\n", STR(path), strerror(-bad));
	else
		*whole = str_dup(a, str_of(real));
	free(real);
	return bad;
}

static int put_directory(struct task *t, const struct dev *d)
{
	struct arena *a = task_arena(t);
	struct buf b = buf_init(a);
	struct json_writer w = json_writer(&b);
	struct str layer;

	json_object(&w);
	json_member_str(&w, S("Path"), d->served);
	json_member_bool(&w, S("Only"), d->made);
	json_key(&w, S("Layers"));
	json_array(&w);
	for (size_t i = 0; i < d->o->layers.n; i++) {
		if (str_starts(d->o->layers.v[i], S("arn:")))
			continue;
		TRY(whole_path(a, d->o->layers.v[i], &layer));
		json_str(&w, layer);
	}
	json_end(&w);
	json_end(&w);
	return send(t, d, S("PUT"), str_concat(a, 2, d->path, S("directory")), &b);
}

static int say_unknown(const struct dev *d)
{
	fprintf(stderr,
	        "wolke: nothing in %.*s tells what to run: looked for app.py, lambda_function.py, "
	        "handler.py, index.mjs, index.js and the like with a function called handler or "
	        "lambda_handler, and for bootstrap. Name it: --runtime python3.12 --handler "
	        "app.handler\n",
	        STR(d->directory));
	return 1;
}

static int serve(struct task *t, struct dev *d)
{
	struct arena *a = task_arena(t);
	struct http_fetch f = { 0 };
	struct cli_request get = { .service = S("lambda"),
		.method = S("GET"),
		.path = function_path(a, d, "/configuration") };
	yyjson_val *before;

	if (d->o->runtime.n)
		d->guess.runtime = d->o->runtime;
	if (d->o->handler.n)
		d->guess.handler = d->o->handler;
	TRY(cli_ask(t, d->o, &get, &f));
	if (f.status == 200 && json_parse(a, f.response_body, &before) == 0) {
		TRY(update(t, d, before));
	} else {
		if (!d->guess.runtime.n || !d->guess.handler.n)
			return say_unknown(d);
		TRY(create(t, d));
	}
	return put_directory(t, d);
}

static int let_debug(struct task *t, const struct dev *d, int port)
{
	if (!d->o->debug)
		return 0;
	return cli_debug(t, d->o, d->name, str_printf(task_arena(t), "{\"Port\":%d}", port));
}

/* ---- the build ---- */

static int run_build(struct task *t, struct dev *d)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct dev_child c = { 0 };

	dev_say(&d->show, "$ %.*s", STR(d->build));
	TRY(dev_child_start(a, d->build, d->directory, &c));
	int code = dev_child_wait(t, &c);
	if (code > 0)
		dev_say(&d->show,
		        "the build has failed (exit code %d): what was there before is "
		        "served",
		        code);
	return code < 0 ? code : 0;
}

/* Where the build has put it: --out as it is; else a folder of the directory, so that package.json
 * and node_modules beside it count, too. */
static int find_output(struct arena *a, struct dev *d)
{
	static const struct str folders[] = { S_INIT("dist"), S_INIT("build"), S_INIT("out"),
		S_INIT(".build"), S_INIT("lib") };

	d->served = d->directory;
	if (d->o->out.n) {
		struct str out = str_starts(d->o->out, S("/"))
		                         ? d->o->out
		                         : str_concat(a, 3, d->directory, S("/"), d->o->out);
		TRY(whole_path(a, out, &d->served));
		if (str_starts(d->served, d->directory) && d->served.n > d->directory.n)
			d->below = str_sub(d->served, d->directory.n + 1, d->served.n);
		d->guess = dev_guess(a, d->served, S(""));
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(folders) && d->build.n; i++) {
		d->guess = dev_guess(a, d->directory, folders[i]);
		d->below = folders[i];
		if (d->guess.handler.n)
			return 0;
	}
	d->below = (struct str){ 0 };
	d->guess = dev_guess(a, d->directory, S(""));
	return 0;
}

static int choose_build(struct task *t, struct dev *d)
{
	struct arena *a = task_arena(t);
	struct dev_script script = dev_script(a, d->directory);
	bool plain = dev_guess(a, d->directory, S("")).handler.n > 0;

	if (d->o->build.n)
		d->build = d->o->build;
	else if (!plain || d->o->out.n)
		d->build = script.build.n ? script.build : script.watch;
	if (!d->build.n)
		return find_output(a, d);
	if (!str_eq(d->build, script.watch))
		TRY(run_build(t, d));
	if (!d->o->build.n && script.watch.n) {
		dev_say(&d->show, "$ %.*s", STR(script.watch));
		TRY(dev_child_start(a, script.watch, d->directory, &d->watcher));
		d->build = script.watch;
	}
	return find_output(a, d);
}

static int build_on_change(struct task *t, struct dev *d)
{
	struct tree *tree = d->sources;
	struct str what;
	int bad = tree_wait(t, tree, TASK_FOREVER, &what);
	while (!bad) {
		/* A save is more than one event. */
		while (tree_wait(t, tree, QUIET_MS, &what) == 0)
			;
		bad = run_build(t, d);
		/* A build that writes beside its sources must not start itself. */
		while (!bad && !d->below.n && tree_wait(t, tree, QUIET_MS, &what) == 0)
			;
		if (!bad)
			bad = tree_wait(t, tree, TASK_FOREVER, &what);
	}
	tree_close(tree);
	return bad;
}

static int build_task(struct task *t, void *arg)
{
	struct dev *d = arg;

	(void)!build_on_change(t, d);
	d->builder = NULL;
	return 0;
}

/* ---- the log ---- */

static int show_stream(struct task *t, struct dev *d, struct stream *s)
{
	CLEANUP(arena_destroyp) struct arena *kept = arena_create();
	char *piece = arena_bytes(task_arena(t), 65536);
	struct buf b = buf_init(kept);
	size_t got;

	for (;;) {
		TRY(stream_read(t, s, piece, 65536, &got));
		if (!got)
			return 0;
		buf_add(&b, (struct str){ piece, got });
		struct str rest = buf_str(&b);
		for (ptrdiff_t end; (end = str_find_char(rest, '\n')) >= 0;) {
			CLEANUP(arena_destroyp) struct arena *a = arena_create();
			dev_show_line(&d->show, a, str_sub(rest, 0, (size_t)end));
			rest = str_sub(rest, (size_t)end + 1, rest.n);
		}
		memmove(b.p, rest.p, rest.n);
		b.n = rest.n;
	}
}

static int show_log(struct task *t, struct dev *d)
{
	struct cli_request r = { .service = S("lambda"), .method = S("GET"), .quiet = true };
	struct http_fetch f = { .want_stream = true, .timeout_ms = 86400000ull * 365 };

	r.path = str_concat(task_arena(t), 2, d->path, S("tail"));
	TRY(cli_ask(t, d->o, &r, &f));
	int bad = f.status == 200 ? show_stream(t, d, f.response_stream) : 1;
	stream_close(f.response_stream);
	return bad;
}

/* Also when the server is started again meanwhile. */
static int tail_task(struct task *t, void *arg)
{
	struct dev *d = arg;

	for (;;) {
		if (show_log(t, d) == -ECANCELED || task_sleep(t, AGAIN_MS) != 0)
			break;
		arena_reset(task_arena(t));
	}
	d->tail = NULL;
	return 0;
}

/* ---- the whole ---- */

static void say_what(struct task *t, const struct dev *d)
{
	struct arena *a = task_arena(t);
	struct str endpoint = cli_endpoint(a, d->o);

	dev_say(&d->show, "%.*s serves %.*s (%.*s, %.*s)", STR(d->name), STR(d->served),
	        STR(d->guess.runtime), STR(d->guess.handler));
	if (!d->made)
		dev_say(&d->show, "in place of what is deployed, until this ends");
	dev_say(&d->show,
	        "call it: wolke invoke %.*s '{}'   or   aws --endpoint-url %.*s lambda invoke "
	        "--function-name %.*s /dev/stdout",
	        STR(d->name), STR(endpoint), STR(d->name));
	dev_say(&d->show, "saves count at once; Ctrl-C ends");
}

static int wait_for_signal(struct task *t, struct dev *d)
{
	struct loop_fd fd;
	struct signalfd_siginfo info;

	TRY(loop_fd_init(&fd, task_loop(t), d->signal_fd));
	ssize_t n = loop_fd_read(t, &fd, &info, sizeof info, TASK_FOREVER);
	loop_fd_deinit(&fd);
	return n < 0 ? (int)n : 0;
}

static void stop(struct task *t, struct task *other)
{
	if (!other)
		return;
	task_cancel(other);
	(void)!task_join(t, other, 2000);
}

static int finish(struct task *t, struct dev *d)
{
	struct arena *a = task_arena(t);

	stop(t, d->builder);
	stop(t, d->tail);
	dev_child_stop(&d->watcher);
	TRY(let_debug(t, d, -1));
	TRY(send(t, d, S("DELETE"), str_concat(a, 2, d->path, S("directory")), NULL));
	if (d->made)
		dev_say(&d->show,
		        "%.*s goes on being served from %.*s; to remove it: aws --endpoint-url "
		        "%.*s lambda delete-function --function-name %.*s",
		        STR(d->name), STR(d->served), STR(cli_endpoint(a, d->o)), STR(d->name));
	else
		dev_say(&d->show, "%.*s runs what is deployed again", STR(d->name));
	return 0;
}

static struct str name_of(struct arena *a, const struct dev *d)
{
	struct str base = str_sub(
	        d->directory, (size_t)(str_rfind_char(d->directory, '/') + 1), d->directory.n);
	char *p = arena_bytes(a, base.n + 1);

	for (size_t i = 0; i < base.n; i++) {
		char c = base.p[i];
		bool good = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
		            c == '-' || c == '_';
		p[i] = good ? c : '-';
	}
	return base.n ? (struct str){ p, MIN(base.n, (size_t)64) } : S("dev");
}

static int dev_task(struct task *t, void *arg)
{
	struct dev *d = arg;
	struct arena *a = task_arena(t);
	struct stat st;

	TRY(whole_path(a, d->o->args[0], &d->directory));
	if (stat(d->directory.p, &st) != 0 || !S_ISDIR(st.st_mode)) {
		fprintf(stderr, "wolke: %.*s is no directory\n", STR(d->directory));
		return 1;
	}
	d->name = d->o->name.n ? d->o->name : name_of(a, d);
	d->path =
	        str_printf(a, "/_wolke/lambda/functions/%.*s/", STR(uri_encode(a, d->name, false)));
	TRY(choose_build(t, d));
	/* Before it is said that saves count. */
	if (d->build.n && !d->watcher.pid)
		TRY(tree_open(task_loop(t), d->directory, d->below, &d->sources));
	TRY(serve(t, d));
	say_what(t, d);
	TRY(let_debug(t, d, d->o->debug_port));
	d->tail = task_start(task_loop(t), "tail", tail_task, d);
	if (d->sources)
		d->builder = task_start(task_loop(t), "build", build_task, d);
	TRY(wait_for_signal(t, d));
	return finish(t, d);
}

int command_dev(struct arena *a, const struct options *o)
{
	const char *force = getenv("FORCE_COLOR");
	struct dev d = { .o = o, .watcher = { .pidfd = -1 } };
	sigset_t set;

	if (o->n_args < 1) {
		fprintf(stderr, "wolke: which directory? wolke dev DIR\n");
		return 2;
	}
	d.show.color = (isatty(1) && !getenv("NO_COLOR")) || (force && *force);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	d.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return cli_run(dev_task, &d);
}
