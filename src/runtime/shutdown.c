/*
 * shutdown: the end of an environment that has extensions. First the runtime (SIGTERM), then the
 * external extensions (the SHUTDOWN event), all within 500 ms when there are internal ones only,
 * 2 s otherwise; then SIGKILL.
 *
 * Lambda Developer Guide, "Lambda execution environment lifecycle", shutdown phase.
 */
#include "runtime/extensions.h"
#include "runtime/telemetry.h"

#include "base/clock.h"

#include <signal.h>

#define INTERNAL_MS      500
#define EXTERNAL_MS      2000
#define RUNTIME_SHARE_MS 600

static bool has_external(const struct env *e)
{
	list_for_each (n, &e->extensions->all)
		if (CONTAINER_OF(n, struct extension, node)->external)
			return true;
	return false;
}

static bool has_running(const struct env *e)
{
	list_for_each (n, &e->extensions->all) {
		const struct extension *x = CONTAINER_OF(n, struct extension, node);
		if (x->external && x->number && x->state != EXTENSION_ENDED)
			return true;
	}
	return false;
}

/* Both conditions end with the environment itself. */
static int wait_until(struct task *t, struct env *e, uint64_t end_ns, bool for_main)
{
	while (e->state != ENV_GONE && (for_main ? !e->extensions->main_ended : has_running(e))) {
		uint64_t now = clock_mono_ns();
		if (now >= end_ns)
			return 0;
		int bad = cond_wait(t, &e->extensions->changed, (end_ns - now) / 1000000 + 1);
		if (bad && bad != -ETIMEDOUT)
			return bad;
	}
	return 0;
}

static void signal_main(struct env *e, int signal)
{
	struct sandbox_client *c = &e->rt->sandbox;

	sandbox_client_post_to(c, str_of(e->id), e->pid, signal);
}

static struct str reason_of(const struct env *e)
{
	if (e->end == ENV_END_TIMEOUT)
		return S("timeout");
	return e->end == ENV_END_FAILURE ? S("failure") : S("spindown");
}

static int phases(struct task *t, struct env *e)
{
	bool external = has_external(e);
	uint64_t start = clock_mono_ns();
	uint64_t end = start + (external ? EXTERNAL_MS : INTERNAL_MS) * 1000000ull;

	signal_main(e, SIGTERM);
	TRY(wait_until(t, e, external ? start + RUNTIME_SHARE_MS * 1000000ull : end, true));
	if (e->state == ENV_GONE || !external)
		return 0;
	if (!e->extensions->main_ended)
		signal_main(e, SIGKILL);
	telemetry_flush(e);
	list_for_each (n, &e->extensions->all) {
		struct extension *x = CONTAINER_OF(n, struct extension, node);
		uint64_t now = clock_mono_ns();
		if (x->shutdown && x->state != EXTENSION_ENDED)
			extension_shut_down(
			        x, reason_of(e), end > now ? (int64_t)(end - now) / 1000000 : 0);
	}
	return wait_until(t, e, end, false);
}

static int shutdown_task(struct task *t, void *arg)
{
	struct env *e = arg;

	(void)!phases(t, e);
	if (e->state != ENV_GONE)
		sandbox_client_post(&e->rt->sandbox, SANDBOX_KILL, str_of(e->id), 0);
	env_unref(e);
	return 0;
}

static bool anybody_there(const struct env *e)
{
	list_for_each (n, &e->extensions->all) {
		const struct extension *x = CONTAINER_OF(n, struct extension, node);
		if (x->state != EXTENSION_STARTED && x->state != EXTENSION_ENDED)
			return true;
	}
	return false;
}

bool extensions_shutdown(struct env *e)
{
	if (!e->extensions || !anybody_there(e))
		return false;
	e->extensions->registration_closed = true;
	if (e->frozen)
		sandbox_client_post(&e->rt->sandbox, SANDBOX_THAW, str_of(e->id), 0);
	e->frozen = false;
	task_start(e->rt->loop, "env-shutdown", shutdown_task, env_ref(e));
	return true;
}
