#pragma once
/*
 * command: the words behind `wolke`. Each is a function in a file of its name; main.c has the
 * table.
 */
#include "main/options.h"

int command_start(struct arena *a, const struct options *o);
int command_status(struct arena *a, const struct options *o);
int command_invoke(struct arena *a, const struct options *o);
int command_logs(struct arena *a, const struct options *o);
int command_functions(struct arena *a, const struct options *o);
int command_runtimes(struct arena *a, const struct options *o);
int command_dev(struct arena *a, const struct options *o);
int command_record(struct arena *a, const struct options *o);
int command_recordings(struct arena *a, const struct options *o);
int command_replay(struct arena *a, const struct options *o);
int command_debug(struct arena *a, const struct options *o);
int command_bill(struct arena *a, const struct options *o);
int command_cert(struct arena *a, const struct options *o);
int command_env(struct arena *a, const struct options *o);
