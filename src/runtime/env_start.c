/* env_start: from nothing, or from a prestarted interpreter, to the init phase of a function. */
#include "runtime/credentials.h"
#include "runtime/debug.h"
#include "runtime/extensions.h"
#include "runtime/logs.h"
#include "runtime/packages.h"

#include "base/clock.h"
#include "base/log.h"

/* What a debugger takes is not the function's. */
#define DEBUGGER_MIB 512

struct start {
	struct env *env;
	struct sandbox_message request, reply;
	struct str why;
};

static void set_ports(struct env *e, struct sandbox_spec *spec)
{
	spec->id = str_of(e->id);
	spec->runtime_port = RUNTIME_PORT;
	spec->endpoint_port = e->rt->endpoint_port;
}

static void set_limits(const struct env *e, struct sandbox_spec *spec)
{
	const struct runtime_function *f = &e->pool->f;

	spec->memory_mib = f->memory_mib + (f->debug_port ? DEBUGGER_MIB : 0);
	spec->tmp_mib = f->tmp_mib;
	spec->network = f->network == RUNTIME_NETWORK_STANDARD ? e->rt->options.network
	                                                       : f->network == RUNTIME_NETWORK_ON;
}

/* AWS_LAMBDA_EXEC_WRAPPER: a program of the function that starts the interpreter. */
static struct str wrapper_of(const struct runtime_function *f)
{
	const struct str name = S("AWS_LAMBDA_EXEC_WRAPPER=");

	for (size_t i = 0; i < f->n_env; i++)
		if (str_starts(f->env[i], name))
			return str_sub(f->env[i], name.n, f->env[i].n);
	return (struct str){ 0 };
}

static void set_interpreter(struct arena *a, struct env *e, struct sandbox_spec *spec)
{
	struct str wrapper = wrapper_of(&e->pool->f);

	spares_argv(a, e->interpreter, &spec->argv, &spec->n_argv);
	spares_mounts(e->rt, a, e->interpreter, spec);
	if (e->spares)
		spec->zygote = spares_zygote(e->spares);
	if (!wrapper.n)
		return;
	memmove(spec->argv + 1, spec->argv, spec->n_argv * sizeof *spec->argv);
	spec->argv[0] = wrapper;
	spec->n_argv++;
}

/* Lambda says it as an error of the function, not of the service. */
static int no_bootstrap(struct start *s)
{
	s->why = S("Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]");
	return -ENOENT;
}

static int set_program(struct task *t, struct start *s)
{
	struct arena *a = task_arena(t);
	struct sandbox_spec *spec = &s->request.spec;

	if (s->env->interpreter->kind->language != LANGUAGE_PROVIDED) {
		if (s->env->spares)
			TRY(spares_wait_zygote(t, s->env->spares));
		set_interpreter(a, s->env, spec);
		return 0;
	}
	struct str bootstrap = package_bootstrap(a, spec);
	if (!bootstrap.p)
		return no_bootstrap(s);
	spec->argv = arena_new(a, struct str);
	spec->argv[0] = bootstrap;
	spec->n_argv = 1;
	debug_argv(a, s->env, spec);
	return 0;
}

static int set_variables(struct task *t, struct start *s)
{
	struct env *e = s->env;
	struct sandbox_spec *spec = &s->request.spec;
	struct role_credentials c;

	if (credentials_get(t, e->rt, &e->pool->f, task_arena(t), &c) == -ECANCELED)
		return -ECANCELED;
	e->expires_ms = c.expires_ms;
	env_variables(e, &c, &spec->env, &spec->n_env);
	e->environment = env_variables_json(e->arena, spec->env, spec->n_env);
	return 0;
}

static void begin_init(struct env *e)
{
	e->init_started_ns = clock_mono_ns();
	env_log_init_start(e);
}

static int spawn(struct task *t, struct start *s)
{
	struct env *e = s->env;

	s->request.type = SANDBOX_SPAWN;
	set_ports(e, &s->request.spec);
	TRY(set_program(t, s));
	begin_init(e);
	int bad = sandbox_client_call(t, &e->rt->sandbox, &s->request, &s->reply);
	if (bad && bad != -EPIPE && s->request.spec.zygote.n) {
		spares_zygote_failed(e->spares);
		s->request.spec.zygote = (struct str){ 0 };
		bad = sandbox_client_call(t, &e->rt->sandbox, &s->request, &s->reply);
	}
	s->why = s->reply.why;
	TRY(bad);
	return env_adopt(e, &s->reply);
}

static int assign(struct task *t, struct start *s)
{
	struct env *e = s->env;

	s->request.type = SANDBOX_ASSIGN;
	set_ports(e, &s->request.spec);
	begin_init(e);
	int bad = sandbox_client_call(t, &e->rt->sandbox, &s->request, &s->reply);
	s->why = s->reply.why;
	return bad;
}

static int bring_up(struct task *t, struct start *s)
{
	struct env *e = s->env;
	struct pool *p = e->pool;

	if (!e->log)
		e->log = env_log_new(e->rt, &p->f, e->id);
	TRY(package_mounts(t, e->rt, &p->f, &s->request.spec));
	extensions_find(e, &s->request.spec);
	e->log->tap = e;
	TRY(set_variables(t, s));
	set_limits(e, &s->request.spec);
	s->request.id = str_of(e->id);
	return e->pid ? assign(t, s) : spawn(t, s);
}

/* That the helper has gone was said. */
static bool is_worth_saying(const struct env *e, int bad)
{
	return bad != -ECANCELED && bad != -EPIPE && !e->rt->stopping;
}

static const struct {
	int error;
	struct str words;
} exec_errors[] = {
	{ -EACCES, S_INIT("permission denied") },
	{ -ENOENT, S_INIT("no such file or directory") },
	{ -ENOEXEC, S_INIT("exec format error") },
};

/* What is wrong with a bootstrap is an error of the function, not of the service. */
static int entrypoint_error(struct task *t, struct start *s, int bad)
{
	const struct sandbox_spec *spec = &s->request.spec;

	if (s->env->interpreter->kind->language != LANGUAGE_PROVIDED)
		return bad;
	if (!spec->n_argv)
		return bad == -ENOENT && s->why.p ? RUNTIME_INVALID_ENTRYPOINT : bad;
	for (size_t i = 0; i < ARRAY_LEN(exec_errors); i++)
		if (exec_errors[i].error == bad) {
			s->why = str_concat(task_arena(t), 4, S("fork/exec "), spec->argv[0],
			        S(": "), exec_errors[i].words);
			return RUNTIME_INVALID_ENTRYPOINT;
		}
	return bad;
}

static void failed(struct task *t, struct start *s, int bad)
{
	struct env *e = s->env;
	struct waiter *w = e->invoker;

	bad = entrypoint_error(t, s, bad);
	if (bad < 0 && is_worth_saying(e, bad))
		log_error("an environment of %.*s does not start: %.*s: %s", STR(e->pool->f.name),
		        STR(s->why.p ? s->why : S("")), strerror(-bad));
	if (e->state == ENV_STARTING && w) {
		e->invoker = NULL;
		pool_fail_waiter(e->pool, w, bad, s->why);
	} else if (e->state == ENV_STARTING && s->request.type == SANDBOX_ASSIGN) {
		/* Whoever waits gets one that starts by itself. */
		e->pool->no_spares = true;
	} else if (e->state == ENV_STARTING && !e->dedicated) {
		pool_start_failed(e->pool, bad, s->why);
	}
	if (e->pid)
		env_stop(e);
	else
		env_never_was(e);
}

static void succeeded(struct env *e)
{
	/* Stopped meanwhile: nobody could kill what had no pid. */
	if (e->state == ENV_STOPPING) {
		sandbox_client_post(&e->rt->sandbox, SANDBOX_KILL, str_of(e->id), 0);
		return;
	}
	env_set_state(e, ENV_INIT);
	if (!e->second_init)
		timer_set(&e->timer, e->rt->loop, e->snapshot ? SNAPSHOT_INIT_MS : INIT_MAX_MS,
		        env_init_timeout);
	if (!e->extensions)
		runtime_api_assign(e);
}

/* The runtime may already ask for work: it waits for them. */
static void start_extensions(struct task *t, struct start *s)
{
	struct env *e = s->env;
	int bad = extensions_start(t, e, s->request.spec.env, s->request.spec.n_env);

	if (bad && e->state == ENV_INIT)
		env_init_failed(e,
		        report_error(e->arena, S("Extension.LaunchError"), S(""),
		                str_of(strerror(-bad))),
		        S("Extension.LaunchError"));
	runtime_api_assign(e);
	extensions_recheck(e);
}

int env_start_task(struct task *t, void *arg)
{
	struct start s = { .env = arg };
	struct env *e = s.env;
	int bad = bring_up(t, &s);

	if (e->state == ENV_GONE)
		;
	else if (bad)
		failed(t, &s, bad);
	else
		succeeded(e);
	if (e->extensions && e->state == ENV_INIT)
		start_extensions(t, &s);
	env_unref(e);
	return 0;
}

int env_spawn_spare_task(struct task *t, void *arg)
{
	struct env *e = arg;
	struct arena *a = task_arena(t);
	struct sandbox_message m = { .type = SANDBOX_SPAWN, .id = str_of(e->id) }, reply;

	set_ports(e, &m.spec);
	spares_argv(a, e->interpreter, &m.spec.argv, &m.spec.n_argv);
	spares_mounts(e->rt, a, e->interpreter, &m.spec);
	m.spec.zygote = spares_zygote(e->spares);
	m.spec.network = e->rt->options.network; /* ASSIGN can change it */
	env_variables_bare(e, &m.spec.env, &m.spec.n_env);
	int bad = sandbox_client_call(t, &e->rt->sandbox, &m, &reply);
	if (bad == 0)
		bad = env_adopt(e, &reply);
	spares_started(e->spares, e, bad == 0 && e->state == ENV_STARTING);
	if (bad && is_worth_saying(e, bad))
		log_warn("no interpreter of %.*s can be started ahead: %.*s: %s",
		        STR(e->interpreter->kind->name), STR(reply.why.p ? reply.why : S("")),
		        strerror(-bad));
	if (bad && e->pid)
		env_stop(e);
	else if (bad && e->state != ENV_GONE)
		env_never_was(e);
	env_unref(e);
	return 0;
}
