/* policy_rows: statements into rows and out of them. */
#include "services/lambda/policy_rows.h"

#define POLICY_MAX 20480

int lambda_policy_json(struct kv_txn *txn, struct str key, struct str *json)
{
	struct arena *a = kv_arena(txn);
	struct lambda_policy_record p = { 0 };
	struct buf b = buf_init(a);

	*json = (struct str){ 0 };
	int got = record_get(txn, key, &lambda_shape_policy_record, &p);
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
	return 0;
}

static int load(struct kv_txn *txn, struct str key, struct lambda_policy_record *p)
{
	*p = (struct lambda_policy_record){ 0 };
	int got = record_get(txn, key, &lambda_shape_policy_record, p);
	return got == KV_NOT_FOUND ? 0 : got;
}

int lambda_policy_add(struct kv_txn *txn, struct str key,
        const struct lambda_policy_statement_record *statement, struct lambda_refusal *refusal)
{
	struct arena *a = kv_arena(txn);
	struct lambda_policy_record p;
	size_t total = statement->json.n;

	TRY(load(txn, key, &p));
	struct lambda_policy_statement_record_list *old = &p.statements;
	struct lambda_policy_statement_record *v =
	        arena_new_n(a, struct lambda_policy_statement_record, old->n + 1);
	for (size_t i = 0; i < old->n; i++) {
		if (str_eq(old->v[i].sid, statement->sid))
			return lambda_refuse(refusal, LAMBDA_RESOURCE_CONFLICT_EXCEPTION,
			        str_printf(a,
			                "The statement id (%.*s) provided already exists. Please "
			                "provide a new statement id, or remove the existing "
			                "statement.",
			                STR(statement->sid)));
		v[i] = old->v[i];
		total += v[i].json.n;
	}
	if (total > POLICY_MAX)
		return lambda_refuse(refusal, LAMBDA_POLICY_LENGTH_EXCEEDED_EXCEPTION,
		        str_printf(a, "The final policy size (%zu) is bigger than the limit (%d).",
		                total, POLICY_MAX));
	v[old->n] = *statement;
	p.statements = (struct lambda_policy_statement_record_list){ v, old->n + 1 };
	record_put(txn, key, &lambda_shape_policy_record, &p);
	return 0;
}

int lambda_policy_remove(
        struct kv_txn *txn, struct str key, struct str sid, struct lambda_refusal *refusal)
{
	struct lambda_policy_record p;
	size_t kept = 0;

	TRY(load(txn, key, &p));
	struct lambda_policy_statement_record_list *l = &p.statements;
	for (size_t i = 0; i < l->n; i++)
		if (!str_eq(l->v[i].sid, sid))
			l->v[kept++] = l->v[i];
	if (kept == l->n)
		return lambda_refuse(refusal, LAMBDA_RESOURCE_NOT_FOUND_EXCEPTION,
		        str_printf(kv_arena(txn), "Statement %.*s is not found in resource policy.",
		                STR(sid)));
	l->n = kept;
	if (kept)
		record_put(txn, key, &lambda_shape_policy_record, &p);
	else
		kv_del(txn, key);
	return 0;
}

static bool is_account(struct str s)
{
	return s.n == 12 && lambda_is_version(s);
}

void lambda_policy_principal(struct arena *a, struct json_writer *w, struct str principal)
{
	json_key(w, S("Principal"));
	if (str_eq(principal, S("*"))) {
		json_str(w, principal);
		return;
	}
	json_object(w);
	if (is_account(principal))
		json_member_str(
		        w, S("AWS"), str_printf(a, "arn:aws:iam::%.*s:root", STR(principal)));
	else if (str_starts(principal, S("arn:")))
		json_member_str(w, S("AWS"), principal);
	else
		json_member_str(w, S("Service"), principal);
	json_end(w);
}

bool lambda_policy_is_principal(struct str principal)
{
	return str_eq(principal, S("*")) || is_account(principal) ||
	       str_starts(principal, S("arn:")) || str_find_char(principal, '.') >= 0;
}
