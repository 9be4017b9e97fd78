#pragma once
/*
 * env_state: the life-cycle of an environment as a table of legal transitions.
 *
 *	starting -> init -> idle <-> busy -> stopping -> gone
 *
 * starting: its sandbox is being made, or waits for a function (a prestarted one).
 * init: the function's own code is being loaded; ends when the runtime asks for an invocation.
 * busy: from the delivery of an invocation until the runtime asks for the next one.
 */
#include "base/str.h"

enum env_state { ENV_STARTING, ENV_INIT, ENV_IDLE, ENV_BUSY, ENV_STOPPING, ENV_GONE, ENV_STATE_N };

bool env_state_may(enum env_state from, enum env_state to);
struct str env_state_name(enum env_state state);
