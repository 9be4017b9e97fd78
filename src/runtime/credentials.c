/* credentials: sts AssumeRole over the call bus. */
#include "runtime/credentials.h"

#include "base/clock.h"
#include "base/log.h"
#include "sts_gen.h"

#define SHORTEST_S 3600

struct entry {
	struct arena *arena;
	struct role_credentials c;
};

static void copy(struct arena *a, const struct role_credentials *from, struct role_credentials *to)
{
	to->access_key_id = str_dup(a, from->access_key_id);
	to->secret_access_key = str_dup(a, from->secret_access_key);
	to->session_token = str_dup(a, from->session_token);
	to->expires_ms = from->expires_ms;
}

static void entry_free(struct entry *e)
{
	arena_destroy(e->arena);
	mem_free(e);
}

static void remember(struct runtime *rt, struct str key, const struct role_credentials *c)
{
	struct entry *e = mem_new(struct entry);

	e->arena = arena_create();
	copy(e->arena, c, &e->c);
	struct entry *before = map_put(&rt->credentials, key, e);
	if (before)
		entry_free(before);
}

/* The function's name, where that is as long as a session's must be. */
static struct str session_name(struct arena *a, struct str name)
{
	return name.n < 2 ? str_concat(a, 2, name, S("_")) : str_sub(name, 0, 64);
}

static int assume(struct task *t, const struct runtime_function *f, int64_t duration_s,
        struct role_credentials *c)
{
	struct api_caller who =
	        api_caller_service(S("lambda.amazonaws.com"), f->account, f->region, f->arn);
	struct sts_assume_role_in in = { .role_arn = f->role_arn,
		.role_session_name = session_name(task_arena(t), f->name),
		.duration_seconds = opt_int(duration_s) };
	struct sts_assume_role_out out = { 0 };

	TRY(api_call(t, &who, "sts", "AssumeRole", &in, &out));
	if (!out.credentials)
		return -EPROTO;
	*c = (struct role_credentials){
		.access_key_id = out.credentials->access_key_id,
		.secret_access_key = out.credentials->secret_access_key,
		.session_token = out.credentials->session_token,
		.expires_ms = clock_now_ms() + duration_s * 1000,
	};
	return 0;
}

static void say_once(struct task *t, struct runtime *rt, const struct runtime_function *f, int bad)
{
	if (rt->said_no_credentials)
		return;
	rt->said_no_credentials = true;
	if (bad > 0)
		log_warn("%.*s runs without credentials of %.*s: %.*s: %.*s", STR(f->name),
		        STR(f->role_arn), STR(api_failure(t)->name), STR(api_failure(t)->message));
	else
		log_warn("%.*s runs without credentials of %.*s: %s", STR(f->name),
		        STR(f->role_arn), strerror(-bad));
}

int credentials_get(struct task *t, struct runtime *rt, const struct runtime_function *f,
        struct arena *a, struct role_credentials *c)
{
	struct str key = str_concat(task_arena(t), 3, f->role_arn, S(" "), f->name);
	struct entry *e = map_get(&rt->credentials, key);
	struct role_credentials fresh;

	*c = (struct role_credentials){ 0 };
	if (!f->role_arn.n)
		return 0;
	if (e && e->c.expires_ms - clock_now_ms() > 2 * CREDENTIALS_EARLY_MS) {
		copy(a, &e->c, c);
		return 0;
	}
	int bad = assume(t, f, CREDENTIALS_S, &fresh);
	if (bad > 0)
		bad = assume(t, f, SHORTEST_S, &fresh);
	if (bad) {
		say_once(t, rt, f, bad);
		return bad == -ECANCELED ? bad : 1;
	}
	remember(rt, key, &fresh);
	copy(a, &fresh, c);
	return 0;
}

void credentials_free(struct runtime *rt)
{
	struct map_slot *slot;
	size_t at = 0;

	while ((slot = map_next(&rt->credentials, &at)))
		entry_free(slot->value);
	map_deinit(&rt->credentials);
}
