/* env_run: an environment's init and its invocations, until each has come to something. */
#include "runtime/debug.h"
#include "runtime/diagnose.h"
#include "runtime/extensions.h"
#include "runtime/logs.h"
#include "runtime/runtime_internal.h"
#include "runtime/telemetry.h"

#include "base/clock.h"
#include "base/log.h"
#include "codec/codec.h"
#include "runtime/usage.h"

/* A function that has run for so long may have needed more memory than before. */
#define MEMORY_FRESH_MS 5

static double ms_since(uint64_t ns)
{
	return (double)(clock_mono_ns() - ns) / 1e6;
}

static struct str request_id(const struct env *e)
{
	return (struct str){ e->run.request_id, e->run.request_id_n };
}

static size_t keep(char *to, size_t size, struct str s)
{
	size_t n = MIN(s.n, size);

	if (n)
		memcpy(to, s.p, n);
	return n;
}

/* ---- lines of the platform ---- */

static struct report report_of(const struct env *e)
{
	return (struct report){
		.request_id = request_id(e),
		.version = e->pool->f.version,
		.memory_size_mib = e->pool->f.memory_mib,
		.init_ms = e->run.init_ms,
		.restore_ms = e->run.restore_ms,
	};
}

/* System log levels: what succeeds is INFO, what fails is WARN or ERROR. Only JSON is filtered. */
static bool is_logged(const struct env *e, bool failure)
{
	struct str level = e->pool->f.system_log_level;

	return !e->pool->f.log_json || failure || !str_eq(level, S("WARN"));
}

/* For a line that is copied at once. */
static struct buf scratch(struct env *e)
{
	arena_reset(e->rt->scratch);
	return buf_init(e->rt->scratch);
}

static void log_start(struct env *e)
{
	struct buf b = scratch(e);
	struct report r = report_of(e);

	e->run.said_start = true;
	if (e->extensions) {
		report_start(&b, true, clock_now_ms(), &r);
		telemetry_platform(e, S("platform.start"), buf_str(&b));
		buf_clear(&b);
	}
	if (!is_logged(e, false))
		return;
	report_start(&b, e->pool->f.log_json, clock_now_ms(), &r);
	env_log_event(e->log, buf_str(&b));
}

static void tell_end(struct env *e, struct buf *b, const struct report *r)
{
	report_runtime_done(b, clock_now_ms(), r);
	telemetry_platform(e, S("platform.runtimeDone"), buf_str(b));
	buf_clear(b);
	buf_printf(b,
	        "{\"time\":\"%.*s\",\"type\":\"platform.end\",\"record\":{\"requestId\":\"%.*s\"}}",
	        STR(time_iso8601(b->arena, clock_now_ms(), true)), STR(r->request_id));
	telemetry_platform(e, S("platform.end"), buf_str(b));
	buf_clear(b);
	report_report(b, true, clock_now_ms(), r);
	telemetry_platform(e, S("platform.report"), buf_str(b));
	buf_clear(b);
}

static void log_end(struct env *e, struct report *r)
{
	struct buf b = scratch(e);
	bool json = e->pool->f.log_json;

	if (e->extensions)
		tell_end(e, &b, r);
	if (!json) {
		report_end(&b, r);
		env_log_event(e->log, buf_str(&b));
		buf_clear(&b);
	}
	if (!is_logged(e, r->error_type.p || r->status.p))
		return;
	report_report(&b, json, clock_now_ms(), r);
	env_log_event(e->log, buf_str(&b));
}

void env_log_init_start(struct env *e)
{
	struct buf b = buf_init(e->arena);
	struct report_init r = {
		.runtime = e->interpreter->kind->name,
		.exact = e->interpreter->exact,
		.region = e->pool->f.region,
		.name = e->pool->f.name,
		.version = e->pool->f.version,
		.phase = S("init"),
	};

	if (e->extensions) {
		report_init_start(&b, true, clock_now_ms(), &r);
		telemetry_platform(e, S("platform.initStart"), buf_str(&b));
		buf_clear(&b);
	}
	if (e->second_init || !is_logged(e, false))
		return;
	report_init_start(&b, e->pool->f.log_json, clock_now_ms(), &r);
	env_log_event(e->log, buf_str(&b));
}

void env_log_restore_start(struct env *e)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct buf b = buf_init(a);
	struct report_init r = { .runtime = e->interpreter->kind->name,
		.exact = e->interpreter->exact,
		.region = e->pool->f.region,
		.name = e->pool->f.name,
		.version = e->pool->f.version };

	report_restore_start(&b, true, clock_now_ms(), &r);
	if (e->extensions)
		telemetry_platform(e, S("platform.restoreStart"), buf_str(&b));
	if (!e->pool->f.log_json) {
		buf_clear(&b);
		report_restore_start(&b, false, clock_now_ms(), &r);
	}
	if (is_logged(e, false))
		env_log_event(e->log, buf_str(&b));
}

static void log_restore_report(struct env *e, struct str error_type)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct buf b = buf_init(a);
	double ms = ms_since(e->restore_started_ns);

	report_restore_report(&b, true, clock_now_ms(), ms, error_type);
	if (e->extensions)
		telemetry_platform(e, S("platform.restoreReport"), buf_str(&b));
	if (!e->pool->f.log_json) {
		buf_clear(&b);
		report_restore_report(&b, false, clock_now_ms(), ms, error_type);
	}
	if (is_logged(e, error_type.p))
		env_log_event(e->log, buf_str(&b));
}

static void log_init_report(struct env *e, struct str status, struct str error_type)
{
	struct buf b = buf_init(e->arena);
	struct report_init r = {
		.phase = e->second_init ? S("invoke") : S("init"),
		.duration_ms = ms_since(e->init_started_ns),
		.status = status,
		.error_type = error_type,
	};

	report_init_report(&b, e->pool->f.log_json, clock_now_ms(), &r);
	env_log_event(e->log, buf_str(&b));
}

static void log_init_runtime_done(struct env *e)
{
	struct buf b = scratch(e);
	struct report_init r = { .phase = e->second_init ? S("invoke") : S("init") };

	report_init_runtime_done(&b, clock_now_ms(), &r);
	telemetry_platform(e, S("platform.initRuntimeDone"), buf_str(&b));
	buf_clear(&b);
	r.duration_ms = ms_since(e->init_started_ns);
	r.status = S("success");
	report_init_report(&b, true, clock_now_ms(), &r);
	telemetry_platform(e, S("platform.initReport"), buf_str(&b));
}

/* ---- begin ---- */

static void note_run(struct env *e, const struct waiter *w)
{
	struct run *r = &e->run;

	r->request_id_n = keep(r->request_id, sizeof r->request_id, w->in->request_id);
	r->trace_id_n = keep(r->trace_id, sizeof r->trace_id, w->in->trace_id);
	r->started_ns = clock_mono_ns();
	r->restore_ms = e->n_invocations == 0 ? e->restore_ms : 0;
	r->init_ms =
	        e->n_invocations == 0 && !e->second_init && r->restore_ms <= 0 ? e->init_ms : -1;
	r->answered = r->said_start = false;
	r->half_over = r->timed_out = r->told = false;
	r->half = (struct cpu_use){ 0 };
	r->counted = NULL;
	timer_set(&e->timer, e->rt->loop, e->pool->f.timeout_s * 500ull, env_init_timeout);
	env_log_begin(e->log, w->in->want_log_tail);
}

void env_bind(struct env *e, struct waiter *w)
{
	list_remove(&e->idle);
	env_set_state(e, ENV_BUSY);
	if (e->frozen) {
		e->frozen = false;
		sandbox_client_post(&e->rt->sandbox, SANDBOX_THAW, str_of(e->id), 0);
	}
	e->invoker = w;
	w->env = e;
	note_run(e, w);
	log_start(e);
	e->n_invocations++;
	if (e->extensions)
		extensions_invoke(e, w->in);
	task_wake(w->task, 0);
}

/* Its first init has failed: a new sandbox in its place tries once more, now within the invocation
 * and for as long as that may take. */
static void begin_second_init(struct env *before)
{
	struct pool *p = before->pool;
	struct list_node *n = list_pop_front(&p->waiting);

	if (!n)
		return;
	p->n_waiting--;
	struct env *e = env_new(p->rt, before->interpreter);
	e->pool = p;
	p->n_envs++;
	e->log = env_log_ref(before->log);
	e->second_init = e->dedicated = true;
	e->spares = before->spares;
	e->invoker = CONTAINER_OF(n, struct waiter, node);
	e->invoker->env = e;
	e->invoker->coming = true;
	note_run(e, e->invoker);
	task_start(p->rt->loop, "env-start", env_start_task, env_ref(e));
}

static void restore_is_over(struct env *e)
{
	e->restoring = false;
	e->initialised = true;
	e->restore_ms = ms_since(e->restore_started_ns);
	log_restore_report(e, (struct str){ 0 });
	if (!e->second_init)
		timer_cancel(&e->timer);
}

static void init_is_over(struct env *e)
{
	if (e->restoring) {
		restore_is_over(e);
	} else if (!e->second_init) {
		e->initialised = true;
		e->pool->provision_failures = 0;
		e->init_ms = e->pool->init_ms = ms_since(e->init_started_ns);
		timer_cancel(&e->timer);
	}
	if (!e->pool->f.debug_port)
		sandbox_client_post(&e->rt->sandbox, SANDBOX_SETTLE, str_of(e->id), 0);
	if (e->extensions)
		extensions_end_init(e);
}

/* An invocation that waited through a repeated init begins. */
static void run_after_second_init(struct env *e)
{
	env_set_state(e, ENV_BUSY);
	log_start(e);
	e->n_invocations++;
	if (e->invoker) {
		e->invoker->coming = false;
		extensions_invoke(e, e->invoker->in);
		task_wake(e->invoker->task, 0);
	} else {
		/* Whom it was for has gone: the event is gone with it. */
		env_stop(e);
	}
}

void env_is_ready(struct env *e)
{
	if (!e->next_conn)
		return;
	if (e->state == ENV_INIT) {
		init_is_over(e);
		if (e->second_init) {
			run_after_second_init(e);
			return;
		}
	} else if (e->state == ENV_BUSY && e->run.answered) {
		timer_cancel(&e->timer);
	} else {
		return;
	}
	env_set_state(e, ENV_IDLE);
	pool_give(e->pool, e);
}

int env_next(struct env *e, struct runtime_conn *c)
{
	bool may = e->state == ENV_INIT || (e->state == ENV_BUSY && e->run.answered);

	if (e->next_conn || !may)
		return -EPERM;
	e->next_conn = c;
	if (e->extensions && e->state == ENV_INIT)
		log_init_runtime_done(e);
	if (!e->extensions || extensions_are_ready(e))
		env_is_ready(e);
	return 0;
}

/* ---- end ---- */

static void release_count(struct env *e)
{
	if (e->run.counted)
		function_running(e->rt, e->run.counted, -1);
	e->run.counted = NULL;
}

static void fill_result(struct env *e, const struct outcome *o, const struct report *r)
{
	struct waiter *w = e->invoker;
	struct arena *a = w->arena;
	struct runtime_result *result = w->result;

	*result = (struct runtime_result){
		.payload = str_dup(a, o->payload),
		.env_id = str_dup(a, str_of(e->id)),
		.log_stream = str_dup(a, e->log->stream),
		.duration_ms = r->duration_ms,
		.billed_ms = report_billed_ms(r->duration_ms, r->init_ms),
		.init_ms = r->init_ms,
		.max_memory_mib = r->max_memory_mib,
		.timed_out = o->timed_out,
	};
	if (o->function_error.p)
		result->function_error = str_dup(a, o->function_error);
	result->error_type = o->error_type.p ? str_dup(a, o->error_type) : (struct str){ 0 };
	if (w->in->want_log_tail)
		result->log_tail = env_log_tail(a, e->log);
	w->done = true;
	e->invoker = NULL;
	if (!w->delivering)
		task_wake(w->task, 0);
}

void env_finish(struct env *e, const struct outcome *o)
{
	struct report r = report_of(e);

	if (e->state == ENV_BUSY && e->run.answered)
		return;
	r.duration_ms = o->timed_out ? e->pool->f.timeout_s * 1000.0 : ms_since(e->run.started_ns);
	r.max_memory_mib =
	        MIN(env_memory_mib(e, r.duration_ms > MEMORY_FRESH_MS || o->function_error.p),
	                r.memory_size_mib);
	r.status = o->status;
	r.error_type = o->error_type;
	if (e->pool->f.tracing_active)
		r.trace_id = (struct str){ e->run.trace_id, e->run.trace_id_n };
	usage_add(e->pool, &r);
	env_drain_log(e);
	if (!e->run.said_start)
		log_start(e);
	if (o->note.p)
		env_log_event(e->log, o->note);
	log_end(e, &r);
	if (e->invoker)
		fill_result(e, o, &r);
	else
		release_count(e);
	e->log->want_tail = false;
	if (e->state == ENV_BUSY) {
		e->run.answered = true;
		e->pool->n_finishing++;
	}
}

void env_detach(struct env *e)
{
	struct waiter *w = e->invoker;

	if (!w)
		return;
	e->invoker = NULL;
	e->run.counted = w->function;
	w->function = NULL;
}

/* ---- failures ---- */

void env_init_failed(struct env *e, struct str payload, struct str error_type)
{
	struct outcome o = {
		.payload = payload,
		.function_error = S("Unhandled"),
		.status = S("error"),
		.error_type = error_type.n ? error_type : S("Runtime.Unknown"),
	};

	if (e->second_init && e->run.timed_out) {
		env_time_is_up(e, (struct str){ 0 });
		return;
	}
	env_drain_log(e);
	log_init_report(e, S("error"), o.error_type);
	if (e->second_init)
		env_finish(e, &o);
	else
		begin_second_init(e);
	e->end = ENV_END_FAILURE;
	env_stop(e);
}

void env_time_is_up(struct env *e, struct str notes)
{
	struct arena *a = e->arena;
	uint32_t seconds = e->pool ? e->pool->f.timeout_s : 0;
	struct buf b = buf_init(a);
	struct outcome o = {
		.function_error = S("Unhandled"), .status = S("timeout"), .timed_out = true
	};

	if (e->run.told || !e->pool)
		return;
	e->run.told = true;
	o.payload = report_error(a, S("Sandbox.Timedout"), request_id(e),
	        str_printf(a, "Task timed out after %u.00 seconds", seconds));
	if (e->state != ENV_BUSY && e->init_started_ns)
		log_init_report(e, S("timeout"), (struct str){ 0 });
	report_timed_out(&b, clock_now_ms(), request_id(e), seconds);
	buf_add(&b, notes);
	o.note = buf_str(&b);
	env_finish(e, &o);
	e->end = ENV_END_TIMEOUT;
	env_stop(e);
}

static uint64_t time_left_ms(const struct env *e)
{
	uint64_t used_ns = clock_mono_ns() - e->run.started_ns;
	uint64_t all_ns = e->pool->f.timeout_s * 1000000000ull;

	return used_ns < all_ns ? (all_ns - used_ns + 999999) / 1000000 : 0;
}

/* Half way, the full time, and the end of finding out where it was. */
void env_restore_failed(struct env *e, struct str payload, struct str error_type)
{
	struct list_node *n = list_first(&e->pool->waiting);

	env_drain_log(e);
	log_restore_report(e, error_type);
	if (n) {
		struct waiter *w = CONTAINER_OF(n, struct waiter, node);
		struct runtime_result *result = w->result;
		pool_fail_waiter(e->pool, w, 0, payload);
		result->function_error = S("Unhandled");
		result->error_type = str_dup(w->arena, error_type);
		result->init_ms = -1;
	}
	e->end = ENV_END_FAILURE;
	env_stop(e);
}

static void time_passes(struct env *e)
{
	struct run *r = &e->run;

	if (!r->half_over && r->answered) {
		r->half_over = true;
		timer_set(&e->timer, e->rt->loop, time_left_ms(e), env_init_timeout);
	} else if (r->answered) {
		env_stop(e);
	} else if (!r->half_over) {
		r->half_over = true;
		diagnose_half(e);
		timer_set(&e->timer, e->rt->loop, time_left_ms(e), env_init_timeout);
	} else if (!r->timed_out) {
		env_drain_log(e);
		r->timed_out = true;
		timer_set(&e->timer, e->rt->loop, DIAGNOSE_MS, env_init_timeout);
		diagnose(e);
	} else {
		env_time_is_up(e, (struct str){ 0 });
	}
}

/* Of init, of an invocation, or of what goes on after its answer. */
void env_init_timeout(struct timer *timer)
{
	struct env *e = CONTAINER_OF(timer, struct env, timer);

	if (!e->run.timed_out && debug_holds(e)) {
		timer_set(&e->timer, e->rt->loop, e->pool->f.timeout_s * 1000ull, env_init_timeout);
		return;
	}

	if (e->state == ENV_BUSY || e->second_init) {
		time_passes(e);
	} else if (e->state == ENV_INIT) {
		env_drain_log(e);
		log_init_report(e, S("timeout"), (struct str){ 0 });
		begin_second_init(e);
		env_stop(e);
	}
}

static struct outcome exit_outcome(struct env *e, const struct sandbox_message *m)
{
	struct arena *a = e->arena;
	struct str reason = m->oom_killed ? S("signal: killed")
	                                  : report_exit_reason(a, m->exit_code, m->exit_signal);
	struct str what = reason.n ? str_concat(a, 2, S("Runtime exited with error: "), reason)
	                           : S("Runtime exited without providing a reason");
	struct str type = m->oom_killed ? S("Runtime.OutOfMemory") : S("Runtime.ExitError");

	return (struct outcome){
		.payload = report_error(a, type, request_id(e), what),
		.function_error = S("Unhandled"),
		.status = S("error"),
		.error_type = type,
		.note = str_printf(a, "RequestId: %.*s Error: %.*s\n%.*s\n", STR(request_id(e)),
		        STR(what), STR(type)),
	};
}

void env_run_failed_by_exit(struct env *e, const struct sandbox_message *m)
{
	if (e->state == ENV_BUSY && e->run.answered)
		return;
	if (e->run.timed_out) {
		env_time_is_up(e, (struct str){ 0 });
		return;
	}
	struct outcome o = exit_outcome(e, m);
	env_finish(e, &o);
}

void env_init_failed_by_exit(struct env *e, const struct sandbox_message *m)
{
	struct outcome o = exit_outcome(e, m);

	if (e->second_init && e->run.timed_out) {
		env_time_is_up(e, (struct str){ 0 });
		return;
	}
	log_init_report(e, S("error"), o.error_type);
	if (e->second_init)
		env_finish(e, &o);
	else
		begin_second_init(e);
}
