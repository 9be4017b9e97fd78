/* Access keys: Create, List, Update, Delete, GetAccessKeyLastUsed */
#include "services/iam/user.h"

#include "api/access_key.h"
#include "base/rand.h"
#include "codec/seal.h"

#define KEYS_MAX      2
#define SECRET_LENGTH 40

struct str iam_access_key_row(struct arena *a, struct str account, struct str id)
{
	return kv_key(a, "sssss", S("iam"), account, S(""), S("key"), id);
}

struct creation {
	struct str user, id, secret, sealed;
};

static int create(struct iam_work *w, const void *in, void *out)
{
	const struct creation *c = in;
	struct iam_create_access_key_out *answer = out;
	struct iam_entity_record user;
	struct str name;

	TRY(iam_user_or_caller(w, c->user, &name));
	TRY(iam_entity_get(w, IAM_USER, name, &user));
	if (user.access_keys.n >= KEYS_MAX)
		return iam_refuse(w, IAM_LIMIT_EXCEEDED_EXCEPTION,
		        "Cannot exceed quota for AccessKeysPerUser: %d", KEYS_MAX);
	iam_list_add(w->arena, &user.access_keys, c->id);
	struct iam_access_key_record r = { .user_name = user.name,
		.active = opt_bool(true),
		.created = opt_time(w->now_ms / 1000 * 1000),
		.sealed_secret = c->sealed };
	record_put(w->txn, iam_access_key_row(w->arena, w->account, c->id),
	        &iam_shape_access_key_record, &r);
	iam_entity_put(w, IAM_USER, &user);
	answer->access_key = arena_new(w->arena, struct iam_access_key);
	*answer->access_key =
	        (struct iam_access_key){ user.name, c->id, S("Active"), c->secret, r.created };
	return 0;
}

int iam_create_access_key(struct task *t, const struct iam_create_access_key_in *in,
        struct iam_create_access_key_out *out)
{
	struct arena *a = task_arena(t);
	struct creation c = {
		.user = in->user_name,
		.id = access_key_make(a, S("AKIA"), call_of(t)->account),
		.secret = rand_text(a, SECRET_LENGTH,
		        S("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")),
	};
	struct seal seal = { api_options_of(t)->root_secret, S("iam-access-key"), c.id };

	c.sealed = seal_make(a, &seal, c.secret);
	return iam_update(t, create, &c, out);
}

/* The user's own key: 0 or NoSuchEntity. */
static int find(struct iam_work *w, struct str given_user, struct str id,
        struct iam_entity_record *user, struct iam_access_key_record *key)
{
	struct str name;
	int got = KV_NOT_FOUND;

	*key = (struct iam_access_key_record){ 0 };
	TRY(iam_user_or_caller(w, given_user, &name));
	TRY(iam_entity_get(w, IAM_USER, name, user));
	if (iam_list_find(&user->access_keys, id) >= 0)
		got = record_get(w->txn, iam_access_key_row(w->arena, w->account, id),
		        &iam_shape_access_key_record, key);
	if (got == KV_NOT_FOUND)
		return iam_refuse(w, IAM_NO_SUCH_ENTITY_EXCEPTION,
		        "The Access Key with id %.*s cannot be found.", STR(id));
	return got;
}

static struct str status_of(const struct iam_access_key_record *r)
{
	return r->active.v ? S("Active") : S("Inactive");
}

static int list_access_keys(struct iam_work *w, const struct iam_list_access_keys_in *in,
        struct iam_list_access_keys_out *out)
{
	struct iam_page page = IAM_PAGE(in);
	struct iam_entity_record user;
	struct iam_access_key_record r;
	struct str name;
	size_t from, to;

	TRY(iam_user_or_caller(w, in->user_name, &name));
	TRY(iam_entity_get(w, IAM_USER, name, &user));
	iam_walk_list(w, &page, user.access_keys.n, &from, &to);
	struct iam_access_key_metadata *v =
	        arena_new_n(w->arena, struct iam_access_key_metadata, to - from + 1);
	for (size_t i = from; i < to; i++) {
		struct str id = user.access_keys.v[i];
		TRY(find(w, user.name, id, &user, &r));
		v[i - from] =
		        (struct iam_access_key_metadata){ user.name, id, status_of(&r), r.created };
	}
	out->access_key_metadata = (struct iam_access_key_metadata_list_type){ v, to - from };
	IAM_PAGED(&page, out);
	return 0;
}
IAM_OPERATION(iam_view, list_access_keys)

static int update_access_key(struct iam_work *w, const struct iam_update_access_key_in *in,
        struct iam_update_access_key_out *out)
{
	struct iam_entity_record user;
	struct iam_access_key_record r;

	TRY(find(w, in->user_name, in->access_key_id, &user, &r));
	r.active = opt_bool(str_eq(in->status, S("Active")));
	record_put(w->txn, iam_access_key_row(w->arena, w->account, in->access_key_id),
	        &iam_shape_access_key_record, &r);
	return 0;
}
IAM_OPERATION(iam_update, update_access_key)

static int delete_access_key(struct iam_work *w, const struct iam_delete_access_key_in *in,
        struct iam_delete_access_key_out *out)
{
	struct iam_entity_record user;
	struct iam_access_key_record r;

	TRY(find(w, in->user_name, in->access_key_id, &user, &r));
	iam_list_remove(&user.access_keys, in->access_key_id);
	iam_entity_put(w, IAM_USER, &user);
	kv_del(w->txn, iam_access_key_row(w->arena, w->account, in->access_key_id));
	return 0;
}
IAM_OPERATION(iam_update, delete_access_key)

static int get_access_key_last_used(struct iam_work *w,
        const struct iam_get_access_key_last_used_in *in,
        struct iam_get_access_key_last_used_out *out)
{
	struct iam_access_key_record r = { 0 };
	int got = record_get(w->txn, iam_access_key_row(w->arena, w->account, in->access_key_id),
	        &iam_shape_access_key_record, &r);

	if (got == KV_NOT_FOUND)
		return iam_refuse(w, IAM_NO_SUCH_ENTITY_EXCEPTION,
		        "The Access Key with id %.*s cannot be found.", STR(in->access_key_id));
	TRY(got);
	out->user_name = r.user_name;
	out->access_key_last_used = arena_new(w->arena, struct iam_access_key_last_used);
	*out->access_key_last_used = (struct iam_access_key_last_used){
		.last_used_date = r.last_used,
		.service_name = r.last_used.set ? r.last_used_service : S("N/A"),
		.region = r.last_used.set ? r.last_used_region : S("N/A"),
	};
	return 0;
}
IAM_OPERATION(iam_view, get_access_key_last_used)

int iam_user_references(
        struct iam_work *w, const struct iam_entity_record *r, struct str name, bool present)
{
	struct iam_access_key_record key;
	struct iam_entity_record renamed = *r;

	for (size_t i = 0; present && i < r->access_keys.n; i++) {
		struct str row = iam_access_key_row(w->arena, w->account, r->access_keys.v[i]);
		key = (struct iam_access_key_record){ 0 };
		TRY(record_get(w->txn, row, &iam_shape_access_key_record, &key));
		key.user_name = name;
		record_put(w->txn, row, &iam_shape_access_key_record, &key);
	}
	for (size_t i = 0; i < r->groups.n; i++) {
		struct str row = iam_member_key(w, r->groups.v[i], name);
		if (present)
			kv_put(w->txn, row, S("1"));
		else
			kv_del(w->txn, row);
	}
	renamed.name = name;
	iam_entity_uses(w, IAM_USER, &renamed, present);
	return 0;
}
