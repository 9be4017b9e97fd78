#pragma once
/*
 * child: waits for processes by pidfd. The sandbox helper parents most of them; this is for tools
 * that wolke itself runs.
 */
#include "loop/loop.h"

struct child_result {
	int exit_code;   /* 128 + signal when killed by one */
	struct str out;  /* standard output and error together, cut at 1 MiB */
};

/* Runs argv (NULL-terminated; no shell) to its end and collects its output. -ETIMEDOUT kills it. */
int child_run(struct task *t, const char *const argv[], uint64_t limit_ms, struct child_result *result) MUST_USE;
