/*
 * api_authorize: may the principal do this? And when not, which statement is missing?
 *
 * In warn mode what AWS would deny is allowed and said once in the log with the statement that
 * would fix it. That is for people and their roles: what a service may do on behalf of a resource
 * is part of an application's own wiring, and is enforced as on AWS.
 */
#include "api/api_engine.h"

#include "base/clock.h"
#include "base/log.h"
#include "codec/codec.h"

#define WARNED_MAX  4096
#define GLOBAL_KEYS 24

struct decision {
	struct policy_request request;
	struct policy_set set;
	struct policy_key *keys;
	size_t n_keys;
};

static void add_key(struct arena *a, struct decision *d, struct str name, struct str value)
{
	if (!value.p || value.n == 0)
		return;
	struct str *values = arena_new(a, struct str);
	*values = value;
	d->keys[d->n_keys++] = (struct policy_key){ .name = name, .values = values, .n_values = 1 };
}

static struct str principal_type_name(const struct principal *p)
{
	static const struct str names[] = {
		[PRINCIPAL_ANONYMOUS] = S_INIT("Anonymous"),
		[PRINCIPAL_ROOT] = S_INIT("Account"),
		[PRINCIPAL_USER] = S_INIT("User"),
		[PRINCIPAL_ROLE] = S_INIT("AssumedRole"),
		[PRINCIPAL_SERVICE] = S_INIT("Service"),
	};
	return names[p->type];
}

static struct str user_name(const struct principal *p)
{
	ptrdiff_t slash = str_rfind_char(p->arn, '/');

	if (p->type != PRINCIPAL_USER || slash < 0)
		return (struct str){ 0 };
	return str_sub(p->arn, (size_t)slash + 1, p->arn.n);
}

/* The global condition keys, then the principal's tags, then the service's own keys. */
static void collect_keys(struct task *t, const struct principal *p, const struct api_access *access,
        struct decision *d)
{
	struct arena *a = task_arena(t);
	const struct call *c = call_of(t);
	int64_t now = clock_now_ms();

	d->keys = arena_new_n(a, struct policy_key, GLOBAL_KEYS + p->n_tags + access->n_keys);
	add_key(a, d, S("aws:CurrentTime"), time_iso8601(a, now, false));
	add_key(a, d, S("aws:EpochTime"), str_printf(a, "%lld", (long long)(now / 1000)));
	add_key(a, d, S("aws:PrincipalType"), principal_type_name(p));
	add_key(a, d, S("aws:PrincipalArn"), p->role_arn.n ? p->role_arn : p->arn);
	add_key(a, d, S("aws:PrincipalAccount"), p->account);
	add_key(a, d, S("aws:userid"), p->id);
	add_key(a, d, S("aws:username"), user_name(p));
	add_key(a, d, S("aws:ResourceAccount"), access->resource_account);
	add_key(a, d, S("aws:PrincipalIsAWSService"), p->service.n ? S("true") : S("false"));
	add_key(a, d, S("aws:PrincipalServiceName"), p->service);
	if (c) {
		const struct call *first = c;
		while (first->caller && !first->http)
			first = first->caller;
		add_key(a, d, S("aws:RequestedRegion"), c->region);
		add_key(a, d, S("aws:SourceArn"), c->source_arn);
		add_key(a, d, S("aws:SourceAccount"), c->source_account);
		add_key(a, d, S("aws:ViaAWSService"), c->caller ? S("true") : S("false"));
		if (c->http) {
			add_key(a, d, S("aws:SourceIp"), c->source_ip);
			add_key(a, d, S("aws:UserAgent"), c->user_agent);
			add_key(a, d, S("aws:SecureTransport"),
			        c->http->request.tls ? S("true") : S("false"));
		}
	}
	for (size_t i = 0; i < p->n_tags; i++)
		d->keys[d->n_keys++] = p->tags[i];
	for (size_t i = 0; i < access->n_keys; i++)
		d->keys[d->n_keys++] = access->keys[i];
}

static int add_resource_policy(
        struct task *t, const struct api_access *access, struct policy_set *set)
{
	struct arena *a = task_arena(t);
	const struct policy *policy;
	bool trust = access->trust_policy.p;
	struct str json = trust ? access->trust_policy : access->resource_policy;
	struct str why;

	if (!json.p)
		return 0;
	if (policy_parse(a, json, trust ? POLICY_TRUST : POLICY_RESOURCE, &policy, &why) != 0) {
		log_error("stored resource policy of %.*s does not parse: %.*s",
		        STR(access->resource), STR(why));
		return -EPROTO;
	}
	set->resource = arena_new(a, struct policy_source);
	set->resource[0] = (struct policy_source){ policy, access->resource };
	set->n_resource = 1;
	return 0;
}

int api_decide(struct task *t, const struct principal *p, const struct api_access *access,
        struct policy_result *result)
{
	const struct api_options *o = api_options_of(t);
	struct decision d = { 0 };

	*result = (struct policy_result){ .decision = POLICY_ALLOWED };
	if (o->iam == API_IAM_OFF)
		return 0;
	bool own = str_eq(p->account, access->resource_account);
	bool has_resource = access->resource_policy.p || access->trust_policy.p;
	if (p->type == PRINCIPAL_ROOT && own && !has_resource)
		return 0;
	bool has_identity = p->type == PRINCIPAL_USER || p->type == PRINCIPAL_ROLE;
	if (has_identity && o->identity)
		TRY(o->identity->policies(t, p, &d.set));
	TRY(add_resource_policy(t, access, &d.set));
	collect_keys(t, p, access, &d);
	d.request = (struct policy_request){
		.principal_arn = p->arn,
		.principal_account = p->account,
		.principal_service = p->service,
		.role_arn = p->role_arn,
		.is_root = p->type == PRINCIPAL_ROOT,
		.action = access->action,
		.resource = access->resource,
		.resource_account = access->resource_account,
		.keys = d.keys,
		.n_keys = d.n_keys,
	};
	policy_evaluate(task_arena(t), &d.request, &d.set, result);
	return 0;
}

static struct str principal_words(const struct principal *p)
{
	if (p->type == PRINCIPAL_ANONYMOUS)
		return S("anonymous");
	return p->service.n ? p->service : p->arn;
}

/* True the first time for this principal, action and resource. */
static bool first_warning(struct api *api, struct str key)
{
	static char mark;

	pthread_mutex_lock(&api->warned_lock);
	if (api->warned.n >= WARNED_MAX)
		map_deinit(&api->warned);
	bool first = !map_put(&api->warned, key, &mark);
	pthread_mutex_unlock(&api->warned_lock);
	return first;
}

static void warn(struct task *t, const struct principal *p, const struct api_access *access,
        const struct policy_result *result)
{
	struct str who = principal_words(p);
	struct str key = str_printf(task_arena(t), "%.*s %.*s %.*s", STR(who), STR(access->action),
	        STR(access->resource));

	if (!first_warning(api_of(t), key))
		return;
	log_warn("AWS would deny: %.*s may not %.*s on %.*s, %.*s", STR(who), STR(access->action),
	        STR(access->resource), STR(result->because));
	if (result->missing_statement.n)
		log_warn("the missing statement, in %.*s: %.*s", STR(result->missing_place),
		        STR(result->missing_statement));
}

int api_authorize(struct task *t, const struct api_access *access)
{
	struct call *c = call_of(t);
	struct policy_result result;

	TRY(api_decide(t, &c->principal, access, &result));
	if (result.decision == POLICY_ALLOWED)
		return 0;
	warn(t, &c->principal, access, &result);
	if (api_options_of(t)->iam == API_IAM_WARN && c->principal.type != PRINCIPAL_SERVICE)
		return 0;
	/* AWS does not say why a role does not trust. */
	struct str because = access->trust_policy.p ? S("") : result.because;
	return fail(t, API_ERROR_ACCESS_DENIED,
	        "User: %.*s is not authorized to perform: %.*s on resource: %.*s%s%.*s",
	        STR(principal_words(&c->principal)), STR(access->action), STR(access->resource),
	        because.n ? " " : "", STR(because));
}

int api_authorize_row(struct task *t, const struct api_row *row, const void *in)
{
	struct call *c = call_of(t);
	struct api_access access = { .resource = S("*"), .resource_account = c->account };

	if (row->action && row->action[0] == 0)
		return 0;
	access.action = row->action ? str_of(row->action)
	                            : str_printf(task_arena(t), "%s:%.*s", c->service->iam_prefix,
	                                      STR(c->operation->name));
	if (row->authorize)
		TRY(row->authorize(t, in, &access));
	return api_authorize(t, &access);
}
