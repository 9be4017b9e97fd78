#pragma once
/*
 * options: the command line and the environment, as one structure.
 */
#include "base/str.h"

#define OPTIONS_LIST_MAX 64

/* An option that may be given more than once. */
struct options_list {
	struct str v[OPTIONS_LIST_MAX];
	size_t n;
};

struct options {
	struct str data_dir;     /* --data, WOLKE_DATA; default $XDG_DATA_HOME/wolke */
	struct str runtimes_dir; /* --runtimes-dir, WOLKE_RUNTIMES; default beside the program */
	struct str host;         /* --host */
	int port;                /* --port */
	int threads;
	struct str iam;        /* warn | enforce | off */
	struct str durability; /* strict | relaxed */
	struct str clock;      /* system | manual */
	struct str runtimes;   /* nearest | exact */
	struct str sandbox;    /* best | strict */
	struct str network;    /* on | ask | off; absent: as the sandbox's mode has it */
	struct str host_ports; /* "5432,6379" */
	struct str region, account;
	struct str log_level;
	int keep_warm_s;
	int concurrency;
	bool access_log;
	bool follow; /* logs -f */
	bool help;
	/* dev, record, replay, bill */
	struct str name, runtime, handler, role, build, out, since, function;
	struct options_list env, layers;
	int timeout, memory;
	bool debug;
	int debug_port;     /* 0: the language's usual one */
	struct str args[8]; /* what is not an option */
	size_t n_args;
};

/* Fills in defaults, then reads argv behind the command. 0, or 1 after saying on standard error
 * what is wrong. */
int options_parse(struct arena *a, int argc, char **argv, struct options *o) MUST_USE;
/* The options, a line each. */
void options_print(void);
