#pragma once
/*
 * sandbox: namespaces, mounts, cgroups, seccomp. A small privileged helper process, forked before
 * any thread exists, does all that needs privilege; the main process asks it over a SOCK_SEQPACKET
 * socket. It also parents the zygotes: pre-initialised interpreters from which environments fork.
 *
 * Messages are packed with the functions below; descriptors travel beside them (SCM_RIGHTS). Each
 * request has a number that its reply repeats; replies come in any order. Notices have number 0.
 *
 * A sandbox has its own user (uid 993 inside, as sbx_user1051 in Lambda), mount, pid, net, ipc and
 * uts namespaces; a read-only root of the host's system directories (/usr /lib /lib64 /bin /etc
 * in part); /var/task (code), /opt (layers, later ones over earlier ones), /var/runtime (bootstrap
 * and SDK), private /tmp (tmpfs of tmp_mib, mode 1777), /proc of its own, a minimal /dev; a cgroup
 * (v2, or v1) with memory, pids and cpu limits; no capabilities, no_new_privs, a seccomp filter;
 * pid 1 reaps. What the host cannot give is reported at start in words.
 */
#include "base/str.h"
#include "sandbox/network.h"

struct sandbox_options {
	struct str state_dir;    /* for mount points: <data>/sandbox */
	struct str runtimes_dir; /* runtimes/ of the installation: bootstraps, zygote programs */
	struct network_options network;
	bool strict; /* refuse to start when anything is missing */
};

/* Forks the helper. *socket_fd (non-blocking, close-on-exec) is the main process's end; the helper
 * ends, killing all sandboxes, when it closes. */
int sandbox_helper_start(const struct sandbox_options *o, int *socket_fd) MUST_USE;

enum sandbox_message_type {
	SANDBOX_SPAWN = 1, /* spec -> reply with descriptors */
	SANDBOX_ASSIGN, /* spec: gives a prestarted sandbox (same id) its code, layers, limits, env
	                 */
	SANDBOX_KILL,   /* id: SIGKILL to everything inside; EXIT notice follows; removes all traces
	                 */
	SANDBOX_FREEZE, /* id */
	SANDBOX_THAW,   /* id */
	SANDBOX_SIGNAL, /* id, signal to all processes but pid 1: SIGTERM at shutdown */
	SANDBOX_ZYGOTE, /* spec: id = zygote's name, argv, env: start it; reply when it is ready */
	SANDBOX_REPLY,  /* to any of these */
	SANDBOX_EXIT,   /* notice: a sandbox's main process has ended */
	SANDBOX_REPORT, /* notice, mostly at start: what this host cannot give, a line each, in why
	                 */
	SANDBOX_STACKS, /* id, signal -> why: what its processes are doing (wchan, stack), for
	                 * time-outs. The signal, unless 0, goes to the main process before. The
	                 * CPU is not limited from then on: it is to answer, and will be killed */
	SANDBOX_SETTLE, /* id: init is over; until then the CPU is not limited, from now on it is
	                 * in proportion to memory (1 vCPU at 1,769 MB) */
	SANDBOX_USAGE,  /* id -> why: nanoseconds of CPU used, and held back by the limit, both only
	                 * to be compared: "123 45" */
	SANDBOX_CONNECT, /* id, spec.runtime_port -> the RUNTIME descriptor: a connection to that
	                  * port on 127.0.0.1 inside (it may not be established yet) */
	SANDBOX_RUN,     /* id, spec's argv and env: one more program beside the main one; the reply
	                  * brings its LOG. The request's number is its name from then on. */
	SANDBOX_CHILD,   /* notice: a program of RUN has ended: pid is its name; error when it could
	                  * not be executed. pid 0: the main one, while others go on: until they
	                  * end or KILL comes. */
};

struct sandbox_spec {
	struct str id;     /* of the environment: letters and digits, at most 40 */
	struct str zygote; /* fork from this zygote instead of exec; empty: exec argv */
	struct str *argv;  /* paths as seen inside */
	size_t n_argv;
	struct str *env; /* "NAME=value": all of the environment */
	size_t n_env;
	struct str code_dir; /* host path -> /var/task; empty: none yet (prestarted, see ASSIGN) */
	struct str *layers;  /* host paths -> /opt */
	size_t n_layers;
	struct str runtime_dir; /* host path -> /var/runtime, read-only; empty: none */
	struct str *extra; /* "hostpath:insidepath" read-only binds: interpreters outside /usr */
	size_t n_extra;
	uint32_t memory_mib;    /* limit; 0: none */
	uint32_t tmp_mib;       /* 0: 512 */
	uint32_t max_pids;      /* 0: 1024 */
	uint32_t max_fds;       /* 0: 1024 */
	uint16_t runtime_port;  /* a listening socket on 127.0.0.1 inside; 0: none */
	uint16_t endpoint_port; /* the same for AWS_ENDPOINT_URL */
	bool network;           /* reach the outside, see network.h */
	bool code_writable;     /* never but in development */
};

enum {
	SANDBOX_FD_RUNTIME,
	SANDBOX_FD_ENDPOINT,
	SANDBOX_FD_LOG,
	SANDBOX_FD_PIDFD,
	SANDBOX_FD_MEMORY,
	SANDBOX_FD_CPU,
	SANDBOX_FD_N
};

struct sandbox_message {
	enum sandbox_message_type type;
	uint32_t number;
	struct str id;
	int error;      /* REPLY: 0 or -errno */
	struct str why; /* in words */
	int pid; /* REPLY to SPAWN, ASSIGN, ZYGOTE: of the main process, on the host; 0: none yet */
	int signal;      /* SIGNAL; with pid: to the main process alone */
	int exit_code;   /* EXIT: or -1 */
	int exit_signal; /* EXIT: 0 none */
	bool oom_killed; /* EXIT: the kernel killed it for its memory limit */
	struct sandbox_spec spec;
	/* REPLY to SPAWN (an ASSIGN brings no descriptors). PIDFD: the sandbox's pid 1: readable
	 * when all of the sandbox has ended. RUNTIME and ENDPOINT: listening sockets of the inside;
	 * LOG: read end of what stdout and stderr carry; MEMORY: pread gives the peak in bytes
	 * (decimal); CPU: one number, nanoseconds, or lines of which "usage_usec N" counts. -1
	 * where there is none. Counters go on from whoever had the cgroup before: take differences.
	 * Owned by the receiver. */
	int fds[SANDBOX_FD_N];
};

#define SANDBOX_MESSAGE_MAX (64 * 1024) /* env may have 4 KiB, argv and paths the rest */

/* Blocking for the helper; for the main process -EAGAIN when the socket is full or empty: it keeps
 * reading while it waits to send, as the helper may wait for it. Strings of a received message are
 * in the arena. Descriptors: in a message to send, 0 and -1 are none. */
int sandbox_send(int socket_fd, const struct sandbox_message *m) MUST_USE;
int sandbox_receive(int socket_fd, struct arena *a, struct sandbox_message *m) MUST_USE;
