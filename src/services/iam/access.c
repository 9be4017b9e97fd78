/*
 * access: resource ARNs and condition keys of IAM's operations, found in their inputs by the names
 * of members, which IAM uses alike in all operations.
 */
#include "services/iam/access.h"

#include "api/arn.h"
#include "services/iam/managed.h"
#include "services/iam/service_linked_role.h"

/* The first of these that an operation has names its resource. */
static const struct target {
	struct str member, kind; /* kind: before the path; n == 0: the member is an ARN */
	struct str row;          /* where its path is in the store; n == 0: nowhere */
} targets[] = {
	{ S_INIT("GroupName"), S_INIT("group"), S_INIT("group") },
	{ S_INIT("InstanceProfileName"), S_INIT("instance-profile"), S_INIT("profile") },
	{ S_INIT("RoleName"), S_INIT("role"), S_INIT("role") },
	{ S_INIT("UserName"), S_INIT("user"), S_INIT("user") },
	{ S_INIT("PolicyArn"), S_INIT(""), S_INIT("") },
	{ S_INIT("PolicySourceArn"), S_INIT(""), S_INIT("") },
	{ S_INIT("OpenIDConnectProviderArn"), S_INIT(""), S_INIT("") },
	{ S_INIT("SAMLProviderArn"), S_INIT(""), S_INIT("") },
	{ S_INIT("PolicyName"), S_INIT("policy"), S_INIT("") },
	{ S_INIT("Url"), S_INIT("oidc-provider"), S_INIT("") },
	{ S_INIT("Name"), S_INIT("saml-provider"), S_INIT("") },
	{ S_INIT("AWSServiceName"), S_INIT("role"), S_INIT("") },
};

static struct str member(const struct shape *shape, const void *in, struct str name)
{
	for (uint32_t i = 0; shape && i < shape->n_members; i++)
		if (str_eq(shape->members[i].name, name) &&
		        shape->members[i].shape->type == SHAPE_STRING)
			return *(struct str *)shape_member_at(&shape->members[i], in);
	return (struct str){ 0 };
}

struct path_of {
	struct str row, name, path, account;
};

static int read_path(struct kv_txn *txn, void *arg)
{
	struct path_of *p = arg;
	struct iam_work w = { .txn = txn, .arena = kv_arena(txn), .account = p->account };
	struct str key = iam_key1(&w, p->row, p->name);
	struct iam_entity_record e = { 0 };
	struct iam_instance_profile_record profile = { 0 };
	int got = KV_NOT_FOUND;

	if (str_eq(p->row, S("profile"))) {
		got = record_get(txn, key, &iam_shape_instance_profile_record, &profile);
		p->path = profile.path;
	} else {
		got = record_get(txn, key, &iam_shape_entity_record, &e);
		p->path = e.path;
	}
	return got < 0 ? got : 0;
}

/* Where the member is not yet the name. */
static void adapt(struct arena *a, const struct target *target, struct path_of *p)
{
	if (str_eq(target->member, S("Url")) && str_starts(p->name, S("https://")))
		p->name = str_sub(p->name, 8, p->name.n);
	if (!str_eq(target->member, S("AWSServiceName")))
		return;
	p->path = str_concat(a, 3, S("/aws-service-role/"), p->name, S("/"));
	p->name = iam_linked_role_name(p->name);
}

static int resource_arn(
        struct task *t, const void *in, const struct target *target, struct api_access *access)
{
	const struct call *c = call_of(t);
	struct path_of p = { target->row, member(c->operation->in, in, target->member),
		member(c->operation->in, in, S("Path")), c->account };

	if (!target->kind.n) {
		access->resource = p.name;
		return 0;
	}
	if (!p.path.n && target->row.n)
		TRY(kv_view(t, read_path, &p));
	if (!p.path.n)
		p.path = S("/");
	adapt(task_arena(t), target, &p);
	access->resource = arn_make(task_arena(t), "iam", S(""), c->account, "%.*s%.*s%.*s",
	        STR(target->kind), STR(p.path), STR(p.name));
	return 0;
}

static void add_key(struct arena *a, struct api_access *access, const char *name, struct str value)
{
	struct str *values = arena_new(a, struct str);

	if (!value.p)
		return;
	*values = value;
	access->keys[access->n_keys++] =
	        (struct policy_key){ .name = str_of(name), .values = values, .n_values = 1 };
}

/* Adding a role to an instance profile hands the role over. */
static int pass_role(struct task *t, const void *in)
{
	const struct call *c = call_of(t);
	const struct target *role = &targets[2];
	struct api_access pass = { .action = S("iam:PassRole"), .resource_account = c->account };

	if (!str_eq(c->operation->name, S("AddRoleToInstanceProfile")))
		return 0;
	TRY(resource_arn(t, in, role, &pass));
	return api_authorize(t, &pass);
}

int iam_on_input(struct task *t, const void *in, struct api_access *access)
{
	const struct call *c = call_of(t);
	const struct shape *shape = c->operation->in;
	struct arena *a = task_arena(t);

	access->keys = arena_new_n(a, struct policy_key, 4);
	add_key(a, access, "iam:AWSServiceName", member(shape, in, S("AWSServiceName")));
	add_key(a, access, "iam:PermissionsBoundary", member(shape, in, S("PermissionsBoundary")));
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		if (!member(shape, in, targets[i].member).p)
			continue;
		TRY(resource_arn(t, in, &targets[i], access));
		if (targets[i].kind.n)
			add_key(a, access, "iam:PolicyARN", member(shape, in, S("PolicyArn")));
		break;
	}
	/* Operations on users without a name are about the caller. */
	if (str_eq(access->resource, S("*")) && c->principal.type == PRINCIPAL_USER)
		for (uint32_t i = 0; shape && i < shape->n_members; i++)
			if (str_eq(shape->members[i].name, S("UserName")))
				access->resource = c->principal.arn;
	if (c->principal.type == PRINCIPAL_SERVICE)
		access->resource_policy =
		        S("{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
		          "\"Principal\":{\"Service\":\"sts.amazonaws.com\"},\"Action\":"
		          "[\"iam:GetRole\",\"iam:GetPolicy\"],\"Resource\":\"*\"}]}");
	return pass_role(t, in);
}
