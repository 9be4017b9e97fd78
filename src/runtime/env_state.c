/* env_state: what may follow what. */
#include "runtime/env_state.h"

#define MAY(state) (1u << (state))

static const struct {
	struct str name;
	unsigned next;
} states[ENV_STATE_N] = {
	[ENV_STARTING] = { S_INIT("starting"), MAY(ENV_INIT) | MAY(ENV_STOPPING) | MAY(ENV_GONE) },
	/* Straight to busy: an invocation that waited through a repeated init. */
	[ENV_INIT] = { S_INIT("init"), MAY(ENV_IDLE) | MAY(ENV_BUSY) | MAY(ENV_STOPPING) },
	/* To init: a snapshot is restored. */
	[ENV_IDLE] = { S_INIT("idle"), MAY(ENV_BUSY) | MAY(ENV_INIT) | MAY(ENV_STOPPING) },
	[ENV_BUSY] = { S_INIT("busy"), MAY(ENV_IDLE) | MAY(ENV_STOPPING) },
	[ENV_STOPPING] = { S_INIT("stopping"), MAY(ENV_GONE) },
	[ENV_GONE] = { S_INIT("gone"), 0 },
};

bool env_state_may(enum env_state from, enum env_state to)
{
	return states[from].next & MAY(to);
}

struct str env_state_name(enum env_state state)
{
	return states[state].name;
}
