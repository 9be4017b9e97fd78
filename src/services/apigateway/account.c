/* GetAccount, UpdateAccount */
#include "services/apigateway/patch.h"

#include "api/arn.h"

static int load(struct apigw_change *c, struct apigateway_account *out)
{
	int got = record_get(c->txn, apigw_row_key(c->arena, c, S("account"), S("settings")),
	        &apigateway_shape_account, out);

	if (got != 0 && got != KV_NOT_FOUND)
		return got;
	out->throttle_settings = arena_new(c->arena, struct apigateway_throttle_settings);
	*out->throttle_settings =
	        (struct apigateway_throttle_settings){ opt_int(5000), opt_double(10000) };
	out->features = (struct apigateway_list_of_string){ 0 };
	*GROW_ADD(c->arena, &out->features) = S("UsagePlans");
	out->api_key_version = S("4");
	return 0;
}

static int get(struct apigw_change *c, const void *in, void *out)
{
	return load(c, out);
}

int apigateway_get_account(struct task *t, const struct apigateway_get_account_in *in,
        struct apigateway_get_account_out *out)
{
	return apigw_look_account(t, get, in, out);
}

static int update(struct apigw_change *c, const void *in_, void *out_)
{
	static const struct patch_rule rules[] = { { "/cloudwatchRoleArn", PATCH_REPLACE } };
	const struct apigateway_update_account_in *in = in_;
	struct apigateway_account *out = out_;
	struct arn arn;

	TRY(load(c, out));
	TRY(patch_apply(
	        c, &in->patch_operations, PATCH_TARGET(&apigateway_shape_account, out, rules)));
	if (out->cloudwatch_role_arn.n &&
	        (!arn_parse(out->cloudwatch_role_arn, &arn) || !str_eq(arn.service, S("iam"))))
		return apigw_bad_request(c,
		        "The role ARN does not have required permissions configured. Please grant "
		        "trust "
		        "permission for API Gateway and add the required role policy.");
	if (!out->cloudwatch_role_arn.n)
		out->cloudwatch_role_arn = (struct str){ 0 };
	record_put(c->txn, apigw_row_key(c->arena, c, S("account"), S("settings")),
	        &apigateway_shape_account, out);
	return 0;
}

int apigateway_update_account(struct task *t, const struct apigateway_update_account_in *in,
        struct apigateway_update_account_out *out)
{
	return apigw_change_account(t, update, in, out);
}
