/* public: see public.h; "The meaning of public" in S3's guide. */
#include "services/s3/public.h"

#include "codec/json.h"

static bool has_star(yyjson_val *v)
{
	size_t i, n;
	yyjson_val *item;

	if (yyjson_is_str(v))
		return str_eq(json_str_of(v), S("*"));
	yyjson_arr_foreach(v, i, n, item)
	{
		if (has_star(item))
			return true;
	}
	return false;
}

static bool is_everybody(yyjson_val *statement)
{
	yyjson_val *who = json_get(statement, "Principal");

	if (json_get(statement, "NotPrincipal"))
		return true;
	return has_star(yyjson_is_obj(who) ? json_get(who, "AWS") : who);
}

static bool narrows(struct str key)
{
	static const struct str keys[] = { S_INIT("aws:SourceIp"), S_INIT("aws:SourceArn"),
		S_INIT("aws:SourceVpc"), S_INIT("aws:SourceVpce"), S_INIT("aws:SourceOwner"),
		S_INIT("aws:SourceAccount"), S_INIT("aws:userid"), S_INIT("aws:PrincipalOrgID"),
		S_INIT("aws:PrincipalArn"), S_INIT("aws:PrincipalAccount"),
		S_INIT("s3:x-amz-server-side-encryption-aws-kms-key-id"),
		S_INIT("s3:DataAccessPointArn"), S_INIT("s3:DataAccessPointAccount") };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (str_eq_nocase(key, keys[i]))
			return true;
	return false;
}

/* A fixed value has neither wildcard nor variable; the whole internet is none either. */
static bool is_fixed(yyjson_val *v)
{
	size_t i, n;
	yyjson_val *item;
	struct str s = json_str_of(v);

	if (yyjson_is_arr(v)) {
		yyjson_arr_foreach(v, i, n, item)
		{
			if (!is_fixed(item))
				return false;
		}
		return true;
	}
	return !str_eq(s, S("*")) && !str_eq(s, S("0.0.0.0/0")) && !str_eq(s, S("::/0")) &&
	       str_find(s, S("${")) < 0;
}

static bool is_narrowed(yyjson_val *conditions)
{
	size_t i, n, j, m;
	yyjson_val *op, *operands, *key, *value;

	yyjson_obj_foreach(conditions, i, n, op, operands)
	{
		struct str name = json_str_of(op);
		if (str_find(name, S("Not")) >= 0 || str_ends(name, S("IfExists")))
			continue;
		yyjson_obj_foreach(operands, j, m, key, value)
		{
			if (narrows(json_str_of(key)) && is_fixed(value))
				return true;
		}
	}
	return false;
}

static bool is_public(yyjson_val *statement)
{
	return str_eq(json_get_str(statement, "Effect"), S("Allow")) && is_everybody(statement) &&
	       !is_narrowed(json_get(statement, "Condition"));
}

bool s3_policy_is_public(struct arena *a, struct str policy)
{
	yyjson_val *root, *item;
	size_t i, n;

	if (json_parse(a, policy, &root) != 0)
		return false;
	yyjson_val *statements = json_get(root, "Statement");
	if (yyjson_is_obj(statements))
		return is_public(statements);
	yyjson_arr_foreach(statements, i, n, item)
	{
		if (is_public(item))
			return true;
	}
	return false;
}
