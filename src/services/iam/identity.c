/*
 * identity: the side of IAM that every request meets: whose key is this, and which policies does
 * its owner carry?
 *
 * A user's key costs two point reads (key, user), a session's key one (the role or user it stands
 * on: a session ends when that is deleted, or deleted and made again). Temporary credentials are
 * not stored: the session token is the sealed record of the session.
 */
#include "services/iam/iam.h"

#include "api/access_key.h"
#include "api/arn.h"
#include "base/log.h"
#include "codec/codec.h"
#include "codec/seal.h"
#include "services/iam/managed.h"
#include "services/iam/sources.h"
#include "services/iam/user.h"

#define UNKNOWN_KEY 1
#define BAD_TOKEN   2
/* AWS notes the use of keys and roles with a delay, too. */
#define USE_NOTED_MS 900000

struct lookup {
	struct iam_work w;
	struct str id;
	enum iam_kind kind;
	struct iam_access_key_record key;
	struct iam_entity_record entity;
	struct iam_session_record session;
	struct str *session_documents; /* of the session's policy ARNs */
	size_t n_session_documents;
};

/* ---- noting the last use, in the background ---- */

struct use {
	struct arena *arena;
	struct str account, id, role, service, region;
	int64_t now_ms;
};

static bool is_recent(struct opt_time used, int64_t now_ms)
{
	return used.set && now_ms - used.ms < USE_NOTED_MS;
}

static int put_use(struct kv_txn *txn, void *arg)
{
	const struct use *u = arg;
	struct iam_work w = { .txn = txn, .arena = kv_arena(txn), .account = u->account };
	struct iam_access_key_record key = { 0 };
	struct iam_entity_record role;

	if (u->role.p) {
		if (iam_entity_get(&w, IAM_ROLE, u->role, &role) != 0 ||
		        is_recent(role.last_used, u->now_ms))
			return 0;
		role.last_used = opt_time(u->now_ms / 1000 * 1000);
		role.last_used_region = u->region;
		iam_entity_put(&w, IAM_ROLE, &role);
		return 0;
	}
	struct str row = iam_access_key_row(w.arena, u->account, u->id);
	if (record_get(txn, row, &iam_shape_access_key_record, &key) != 0 ||
	        is_recent(key.last_used, u->now_ms))
		return 0;
	key.last_used = opt_time(u->now_ms / 1000 * 1000);
	key.last_used_service = u->service;
	key.last_used_region = u->region;
	record_put(txn, row, &iam_shape_access_key_record, &key);
	return 0;
}

static int note_use(struct task *t, void *arg)
{
	struct use *u = arg;
	int bad = kv_update(t, put_use, u);

	arena_destroy(u->arena);
	return bad;
}

/* Not part of the request: that it was used matters less than that it answers. */
static void note(struct task *t, const struct lookup *l, struct str role, struct opt_time before)
{
	const struct call *c = call_of(t);
	struct arena *a;

	if (!c || !c->service || is_recent(before, c->now_ms))
		return;
	a = arena_create();
	struct use *u = arena_new(a, struct use);
	*u = (struct use){ .arena = a,
		.account = str_dup(a, l->w.account),
		.id = str_dup(a, l->id),
		.service = str_of(c->service->iam_prefix),
		.region = str_dup(a, c->region),
		.now_ms = c->now_ms };
	if (role.p)
		u->role = str_dup(a, role);
	task_start(task_loop(t), "iam-last-used", note_use, u);
}

/* ---- keys of users ---- */

static int read_user_key(struct kv_txn *txn, void *arg)
{
	struct lookup *l = arg;

	l->w.txn = txn;
	l->w.arena = kv_arena(txn);
	TRY(record_get(txn, iam_access_key_row(l->w.arena, l->w.account, l->id),
	        &iam_shape_access_key_record, &l->key));
	return record_get(txn, iam_entity_key(&l->w, IAM_USER, l->key.user_name),
	        &iam_shape_entity_record, &l->entity);
}

static void add_key(struct arena *a, struct principal *p, struct str name, struct str value)
{
	struct str *values = arena_new(a, struct str);

	*values = value;
	p->tags[p->n_tags++] = (struct policy_key){ .name = name, .values = values, .n_values = 1 };
}

static void add_tags(struct arena *a, struct principal *p, const struct iam_tag_list_type *tags,
        const struct iam_tag_list_type *over)
{
	for (size_t i = 0; i < tags->n; i++) {
		bool hidden = false;
		for (size_t j = 0; over && j < over->n; j++)
			hidden = hidden || str_eq_nocase(tags->v[i].key, over->v[j].key);
		if (!hidden)
			add_key(a, p, str_concat(a, 2, S("aws:PrincipalTag/"), tags->v[i].key),
			        tags->v[i].value);
	}
}

static int user_key(struct task *t, struct lookup *l, struct api_key *key)
{
	struct arena *a = task_arena(t);
	struct seal seal = { api_options_of(t)->root_secret, S("iam-access-key"), l->id };
	int got = kv_view(t, read_user_key, l);

	if (got)
		return got == KV_NOT_FOUND ? UNKNOWN_KEY : got;
	if (!l->key.active.v)
		return BAD_TOKEN;
	if (seal_open(a, &seal, l->key.sealed_secret, &key->secret) != 0)
		return -EPROTO;
	key->principal = (struct principal){
		.type = PRINCIPAL_USER,
		.account = l->w.account,
		.arn = iam_entity_arn(a, l->w.account, IAM_USER, &l->entity),
		.id = l->entity.id,
		.access_key_id = l->id,
		.tags = arena_new_n(a, struct policy_key, l->entity.tags.n + 1),
	};
	add_tags(a, &key->principal, &l->entity.tags, NULL);
	note(t, l, (struct str){ 0 }, l->key.last_used);
	return 0;
}

/* ---- keys of sessions ---- */

static int read_session(struct kv_txn *txn, void *arg)
{
	struct lookup *l = arg;
	const struct iam_session_record *s = &l->session;

	l->w.txn = txn;
	l->w.arena = kv_arena(txn);
	l->n_session_documents = 0;
	l->session_documents = arena_new_n(l->w.arena, struct str, s->policy_arns.n + 1);
	for (size_t i = 0; i < s->policy_arns.n; i++) {
		struct str *document = &l->session_documents[l->n_session_documents];
		int got = iam_policy_document(&l->w, s->policy_arns.v[i], document);
		/* A policy that is gone allows nothing, but it still limits. */
		if (got == KV_NOT_FOUND)
			*document = S(IAM_NOTHING);
		else
			TRY(got);
		l->n_session_documents++;
	}
	if (!s->entity_name.p)
		return 0;
	return record_get(txn, iam_entity_key(&l->w, l->kind, s->entity_name),
	        &iam_shape_entity_record, &l->entity);
}

static void limit_session(struct arena *a, const struct lookup *l, struct principal *p)
{
	const struct iam_session_record *s = &l->session;

	p->session_policies =
	        arena_new_n(a, struct str, s->policies.n + l->n_session_documents + 1);
	for (size_t i = 0; i < s->policies.n; i++)
		p->session_policies[p->n_session_policies++] = s->policies.v[i];
	for (size_t i = 0; i < l->n_session_documents; i++)
		p->session_policies[p->n_session_policies++] = l->session_documents[i];
}

/* What conditions may ask about the session. */
static void describe_session(struct arena *a, const struct lookup *l, struct principal *p)
{
	const struct iam_session_record *s = &l->session;

	p->tags = arena_new_n(a, struct policy_key, l->entity.tags.n + s->tags.n + 4);
	add_tags(a, p, &l->entity.tags, &s->tags);
	add_tags(a, p, &s->tags, NULL);
	add_key(a, p, S("aws:TokenIssueTime"), time_iso8601(a, s->issued.ms, false));
	add_key(a, p, S("aws:MultiFactorAuthPresent"), S("false"));
	if (s->source_identity.p)
		add_key(a, p, S("aws:SourceIdentity"), s->source_identity);
	if (s->transitive_tag_keys.n)
		p->tags[p->n_tags++] = (struct policy_key){ .name = S("sts:TransitiveTagKeys"),
			.values = s->transitive_tag_keys.v,
			.n_values = s->transitive_tag_keys.n,
			.multivalued = true };
}

static void session_principal(struct arena *a, const struct lookup *l, struct principal *p)
{
	const struct iam_session_record *s = &l->session;
	struct str owner = s->entity_name.p ? iam_entity_arn(a, s->account, l->kind, &l->entity)
	                                    : arn_make(a, "iam", S(""), s->account, "root");

	*p = (struct principal){ .account = s->account, .arn = owner, .access_key_id = l->id };
	if (str_eq(s->kind, S("role"))) {
		p->type = PRINCIPAL_ROLE;
		p->role_arn = owner;
		p->arn = arn_make(a, "sts", S(""), s->account, "assumed-role/%.*s/%.*s",
		        STR(l->entity.name), STR(s->session_name));
		p->id = str_concat(a, 3, s->entity_id, S(":"), s->session_name);
	} else if (str_eq(s->kind, S("federated"))) {
		p->type = PRINCIPAL_USER;
		p->role_arn = owner;
		p->arn = arn_make(
		        a, "sts", S(""), s->account, "federated-user/%.*s", STR(s->session_name));
		p->id = str_concat(a, 3, s->account, S(":"), s->session_name);
	} else if (s->entity_name.p) {
		p->type = PRINCIPAL_USER;
		p->id = s->entity_id;
	} else {
		p->type = PRINCIPAL_ROOT;
		p->id = s->account;
	}
	limit_session(a, l, p);
	describe_session(a, l, p);
}

/* Sessions of users without a second factor may not manage IAM. */
static bool kept_from(struct task *t, const struct iam_session_record *s)
{
	const struct call *c = call_of(t);

	return !str_eq(s->kind, S("role")) && c && c->service == &iam_service;
}

static int session_key(struct task *t, struct lookup *l, struct str token, struct api_key *key)
{
	struct arena *a = task_arena(t);
	struct seal seal = { api_options_of(t)->root_secret, S("sts-session"), l->id };
	struct str sealed, plain;

	if (base64_decode(a, token, &sealed) != 0 || seal_open(a, &seal, sealed, &plain) != 0)
		return BAD_TOKEN;
	TRY(record_unpack(a, &iam_shape_session_record, plain, &l->session));
	l->w.account = l->session.account;
	l->kind = str_eq(l->session.kind, S("role")) ? IAM_ROLE : IAM_USER;
	int got = kv_view(t, read_session, l);
	if (got)
		return got == KV_NOT_FOUND ? BAD_TOKEN : got;
	if (l->session.entity_name.p && !str_eq(l->entity.id, l->session.entity_id))
		return BAD_TOKEN;
	if (kept_from(t, &l->session))
		return BAD_TOKEN;
	key->secret = l->session.secret;
	key->expires_ms = l->session.expires.ms;
	session_principal(a, l, &key->principal);
	if (l->kind == IAM_ROLE)
		note(t, l, l->entity.name, l->entity.last_used);
	return 0;
}

static int find_key(
        struct task *t, struct str access_key_id, struct str session_token, struct api_key *key)
{
	struct lookup l = { .id = access_key_id };

	*key = (struct api_key){ 0 };
	if (!access_key_account(task_arena(t), access_key_id, &l.w.account))
		return UNKNOWN_KEY;
	if (session_token.p)
		return session_key(t, &l, session_token, key);
	return str_starts(access_key_id, S("ASIA")) ? BAD_TOKEN : user_key(t, &l, key);
}

/* ---- policies ---- */

struct carried {
	struct iam_work w;
	enum iam_kind kind;
	struct str name;
	struct iam_sources sources;
};

static int read_policies(struct kv_txn *txn, void *arg)
{
	struct carried *c = arg;

	c->w.txn = txn;
	c->w.arena = kv_arena(txn);
	c->sources = (struct iam_sources){ 0 };
	return iam_sources_of(&c->w, c->kind, c->name, &c->sources);
}

static int add_session_policies(struct task *t, const struct principal *p, struct policy_set *set)
{
	struct arena *a = task_arena(t);
	struct str why;

	set->session = arena_new_n(a, struct policy_source, p->n_session_policies + 1);
	for (size_t i = 0; i < p->n_session_policies; i++) {
		struct policy_source *s = &set->session[set->n_session++];
		s->name = S("session policy");
		if (policy_parse(a, p->session_policies[i], POLICY_IDENTITY, &s->policy, &why) != 0)
			return -EPROTO;
	}
	return 0;
}

static struct str last_segment(struct str arn)
{
	return str_sub(arn, (size_t)(str_rfind_char(arn, '/') + 1), arn.n);
}

static int policies(struct task *t, const struct principal *p, struct policy_set *set)
{
	struct str owner = p->role_arn.n ? p->role_arn : p->arn;
	struct carried c = {
		.w = { .account = p->account },
		.kind = p->type == PRINCIPAL_ROLE ? IAM_ROLE : IAM_USER,
		.name = last_segment(owner),
	};

	TRY(add_session_policies(t, p, set));
	if (str_ends(owner, S(":root")))
		return iam_sources_parse_root(task_arena(t), set);
	int got = kv_view(t, read_policies, &c);
	/* An entity that is gone has no policies. */
	if (got)
		return got < 0 ? got : 0;
	return iam_sources_parse(task_arena(t), &c.sources, set);
}

const struct api_identity iam_identity = { .key = find_key, .policies = policies };
