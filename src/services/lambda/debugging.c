/* debugging: a port of this host at which a debugger finds the function. */
#include "services/lambda/operate.h"

/* PUT functions/NAME/debugger {"Port": 9229}; 0: the usual one; -1: no more. */
int lambda_put_debugger(struct task *t, struct operating *o)
{
	struct lambda_function_record r;
	struct lambda_ref ref;
	struct runtime_function f;
	struct str why = S("");
	int port = (int)json_get_i64(o->body, "Port", 0);

	TRY(lambda_operate_find(t, o, &ref, &r));
	if (port < -1 || port > 65535)
		return fail(t, API_ERROR_VALIDATION, "Port: from 1 to 65535, 0 or -1");
	lambda_runnable(task_arena(t), &ref, &r, &f);
	int bad = runtime_debug(t, &f, &port, &why);
	if (bad > 0)
		return fail(t, LAMBDA_INVALID_RUNTIME_EXCEPTION, "%.*s", STR(why));
	TRY(bad);
	json_object(&o->w);
	json_member_str(&o->w, S("Runtime"), f.runtime);
	json_member_i64(&o->w, S("Port"), port);
	json_end(&o->w);
	return 0;
}
