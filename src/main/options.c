/* options: one table for parsing and for --help. */
#include "main/options.h"

#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum option_type { OPTION_STR, OPTION_INT, OPTION_FLAG, OPTION_LIST, OPTION_DEBUG };

struct option {
	const char *name, *letter, *value, *help;
	enum option_type type;
	size_t offset;
	const char *choices; /* "a|b|c" */
	int max;             /* of an OPTION_INT; 0: MAX_INT */
};

#define MAX_INT  1000000
#define FIELD(f) offsetof(struct options, f)

static const struct option table[] = {
	{ "--data", "-d", "DIR", "where everything is kept", OPTION_STR, FIELD(data_dir), NULL },
	{ "--port", "-p", "N", "port for HTTP and HTTPS (4566)", OPTION_INT, FIELD(port), NULL,
	        65535 },
	{ "--host", NULL, "IP", "address to listen on (127.0.0.1)", OPTION_STR, FIELD(host), NULL },
	{ "--threads", NULL, "N", "event loops (1); 0: one for each core", OPTION_INT,
	        FIELD(threads), NULL },
	{ "--iam", NULL, "MODE", "warn: say what AWS would deny, and allow it; enforce; off",
	        OPTION_STR, FIELD(iam), "warn|enforce|off" },
	{ "--durability", NULL, "MODE",
	        "strict: on disk before answered; relaxed: for throw-away runs", OPTION_STR,
	        FIELD(durability), "strict|relaxed" },
	{ "--clock", NULL, "MODE", "system; manual: moved by POST /_wolke/clock", OPTION_STR,
	        FIELD(clock), "system|manual" },
	{ "--runtimes", NULL, "MODE", "nearest: a near interpreter version will do; exact",
	        OPTION_STR, FIELD(runtimes), "nearest|exact" },
	{ "--runtimes-dir", NULL, "DIR", "bootstraps and SDKs of the runtimes", OPTION_STR,
	        FIELD(runtimes_dir), NULL },
	{ "--sandbox", NULL, "MODE", "best: what this host can give; strict: all or nothing",
	        OPTION_STR, FIELD(sandbox), "best|strict" },
	{ "--network", NULL, "MODE",
	        "on: functions reach the outside (best); ask: those tagged wolke:network=on; off",
	        OPTION_STR, FIELD(network), "on|ask|off" },
	{ "--host-ports", NULL, "N,N", "of this machine's loopback, which functions may reach",
	        OPTION_STR, FIELD(host_ports), NULL },
	{ "--region", NULL, "NAME", "of requests that name none (us-east-1)", OPTION_STR,
	        FIELD(region), NULL },
	{ "--account", NULL, "ID", "of keys that name none (000000000000)", OPTION_STR,
	        FIELD(account), NULL },
	{ "--keep-warm", NULL, "S", "seconds an idle environment is kept (600)", OPTION_INT,
	        FIELD(keep_warm_s), NULL },
	{ "--concurrency", NULL, "N", "account concurrency limit (1000)", OPTION_INT,
	        FIELD(concurrency), NULL },
	{ "--log-level", NULL, "LEVEL", "debug, info, warning or error", OPTION_STR,
	        FIELD(log_level), "debug|info|warning|error" },
	{ "--access-log", NULL, NULL, "a line for each request", OPTION_FLAG, FIELD(access_log),
	        NULL },
	{ "--follow", "-f", NULL, "logs: go on as lines arrive", OPTION_FLAG, FIELD(follow), NULL },
	{ "--name", "-n", "NAME", "dev: of the function (the directory's)", OPTION_STR, FIELD(name),
	        NULL },
	{ "--runtime", NULL, "NAME", "dev: instead of the one that is guessed", OPTION_STR,
	        FIELD(runtime), NULL },
	{ "--handler", NULL, "NAME", "dev: instead of the one that is guessed", OPTION_STR,
	        FIELD(handler), NULL },
	{ "--env", "-e", "K=V", "dev: an environment variable; may be repeated", OPTION_LIST,
	        FIELD(env), NULL },
	{ "--layer", NULL, "DIR|ARN", "dev: a layer; may be repeated", OPTION_LIST, FIELD(layers),
	        NULL },
	{ "--role", NULL, "ARN", "dev: the execution role (one that may write logs)", OPTION_STR,
	        FIELD(role), NULL },
	{ "--timeout", NULL, "S", "dev: of the function (3)", OPTION_INT, FIELD(timeout), NULL },
	{ "--memory", NULL, "MB", "dev: of the function (128)", OPTION_INT, FIELD(memory), NULL },
	{ "--build", NULL, "CMD", "dev: run in DIR at start and after each change", OPTION_STR,
	        FIELD(build), NULL },
	{ "--out", NULL, "DIR", "dev: where the build puts what is to be served", OPTION_STR,
	        FIELD(out), NULL },
	{ "--debug", NULL, "[PORT]", "dev, replay: let a debugger attach", OPTION_DEBUG,
	        FIELD(debug), NULL },
	{ "--since", NULL, "24h|DATE", "bill: from when on (the month's begin)", OPTION_STR,
	        FIELD(since), NULL },
	{ "--function", NULL, "NAME", "bill: only this one", OPTION_STR, FIELD(function), NULL },
	{ "--help", "-h", NULL, "this text", OPTION_FLAG, FIELD(help), NULL },
};

static struct str env_or(const char *name, struct str otherwise)
{
	const char *v = getenv(name);

	return v && *v ? str_of(v) : otherwise;
}

static struct str default_data_dir(struct arena *a)
{
	const char *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

	if (xdg && *xdg)
		return str_printf(a, "%s/wolke", xdg);
	return str_printf(a, "%s/.local/share/wolke", home ? home : "/var/lib");
}

/* runtimes/ beside the program, where the build puts it, or below ../share where `make install`
 * does. */
static struct str default_runtimes_dir(struct arena *a)
{
	char *self = arena_bytes(a, 4096);
	ssize_t n = readlink("/proc/self/exe", self, 4095);
	struct str dir = { self, n > 0 ? (size_t)n : 0 };
	ptrdiff_t slash = str_rfind_char(dir, '/');

	dir = str_sub(dir, 0, slash > 0 ? (size_t)slash : 0);
	struct str beside = str_printf(a, "%.*s/runtimes", STR(dir));
	if (access(str_cstr(a, beside), R_OK) == 0)
		return beside;
	return str_printf(a, "%.*s/../share/wolke/runtimes", STR(dir));
}

static void defaults(struct arena *a, struct options *o)
{
	*o = (struct options){
		.data_dir = env_or("WOLKE_DATA", default_data_dir(a)),
		.runtimes_dir = env_or("WOLKE_RUNTIMES", default_runtimes_dir(a)),
		.host = S("127.0.0.1"),
		.port = 4566,
		.threads = 1,
		.iam = env_or("WOLKE_IAM", S("warn")),
		.durability = S("strict"),
		.clock = S("system"),
		.runtimes = S("nearest"),
		.sandbox = S("best"),
		.region = env_or("AWS_DEFAULT_REGION", env_or("AWS_REGION", S("us-east-1"))),
		.account = S("000000000000"),
		.log_level = S("info"),
	};
}

static bool is_choice(struct str value, const char *choices)
{
	struct str rest = str_of(choices);

	while (rest.p)
		if (str_eq(str_cut(&rest, '|'), value))
			return true;
	return false;
}

static int add_to_list(const struct option *option, struct options_list *list, struct str value)
{
	if (list->n == ARRAY_LEN(list->v)) {
		fprintf(stderr, "wolke: %s: %d at most\n", option->name, OPTIONS_LIST_MAX);
		return 1;
	}
	list->v[list->n++] = value;
	return 0;
}

static int set(const struct option *option, struct options *o, struct str value)
{
	void *field = (char *)o + option->offset;
	int64_t number;

	if (option->choices && !is_choice(value, option->choices)) {
		fprintf(stderr, "wolke: %s takes %s\n", option->name, option->choices);
		return 1;
	}
	if (option->type == OPTION_STR) {
		*(struct str *)field = value;
		return 0;
	}
	if (option->type == OPTION_LIST)
		return add_to_list(option, field, value);
	int max = option->max ? option->max : MAX_INT;
	if (!str_to_i64(value, &number) || number < 0 || number > max) {
		fprintf(stderr, "wolke: %s takes a number up to %d\n", option->name, max);
		return 1;
	}
	*(int *)field = (int)number;
	return 0;
}

static const struct option *find(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (str_eq(name, str_of(table[i].name)) ||
		        (table[i].letter && str_eq(name, str_of(table[i].letter))))
			return &table[i];
	return NULL;
}

/* Its port may be left out: what follows is one only when it is a number. */
static int take_debug(int argc, char **argv, int *i, struct str given, struct options *o)
{
	int64_t port = 0;
	bool next = !given.p && *i + 1 < argc && str_to_i64(str_of(argv[*i + 1]), &port);

	o->debug = true;
	if (next)
		++*i;
	if ((given.p && !str_to_i64(given, &port)) || port < 0 || port > 65535) {
		fprintf(stderr, "wolke: --debug takes a port\n");
		return 1;
	}
	o->debug_port = (int)port;
	return 0;
}

/* Takes argv[*i], and the value behind it where the option has one. */
static int take(int argc, char **argv, int *i, struct options *o)
{
	struct str rest = str_of(argv[*i]);
	struct str name = str_cut(&rest, '=');
	const struct option *option = find(name);

	if (!option) {
		fprintf(stderr, "wolke: no option %.*s (wolke --help lists them)\n", STR(name));
		return 1;
	}
	if (option->type == OPTION_FLAG && rest.p) {
		fprintf(stderr, "wolke: %s takes no value\n", option->name);
		return 1;
	}
	if (option->type == OPTION_FLAG) {
		*(bool *)((char *)o + option->offset) = true;
		return 0;
	}
	if (option->type == OPTION_DEBUG)
		return take_debug(argc, argv, i, rest, o);
	if (!rest.p && *i + 1 < argc)
		rest = str_of(argv[++*i]);
	if (!rest.p) {
		fprintf(stderr, "wolke: %s takes a value: %s\n", option->name, option->value);
		return 1;
	}
	return set(option, o, rest);
}

static int check_account(struct str account)
{
	bool good = account.n == 12;

	for (size_t i = 0; good && i < account.n; i++)
		good = account.p[i] >= '0' && account.p[i] <= '9';
	if (!good)
		fprintf(stderr, "wolke: --account takes twelve digits\n");
	return good ? 0 : 1;
}

int options_parse(struct arena *a, int argc, char **argv, struct options *o)
{
	defaults(a, o);
	for (int i = 0; i < argc; i++) {
		if (argv[i][0] == '-' && argv[i][1]) {
			TRY(take(argc, argv, &i, o));
		} else if (o->n_args < ARRAY_LEN(o->args)) {
			o->args[o->n_args++] = str_of(argv[i]);
		} else {
			fprintf(stderr, "wolke: too many arguments\n");
			return 1;
		}
	}
	return check_account(o->account);
}

void options_print(void)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct option *o = &table[i];
		int n = printf("  %s%s%s %s", o->letter ? o->letter : "", o->letter ? ", " : "",
		        o->name, o->value ? o->value : "");
		printf("%*s%s\n", MAX(2, 28 - n), "", o->help);
	}
}
