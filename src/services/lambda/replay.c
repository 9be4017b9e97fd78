/*
 * replay: a recorded invocation once more: the same event, context, request id and environment
 * variables, with the code that ran then when it is still there. The clock cannot be turned back
 * for a process; WOLKE_REPLAY_TIME tells the function when it was.
 */
#include "services/lambda/operate.h"
#include "services/lambda/recording.h"

#include "kv/key.h"

struct search {
	struct str account, region, id; /* its beginning is enough */
	struct lambda_recording_record found;
	size_t n;
};

static int search(struct kv_txn *txn, void *arg)
{
	struct search *x = arg;
	struct arena *a = kv_arena(txn);
	CLEANUP(kv_scan_close)
	struct kv_scan *s = kv_scan_prefix(
	        txn, kv_key(a, "ssss", S("lambda"), x->account, x->region, S("recording")), false);
	struct str key, value, part, id;
	uint64_t time;

	x->n = 0;
	while (kv_next(s, &key, &value)) {
		if (!kv_key_read(a, key, "sssssus", &part, &part, &part, &part, &part, &time, &id))
			return -EPROTO;
		if (!str_starts(id, x->id) || x->n++)
			continue;
		TRY(record_unpack(a, &lambda_shape_recording_record, str_dup(a, value), &x->found));
	}
	return 0;
}

struct replaying {
	struct lambda_ref ref;
	struct lambda_recording_record *recorded;
	struct lambda_function_record now;
	const char *note; /* NULL: the code that ran then */
	struct runtime_function f;
	struct runtime_invocation in;
	struct runtime_result result;
};

/* What ran then, else what the function is now. */
static int choose_code(struct task *t, struct replaying *x)
{
	struct lambda_recording_record *r = x->recorded;
	struct lambda_ref latest = { x->ref.account, x->ref.region, x->ref.name, { 0 } };

	x->now = *r->function;
	if (r->function->directory)
		x->note = "the function was served from a directory: what is there now has run";
	if (r->holds_code.v || r->function->directory)
		return 0;
	TRY(lambda_load(t, &latest, &x->now));
	x->now.configuration->environment = r->function->configuration->environment;
	x->note = "the code that ran then is gone: the present one has run, with the "
	          "environment variables of then";
	return 0;
}

static void add_variable(struct arena *a, struct runtime_function *f, struct str variable)
{
	struct str *v = arena_new_n(a, struct str, f->n_env + 1);

	if (f->n_env)
		memcpy(v, f->env, f->n_env * sizeof *v);
	v[f->n_env++] = variable;
	f->env = v;
}

static void prepare(struct arena *a, struct replaying *x)
{
	const struct lambda_recording_record *r = x->recorded;

	lambda_runnable(a, &x->ref, &x->now, &x->f);
	x->f.key = str_concat(a, 3, x->f.key, S(":replay:"), r->request_id);
	x->f.replay = true;
	add_variable(a, &x->f,
	        str_concat(a, 2, S("WOLKE_REPLAY_TIME="), time_iso8601(a, r->time_ms.v, true)));
	x->in = (struct runtime_invocation){
		.request_id = r->request_id,
		.payload = r->event,
		.client_context = r->client_context,
		.cognito_identity = r->cognito_identity,
		.trace_id = r->trace_id,
		.invoked_arn = r->invoked_arn,
		.want_log_tail = true,
	};
}

static void write_side(struct json_writer *w, struct str key, struct str payload,
        struct str function_error, double duration_ms)
{
	json_key(w, key);
	json_object(w);
	json_member_str(w, S("Payload"), payload);
	if (function_error.n)
		json_member_str(w, S("FunctionError"), function_error);
	json_key(w, S("DurationMs"));
	json_double(w, duration_ms);
	json_end(w);
}

static void write_answer(struct arena *a, struct json_writer *w, const struct replaying *x)
{
	const struct lambda_recording_record *r = x->recorded;
	const struct runtime_result *now = &x->result;
	bool same =
	        str_eq(r->result, now->payload) && str_eq(r->function_error, now->function_error);

	json_object(w);
	json_member_str(w, S("Id"), r->request_id);
	json_member_str(w, S("FunctionName"), r->function_name);
	json_member_str(w, S("Time"), time_iso8601(a, r->time_ms.v, true));
	json_member_bool(w, S("Same"), same);
	json_member_str(w, S("Note"), str_of(x->note));
	json_member_str(w, S("Event"), r->event);
	write_side(w, S("Recorded"), r->result, r->function_error, (double)r->duration_us.v / 1000);
	write_side(w, S("Replayed"), now->payload, now->function_error, now->duration_ms);
	json_member_str(w, S("Log"), now->log_tail);
	json_end(w);
}

static int find(struct task *t, struct operating *o, struct search *x)
{
	*x = (struct search){
		.account = call_of(t)->account, .region = call_of(t)->region, .id = o->name
	};
	TRY(kv_view(t, search, x));
	if (x->n == 1)
		return 0;
	return fail(t, LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION, "%s recording begins with %.*s",
	        x->n ? "More than one" : "No", STR(o->name));
}

/* With a debugger when asked for: the call waits until one is attached. */
static int run(struct task *t, const struct operating *o, struct replaying *x)
{
	bool debugged = json_get(o->body, "Debug") != NULL;
	int port = (int)json_get_i64(o->body, "Debug", 0), off = -1;
	struct str why;

	if (!debugged)
		return runtime_invoke(t, &x->f, &x->in, &x->result);
	TRY(runtime_debug(t, &x->f, &port, &x->result.payload));
	int bad = runtime_debug_wait(t, &x->f);
	if (!bad)
		bad = runtime_invoke(t, &x->f, &x->in, &x->result);
	(void)!runtime_debug(t, &x->f, &off, &why);
	return bad;
}

/* POST recordings/ID/replay {"Debug": PORT} */
int lambda_replay(struct task *t, struct operating *o)
{
	struct arena *a = task_arena(t);
	struct search s;

	TRY(find(t, o, &s));
	struct replaying x = { .recorded = &s.found,
		.ref = { s.account, s.region, s.found.function_name, s.found.qualifier } };
	TRY(choose_code(t, &x));
	prepare(a, &x);
	int bad = run(t, o, &x);
	if (bad > 0)
		return fail(t, LAMBDA_SERVICE_EXCEPTION, "It cannot be run now: %.*s",
		        STR(x.result.payload.n ? x.result.payload : S("throttled")));
	TRY(bad);
	write_answer(a, &o->w, &x);
	return 0;
}
