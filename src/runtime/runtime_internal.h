#pragma once
/*
 * runtime_internal: the objects of this folder. All of them live on loop 0, so code between two
 * suspensions sees them whole.
 *
 *	runtime   one; holds everything
 *	function  per unqualified ARN: how many invocations run
 *	pool      per function version: its environments and the invocations that wait for one
 *	spares    per managed runtime: its zygote and its prestarted environments
 *	env       one sandbox with its connections, its log, and the invocation it works on
 *	waiter    an invocation from the caller's view, on the stack of runtime_invoke
 */
#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "loop/channel.h"
#include "loop/timer.h"
#include "net/transport.h"
#include "runtime/env_state.h"
#include "runtime/interpreters.h"
#include "runtime/report.h"
#include "runtime/runtime.h"
#include "runtime/sandbox_client.h"

#define RUNTIME_PORT     9001
#define INIT_MAX_MS      10000
#define SNAPSHOT_INIT_MS 130000
#define HOST_WAIT_MS     10000
#define FREEZE_AFTER_MS  1000
#define SPARES_MIN       2
#define SPARES_MAX       8
/* Beside enum runtime_error, inside of this folder: becomes a function error. */
#define RUNTIME_INVALID_ENTRYPOINT 100
#define CREDENTIALS_S              43200
#define CREDENTIALS_EARLY_MS       (10 * 60 * 1000)

struct runtime {
	struct loop *loop;
	struct arena *arena; /* of the options */
	struct arena *scratch;
	struct runtime_options options;
	struct http_server_options endpoint; /* of AWS_ENDPOINT_URL inside */
	uint16_t endpoint_port;
	struct sandbox_client sandbox;
	struct map functions, pools, spares, packages, credentials;
	struct map debuggers; /* debug.c, by ARN */
	struct map develops;  /* watched directories, by path */
	uint64_t develop_generation;
	struct list tails; /* who looks on */
	bool tails_ended;
	struct list usages; /* usage.c: on their way to the store */
	struct task *usage_flusher;
	struct map envs; /* by id */
	size_t n_envs, max_envs;
	uint32_t n_running; /* invocations */
	struct list logs;   /* with something to flush */
	struct task *log_flusher, *keeper;
	size_t n_flushes;
	bool said_no_logs, said_no_credentials, stopping;
};

struct function {
	struct runtime *rt;
	struct str arn; /* heap */
	uint32_t n_running;
	uint32_t refs; /* pools and running invocations */
};

struct package; /* packages.c */

/* Since it was last added to the store. */
struct usage {
	int64_t hour_ms, requests, errors, timeouts, duration_us, billed_ms, billed_mib_ms, init_ms,
	        storage_mib_ms;
};

struct pool {
	struct runtime *rt;
	struct arena *arena;
	struct runtime_function f; /* own copy */
	const struct interpreter *interpreter;
	struct function *function;
	struct list idle;    /* most recently used first */
	struct list waiting; /* waiters, the oldest first */
	size_t n_envs, n_waiting;
	size_t n_starting;              /* starting or in init, for whoever comes first */
	size_t n_finishing;             /* have answered, have not asked for more yet */
	double init_ms;                 /* of the last one that started */
	size_t n_wanted, n_provisioned; /* ahead of need, kept */
	unsigned provision_failures;    /* in a row */
	struct timer provisioning;      /* the next try */
	struct list snapshots;          /* frozen behind their init (SnapStart) */
	size_t n_snapshots;             /* and those on their way there */
	size_t n_watchers;              /* tasks that look at it */
	bool snapshot_failed;           /* the last one */
	bool retired;
	struct usage usage;
	bool no_spares;          /* one could not be assigned: they are not for it */
	struct timer impatience; /* grows the pool when a finishing one does not come back */
};

enum spares_state { SPARES_NEW, SPARES_STARTING, SPARES_READY, SPARES_FAILED };

struct spares {
	struct runtime *rt;
	const struct interpreter *interpreter;
	enum spares_state state; /* of its zygote; without one READY at once */
	bool zygote;
	char zygote_id[41];
	struct cond zygote_started;
	size_t n_alone;    /* interpreters started without it meanwhile */
	struct list ready; /* env.idle */
	size_t n_ready, n_starting, target;
	size_t n_warming; /* of the ready ones: their interpreters have not asked for a function yet
	                   */
	uint64_t used_ns; /* when one was last asked for */
	struct timer refill;
};

enum env_end { ENV_END_SPINDOWN, ENV_END_TIMEOUT, ENV_END_FAILURE };

struct extensions;       /* extensions.h */
struct env_log;          /* logs.h */
struct role_credentials; /* credentials.h */

struct runtime_conn {
	struct list_node node; /* of env->conns */
	struct env *env;
	struct task *task;
	struct transport transport;
	char *in; /* bytes read and not used up: [at, n) */
	size_t at, n, capacity;
	char held[1024]; /* answers to be sent together with the next one */
	size_t held_n;
};

/* What an invocation came to. */
struct outcome {
	struct str payload;
	struct str function_error;     /* "Unhandled", or absent */
	struct str status, error_type; /* for the report */
	struct str note;               /* lines for the log before END; absent: none */
	bool timed_out;
};

/* What a sandbox had used at a moment. */
struct cpu_use {
	uint64_t at_ns, used_ns, held_ns; /* at_ns 0: not known */
};

struct run {
	char request_id[64];
	size_t request_id_n;
	char trace_id[256];
	size_t trace_id_n;
	uint64_t started_ns;
	double init_ms;    /* < 0: warm */
	double restore_ms; /* 0: was not restored for it */
	bool said_start, answered;
	bool half_over, timed_out; /* its time */
	bool told;                 /* that it was up */
	struct cpu_use half;       /* when half of its time was over */
	struct function *counted;  /* nobody waits: the env itself releases the count */
};

struct env {
	struct list_node idle; /* of pool->idle or spares->ready */
	struct runtime *rt;
	struct pool *pool; /* NULL: prestarted, nobody's yet */
	struct spares *spares;
	const struct interpreter *interpreter;
	enum env_state state;
	unsigned refs;
	char id[33];
	int pid;
	struct arena *arena;
	struct env_log *log;
	struct loop_fd runtime_fd, endpoint_fd, log_fd;
	int memory_fd;
	struct task *runtime_acceptor, *endpoint_acceptor, *log_reader;
	bool log_ended;
	struct list conns; /* of the Runtime API */
	struct list endpoint_conns;
	struct runtime_conn *next_conn;   /* asks for an invocation */
	struct runtime_conn *assign_conn; /* asks whose it is */
	struct str environment;           /* JSON for assign_conn */
	/* init */
	uint64_t init_started_ns;
	double init_ms;
	bool second_init; /* within an invocation, bound to its invoker */
	bool dedicated;   /* counted in no n_starting */
	bool snapshot;    /* made to be one, and not taken yet */
	bool init_ended;  /* has asked for restore/next */
	bool restoring;   /* from then until it asks for an invocation */
	struct cond restored;
	uint64_t restore_started_ns;
	double restore_ms; /* of the last restore; 0: none */
	bool provisioned;  /* one of those that are kept ahead */
	bool initialised;  /* its init has succeeded */
	bool killed;       /* SANDBOX_KILL is sent, or will be */
	enum env_end end;  /* why it stops */
	bool warming;      /* a spare whose interpreter is not ready yet */
	struct timer timer;
	char *dump; /* diagnose.c */
	size_t dump_n;
	/* the invocation */
	struct extensions *extensions; /* NULL: none */
	struct waiter *invoker;        /* NULL: nobody waits (any more) */
	struct run run;
	uint64_t n_invocations, idle_since_ns, memory_read_ns;
	uint32_t max_memory_mib;
	bool frozen;
	int64_t expires_ms; /* of its credentials; 0: never */
};

struct waiter {
	struct list_node node; /* of pool->waiting */
	struct task *task;
	struct arena *arena; /* for what the result holds */
	const struct runtime_invocation *in;
	struct runtime_result *result;
	struct function *function;
	struct env *env; /* whose turn it is */
	bool delivering; /* its task waits for the connection: only that may wake it */
	bool coming;     /* env is in its second init for it */
	bool done;
	int error; /* instead of a result: positive enum runtime_error or -errno */
};

struct runtime *runtime_of(const struct task *t);

/* ---- env.c ---- */
struct env *env_new(struct runtime *rt, const struct interpreter *interpreter);
struct env *env_ref(struct env *e);
void env_unref(struct env *e);
void env_set_state(struct env *e, enum env_state to);
/* Brings it to its end: SIGKILL; the EXIT notice does the rest. */
void env_stop(struct env *e);
/* The same, when its connection has failed in the middle of an invocation. */
void env_stop_broken(struct env *e);
/* Its sandbox could not be made. */
void env_never_was(struct env *e);
void env_drain_log(struct env *e);
/* Its processes are gone. */
void env_exited(struct env *e, const struct sandbox_message *m);
void env_on_exit(struct runtime *rt, const struct sandbox_message *m);
/* One of its programs is gone, others are there. */
void env_on_child(struct runtime *rt, const struct sandbox_message *m);
/* Takes what SPAWN's reply brought and begins to serve it. */
int env_adopt(struct env *e, struct sandbox_message *reply) MUST_USE;
uint32_t env_memory_mib(struct env *e, bool fresh);

/* ---- env_start.c ---- */
/* A task that brings a new or prestarted environment to its init phase. */
int env_start_task(struct task *t, void *env);
int env_spawn_spare_task(struct task *t, void *env);

/* ---- environ.c ---- */
/* All environment variables of it, in e->arena. */
void env_variables(
        struct env *e, const struct role_credentials *credentials, struct str **v, size_t *n);
struct str env_variables_json(struct arena *a, const struct str *v, size_t n);
/* Those of a prestarted interpreter. */
void env_variables_bare(struct env *e, struct str **v, size_t *n);

/* ---- env_run.c ---- */
/* The runtime asks for an invocation. -EPERM: not now. */
int env_next(struct env *e, struct runtime_conn *c) MUST_USE;
/* The runtime has asked, and so have all extensions. */
void env_is_ready(struct env *e);
void env_bind(struct env *e, struct waiter *w);
void env_log_init_start(struct env *e);
void env_log_restore_start(struct env *e);
/* A hook after the restore has failed. */
void env_restore_failed(struct env *e, struct str payload, struct str error_type);
void env_finish(struct env *e, const struct outcome *o);
/* The runtime reports that its init failed: payload is the error document. */
void env_init_failed(struct env *e, struct str payload, struct str error_type);
/* Nobody waits for the running invocation any more. */
void env_detach(struct env *e);
void env_init_timeout(struct timer *timer);
/* Ends an invocation that has run for too long; notes: lines for its log. Again: nothing. */
void env_time_is_up(struct env *e, struct str notes);
void env_run_failed_by_exit(struct env *e, const struct sandbox_message *m);
void env_init_failed_by_exit(struct env *e, const struct sandbox_message *m);

/* ---- prepare.c ---- */
void function_copy(
        struct arena *a, const struct runtime_function *f, struct runtime_function *copy);

/* ---- pool.c ---- */
/* 0, RUNTIME_UNAVAILABLE with the reason on *why. */
int pool_get(struct runtime *rt, const struct runtime_function *f, struct arena *a, struct str *why,
        struct pool **pool) MUST_USE;
struct env *pool_take_idle(struct pool *p);
/* Starts environments while more invocations wait than are coming. False: the host is full. */
bool pool_grow(struct pool *p);
void pool_start_snapshot(struct pool *p);
void pool_start_one(struct pool *p, bool provisioned);
/* Makes room on a full host. False: nothing is idle. */
bool pool_evict(struct runtime *rt);
/* An environment can take an invocation. */
void pool_give(struct pool *p, struct env *e);
/* The start of one failed: tells whom it was for. */
void pool_start_failed(struct pool *p, int error, struct str why);
void pool_fail_waiter(struct pool *p, struct waiter *w, int error, struct str why);
void pool_remove_env(struct pool *p, struct env *e);
void pool_free_if_unused(struct pool *p);
/* Its environments end when idle. */
void pool_retire(struct pool *p);
/* Starts one that nobody waits for yet. */
void pool_start_ahead(struct pool *p);
void function_release(struct function *f);
void function_running(struct runtime *rt, struct function *f, int change);

/* ---- snapshot.c ---- */
void snapshot_fill(struct pool *p);
/* Restores one for whoever waits. False: there is none. */
bool snapshot_take(struct pool *p);
void snapshot_lost(struct pool *p, struct env *e);

/* ---- provision.c ---- */
/* Starts what is missing, ends what is too much. */
void provision_fill(struct pool *p);
void provision_lost(struct pool *p, const struct env *e);
void provision_stop(struct runtime *rt);

/* ---- spares.c ---- */
struct spares *spares_get(struct runtime *rt, const struct interpreter *in);
/* A prestarted environment, or NULL. */
struct env *spares_take(struct spares *s);
/* Which zygote to fork from; empty: exec. */
struct str spares_zygote(const struct spares *s);
void spares_warm(struct spares *s, struct env *e);
/* Returns when it can be forked from, or will not soon be. */
int spares_wait_zygote(struct task *t, struct spares *s) MUST_USE;
/* Forking has failed: from now on interpreters are started by exec. */
void spares_zygote_failed(struct spares *s);
/* It is no longer ready, if it was. */
void spares_forget(struct env *e);
void spares_lost(struct spares *s, struct env *e);
void spares_started(struct spares *s, struct env *e, bool good);
void spares_shrink(struct spares *s, uint64_t idle_ns);
void spares_free(struct runtime *rt);
/* argv of the interpreter with its bootstrap, as seen inside. */
void spares_argv(struct arena *a, const struct interpreter *in, struct str **argv, size_t *n);
void spares_mounts(struct runtime *rt, struct arena *a, const struct interpreter *in,
        struct sandbox_spec *spec);

/* ---- runtime_api.c ---- */
int runtime_api_accept_task(struct task *t, void *env);
int endpoint_accept_task(struct task *t, void *env);
/* Answers the connection that asked whose it is, once that is known. */
void runtime_api_assign(struct env *e);
/* Writes the invocation to the connection that waits for it, in the invoker's task. */
int runtime_api_deliver(struct task *t, struct env *e, const struct waiter *w) MUST_USE;
void runtime_api_close(struct env *e);
