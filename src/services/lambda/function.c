/* function: names, rows, and what the runtime gets to know. */
#include "services/lambda/function.h"

#include "api/arn.h"
#include "base/rand.h"
#include "codec/codec.h"
#include "kv/blobs.h"
#include "kv/key.h"

bool lambda_is_latest(struct str qualifier)
{
	return !qualifier.p || qualifier.n == 0 || str_eq(qualifier, S("$LATEST"));
}

bool lambda_is_version(struct str qualifier)
{
	for (size_t i = 0; i < qualifier.n; i++)
		if (qualifier.p[i] < '0' || qualifier.p[i] > '9')
			return false;
	return qualifier.n > 0;
}

bool lambda_is_alias(struct str qualifier)
{
	return !lambda_is_latest(qualifier) && !lambda_is_version(qualifier);
}

static void split_name(struct lambda_ref *ref, struct str text)
{
	ref->name = str_cut(&text, ':');
	if (text.p)
		ref->qualifier = text;
}

/* "function:name[:qualifier]" of an ARN. */
static int split_resource(struct lambda_ref *ref, struct str resource)
{
	if (!str_starts(resource, S("function:")))
		return 1;
	split_name(ref, str_sub(resource, 9, resource.n));
	return 0;
}

int lambda_ref_parse(struct task *t, struct str name, struct str qualifier, struct lambda_ref *ref)
{
	const struct call *c = call_of(t);
	struct arn arn;
	ptrdiff_t partial = str_find(name, S(":function:"));

	*ref = (struct lambda_ref){ .account = c->account, .region = c->region };
	if (arn_parse(name, &arn)) {
		ref->account = arn.account;
		ref->region = arn.region;
		if (split_resource(ref, arn.resource) != 0)
			return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
			        "Invalid function ARN: %.*s", STR(name));
		/* Services reach into other regions, clients do not. */
		if (!c->caller && !str_eq(arn.region, c->region))
			return fail(t, LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION,
			        "Functions from '%.*s' are not reachable in this region ('%.*s')",
			        STR(arn.region), STR(c->region));
	} else if (partial == 12) {
		ref->account = str_sub(name, 0, 12);
		split_name(ref, str_sub(name, 22, name.n));
	} else {
		split_name(ref, name);
	}
	if (!qualifier.p || qualifier.n == 0)
		return 0;
	if (ref->qualifier.p && !str_eq(ref->qualifier, qualifier))
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "The derived qualifier from the function name does not match the specified "
		        "qualifier.");
	ref->qualifier = qualifier;
	return 0;
}

struct str lambda_ref_unqualified_arn(struct arena *a, const struct lambda_ref *ref)
{
	return arn_make(a, "lambda", ref->region, ref->account, "function:%.*s", STR(ref->name));
}

struct str lambda_ref_arn(struct arena *a, const struct lambda_ref *ref)
{
	struct str arn = lambda_ref_unqualified_arn(a, ref);

	return ref->qualifier.n ? str_concat(a, 3, arn, S(":"), ref->qualifier) : arn;
}

struct str lambda_ref_qualified_arn(struct arena *a, const struct lambda_ref *ref)
{
	struct lambda_ref qualified = *ref;

	if (!qualified.qualifier.n)
		qualified.qualifier = S("$LATEST");
	return lambda_ref_arn(a, &qualified);
}

struct str lambda_function_key(struct arena *a, const struct lambda_ref *ref)
{
	return kv_key(a, "sssss", S("lambda"), ref->account, ref->region, S("function"), ref->name);
}

struct str lambda_version_key(struct arena *a, const struct lambda_ref *ref, uint64_t version)
{
	return kv_key(a, "sssssu", S("lambda"), ref->account, ref->region, S("version"), ref->name,
	        version);
}

struct str lambda_row_prefix(struct arena *a, const struct lambda_ref *ref, const char *kind)
{
	return kv_key(a, "sssss", S("lambda"), ref->account, ref->region, str_of(kind), ref->name);
}

struct str lambda_row_key(struct arena *a, const struct lambda_ref *ref, const char *kind)
{
	struct str qualifier = lambda_is_latest(ref->qualifier) ? S("") : ref->qualifier;

	return kv_key(a, "ssssss", S("lambda"), ref->account, ref->region, str_of(kind), ref->name,
	        qualifier);
}

int lambda_alias_get(
        struct kv_txn *txn, const struct lambda_ref *ref, struct lambda_alias_configuration *alias)
{
	*alias = (struct lambda_alias_configuration){ 0 };
	return record_get(txn, lambda_row_key(kv_arena(txn), ref, "alias"),
	        &lambda_shape_alias_configuration, alias);
}

static int get_latest(
        struct kv_txn *txn, const struct lambda_ref *ref, struct lambda_function_record *r)
{
	*r = (struct lambda_function_record){ 0 };
	return record_get(
	        txn, lambda_function_key(kv_arena(txn), ref), &lambda_shape_function_record, r);
}

static int get_version(struct kv_txn *txn, const struct lambda_ref *ref, struct str version,
        struct lambda_function_record *r)
{
	struct lambda_function_record latest;
	uint64_t number;

	TRY(get_latest(txn, ref, &latest));
	if (lambda_is_latest(version)) {
		*r = latest;
		return 0;
	}
	*r = (struct lambda_function_record){ 0 };
	if (!str_to_u64(version, &number))
		return KV_NOT_FOUND;
	TRY(record_get(txn, lambda_version_key(kv_arena(txn), ref, number),
	        &lambda_shape_function_record, r));
	r->tags = latest.tags;
	r->reserved_concurrency = latest.reserved_concurrency;
	r->recording = latest.recording;
	r->recursive_loop = latest.recursive_loop;
	return 0;
}

/* dice in [0, 1): which version of an alias that has two. */
static struct str route(const struct lambda_alias_configuration *alias, double dice)
{
	const struct lambda_alias_routing_configuration *r = alias->routing_config;

	for (size_t i = 0; r && i < r->additional_version_weights.n; i++) {
		dice -= r->additional_version_weights.v[i].value.v;
		if (dice < 0)
			return r->additional_version_weights.v[i].key;
	}
	return alias->function_version;
}

static int get_routed(struct kv_txn *txn, const struct lambda_ref *ref, double dice,
        struct lambda_function_record *r)
{
	struct lambda_alias_configuration alias;

	if (!lambda_is_alias(ref->qualifier))
		return get_version(txn, ref, ref->qualifier, r);
	TRY(lambda_alias_get(txn, ref, &alias));
	return get_version(txn, ref, route(&alias, dice), r);
}

int lambda_record_get(
        struct kv_txn *txn, const struct lambda_ref *ref, struct lambda_function_record *r)
{
	return get_routed(txn, ref, 1, r);
}

void lambda_record_put(
        struct kv_txn *txn, const struct lambda_ref *ref, const struct lambda_function_record *r)
{
	struct arena *a = kv_arena(txn);
	uint64_t number;
	struct str key = str_to_u64(r->configuration->version, &number)
	                         ? lambda_version_key(a, ref, number)
	                         : lambda_function_key(a, ref);

	record_put(txn, key, &lambda_shape_function_record, r);
}

int lambda_revision(struct kv_txn *txn, const struct lambda_ref *ref, struct str *revision_id)
{
	struct lambda_alias_configuration alias;
	struct lambda_function_record r;

	if (lambda_is_alias(ref->qualifier)) {
		TRY(lambda_alias_get(txn, ref, &alias));
		*revision_id = alias.revision_id;
		return 0;
	}
	TRY(lambda_record_get(txn, ref, &r));
	*revision_id = r.configuration->revision_id;
	return 0;
}

int lambda_touch(struct kv_txn *txn, const struct lambda_ref *ref, struct str revision_id)
{
	struct lambda_alias_configuration alias;
	struct lambda_function_record r;

	if (lambda_is_alias(ref->qualifier)) {
		TRY(lambda_alias_get(txn, ref, &alias));
		alias.revision_id = revision_id;
		record_put(txn, lambda_row_key(kv_arena(txn), ref, "alias"),
		        &lambda_shape_alias_configuration, &alias);
		return 0;
	}
	TRY(lambda_record_get(txn, ref, &r));
	r.configuration->revision_id = revision_id;
	lambda_record_put(txn, ref, &r);
	return 0;
}

void lambda_record_hold(struct kv_txn *txn, const struct lambda_function_record *r)
{
	kv_blob_ref(txn, r->code_blob);
	for (size_t i = 0; i < r->layer_blobs.n; i++)
		kv_blob_ref(txn, r->layer_blobs.v[i]);
}

void lambda_record_release(struct kv_txn *txn, const struct lambda_function_record *r)
{
	kv_blob_unref(txn, r->code_blob);
	for (size_t i = 0; i < r->layer_blobs.n; i++)
		kv_blob_unref(txn, r->layer_blobs.v[i]);
}

int lambda_refuse(struct lambda_refusal *r, int code, struct str message)
{
	*r = (struct lambda_refusal){ code, message };
	return code;
}

int lambda_refused(struct task *t, const struct lambda_refusal *r, int bad)
{
	return bad > 0 && bad == r->code ? fail(t, bad, "%.*s", STR(r->message)) : bad;
}

int lambda_not_found(struct task *t, const struct lambda_ref *ref)
{
	struct str arn = lambda_ref_arn(task_arena(t), ref);

	return fail(t, LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION, "Function not found: %.*s", STR(arn));
}

struct loading {
	const struct lambda_ref *ref;
	struct lambda_function_record *record;
	double dice;
};

static int load(struct kv_txn *txn, void *arg)
{
	struct loading *l = arg;

	return get_routed(txn, l->ref, l->dice, l->record);
}

static int load_with(struct task *t, const struct loading *l)
{
	struct loading loading = *l;
	int got = kv_view(t, load, &loading);

	return got == KV_NOT_FOUND ? lambda_not_found(t, l->ref) : got;
}

int lambda_load(struct task *t, const struct lambda_ref *ref, struct lambda_function_record *r)
{
	return load_with(t, &(struct loading){ ref, r, 1 });
}

int lambda_load_routed(
        struct task *t, const struct lambda_ref *ref, struct lambda_function_record *r)
{
	double dice = lambda_is_alias(ref->qualifier) ? (double)(rand_u64() >> 11) * 0x1p-53 : 1;

	return load_with(t, &(struct loading){ ref, r, dice });
}

int lambda_find(struct task *t, struct str name, struct str qualifier, struct lambda_ref *ref,
        struct lambda_function_record *r)
{
	TRY(lambda_ref_parse(t, name, qualifier, ref));
	return lambda_load(t, ref, r);
}

struct str lambda_time(struct arena *a, int64_t ms)
{
	struct str iso = time_iso8601(a, ms, true);

	return str_concat(a, 2, str_sub(iso, 0, iso.n - 1), S("+0000"));
}

int lambda_precondition(
        struct task *t, struct str revision_id, const struct lambda_function_record *r)
{
	if (!revision_id.p || str_eq(revision_id, r->configuration->revision_id))
		return 0;
	return fail(t, LAMBDA_PRECONDITION_FAILED_EXCEPTION, LAMBDA_STALE_REVISION);
}
