#pragma once
/*
 * init: pid 1 of a sandbox. A copy of the helper that makes the sandbox around itself, becomes the
 * unprivileged user, and waits on its control socket: for the program to run (a packed
 * sandbox_message with argv, env and the log), if one is to come. It reaps, and when the main
 * process has ended it reports how and ends; the kernel then kills what is left.
 */
#include "sandbox/mounts.h"
#include "sandbox/network.h"
#include "sandbox/protocol.h"

#define INIT_CHILDREN_MAX 16

/* A program of RUN. */
struct init_child {
	pid_t pid; /* 0: none */
	uint32_t name;
};

struct init {
	int control;
	const struct mounts *mounts;
	const struct filter *filter;
	int cgroup_files[8];
	int n_cgroup_files;
	struct network_inside network;
	struct inside_report ready; /* error, step: there is no way out, and why */
	uid_t uid;
	bool rootless;
	struct init_child children[INIT_CHILDREN_MAX];
	bool main_ended;
	bool no_pids_cgroup, no_memory_cgroup; /* setrlimit stands in */
};

_Noreturn void init_run(struct init *in);
