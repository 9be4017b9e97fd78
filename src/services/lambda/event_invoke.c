/* Put-, Update-, Get-, Delete- and ListFunctionEventInvokeConfig(s) */
#include "services/lambda/event_invoke.h"

#include "api/arn.h"
#include "services/lambda/destination.h"
#include "services/lambda/page.h"

struct change {
	struct lambda_ref ref;
	struct lambda_function_event_invoke_config config; /* wanted, then stored */
	bool keeps;                                        /* what is not given */
	struct lambda_refusal refusal;
};

int lambda_event_invoke_get(struct kv_txn *txn, const struct lambda_ref *ref,
        struct lambda_function_event_invoke_config *config)
{
	*config = (struct lambda_function_event_invoke_config){ 0 };
	int got = record_get(txn, lambda_row_key(kv_arena(txn), ref, "event-invoke"),
	        &lambda_shape_function_event_invoke_config, config);
	return got;
}

static struct str no_config(struct arena *a, const struct lambda_ref *ref)
{
	return str_printf(a, "The function %.*s doesn't have an EventInvokeConfig",
	        STR(lambda_ref_qualified_arn(a, ref)));
}

static struct lambda_destination_config *merged(struct arena *a,
        const struct lambda_destination_config *old, const struct lambda_destination_config *new)
{
	struct lambda_destination_config *d = arena_new(a, struct lambda_destination_config);

	if (old)
		*d = *old;
	if (new &&new->on_success)
		d->on_success = new->on_success;
	if (new &&new->on_failure)
		d->on_failure = new->on_failure;
	if (!d->on_success)
		d->on_success = arena_new(a, struct lambda_on_success);
	if (!d->on_failure)
		d->on_failure = arena_new(a, struct lambda_on_failure);
	if (d->on_success->destination.n == 0)
		d->on_success = arena_new(a, struct lambda_on_success);
	if (d->on_failure->destination.n == 0)
		d->on_failure = arena_new(a, struct lambda_on_failure);
	return d;
}

static int change(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;
	struct arena *a = kv_arena(txn);
	struct lambda_function_record r;
	struct lambda_function_event_invoke_config old, *new = &c->config;

	TRY(lambda_record_get(txn, &c->ref, &r));
	int got = lambda_event_invoke_get(txn, &c->ref, &old);
	if (got && got != KV_NOT_FOUND)
		return got;
	if (c->keeps && got == KV_NOT_FOUND)
		return lambda_refuse(
		        &c->refusal, LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION, no_config(a, &c->ref));
	if (c->keeps && !new->maximum_retry_attempts.set)
		new->maximum_retry_attempts = old.maximum_retry_attempts;
	if (c->keeps && !new->maximum_event_age_in_seconds.set)
		new->maximum_event_age_in_seconds = old.maximum_event_age_in_seconds;
	new->destination_config =
	        merged(a, c->keeps ? old.destination_config : NULL, new->destination_config);
	record_put(txn, lambda_row_key(a, &c->ref, "event-invoke"),
	        &lambda_shape_function_event_invoke_config, new);
	return 0;
}

static int check_target(struct task *t, const struct change *c, struct str role, struct str target)
{
	struct lambda_function_record other;
	struct lambda_ref ref;
	struct arn arn = { 0 };

	if (!target.n)
		return 0;
	if (!arn_parse(target, &arn) || !lambda_destination_is_known(arn.service))
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "The destination ARN %.*s is invalid.", STR(target));
	if (str_eq(arn.service, S("lambda"))) {
		TRY(lambda_ref_parse(t, target, (struct str){ 0 }, &ref));
		if (str_eq(ref.name, c->ref.name) && str_eq(ref.account, c->ref.account))
			return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
			        "You can't specify the function as a destination for itself.");
		int bad = lambda_load(t, &ref, &other);
		if (bad == LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION)
			return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
			        "The destination ARN %.*s is invalid.", STR(target));
		TRY(bad);
	}
	return lambda_destination_allowed(t, role, target);
}

static int check(struct task *t, const struct change *c)
{
	const struct lambda_destination_config *d = c->config.destination_config;
	struct lambda_function_record r;

	if (!c->config.maximum_retry_attempts.set && !c->config.maximum_event_age_in_seconds.set &&
	        !d)
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "You must specify at least one of error handling or destination setting.");
	int bad = lambda_load(t, &c->ref, &r);
	if (bad == LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION)
		return fail(t, bad, "The function doesn't exist.");
	TRY(bad);
	if (d && d->on_success)
		TRY(check_target(t, c, r.configuration->role, d->on_success->destination));
	if (d && d->on_failure)
		TRY(check_target(t, c, r.configuration->role, d->on_failure->destination));
	return 0;
}

static int apply(struct task *t, struct change *c, struct lambda_function_event_invoke_config *out)
{
	TRY(check(t, c));
	c->config.last_modified = opt_time(call_of(t)->now_ms);
	c->config.function_arn = lambda_ref_qualified_arn(task_arena(t), &c->ref);
	int bad = kv_update(t, change, c);
	if (bad == KV_NOT_FOUND)
		return fail(t, LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION, "The function doesn't exist.");
	TRY(lambda_refused(t, &c->refusal, bad));
	*out = c->config;
	return 0;
}

int lambda_put_function_event_invoke_config(struct task *t,
        const struct lambda_put_function_event_invoke_config_in *in,
        struct lambda_put_function_event_invoke_config_out *out)
{
	struct change c = { .config = { .maximum_retry_attempts = in->maximum_retry_attempts,
		                    .maximum_event_age_in_seconds =
		                            in->maximum_event_age_in_seconds,
		                    .destination_config = in->destination_config } };

	TRY(lambda_ref_parse(t, in->function_name, in->qualifier, &c.ref));
	return apply(t, &c, out);
}

int lambda_update_function_event_invoke_config(struct task *t,
        const struct lambda_update_function_event_invoke_config_in *in,
        struct lambda_update_function_event_invoke_config_out *out)
{
	struct change c = { .keeps = true,
		.config = { .maximum_retry_attempts = in->maximum_retry_attempts,
		        .maximum_event_age_in_seconds = in->maximum_event_age_in_seconds,
		        .destination_config = in->destination_config } };

	TRY(lambda_ref_parse(t, in->function_name, in->qualifier, &c.ref));
	return apply(t, &c, out);
}

static int view(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;

	return lambda_event_invoke_get(txn, &c->ref, &c->config);
}

static int drop(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;

	TRY(lambda_event_invoke_get(txn, &c->ref, &c->config));
	kv_del(txn, lambda_row_key(kv_arena(txn), &c->ref, "event-invoke"));
	return 0;
}

static int report(struct task *t, const struct change *c, int bad)
{
	if (bad != KV_NOT_FOUND)
		return bad;
	return fail(t, LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION, "%.*s",
	        STR(no_config(task_arena(t), &c->ref)));
}

int lambda_get_function_event_invoke_config(struct task *t,
        const struct lambda_get_function_event_invoke_config_in *in,
        struct lambda_get_function_event_invoke_config_out *out)
{
	struct change c = { 0 };

	TRY(lambda_ref_parse(t, in->function_name, in->qualifier, &c.ref));
	TRY(report(t, &c, kv_view(t, view, &c)));
	*out = c.config;
	return 0;
}

int lambda_delete_function_event_invoke_config(struct task *t,
        const struct lambda_delete_function_event_invoke_config_in *in,
        struct lambda_delete_function_event_invoke_config_out *out)
{
	struct change c = { 0 };

	TRY(lambda_ref_parse(t, in->function_name, in->qualifier, &c.ref));
	return report(t, &c, kv_update(t, drop, &c));
}

struct listing {
	struct lambda_function_event_invoke_config v[LAMBDA_PAGE + 1];
};

static int take(struct arena *a, void *arg, size_t n, struct str value)
{
	struct listing *l = arg;

	l->v[n] = (struct lambda_function_event_invoke_config){ 0 };
	TRY(record_unpack(a, &lambda_shape_function_event_invoke_config, value, &l->v[n]));
	return 1;
}

int lambda_list_function_event_invoke_configs(struct task *t,
        const struct lambda_list_function_event_invoke_configs_in *in,
        struct lambda_list_function_event_invoke_configs_out *out)
{
	struct listing *l = arena_new(task_arena(t), struct listing);
	struct lambda_page p = { .take = take, .arg = l };
	struct lambda_function_record r;
	struct lambda_ref ref;

	int bad = lambda_find(t, in->function_name, (struct str){ 0 }, &ref, &r);
	if (bad == LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION)
		return fail(t, bad, "The function doesn't exist.");
	TRY(bad);
	p.prefix = lambda_row_prefix(task_arena(t), &ref, "event-invoke");
	TRY(lambda_page_read(t, &p, in->marker, in->max_items));
	out->function_event_invoke_configs =
	        (struct lambda_function_event_invoke_config_list){ l->v, p.n };
	out->next_marker = p.next;
	return 0;
}
