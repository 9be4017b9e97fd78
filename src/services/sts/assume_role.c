/*
 * AssumeRole: the role's trust policy and the caller's own policies decide; session policies cut
 * what the role may; tags and the source identity go on to the next role.
 */
#include "services/sts/session.h"

#include "api/arn.h"
#include "codec/codec.h"

struct assumption {
	const struct sts_assume_role_in *in;
	struct arn arn;
	struct iam_role *role;
	struct iam_session_record session;
	struct api_access access;
};

static int invalid_value(struct task *t, const char *message)
{
	return fail_named(t, "InvalidParameterValue", 400, "%s", message);
}

static struct str who_asks(const struct principal *p)
{
	return p->service.n ? p->service : p->arn;
}

/* A role that does not exist is denied like one that does not trust the caller. */
static int find_role(struct task *t, struct assumption *x)
{
	const struct principal *p = &call_of(t)->principal;
	struct str role_arn = x->in->role_arn;

	if (!arn_parse(role_arn, &x->arn) || !str_eq(x->arn.service, S("iam")) ||
	        !str_starts(x->arn.resource, S("role/")))
		return fail(t, API_ERROR_VALIDATION, "%.*s is invalid", STR(role_arn));
	struct api_caller who = api_caller_service(
	        S("sts.amazonaws.com"), x->arn.account, S(""), (struct str){ 0 });
	ptrdiff_t slash = str_rfind_char(x->arn.resource, '/');
	struct iam_get_role_in in = { str_sub(
		x->arn.resource, (size_t)slash + 1, x->arn.resource.n) };
	struct iam_get_role_out out = { 0 };
	int bad = api_call(t, &who, "iam", "GetRole", &in, &out);
	if (bad < 0)
		return bad;
	if (bad || !str_eq(out.role->arn, role_arn))
		return fail(t, API_ERROR_ACCESS_DENIED,
		        "User: %.*s is not authorized to perform: sts:AssumeRole on resource: %.*s",
		        STR(who_asks(p)), STR(role_arn));
	x->role = out.role;
	return 0;
}

/* ---- what the caller's own session hands on ---- */

static const struct policy_key *caller_key(struct task *t, struct str name)
{
	const struct principal *p = &call_of(t)->principal;

	for (size_t i = 0; i < p->n_tags; i++)
		if (str_eq_nocase(p->tags[i].name, name))
			return &p->tags[i];
	return NULL;
}

static bool has_tag(const struct iam_session_record *s, struct str key)
{
	for (size_t i = 0; i < s->tags.n; i++)
		if (str_eq_nocase(s->tags.v[i].key, key))
			return true;
	return false;
}

static int inherit_tags(struct task *t, struct assumption *x)
{
	struct arena *a = task_arena(t);
	const struct policy_key *keys = caller_key(t, S("sts:TransitiveTagKeys"));
	const struct sts_tag_key_list_type *given = &x->in->transitive_tag_keys;
	struct iam_session_record *s = &x->session;
	size_t n = keys ? keys->n_values : 0;
	struct iam_tag *tags = arena_new_n(a, struct iam_tag, s->tags.n + n + 1);
	struct str *transitive = arena_new_n(a, struct str, given->n + n + 1);

	for (size_t i = 0; i < given->n; i++) {
		if (!has_tag(s, given->v[i]))
			return invalid_value(t,
			        "The specified transitive tag key must be included in the "
			        "requested tags.");
		transitive[i] = given->v[i];
	}
	for (size_t i = 0; i < s->tags.n; i++)
		tags[i] = s->tags.v[i];
	for (size_t i = 0; i < n; i++) {
		const struct policy_key *value =
		        caller_key(t, str_concat(a, 2, S("aws:PrincipalTag/"), keys->values[i]));
		if (has_tag(s, keys->values[i]))
			return invalid_value(t,
			        "One of the specified transitive tag keys can't be set because "
			        "it conflicts with a transitive tag key from the calling "
			        "session.");
		tags[s->tags.n + i] =
		        (struct iam_tag){ keys->values[i], value ? value->values[0] : S("") };
		transitive[given->n + i] = keys->values[i];
	}
	s->tags = (struct iam_tag_list_type){ tags, s->tags.n + n };
	s->transitive_tag_keys = (struct iam_name_record_list){ transitive, given->n + n };
	return 0;
}

static int inherit_source_identity(struct task *t, struct assumption *x)
{
	const struct policy_key *before = caller_key(t, S("aws:SourceIdentity"));

	x->session.source_identity = x->in->source_identity;
	if (!before)
		return 0;
	if (x->in->source_identity.p && !str_eq(x->in->source_identity, before->values[0]))
		return fail(t, API_ERROR_ACCESS_DENIED,
		        "User: %.*s is not authorized to perform: sts:SetSourceIdentity on "
		        "resource: %.*s",
		        STR(call_of(t)->principal.arn), STR(x->in->role_arn));
	x->session.source_identity = before->values[0];
	return 0;
}

/* ---- may it? ---- */

static void add_key(struct arena *a, struct api_access *access, struct str name, struct str value)
{
	struct str *values = arena_new(a, struct str);

	if (!value.p)
		return;
	*values = value;
	access->keys[access->n_keys++] =
	        (struct policy_key){ .name = name, .values = values, .n_values = 1 };
}

static void add_list(struct api_access *access, struct str name, struct str *values, size_t n)
{
	if (n)
		access->keys[access->n_keys++] = (struct policy_key){ name, values, n, true };
}

static void collect_keys(struct task *t, struct assumption *x)
{
	struct arena *a = task_arena(t);
	const struct sts_assume_role_in *in = x->in;
	const struct iam_session_record *s = &x->session;
	const struct iam_tag_list_type *role_tags = &x->role->tags;
	struct api_access *access = &x->access;
	struct str *names = arena_new_n(a, struct str, s->tags.n + 1);

	access->keys = arena_new_n(a, struct policy_key, 2 * role_tags->n + s->tags.n + 5);
	add_key(a, access, S("sts:ExternalId"), in->external_id);
	add_key(a, access, S("sts:RoleSessionName"), in->role_session_name);
	add_key(a, access, S("sts:SourceIdentity"), s->source_identity);
	for (size_t i = 0; i < s->tags.n; i++) {
		names[i] = s->tags.v[i].key;
		add_key(a, access, str_concat(a, 2, S("aws:RequestTag/"), names[i]),
		        s->tags.v[i].value);
	}
	add_list(access, S("aws:TagKeys"), names, s->tags.n);
	add_list(access, S("sts:TransitiveTagKeys"), s->transitive_tag_keys.v,
	        s->transitive_tag_keys.n);
	for (size_t i = 0; i < role_tags->n; i++) {
		struct iam_tag tag = role_tags->v[i];
		add_key(a, access, str_concat(a, 2, S("aws:ResourceTag/"), tag.key), tag.value);
		add_key(a, access, str_concat(a, 2, S("iam:ResourceTag/"), tag.key), tag.value);
	}
}

static int authorize(struct task *t, struct assumption *x)
{
	if (call_of(t)->principal.type == PRINCIPAL_ROOT &&
	        api_options_of(t)->iam == API_IAM_ENFORCE)
		return fail(
		        t, API_ERROR_ACCESS_DENIED, "Roles may not be assumed by root accounts.");
	x->access.resource = x->in->role_arn;
	x->access.resource_account = x->arn.account;
	if (uri_decode(task_arena(t), x->role->assume_role_policy_document, false,
	            &x->access.trust_policy) != 0)
		return -EPROTO;
	collect_keys(t, x);
	x->access.action = S("sts:AssumeRole");
	TRY(api_authorize(t, &x->access));
	x->access.action = S("sts:TagSession");
	if (x->in->tags.n)
		TRY(api_authorize(t, &x->access));
	x->access.action = S("sts:SetSourceIdentity");
	return x->in->source_identity.p ? api_authorize(t, &x->access) : 0;
}

static int check_duration(struct task *t, const struct assumption *x, int64_t *seconds)
{
	const struct principal *p = &call_of(t)->principal;

	*seconds = x->in->duration_seconds.set ? x->in->duration_seconds.v : STS_HOUR;
	if (p->type == PRINCIPAL_ROLE && *seconds > STS_HOUR)
		return fail(t, API_ERROR_VALIDATION,
		        "The requested DurationSeconds exceeds the 1 hour session limit for roles "
		        "assumed by role chaining");
	if (p->type != PRINCIPAL_SERVICE && *seconds > x->role->max_session_duration.v)
		return fail(t, API_ERROR_VALIDATION,
		        "The requested DurationSeconds exceeds the MaxSessionDuration set for this "
		        "role.");
	return 0;
}

int sts_assume_role(
        struct task *t, const struct sts_assume_role_in *in, struct sts_assume_role_out *out)
{
	struct arena *a = task_arena(t);
	struct assumption x = { .in = in };
	int64_t seconds;

	TRY(find_role(t, &x));
	struct sts_session_policies given = { in->policy, in->policy_arns, in->tags,
		x.arn.account };
	TRY(sts_no_mfa(t, in->serial_number, in->token_code));
	TRY(sts_session_limit(t, &given, &x.session, &out->packed_policy_size));
	TRY(inherit_tags(t, &x));
	TRY(inherit_source_identity(t, &x));
	TRY(authorize(t, &x));
	TRY(check_duration(t, &x, &seconds));
	x.session.kind = S("role");
	x.session.account = x.arn.account;
	x.session.entity_name = x.role->role_name;
	x.session.entity_id = x.role->role_id;
	x.session.session_name = in->role_session_name;
	out->credentials = sts_session_issue(t, &x.session, seconds);
	out->source_identity = x.session.source_identity;
	out->assumed_role_user = arena_new(a, struct sts_assumed_role_user);
	out->assumed_role_user->assumed_role_id =
	        str_concat(a, 3, x.role->role_id, S(":"), in->role_session_name);
	out->assumed_role_user->arn = arn_make(a, "sts", S(""), x.arn.account,
	        "assumed-role/%.*s/%.*s", STR(x.role->role_name), STR(in->role_session_name));
	return 0;
}
