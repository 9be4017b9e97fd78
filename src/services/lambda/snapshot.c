/* snapshot: SnapStart of published versions, Pending until the snapshot is taken. */
#include "services/lambda/function.h"

#include "base/clock.h"
#include "kv/key.h"

#define RETRY_MS 1000

void lambda_snapshot_begin(
        struct kv_txn *txn, const struct lambda_ref *ref, struct lambda_function_configuration *v)
{
	struct arena *a = kv_arena(txn);
	const struct lambda_snap_start_response *s = v->snap_start;

	if (!s || !str_eq(s->apply_on, S("PublishedVersions")))
		return;
	v->snap_start = arena_new(a, struct lambda_snap_start_response);
	*v->snap_start = (struct lambda_snap_start_response){ s->apply_on, S("On") };
	v->state = S("Pending");
	v->state_reason = S("The function is being created.");
	v->state_reason_code = S("Creating");
	kv_job_add(txn, S("lambda-snapshot"),
	        kv_key(a, "ssss", ref->account, ref->region, ref->name, v->version), 0);
}

int lambda_snapshot_check(struct task *t, const struct lambda_function_record *r)
{
	if (str_eq(r->configuration->state, S("Pending")))
		return fail(t, LAMBDA_SNAP_START_NOT_READY_EXCEPTION,
		        "Lambda is initializing your function. It will be ready to invoke when "
		        "your "
		        "function state becomes ACTIVE.");
	if (str_eq(r->configuration->state, S("Failed")))
		return fail(t, LAMBDA_RESOURCE_CONFLICT_EXCEPTION,
		        "The operation cannot be performed at this time. The function is currently "
		        "in "
		        "the following state: Failed");
	return 0;
}

struct outcome {
	struct lambda_ref ref;
	bool good;
};

static int set_state(struct kv_txn *txn, void *arg)
{
	const struct outcome *o = arg;
	struct lambda_function_record r;
	int got = lambda_record_get(txn, &o->ref, &r);

	if (got)
		return got == KV_NOT_FOUND ? 0 : got;
	struct lambda_function_configuration *c = r.configuration;
	c->state = o->good ? S("Active") : S("Failed");
	c->state_reason = o->good ? (struct str){ 0 }
	                          : S("The function failed to initialize. Its log has the error.");
	c->state_reason_code = o->good ? (struct str){ 0 } : S("FunctionError");
	lambda_record_put(txn, &o->ref, &r);
	return 0;
}

static int take(struct task *t, struct kv_job *job, struct outcome *o)
{
	struct lambda_function_record r;
	struct runtime_function f;
	int bad = lambda_load(t, &o->ref, &r);

	if (bad > 0)
		return kv_job_done(t, job, NULL, NULL); /* deleted meanwhile */
	TRY(bad);
	lambda_runnable(task_arena(t), &o->ref, &r, &f);
	bad = runtime_snapshot(t, &f);
	if (bad < 0)
		return kv_job_retry(t, job, clock_now_ms() + RETRY_MS, (struct str){ 0 });
	o->good = bad == 0;
	return kv_job_done(t, job, set_state, o);
}

int lambda_snapshot_deliver(struct task *t, struct kv_job *job)
{
	struct outcome o = { 0 };

	if (!kv_key_read(task_arena(t), job->payload, "ssss", &o.ref.account, &o.ref.region,
	            &o.ref.name, &o.ref.qualifier))
		return kv_job_done(t, job, NULL, NULL);
	struct call background = {
		.account = o.ref.account, .region = o.ref.region, .now_ms = clock_now_ms()
	};
	task_local_set(t, &background);
	int bad = take(t, job, &o);
	task_local_set(t, NULL);
	return bad;
}
