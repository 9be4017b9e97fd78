#pragma once
/*
 * loops: the event loops beside loop 0 (--threads), each on a thread of its own. All serve the one
 * port: whichever is free accepts. They share the store, the engine and the function environments,
 * which live on loop 0.
 */
#include "net/server.h"

struct loops;

/* Starts n more loops with the slots of the running one; each listens on a copy of listen_fd. */
int loops_start(struct task *t, int n, int listen_fd, const struct http_server_options *options,
        struct loops **loops) MUST_USE;
/* Stops accepting on all of them, at once; their running exchanges may go on for grace_ms. */
void loops_stop_begin(struct task *t, struct loops *loops, uint64_t grace_ms);
/* Waits until they have ended. Frees; NULL is fine. */
void loops_stop_end(struct task *t, struct loops *loops);
