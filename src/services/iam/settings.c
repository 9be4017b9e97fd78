/* Account aliases and the password policy: Create, List, Delete; Update, Get, Delete */
#include "services/iam/settings.h"

#define LENGTH_PRESET 8 /* of an account without a policy */
#define LENGTH_LEAST  6 /* of a policy that does not say */

static int read_settings(struct iam_work *w, struct iam_settings_record *r)
{
	*r = (struct iam_settings_record){ 0 };
	int got = record_get(
	        w->txn, iam_key1(w, S("settings"), S("account")), &iam_shape_settings_record, r);
	return got == KV_NOT_FOUND ? 0 : got;
}

static void write_settings(struct iam_work *w, const struct iam_settings_record *r)
{
	record_put(w->txn, iam_key1(w, S("settings"), S("account")), &iam_shape_settings_record, r);
}

/* ---- the alias: one per account, unique among accounts ---- */

static struct str alias_key(struct iam_work *w, struct str alias)
{
	return kv_key(w->arena, "sssss", S("iam"), S(""), S(""), S("alias"), alias);
}

static int create_account_alias(struct iam_work *w, const struct iam_create_account_alias_in *in,
        struct iam_create_account_alias_out *out)
{
	struct iam_settings_record r;

	TRY(read_settings(w, &r));
	if (kv_has(w->txn, alias_key(w, in->account_alias)))
		return iam_refuse(w, IAM_ENTITY_ALREADY_EXISTS_EXCEPTION,
		        "The account alias %.*s already exists.", STR(in->account_alias));
	if (r.alias.p)
		kv_del(w->txn, alias_key(w, r.alias));
	r.alias = in->account_alias;
	kv_put(w->txn, alias_key(w, r.alias), w->account);
	write_settings(w, &r);
	return 0;
}
IAM_OPERATION(iam_update, create_account_alias)

static int list_account_aliases(struct iam_work *w, const struct iam_list_account_aliases_in *in,
        struct iam_list_account_aliases_out *out)
{
	struct iam_settings_record r;

	TRY(read_settings(w, &r));
	out->account_aliases =
	        (struct iam_account_alias_list_type){ .v = arena_new(w->arena, struct str),
		        .n = r.alias.p ? 1 : 0 };
	out->account_aliases.v[0] = r.alias;
	out->is_truncated = opt_bool(false);
	return 0;
}
IAM_OPERATION(iam_view, list_account_aliases)

static int delete_account_alias(struct iam_work *w, const struct iam_delete_account_alias_in *in,
        struct iam_delete_account_alias_out *out)
{
	struct iam_settings_record r;

	TRY(read_settings(w, &r));
	if (!str_eq(r.alias, in->account_alias))
		return iam_refuse(w, IAM_NO_SUCH_ENTITY_EXCEPTION,
		        "The account alias %.*s cannot be found.", STR(in->account_alias));
	kv_del(w->txn, alias_key(w, r.alias));
	r.alias = (struct str){ 0 };
	write_settings(w, &r);
	return 0;
}
IAM_OPERATION(iam_update, delete_account_alias)

/* ---- the password policy ---- */

static struct opt_bool or_false(struct opt_bool b)
{
	return opt_bool(b.set && b.v);
}

static int update_account_password_policy(struct iam_work *w,
        const struct iam_update_account_password_policy_in *in,
        struct iam_update_account_password_policy_out *out)
{
	struct iam_settings_record r;
	struct iam_password_policy policy = {
		.minimum_password_length = in->minimum_password_length.set
		                                   ? in->minimum_password_length
		                                   : opt_int(LENGTH_LEAST),
		.require_symbols = or_false(in->require_symbols),
		.require_numbers = or_false(in->require_numbers),
		.require_uppercase_characters = or_false(in->require_uppercase_characters),
		.require_lowercase_characters = or_false(in->require_lowercase_characters),
		.allow_users_to_change_password = or_false(in->allow_users_to_change_password),
		.expire_passwords = opt_bool(in->max_password_age.v > 0),
		.max_password_age = in->max_password_age,
		.password_reuse_prevention = in->password_reuse_prevention,
		.hard_expiry = or_false(in->hard_expiry),
	};

	TRY(read_settings(w, &r));
	r.password_policy = &policy;
	write_settings(w, &r);
	return 0;
}
IAM_OPERATION(iam_update, update_account_password_policy)

static int find_policy(struct iam_work *w, struct iam_settings_record *r)
{
	TRY(read_settings(w, r));
	if (r->password_policy)
		return 0;
	return iam_refuse(w, IAM_NO_SUCH_ENTITY_EXCEPTION,
	        "The Password Policy with domain name %.*s cannot be found.", STR(w->account));
}

/* The operation has no input, which leaves it a handler of another form. */
static int get_policy_work(struct iam_work *w, const void *in, void *out)
{
	struct iam_get_account_password_policy_out *answer = out;
	struct iam_settings_record r;

	TRY(find_policy(w, &r));
	answer->password_policy = r.password_policy;
	return 0;
}

int iam_get_account_password_policy(struct task *t,
        const struct iam_get_account_password_policy_in *in,
        struct iam_get_account_password_policy_out *out)
{
	return iam_view(t, get_policy_work, in, out);
}

static int delete_policy_work(struct iam_work *w, const void *in, void *out)
{
	struct iam_settings_record r;

	TRY(find_policy(w, &r));
	r.password_policy = NULL;
	write_settings(w, &r);
	return 0;
}

int iam_delete_account_password_policy(struct task *t,
        const struct iam_delete_account_password_policy_in *in,
        struct iam_delete_account_password_policy_out *out)
{
	return iam_update(t, delete_policy_work, in, out);
}

/* ---- passwords ---- */

static bool has_one_of(struct str password, const char *first, const char *last)
{
	for (size_t i = 0; i < password.n; i++)
		if (password.p[i] >= *first && password.p[i] <= *last)
			return true;
	return false;
}

static bool has_symbol(struct str password)
{
	static const struct str symbols = S_INIT("!@#$%^&*()_+-=[]{}|'");

	for (size_t i = 0; i < password.n; i++)
		if (str_find_char(symbols, password.p[i]) >= 0)
			return true;
	return false;
}

static int violation(struct iam_work *w, const char *what)
{
	return iam_refuse(w, IAM_PASSWORD_POLICY_VIOLATION_EXCEPTION,
	        "Password should have at least one %s", what);
}

int iam_password_check(struct iam_work *w, struct str password)
{
	struct iam_settings_record r;
	struct iam_password_policy none = { .minimum_password_length = opt_int(LENGTH_PRESET) };

	TRY(read_settings(w, &r));
	const struct iam_password_policy *p = r.password_policy ? r.password_policy : &none;
	if ((int64_t)password.n < p->minimum_password_length.v)
		return iam_refuse(w, IAM_PASSWORD_POLICY_VIOLATION_EXCEPTION,
		        "Password should have a minimum length of %lld",
		        (long long)p->minimum_password_length.v);
	if (p->require_uppercase_characters.v && !has_one_of(password, "A", "Z"))
		return violation(w, "uppercase letter");
	if (p->require_lowercase_characters.v && !has_one_of(password, "a", "z"))
		return violation(w, "lowercase letter");
	if (p->require_numbers.v && !has_one_of(password, "0", "9"))
		return violation(w, "number");
	if (p->require_symbols.v && !has_symbol(password))
		return violation(w, "symbol");
	return 0;
}
