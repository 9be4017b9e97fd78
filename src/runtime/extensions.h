#pragma once
/*
 * extensions: programs beside the runtime, in one environment. External ones are the files of
 * /opt/extensions, started when the environment is; internal ones are threads of the runtime's own
 * process. Each registers, asks for events, and works on them as long as it likes; the environment
 * is idle only when all have asked for the next one.
 *
 * Lambda Developer Guide, "Using the Lambda Extensions API to create extensions".
 *
 * An environment without extensions has no struct extensions.
 */
#include "runtime/logs.h"

#define EXTENSIONS_MAX 10

enum extension_state {
	EXTENSION_STARTED, /* an external one, before it registers */
	EXTENSION_REGISTERED,
	EXTENSION_WAITING, /* has asked for the next event */
	EXTENSION_WORKING,
	EXTENSION_ENDED,
};

struct extension {
	struct list_node node;
	struct env *env;
	struct str name; /* of the file, or as registered */
	char id[37];
	enum extension_state state;
	bool external, invoke, shutdown;
	struct str error_type; /* as it reported itself */
	struct arena *event_arena;
	struct str event; /* for whoever asks next */
	struct cond has_event;
	uint32_t number; /* of its program in the sandbox */
	struct loop_fd log_fd;
	struct lines lines;
};

struct telemetry; /* telemetry.h */

struct extensions {
	struct env *env;
	struct list all;
	size_t n;
	bool registration_closed;
	bool main_ended;     /* during shutdown */
	struct cond changed; /* during shutdown: one has ended */
	struct telemetry *telemetry;
};

/* Finds out whether the layers bring any: before anything of the environment is logged. */
void extensions_find(struct env *e, const struct sandbox_spec *spec);
/* Starts the external ones; variables: of the function. */
int extensions_start(struct task *t, struct env *e, const struct str *variables, size_t n) MUST_USE;
/* Has each asked for its next event? */
bool extensions_are_ready(const struct env *e);
/* What ended while the sandbox was still being made fails its init now. */
void extensions_recheck(struct env *e);
/* The init phase is over: says in the log who is there. */
void extensions_end_init(struct env *e);
/* An invocation begins. */
void extensions_invoke(struct env *e, const struct runtime_invocation *in);
/* Of one program, or of the main one (pid 0). */
void extensions_on_child(struct env *e, const struct sandbox_message *m);
/* True when there is somebody to tell: a task then ends the environment with all its phases. */
bool extensions_shutdown(struct env *e);
/* One reports that it cannot go on. */
void extensions_failed(struct extension *x, struct str error_type);
void extensions_free(struct env *e);

struct extension *extension_find(const struct env *e, struct str id);
struct extension *extension_find_name(const struct env *e, struct str name);
/* An internal one. NULL: there are too many. */
struct extension *extension_new(struct env *e, struct str name);
/* It has asked for the next event; goes on with what waited for that. */
void extension_asks(struct extension *x);
void extension_shut_down(struct extension *x, struct str reason, int64_t limit_ms);
