/* CreateAlias, GetAlias, UpdateAlias, DeleteAlias: names for versions, with weights. */
#include "services/lambda/function.h"

#include "base/rand.h"
#include "services/lambda/function_url.h"

struct change {
	struct lambda_ref ref; /* with the alias as its qualifier */
	struct lambda_alias_configuration alias;
	struct str revision_id; /* that it must have */
	bool sets_routing;
	struct lambda_refusal refusal;
};

static int check_version(struct kv_txn *txn, struct change *c, struct str version)
{
	struct lambda_ref ref = c->ref;
	struct lambda_function_record r;

	ref.qualifier = version;
	int got = lambda_record_get(txn, &ref, &r);
	if (got != KV_NOT_FOUND)
		return got;
	return lambda_refuse(&c->refusal, LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION,
	        str_concat(kv_arena(txn), 2, S("Function not found: "),
	                lambda_ref_arn(kv_arena(txn), &ref)));
}

static int check_weights(struct kv_txn *txn, struct change *c)
{
	struct str version = c->alias.function_version;
	const struct lambda_additional_version_weights *w =
	        &c->alias.routing_config->additional_version_weights;

	if (w->n > 1)
		return lambda_refuse(&c->refusal, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        S("Number of items in AdditionalVersionWeights cannot be greater than 1"));
	if (str_eq(w->v[0].key, version))
		return lambda_refuse(&c->refusal, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        str_printf(kv_arena(txn),
		                "Invalid function version %.*s. Function version %.*s is already "
		                "included in routing configuration.",
		                STR(version), STR(version)));
	if (str_eq(version, S("$LATEST")))
		return lambda_refuse(&c->refusal, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        S("$LATEST is not supported for an alias pointing to more than 1 "
		          "version"));
	return check_version(txn, c, w->v[0].key);
}

static int put(struct kv_txn *txn, struct change *c)
{
	struct lambda_alias_routing_configuration *r = c->alias.routing_config;

	TRY(check_version(txn, c, c->alias.function_version));
	if (r && r->additional_version_weights.n == 0)
		c->alias.routing_config = NULL;
	else if (r)
		TRY(check_weights(txn, c));
	record_put(txn, lambda_row_key(kv_arena(txn), &c->ref, "alias"),
	        &lambda_shape_alias_configuration, &c->alias);
	return 0;
}

static int create(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;
	struct arena *a = kv_arena(txn);

	if (!kv_has(txn, lambda_function_key(a, &c->ref)))
		return KV_NOT_FOUND;
	if (kv_has(txn, lambda_row_key(a, &c->ref, "alias")))
		return lambda_refuse(&c->refusal, LAMBDA_RESOURCE_CONFLICT_EXCEPTION,
		        str_concat(a, 2, S("Alias already exists: "), lambda_ref_arn(a, &c->ref)));
	return put(txn, c);
}

static int check_weight_range(struct task *t, const struct lambda_alias_routing_configuration *r)
{
	for (size_t i = 0; r && i < r->additional_version_weights.n; i++) {
		const struct lambda_additional_version_weights_entry *e =
		        &r->additional_version_weights.v[i];
		if (e->value.v < 0 || e->value.v > 1)
			return fail(t, API_ERROR_VALIDATION,
			        "1 validation error detected: Value '{%.*s=%g}' at "
			        "'routingConfig.additionalVersionWeights' failed to satisfy "
			        "constraint: Map value must satisfy constraint: [Member must have "
			        "value less than or equal to 1.0, Member must have value greater "
			        "than or equal to 0.0, Member must not be null]",
			        STR(e->key), e->value.v);
	}
	return 0;
}

static int ref_of(struct task *t, struct str function, struct str alias, struct lambda_ref *ref)
{
	TRY(lambda_ref_parse(t, function, (struct str){ 0 }, ref));
	ref->qualifier = alias;
	return 0;
}

/* An error that names the function, not the alias. */
static int no_function(struct task *t, const struct lambda_ref *ref)
{
	struct lambda_ref function = *ref;

	function.qualifier = (struct str){ 0 };
	return lambda_not_found(t, &function);
}

int lambda_create_alias(struct task *t, const struct lambda_create_alias_in *in,
        struct lambda_create_alias_out *out)
{
	struct arena *a = task_arena(t);
	struct change c = { 0 };

	TRY(check_weight_range(t, in->routing_config));
	TRY(ref_of(t, in->function_name, in->name, &c.ref));
	c.alias = (struct lambda_alias_configuration){
		.alias_arn = lambda_ref_arn(a, &c.ref),
		.name = in->name,
		.function_version = in->function_version,
		.description = in->description.p ? in->description : S(""),
		.routing_config = in->routing_config,
		.revision_id = rand_uuid(a),
	};
	int bad = kv_update(t, create, &c);
	if (bad == KV_NOT_FOUND)
		return no_function(t, &c.ref);
	TRY(lambda_refused(t, &c.refusal, bad));
	*out = c.alias;
	return 0;
}

static int get(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;

	return lambda_alias_get(txn, &c->ref, &c->alias);
}

int lambda_get_alias(
        struct task *t, const struct lambda_get_alias_in *in, struct lambda_get_alias_out *out)
{
	struct change c = { 0 };

	TRY(ref_of(t, in->function_name, in->name, &c.ref));
	int bad = kv_view(t, get, &c);
	if (bad == KV_NOT_FOUND)
		return fail(t, LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION, "Cannot find alias arn: %.*s",
		        STR(lambda_ref_arn(task_arena(t), &c.ref)));
	TRY(bad);
	*out = c.alias;
	return 0;
}

static int update(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;
	struct lambda_alias_configuration wanted = c->alias, *alias = &c->alias;

	TRY(lambda_alias_get(txn, &c->ref, alias));
	if (c->revision_id.p && !str_eq(c->revision_id, alias->revision_id))
		return lambda_refuse(&c->refusal, LAMBDA_PRECONDITION_FAILED_EXCEPTION,
		        S(LAMBDA_STALE_REVISION));
	if (wanted.function_version.p)
		alias->function_version = wanted.function_version;
	if (wanted.description.p)
		alias->description = wanted.description;
	if (wanted.routing_config)
		alias->routing_config = wanted.routing_config;
	alias->revision_id = wanted.revision_id;
	return put(txn, c);
}

int lambda_update_alias(struct task *t, const struct lambda_update_alias_in *in,
        struct lambda_update_alias_out *out)
{
	struct arena *a = task_arena(t);
	const struct lambda_alias_configuration wanted = {
		.function_version = in->function_version,
		.description = in->description,
		.routing_config = in->routing_config,
		.revision_id = rand_uuid(a),
	};
	struct change c = { .alias = wanted, .revision_id = in->revision_id };

	TRY(check_weight_range(t, in->routing_config));
	TRY(ref_of(t, in->function_name, in->name, &c.ref));
	int bad = kv_update(t, update, &c);
	if (bad == KV_NOT_FOUND)
		return fail(t, LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION, "Alias not found: %.*s",
		        STR(lambda_ref_arn(a, &c.ref)));
	TRY(lambda_refused(t, &c.refusal, bad));
	*out = c.alias;
	return lambda_provision_apply(t, &c.ref);
}

static int drop(struct kv_txn *txn, void *arg)
{
	static const char *const kinds[] = { "alias", "policy", "event-invoke", "provisioned" };
	struct change *c = arg;
	struct arena *a = kv_arena(txn);

	if (!kv_has(txn, lambda_function_key(a, &c->ref)))
		return KV_NOT_FOUND;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		kv_del(txn, lambda_row_key(a, &c->ref, kinds[i]));
	return lambda_url_drop(txn, &c->ref);
}

int lambda_delete_alias(struct task *t, const struct lambda_delete_alias_in *in,
        struct lambda_delete_alias_out *out)
{
	struct change c = { 0 };

	TRY(ref_of(t, in->function_name, in->name, &c.ref));
	int bad = kv_update(t, drop, &c);
	if (bad == KV_NOT_FOUND)
		return no_function(t, &c.ref);
	TRY(bad);
	return lambda_provision_apply(t, &c.ref);
}
