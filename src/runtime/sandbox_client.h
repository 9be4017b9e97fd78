#pragma once
/*
 * sandbox_client: the main process's end of the helper's socket. Requests of tasks wait for their
 * replies; requests without interest in the reply are posted from anywhere. Loop 0 only.
 */
#include "base/list.h"
#include "loop/loop.h"
#include "sandbox/sandbox.h"

struct sandbox_client {
	struct loop_fd fd;
	struct arena *arena; /* of the message being received */
	struct list waiting; /* requests without a reply yet */
	struct list unsent;  /* posts that the socket had no room for */
	uint32_t number;
	bool dead; /* the helper has gone */
	struct task *receiver, *sender;
	void (*notice)(void *arg, const struct sandbox_message *m);
	void *arg;
};

/* notice: for EXIT notices and, with id absent, when the helper itself has ended. */
int sandbox_client_start(struct sandbox_client *c, struct loop *loop, int fd,
        void (*notice)(void *arg, const struct sandbox_message *m), void *arg) MUST_USE;
void sandbox_client_stop(struct sandbox_client *c);
/* SIGNAL to the main process alone. */
void sandbox_client_post_to(struct sandbox_client *c, struct str id, int pid, int signal);
/* After its tasks have ended. */
void sandbox_client_deinit(struct sandbox_client *c);
/* Sends m and waits for the reply; its why is in the task's arena. 0 or the reply's error; -EPIPE
 * when the helper has gone. Not cancelled halfway: a sandbox that is made is never lost. */
int sandbox_client_call(struct task *t, struct sandbox_client *c, struct sandbox_message *m,
        struct sandbox_message *reply) MUST_USE;
/* KILL, FREEZE, THAW, SETTLE, SIGNAL. */
void sandbox_client_post(
        struct sandbox_client *c, enum sandbox_message_type type, struct str id, int signal);
