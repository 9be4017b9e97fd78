#pragma once
/*
 * helper: the privileged process. One thread, one epoll loop over the main process's socket, the
 * control sockets of the sandboxes' pids 1, the zygotes' sockets and SIGCHLD.
 *
 * A sandbox occupies a numbered slot, which gives it its user and cgroups. A few are made ahead
 * (spares): complete and empty, so that a SPAWN only attaches mounts and names the program.
 */
#include "base/map.h"
#include "sandbox/cgroup.h"
#include "sandbox/mounts.h"
#include "sandbox/network.h"
#include "sandbox/protocol.h"
#include "sandbox/sandbox.h"

struct helper;

/* What epoll points to. */
struct watch {
	int fd;
	void (*ready)(struct helper *h, struct watch *w);
};

enum sandbox_state {
	SANDBOX_FREE,
	SANDBOX_MAKING,   /* pid 1 works; a request may wait for it */
	SANDBOX_SPARE,    /* complete, nobody's yet */
	SANDBOX_EMPTY,    /* has an id, waits for ASSIGN to bring a program */
	SANDBOX_STARTING, /* the program is being started */
	SANDBOX_RUNNING,
	SANDBOX_ENDING, /* pid 1 has been killed */
};

struct sandbox {
	int slot;
	enum sandbox_state state;
	char id[41];          /* "": nobody's */
	struct watch control; /* pid 1 */
	int init_pidfd;
	pid_t init_pid, main_pid;
	int log_fd; /* write end, until the program has it */
	struct zygote *zygote;
	struct cgroup_state cgroup;
	uint32_t memory_mib; /* for SETTLE and THAW */
	bool network;        /* can reach the outside */
	bool answered;       /* SPAWN has been: an EXIT is due */
	bool exited;         /* main process; status counts */
	int n_children;      /* of RUN */
	int status;
	struct arena *arena; /* of the request that is being served */
	struct sandbox_message request, reply;
};

struct zygote {
	char id[41];
	pid_t pid;
	struct watch socket;
	bool ready;
	uint32_t number; /* of the request to answer */
};

struct helper {
	struct sandbox_options options;
	int epoll;
	struct watch main, children;
	bool rootless, broken, stopping;
	bool without_network; /* and it has been said */
	struct cgroups cgroups;
	struct mounts mounts;
	struct network network;
	struct filter filter;
	struct buf report; /* what this host cannot give */
	struct sandbox **slots;
	int n_slots;
	struct map by_id;   /* of sandboxes */
	struct map zygotes; /* of zygotes */
	int spares_wanted;
};

/* helper.c */
void helper_watch(struct helper *h, struct watch *w, int fd,
        void (*ready)(struct helper *h, struct watch *w));
void helper_unwatch(struct helper *h, struct watch *w); /* closes it */
void helper_send(struct helper *h, const struct sandbox_message *m);
void helper_answer(struct helper *h, uint32_t number, int error, const char *why);
/* There is none from now on: said once. */
void helper_no_network(struct helper *h, const char *step, int error);
/* Receives a report of an inside process and who sent it; false: nothing (more) there. */
bool helper_receive_report(int fd, struct inside_report *r, pid_t *sender);

/* slots.c */
struct sandbox *slot_take(struct helper *h); /* a spare, or one being made; NULL: cannot */
void slot_kill(struct helper *h, struct sandbox *b);
/* A child of the helper has ended: a pid 1, or a main process whose zygote is no more. */
void slot_child_ended(struct helper *h, pid_t pid, int status);
void slot_main_exited(struct helper *h, struct sandbox *b, int status);
int slot_count(const struct helper *h, enum sandbox_state state);
void slots_refill(struct helper *h);
/* Closes what the process that has just been cloned must not have. */
void slots_close_except(int *keep, size_t n);

/* spawn.c */
void spawn_request(struct helper *h, struct arena *a, const struct sandbox_message *m);
void spawn_run(struct helper *h, struct sandbox *b, const struct sandbox_message *m);
void spawn_assign(struct helper *h, struct arena *a, const struct sandbox_message *m);
/* Pid 1 stands: serves the request that waits for it. */
void spawn_continue(struct helper *h, struct sandbox *b);
void spawn_running(struct helper *h, struct sandbox *b);
void spawn_failed(struct helper *h, struct sandbox *b, int error, const char *step);
void spawn_clear(struct sandbox *b);
/* A connection to a port inside, or -errno. */
int spawn_connect(struct helper *h, struct sandbox *b, uint16_t port);

/* zygotes.c */
void zygote_start(struct helper *h, struct arena *a, const struct sandbox_message *m);
bool zygote_child_ended(struct helper *h, pid_t pid, int status);
void zygotes_kill(struct helper *h);
bool zygote_kill(struct helper *h, struct str id);
/* Asks for a fork into the sandbox. */
int zygote_fork(struct helper *h, struct sandbox *b) MUST_USE;

/* inspect.c */
void inspect_signal(struct helper *h, const struct sandbox *b, int signal);
struct str inspect_stacks(struct helper *h, struct arena *a, const struct sandbox *b);
