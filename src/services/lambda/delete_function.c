/* DeleteFunction: all of it, or one version that no alias needs. */
#include "services/lambda/function.h"

#include "services/lambda/function_url.h"
#include "services/lambda/recording.h"

struct deletion {
	struct lambda_ref ref;
	struct lambda_function_record latest;
	struct lambda_refusal refusal;
};

static int drop_row(struct kv_txn *txn, const struct lambda_ref *ref, struct str key)
{
	struct lambda_function_record r = { 0 };
	int got = record_get(txn, key, &lambda_shape_function_record, &r);

	if (got)
		return got == KV_NOT_FOUND ? 0 : got;
	lambda_record_release(txn, &r);
	kv_del(txn, key);
	return 0;
}

static bool routes_to(const struct lambda_alias_configuration *alias, struct str version)
{
	const struct lambda_alias_routing_configuration *r = alias->routing_config;

	for (size_t i = 0; r && i < r->additional_version_weights.n; i++)
		if (str_eq(r->additional_version_weights.v[i].key, version))
			return true;
	return str_eq(alias->function_version, version);
}

/* The name of an alias that leads to the version; absent: none. */
static int alias_of(struct kv_txn *txn, const struct lambda_ref *ref, struct str *name)
{
	CLEANUP(kv_scan_close)
	struct kv_scan *s =
	        kv_scan_prefix(txn, lambda_row_prefix(kv_arena(txn), ref, "alias"), false);
	struct str key, value;

	*name = (struct str){ 0 };
	while (kv_next(s, &key, &value)) {
		struct lambda_alias_configuration alias = { 0 };
		TRY(record_unpack(kv_arena(txn), &lambda_shape_alias_configuration, value, &alias));
		if (routes_to(&alias, ref->qualifier)) {
			*name = alias.name;
			return 0;
		}
	}
	return 0;
}

static int drop_version(struct kv_txn *txn, struct deletion *d)
{
	struct arena *a = kv_arena(txn);
	struct str alias;
	uint64_t version;

	if (!str_to_u64(d->ref.qualifier, &version))
		return KV_NOT_FOUND;
	TRY(alias_of(txn, &d->ref, &alias));
	if (alias.p)
		return lambda_refuse(&d->refusal, LAMBDA_RESOURCE_CONFLICT_EXCEPTION,
		        str_printf(a,
		                "Version %.*s cannot be deleted because it is referenced by "
		                "alias %.*s",
		                STR(d->ref.qualifier), STR(alias)));
	kv_del(txn, lambda_row_key(a, &d->ref, "policy"));
	kv_del(txn, lambda_row_key(a, &d->ref, "event-invoke"));
	kv_del(txn, lambda_row_key(a, &d->ref, "provisioned"));
	return drop_row(txn, &d->ref, lambda_version_key(a, &d->ref, version));
}

static int drop_all(struct kv_txn *txn, struct deletion *d)
{
	static const char *const kinds[] = { "policy", "alias", "event-invoke", "provisioned" };
	struct arena *a = kv_arena(txn);

	for (int64_t n = 1; n <= d->latest.last_version.v; n++)
		TRY(drop_row(txn, &d->ref, lambda_version_key(a, &d->ref, (uint64_t)n)));
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		kv_del_prefix(txn, lambda_row_prefix(a, &d->ref, kinds[i]));
	kv_del(txn, lambda_provisioned_index_key(a, &d->ref));
	TRY(lambda_url_drop_all(txn, &d->ref));
	TRY(lambda_recordings_drop(txn, &d->ref));
	return drop_row(txn, &d->ref, lambda_function_key(a, &d->ref));
}

static int drop(struct kv_txn *txn, void *arg)
{
	struct deletion *d = arg;
	struct lambda_ref latest = d->ref;

	latest.qualifier = (struct str){ 0 };
	TRY(lambda_record_get(txn, &latest, &d->latest));
	return d->ref.qualifier.n ? drop_version(txn, d) : drop_all(txn, d);
}

int lambda_delete_function(struct task *t, const struct lambda_delete_function_in *in,
        struct lambda_delete_function_out *out)
{
	struct deletion d = { 0 };
	struct runtime_function f;

	TRY(lambda_ref_parse(t, in->function_name, in->qualifier, &d.ref));
	if (str_eq(d.ref.qualifier, S("$LATEST")))
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "$LATEST version cannot be deleted without deleting the function.");
	if (lambda_is_alias(d.ref.qualifier))
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "Deletion of aliases is not currently supported.");
	int bad = kv_update(t, drop, &d);
	if (bad == KV_NOT_FOUND)
		return lambda_not_found(t, &d.ref);
	TRY(lambda_refused(t, &d.refusal, bad));
	lambda_runnable(task_arena(t), &d.ref, &d.latest, &f);
	runtime_retire(task_loop(t), f.arn, d.ref.qualifier.n ? f.key : S(""));
	return lambda_provision_apply(t, &d.ref);
}
