/*
 * prepare: what can be done for a function before anybody calls it: its package unpacked, its
 * role's credentials fetched, an interpreter started. It all is done again, or found done, when an
 * environment starts: nothing here may fail loudly.
 */
#include "runtime/credentials.h"
#include "runtime/packages.h"

struct prepare {
	struct runtime *rt;
	struct arena *arena;
	struct runtime_function f;
};

static void copy_list(struct arena *a, struct str **v, size_t n)
{
	struct str *copy = arena_new_n(a, struct str, n);

	for (size_t i = 0; i < n; i++)
		copy[i] = str_dup(a, (*v)[i]);
	*v = copy;
}

void function_copy(struct arena *a, const struct runtime_function *f, struct runtime_function *c)
{
	*c = *f;
	struct str *const strings[] = { &c->key, &c->account, &c->region, &c->name, &c->version,
		&c->arn, &c->runtime, &c->handler, &c->code_blob, &c->code_sha256, &c->role_arn,
		&c->log_group, &c->application_log_level, &c->system_log_level, &c->code_dir };

	for (size_t i = 0; i < ARRAY_LEN(strings); i++)
		*strings[i] = str_dup(a, *strings[i]);
	copy_list(a, &c->layer_blobs, c->n_layers);
	copy_list(a, &c->env, c->n_env);
}

static int prepare_task(struct task *t, void *arg)
{
	struct prepare *p = arg;
	struct sandbox_spec spec = { 0 };
	struct role_credentials c;

	(void)!credentials_get(t, p->rt, &p->f, task_arena(t), &c);
	(void)!package_mounts(t, p->rt, &p->f, &spec);
	arena_destroy(p->arena);
	mem_free(p);
	return 0;
}

static void prepare_interpreter(struct runtime *rt, struct str runtime)
{
	const struct runtime_kind *k = runtime_kind_find(runtime);

	if (!k || k->language == LANGUAGE_PROVIDED || k->language == LANGUAGE_OTHER)
		return;
	const struct interpreter *in = interpreter_find(k);
	if (in->path)
		spares_get(rt, in);
}

void runtime_prepare(struct loop *loop, const struct runtime_function *f)
{
	struct runtime *rt = loop_get(loop, LOOP_RUNTIME);

	if (!rt || rt->loop != loop || rt->stopping)
		return;
	prepare_interpreter(rt, f->runtime);
	struct prepare *p = mem_new(struct prepare);
	p->rt = rt;
	p->arena = arena_create();
	function_copy(p->arena, f, &p->f);
	task_start(loop, "function-prepare", prepare_task, p);
}
