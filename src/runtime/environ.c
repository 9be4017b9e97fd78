/* environ: the environment variables that Lambda defines. */
#include "runtime/credentials.h"
#include "runtime/debug.h"
#include "runtime/logs.h"

#include "codec/json.h"

#define LIBRARIES "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"

struct variables {
	struct arena *arena;
	struct str *v;
	size_t n, capacity;
};

static struct str name_of(struct str variable)
{
	return str_sub(variable, 0, (size_t)MAX(str_find_char(variable, '='), (ptrdiff_t)0));
}

/* A later one replaces an earlier one of the same name. */
static void put(struct variables *l, struct str variable)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(name_of(l->v[i]), name_of(variable))) {
			l->v[i] = variable;
			return;
		}
	if (l->n == l->capacity) {
		struct str *v = arena_new_n(l->arena, struct str, l->capacity * 2 + 40);
		if (l->n)
			memcpy(v, l->v, l->n * sizeof *v);
		l->capacity = l->capacity * 2 + 40;
		l->v = v;
	}
	l->v[l->n++] = variable;
}

static void set(struct variables *l, struct str name, struct str value)
{
	if (value.n)
		put(l, str_concat(l->arena, 3, name, S("="), value));
}

static void put_constants(struct variables *l)
{
	static const struct str constants[] = {
		S_INIT("PATH=/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
		S_INIT("LD_LIBRARY_PATH=" LIBRARIES),
		S_INIT("LANG=en_US.UTF-8"),
		S_INIT("TZ=:UTC"),
		S_INIT("LAMBDA_TASK_ROOT=/var/task"),
		S_INIT("LAMBDA_RUNTIME_DIR=/var/runtime"),
		S_INIT("AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001"),
	};

	for (size_t i = 0; i < ARRAY_LEN(constants); i++)
		put(l, constants[i]);
}

/* What the interpreter reads when it starts, or its own libraries' search path. */
static void put_language(struct variables *l, const struct runtime_kind *k)
{
	if (k->language == LANGUAGE_PYTHON)
		put(l, S("PYTHONPATH=/var/runtime"));
	if (k->language == LANGUAGE_NODEJS)
		put(l, str_printf(l->arena,
		               "NODE_PATH=/opt/nodejs/node%d/node_modules:/opt/nodejs/node_modules:"
		               "/var/runtime/node_modules:/var/runtime:/var/task",
		               k->major));
}

static struct str initialization_type(const struct env *e)
{
	if (e->provisioned)
		return S("provisioned-concurrency");
	return e->pool->f.snap_start ? S("snap-start") : S("on-demand");
}

static void put_function(struct variables *l, const struct env *e)
{
	const struct runtime_function *f = &e->pool->f;
	const struct runtime_kind *k = e->interpreter->kind;

	set(l, S("_HANDLER"), f->handler);
	set(l, S("AWS_REGION"), f->region);
	set(l, S("AWS_DEFAULT_REGION"), f->region);
	/* Not defined for the OS-only runtimes. */
	if (k->language != LANGUAGE_PROVIDED)
		set(l, S("AWS_EXECUTION_ENV"), str_concat(l->arena, 2, S("AWS_Lambda_"), k->name));
	set(l, S("AWS_LAMBDA_FUNCTION_NAME"), f->name);
	set(l, S("AWS_LAMBDA_FUNCTION_VERSION"), f->version);
	set(l, S("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), str_printf(l->arena, "%u", f->memory_mib));
	set(l, S("AWS_LAMBDA_INITIALIZATION_TYPE"), initialization_type(e));
	set(l, S("AWS_LAMBDA_LOG_GROUP_NAME"), e->log->group);
	set(l, S("AWS_LAMBDA_LOG_STREAM_NAME"), e->log->stream);
	set(l, S("AWS_XRAY_CONTEXT_MISSING"), S("LOG_ERROR"));
	set(l, S("AWS_XRAY_DAEMON_ADDRESS"), S("169.254.79.129:2000"));
	set(l, S("_AWS_XRAY_DAEMON_ADDRESS"), S("169.254.79.129"));
	set(l, S("_AWS_XRAY_DAEMON_PORT"), S("2000"));
	if (f->log_json) {
		set(l, S("AWS_LAMBDA_LOG_FORMAT"), S("JSON"));
		set(l, S("AWS_LAMBDA_LOG_LEVEL"), f->application_log_level);
	}
	set(l, S("AWS_ENDPOINT_URL"), e->rt->options.endpoint);
}

static void put_credentials(struct variables *l, const struct role_credentials *c)
{
	set(l, S("AWS_ACCESS_KEY_ID"), c->access_key_id);
	set(l, S("AWS_SECRET_ACCESS_KEY"), c->secret_access_key);
	set(l, S("AWS_SESSION_TOKEN"), c->session_token);
}

/* Beside what the function itself says there. */
static void put_debugger(struct variables *l, const struct env *e)
{
	struct str name, value = debug_variable(l->arena, e, &name);

	for (size_t i = 0; i < l->n; i++)
		if (str_eq(name_of(l->v[i]), name))
			value = str_concat(l->arena, 3, value, S(" "),
			        str_sub(l->v[i], name.n + 1, l->v[i].n));
	set(l, name, value);
}

void env_variables(struct env *e, const struct role_credentials *c, struct str **v, size_t *n)
{
	struct variables l = { .arena = e->arena };

	put_constants(&l);
	put_language(&l, e->interpreter->kind);
	put_function(&l, e);
	put_credentials(&l, c);
	/* The function's own last: it may set PATH, TZ and other names that are not reserved. */
	for (size_t i = 0; i < e->pool->f.n_env; i++)
		put(&l, e->pool->f.env[i]);
	if (e->pool->f.debug_port)
		put_debugger(&l, e);
	*v = l.v;
	*n = l.n;
}

void env_variables_bare(struct env *e, struct str **v, size_t *n)
{
	struct variables l = { .arena = e->arena };

	put_constants(&l);
	put_language(&l, e->interpreter->kind);
	*v = l.v;
	*n = l.n;
}

struct str env_variables_json(struct arena *a, const struct str *v, size_t n)
{
	struct buf b = buf_init(a);
	struct json_writer w = json_writer(&b);

	json_object(&w);
	for (size_t i = 0; i < n; i++) {
		struct str name = name_of(v[i]);
		json_member_str(&w, name, str_sub(v[i], name.n + 1, v[i].n));
	}
	json_end(&w);
	return buf_str(&b);
}
