/* layer: names and rows. */
#include "services/lambda/layer.h"

#include "api/arn.h"
#include "kv/key.h"
#include "services/lambda/policy_rows.h"

bool lambda_layer_arn_parse(struct str text, struct lambda_layer_ref *ref)
{
	struct arn arn;

	*ref = (struct lambda_layer_ref){ 0 };
	if (!arn_parse(text, &arn) || !str_starts(arn.resource, S("layer:")))
		return false;
	struct str rest = str_sub(arn.resource, 6, arn.resource.n);
	ref->account = arn.account;
	ref->region = arn.region;
	ref->name = str_cut(&rest, ':');
	return !rest.p || str_to_u64(rest, &ref->version);
}

int lambda_layer_ref_parse(
        struct task *t, struct str name, struct opt_int version, struct lambda_layer_ref *ref)
{
	const struct call *c = call_of(t);

	if (version.set && version.v < 1)
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "Layer Version Cannot be less than 1");
	if (!lambda_layer_arn_parse(name, ref))
		*ref = (struct lambda_layer_ref){ c->account, c->region, name, 0 };
	if (version.set)
		ref->version = (uint64_t)version.v;
	return 0;
}

struct str lambda_layer_arn(struct arena *a, const struct lambda_layer_ref *ref)
{
	struct str arn =
	        arn_make(a, "lambda", ref->region, ref->account, "layer:%.*s", STR(ref->name));

	return ref->version ? str_printf(a, "%.*s:%llu", STR(arn), (unsigned long long)ref->version)
	                    : arn;
}

struct str lambda_layer_key(struct arena *a, const struct lambda_layer_ref *ref)
{
	return kv_key(a, "sssss", S("lambda"), ref->account, ref->region, S("layer"), ref->name);
}

struct str lambda_layer_version_prefix(struct arena *a, const struct lambda_layer_ref *ref)
{
	return kv_key(
	        a, "sssss", S("lambda"), ref->account, ref->region, S("layer-version"), ref->name);
}

struct str lambda_layer_version_key(struct arena *a, const struct lambda_layer_ref *ref)
{
	return kv_key(a, "sssssu", S("lambda"), ref->account, ref->region, S("layer-version"),
	        ref->name, ref->version);
}

struct str lambda_layer_policy_key(struct arena *a, const struct lambda_layer_ref *ref)
{
	return kv_key(a, "sssssu", S("lambda"), ref->account, ref->region, S("layer-policy"),
	        ref->name, ref->version);
}

struct loading {
	const struct lambda_layer_ref *ref;
	struct lambda_layer_version_record *record;
	struct str policy;
};

static int load(struct kv_txn *txn, void *arg)
{
	struct loading *l = arg;

	*l->record = (struct lambda_layer_version_record){ 0 };
	return record_get(txn, lambda_layer_version_key(kv_arena(txn), l->ref),
	        &lambda_shape_layer_version_record, l->record);
}

int lambda_layer_load(
        struct task *t, const struct lambda_layer_ref *ref, struct lambda_layer_version_record *r)
{
	struct loading l = { .ref = ref, .record = r };

	return kv_view(t, load, &l);
}

static int load_policy(struct kv_txn *txn, void *arg)
{
	struct loading *l = arg;

	return lambda_policy_json(txn, lambda_layer_policy_key(kv_arena(txn), l->ref), &l->policy);
}

static int describe(struct task *t, const struct lambda_layer_ref *ref, struct api_access *access)
{
	struct loading l = { .ref = ref };

	TRY(kv_view(t, load_policy, &l));
	access->resource = lambda_layer_arn(task_arena(t), ref);
	access->resource_account = ref->account;
	access->resource_policy = l.policy;
	return 0;
}

int lambda_layer_access(struct task *t, const struct lambda_layer_ref *ref)
{
	struct api_access access = { .action = S("lambda:GetLayerVersion") };

	TRY(describe(t, ref, &access));
	return api_authorize(t, &access);
}

static struct opt_int version_of(struct task *t, const void *in)
{
	const struct shape *shape = call_of(t)->operation->in;

	for (uint32_t i = 0; i < shape->n_members; i++)
		if (str_eq(shape->members[i].name, S("VersionNumber")))
			return *(const struct opt_int *)shape_member_at(&shape->members[i], in);
	return (struct opt_int){ 0 };
}

int lambda_on_layer(struct task *t, const void *in, struct api_access *access)
{
	struct lambda_layer_ref ref;

	TRY(lambda_layer_ref_parse(
	        t, lambda_input_member(t, in, S("LayerName")), version_of(t, in), &ref));
	return describe(t, &ref, access);
}

int lambda_on_layer_arn(struct task *t, const void *in, struct api_access *access)
{
	struct lambda_layer_ref ref;

	if (!lambda_layer_arn_parse(lambda_input_member(t, in, S("Arn")), &ref))
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION, "Invalid layer ARN");
	return describe(t, &ref, access);
}
