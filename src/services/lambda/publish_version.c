/* PublishVersion */
#include "services/lambda/function.h"

#include "base/rand.h"

#include <inttypes.h>

struct publication {
	const struct lambda_publish_version_in *in;
	struct lambda_ref ref;
	struct lambda_function_record latest, version;
	struct str modified, revision;
};

/* Nothing changed since the last version: that one is the answer. */
static bool is_same(const struct lambda_function_record *a, const struct lambda_function_record *b)
{
	return str_eq(a->generation, b->generation);
}

static int publish(struct kv_txn *txn, void *arg)
{
	struct publication *p = arg;
	struct arena *a = kv_arena(txn);
	struct lambda_ref latest = p->ref;

	latest.qualifier = (struct str){ 0 };
	TRY(lambda_record_get(txn, &latest, &p->latest));
	struct lambda_function_configuration *c = p->latest.configuration;
	if (p->latest.directory)
		return LAMBDA_RESOURCE_CONFLICT_EXCEPTION;
	if (p->in->code_sha256.p && !str_eq(p->in->code_sha256, c->code_sha256))
		return LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION;
	if (p->in->revision_id.p && !str_eq(p->in->revision_id, c->revision_id))
		return LAMBDA_PRECONDITION_FAILED_EXCEPTION;
	int64_t n = p->latest.last_version.v;
	if (n > 0 &&
	        record_get(txn, lambda_version_key(a, &p->ref, (uint64_t)n),
	                &lambda_shape_function_record, &p->version) == 0 &&
	        is_same(&p->version, &p->latest))
		return 0;
	p->latest.last_version = opt_int(n + 1);
	record_put(txn, lambda_function_key(a, &p->ref), &lambda_shape_function_record, &p->latest);
	p->version = p->latest;
	struct lambda_function_configuration *v =
	        arena_new(a, struct lambda_function_configuration);
	*v = *c;
	v->version = str_printf(a, "%" PRId64, n + 1);
	v->function_arn = str_printf(a, "%.*s:%.*s", STR(c->function_arn), STR(v->version));
	v->revision_id = p->revision;
	v->last_modified = p->modified;
	if (p->in->description.p)
		v->description = p->in->description;
	lambda_snapshot_begin(txn, &p->ref, v);
	p->version.configuration = v;
	lambda_record_hold(txn, &p->version);
	record_put(txn, lambda_version_key(a, &p->ref, (uint64_t)(n + 1)),
	        &lambda_shape_function_record, &p->version);
	return 0;
}

int lambda_publish_version(struct task *t, const struct lambda_publish_version_in *in,
        struct lambda_publish_version_out *out)
{
	struct arena *a = task_arena(t);
	struct publication p = {
		.in = in, .modified = lambda_time(a, call_of(t)->now_ms), .revision = rand_uuid(a)
	};

	TRY(lambda_ref_parse(t, in->function_name, (struct str){ 0 }, &p.ref));
	int bad = kv_update(t, publish, &p);
	if (bad == KV_NOT_FOUND)
		return lambda_not_found(t, &p.ref);
	if (bad == LAMBDA_RESOURCE_CONFLICT_EXCEPTION)
		return fail(t, bad,
		        "%.*s is served from the directory %.*s: deploy it to publish a version",
		        STR(p.ref.name), STR(p.latest.directory->path));
	if (bad == LAMBDA_PRECONDITION_FAILED_EXCEPTION)
		return lambda_precondition(t, in->revision_id, &p.latest);
	if (bad == LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION)
		return fail(t, bad,
		        "CodeSHA256 (%.*s) is different from current CodeSHA256 in $LATEST (%.*s). "
		        "Please try again with the CodeSHA256 in $LATEST.",
		        STR(in->code_sha256), STR(p.latest.configuration->code_sha256));
	TRY(bad);
	*out = *p.version.configuration;
	return 0;
}
