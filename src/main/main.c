/* main: the table of commands. */
#include "main/command.h"

#include "base/arena.h"

#include <stdio.h>

struct command {
	const char *name, *arguments, *help;
	int (*run)(struct arena *a, const struct options *o);
	size_t max_args;
};

static int command_version(struct arena *a, const struct options *o)
{
	printf("wolke %s\n", WOLKE_VERSION);
	return 0;
}

static const struct command commands[] = {
	{ "start", "", "run the cloud in the foreground", command_start },
	{ "status", "", "is it running, and what does it run", command_status },
	{ "invoke", "FUNCTION [JSON|@FILE|-]", "call a function and show its answer and log",
	        command_invoke, 2 },
	{ "logs", "[-f] FUNCTION|GROUP", "the latest log lines", command_logs, 1 },
	{ "functions", "", "functions and their environments", command_functions },
	{ "runtimes", "", "the languages that can run here", command_runtimes },
	{ "dev", "DIR", "serve a directory as a function, and its log; saves count at once",
	        command_dev, 1 },
	{ "debug", "FUNCTION [PORT|off]", "let a debugger attach to it", command_debug, 2 },
	{ "record", "FUNCTION [on|off]", "keep its invocations", command_record, 2 },
	{ "recordings", "[FUNCTION]", "what was kept", command_recordings, 1 },
	{ "replay", "ID [--debug [PORT]]", "run one again, and compare", command_replay, 1 },
	{ "bill", "[--since 24h|DATE]", "what ran, and what AWS would charge", command_bill },
	{ "cert", "", "path of the certificate authority that clients may trust", command_cert },
	{ "env", "", "shell lines that point AWS's tools here: eval $(wolke env)", command_env },
	{ "version", "", "its version", command_version },
};

static void print_help(void)
{
	printf("wolke %s: a serverless cloud in one program, speaking AWS's APIs\n\n",
	        WOLKE_VERSION);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		int n = printf("  wolke %s %s", commands[i].name, commands[i].arguments);
		printf("%*s%s\n", MAX(2, 42 - n), "", commands[i].help);
	}
	printf("\nOptions:\n");
	options_print();
}

static const struct command *find(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (str_eq(name, str_of(commands[i].name)))
			return &commands[i];
	return NULL;
}

int main(int argc, char **argv)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct options options;
	struct str name = argc > 1 ? str_of(argv[1]) : S("help");

	if (str_eq(name, S("--version")))
		name = S("version");
	if (str_eq(name, S("help")) || str_eq(name, S("--help")) || str_eq(name, S("-h"))) {
		print_help();
		return 0;
	}
	const struct command *command = find(name);
	if (!command) {
		fprintf(stderr, "wolke: no command %.*s (wolke --help lists them)\n", STR(name));
		return 2;
	}
	if (options_parse(a, argc - 2, argv + 2, &options) != 0)
		return 2;
	if (options.help) {
		printf("wolke %s %s\n  %s\n\nOptions:\n", command->name, command->arguments,
		        command->help);
		options_print();
		return 0;
	}
	if (options.n_args > command->max_args) {
		fprintf(stderr, "wolke: %s takes no %.*s (wolke %s --help)\n", command->name,
		        STR(options.args[command->max_args]), command->name);
		return 2;
	}
	return command->run(a, &options);
}
