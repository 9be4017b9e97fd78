#pragma once
/*
 * develop: functions whose code is a directory (runtime_function.code_dir, or a layer that is one)
 * run what lies there now. The directory is watched from its first use on; with each change the
 * function's key changes, the environments of before end when idle, and when it has been quiet for
 * a moment one is started ahead.
 *
 * And tails: what a function writes, live, to whoever looks on.
 */
#include "runtime/runtime_internal.h"

/* Puts the directories' state into f->key. 0; RUNTIME_UNAVAILABLE with a sentence on *why. */
int develop_key(
        struct runtime *rt, struct arena *a, struct runtime_function *f, struct str *why) MUST_USE;
/* Nothing is watched any more. */
int develop_stop(struct task *t, struct runtime *rt) MUST_USE;
/* The host's directory behind a layer that is one; absent: a blob. */
struct str develop_layer(struct str layer);

/* A line of a function's log, to the tails that look on. */
void tails_line(struct runtime *rt, const struct env_log *l, struct str text);
void tails_changed(struct runtime *rt, const struct runtime_function *f, struct str what);
