#pragma once
/*
 * dev: the parts of `wolke dev`: what a directory holds, how it is built, what its log looks like.
 */
#include "loop/task.h"
#include "main/options.h"

struct dev_guess {
	struct str runtime, handler;
};

/* What runs the code in a directory, told by the files in it; absent what cannot be told. below:
 * a folder in it ("dist") where the code is; S(""): the directory itself. */
struct dev_guess dev_guess(struct arena *a, struct str directory, struct str below);

/* The project's own way of building, from package.json. */
struct dev_script {
	struct str watch; /* "npm run watch": goes on by itself */
	struct str build; /* "npm run build" */
};
struct dev_script dev_script(struct arena *a, struct str directory);

struct dev_show {
	bool color;
	bool failed; /* an error was shown since the last report */
};
/* Prints one line of the tail. */
void dev_show_line(struct dev_show *s, struct arena *a, struct str line);
void dev_say(const struct dev_show *s, const char *format, ...) PRINTF(2, 3);

/* Runs a command of the user's in a directory, its output on the terminal. */
struct dev_child {
	int pid, pidfd;
};
int dev_child_start(
        struct arena *a, struct str command, struct str directory, struct dev_child *c) MUST_USE;
/* Its exit code, or -errno. */
int dev_child_wait(struct task *t, struct dev_child *c);
void dev_child_stop(struct dev_child *c);
