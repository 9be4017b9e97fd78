/* function: names, rows, and what the runtime gets to know. */
#include "services/lambda/function.h"

#include "api/arn.h"
#include "codec/codec.h"
#include "codec/json.h"
#include "kv/key.h"

static bool is_latest(struct str qualifier)
{
	return !qualifier.p || qualifier.n == 0 || str_eq(qualifier, S("$LATEST"));
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

struct str lambda_function_key(struct arena *a, const struct lambda_ref *ref)
{
	return kv_key(a, "sssss", S("lambda"), ref->account, ref->region, S("function"), ref->name);
}

struct str lambda_version_key(struct arena *a, const struct lambda_ref *ref, uint64_t version)
{
	return kv_key(a, "sssssu", S("lambda"), ref->account, ref->region, S("version"), ref->name,
	        version);
}

struct str lambda_policy_key(struct arena *a, const struct lambda_ref *ref)
{
	struct str qualifier = is_latest(ref->qualifier) ? S("") : ref->qualifier;

	return kv_key(a, "ssssss", S("lambda"), ref->account, ref->region, S("policy"), ref->name,
	        qualifier);
}

int lambda_record_get(
        struct kv_txn *txn, const struct lambda_ref *ref, struct lambda_function_record *r)
{
	struct arena *a = kv_arena(txn);
	uint64_t version;

	*r = (struct lambda_function_record){ 0 };
	if (is_latest(ref->qualifier))
		return record_get(
		        txn, lambda_function_key(a, ref), &lambda_shape_function_record, r);
	if (!str_to_u64(ref->qualifier, &version))
		return KV_NOT_FOUND;
	return record_get(
	        txn, lambda_version_key(a, ref, version), &lambda_shape_function_record, r);
}

int lambda_not_found(struct task *t, const struct lambda_ref *ref)
{
	struct str arn = lambda_ref_arn(task_arena(t), ref);

	return fail(t, LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION, "Function not found: %.*s", STR(arn));
}

struct loading {
	const struct lambda_ref *ref;
	struct lambda_function_record *record;
};

static int load(struct kv_txn *txn, void *arg)
{
	struct loading *l = arg;

	return lambda_record_get(txn, l->ref, l->record);
}

int lambda_load(struct task *t, const struct lambda_ref *ref, struct lambda_function_record *r)
{
	struct loading l = { ref, r };
	int got = kv_view(t, load, &l);

	return got == KV_NOT_FOUND ? lambda_not_found(t, ref) : got;
}

int lambda_find(struct task *t, struct str name, struct str qualifier, struct lambda_ref *ref,
        struct lambda_function_record *r)
{
	TRY(lambda_ref_parse(t, name, qualifier, ref));
	return lambda_load(t, ref, r);
}

int lambda_policy_json(
        struct kv_txn *txn, const struct lambda_ref *ref, struct str *json, struct str *revision)
{
	struct arena *a = kv_arena(txn);
	struct lambda_policy_record p = { 0 };
	struct buf b = buf_init(a);

	*json = *revision = (struct str){ 0 };
	int got = record_get(txn, lambda_policy_key(a, ref), &lambda_shape_policy_record, &p);
	if (got != 0 || p.statements.n == 0)
		return got == KV_NOT_FOUND ? 0 : got;
	buf_add(&b, S("{\"Version\":\"2012-10-17\",\"Id\":\"default\",\"Statement\":["));
	for (size_t i = 0; i < p.statements.n; i++) {
		if (i)
			buf_add_char(&b, ',');
		buf_add(&b, p.statements.v[i].json);
	}
	buf_add(&b, S("]}"));
	*json = buf_str(&b);
	*revision = p.revision_id;
	return 0;
}

static void add_environment(
        struct arena *a, const struct lambda_environment_response *e, struct runtime_function *f)
{
	if (!e || e->variables.n == 0)
		return;
	f->env = arena_new_n(a, struct str, e->variables.n);
	for (size_t i = 0; i < e->variables.n; i++)
		f->env[f->n_env++] =
		        str_concat(a, 3, e->variables.v[i].key, S("="), e->variables.v[i].value);
}

static void add_logging(
        struct arena *a, const struct lambda_function_configuration *c, struct runtime_function *f)
{
	const struct lambda_logging_config *l = c->logging_config;

	f->log_group = l && l->log_group.n ? l->log_group
	                                   : str_concat(a, 2, S("/aws/lambda/"), c->function_name);
	if (!l)
		return;
	f->log_json = str_eq(l->log_format, S("JSON"));
	f->application_log_level = l->application_log_level;
	f->system_log_level = l->system_log_level;
}

void lambda_runnable(struct arena *a, const struct lambda_ref *ref,
        const struct lambda_function_record *r, struct runtime_function *f)
{
	const struct lambda_function_configuration *c = r->configuration;

	*f = (struct runtime_function){
		.account = ref->account,
		.region = ref->region,
		.name = c->function_name,
		.version = c->version,
		.arn = lambda_ref_unqualified_arn(a, ref),
		.runtime = c->runtime,
		.handler = c->handler,
		.memory_mib = (uint32_t)c->memory_size.v,
		.timeout_s = (uint32_t)c->timeout.v,
		.tmp_mib = c->ephemeral_storage ? (uint32_t)c->ephemeral_storage->size.v : 512,
		.code_blob = r->code_blob,
		.code_sha256 = c->code_sha256,
		.role_arn = c->role,
		.tracing_active = c->tracing_config && str_eq(c->tracing_config->mode, S("Active")),
		.reserved_concurrency =
		        r->reserved_concurrency.set ? (int32_t)r->reserved_concurrency.v : -1,
		.max_async_age_s = 21600,
	};
	f->key = str_printf(a, "%.*s:%.*s:%.*s", STR(f->arn), STR(f->version), STR(c->revision_id));
	add_environment(a, c->environment, f);
	add_logging(a, c, f);
}

static struct str input_member(const struct shape *shape, const void *in, struct str name)
{
	for (uint32_t i = 0; i < shape->n_members; i++)
		if (str_eq(shape->members[i].name, name))
			return *(struct str *)shape_member_at(&shape->members[i], in);
	return (struct str){ 0 };
}

struct policy_of {
	const struct lambda_ref *ref;
	struct str json, revision;
};

static int get_policy(struct kv_txn *txn, void *arg)
{
	struct policy_of *p = arg;

	return lambda_policy_json(txn, p->ref, &p->json, &p->revision);
}

int lambda_on_function(struct task *t, const void *in, struct api_access *access)
{
	const struct shape *shape = call_of(t)->operation->in;
	struct lambda_ref ref;
	struct policy_of p = { .ref = &ref };

	TRY(lambda_ref_parse(t, input_member(shape, in, S("FunctionName")),
	        input_member(shape, in, S("Qualifier")), &ref));
	access->resource = lambda_ref_arn(task_arena(t), &ref);
	access->resource_account = ref.account;
	TRY(kv_view(t, get_policy, &p));
	access->resource_policy = p.json;
	return 0;
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
	return fail(t, LAMBDA_PRECONDITION_FAILED_EXCEPTION,
	        "The Revision Id provided does not match the latest Revision Id. Call the "
	        "GetFunction/GetAlias API to retrieve the latest Revision Id");
}
