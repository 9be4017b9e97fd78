/*
 * Service-linked roles: Create, Delete, GetServiceLinkedRoleDeletionStatus. A deletion is done when
 * it is answered; its task's id says which role it was, sealed by a keyed hash.
 */
#include "services/iam/service_linked_role.h"

#include "services/iam/entity.h"

#include "codec/codec.h"

#define TASK_PREFIX "task/aws-service-role/"

static const struct linked {
	struct str service, role;
	bool suffixes; /* may have several roles */
} table[] = {
	{ S_INIT("apidestinations.events.amazonaws.com"),
	        S_INIT("AWSServiceRoleForAmazonEventBridgeApiDestinations"), false },
	{ S_INIT("autoscaling.amazonaws.com"), S_INIT("AWSServiceRoleForAutoScaling"), true },
	{ S_INIT("cognito-idp.amazonaws.com"), S_INIT("AWSServiceRoleForAmazonCognitoIdp"), false },
	{ S_INIT("dynamodb.application-autoscaling.amazonaws.com"),
	        S_INIT("AWSServiceRoleForApplicationAutoScaling_DynamoDBTable"), false },
	{ S_INIT("ecs.amazonaws.com"), S_INIT("AWSServiceRoleForECS"), false },
	{ S_INIT("elasticloadbalancing.amazonaws.com"),
	        S_INIT("AWSServiceRoleForElasticLoadBalancing"), false },
	{ S_INIT("email.cognito-idp.amazonaws.com"),
	        S_INIT("AWSServiceRoleForAmazonCognitoIdpEmailService"), false },
	{ S_INIT("events.amazonaws.com"), S_INIT("AWSServiceRoleForCloudWatchEvents"), false },
	{ S_INIT("lambda.amazonaws.com"), S_INIT("AWSServiceRoleForLambda"), false },
	{ S_INIT("lambda.application-autoscaling.amazonaws.com"),
	        S_INIT("AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency"), false },
	{ S_INIT("ops.apigateway.amazonaws.com"), S_INIT("AWSServiceRoleForAPIGateway"), false },
	{ S_INIT("replicator.lambda.amazonaws.com"), S_INIT("AWSServiceRoleForLambdaReplicator"),
	        false },
	{ S_INIT("xray.amazonaws.com"), S_INIT("AWSServiceRoleForXRay"), false },
};

static const struct linked *find(struct str service)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (str_eq(table[i].service, service))
			return &table[i];
	return NULL;
}

struct str iam_linked_role_name(struct str service)
{
	const struct linked *l = find(service);

	return l ? l->role : S("");
}

static int create_service_linked_role(struct iam_work *w,
        const struct iam_create_service_linked_role_in *in,
        struct iam_create_service_linked_role_out *out)
{
	const struct linked *l = find(in->aws_service_name);
	struct iam_entity_record r = { .description = in->description,
		.linked_service = in->aws_service_name,
		.max_session_duration = opt_int(3600) };

	if (!l)
		return iam_refuse(w, IAM_INVALID_INPUT_EXCEPTION,
		        "Service principal %.*s is not supported.", STR(in->aws_service_name));
	if (in->custom_suffix.n && !l->suffixes)
		return iam_refuse(w, IAM_INVALID_INPUT_EXCEPTION,
		        "Custom suffix is not allowed for %.*s", STR(in->aws_service_name));
	r.name = in->custom_suffix.n ? str_concat(w->arena, 3, l->role, S("_"), in->custom_suffix)
	                             : l->role;
	r.path = str_concat(w->arena, 3, S("/aws-service-role/"), l->service, S("/"));
	r.trust = str_printf(w->arena,
	        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Action\":[\"sts:AssumeRole\"],"
	        "\"Effect\":\"Allow\",\"Principal\":{\"Service\":[\"%.*s\"]}}]}",
	        STR(l->service));
	if (kv_has(w->txn, iam_entity_key(w, IAM_ROLE, r.name)))
		return iam_refuse(w, IAM_INVALID_INPUT_EXCEPTION,
		        "Service role name %.*s has been taken in this account, please try a "
		        "different suffix.",
		        STR(r.name));
	TRY(iam_entity_create(w, IAM_ROLE, &r));
	out->role = iam_role_of(w, &r);
	return 0;
}
IAM_OPERATION(iam_update, create_service_linked_role)

/* task/aws-service-role/<service>/<role>/<uuid> */
static struct str task_id(struct iam_work *w, struct str service, struct str role)
{
	unsigned char mac[32];
	struct str name = str_printf(w->arena, TASK_PREFIX "%.*s/%.*s/", STR(service), STR(role));

	hash_hmac_sha256(w->secret, str_concat(w->arena, 2, w->account, name), mac);
	struct str hex = hex_encode(w->arena, (struct str){ (char *)mac, 16 });
	return str_printf(w->arena, "%.*s%.8s-%.4s-%.4s-%.4s-%.12s", STR(name), hex.p, hex.p + 8,
	        hex.p + 12, hex.p + 16, hex.p + 20);
}

static int delete_service_linked_role(struct iam_work *w,
        const struct iam_delete_service_linked_role_in *in,
        struct iam_delete_service_linked_role_out *out)
{
	struct iam_entity_record r;

	TRY(iam_entity_get(w, IAM_ROLE, in->role_name, &r));
	if (!r.linked_service.n)
		return iam_refuse(w, IAM_NO_SUCH_ENTITY_EXCEPTION,
		        "The role with name %.*s cannot be found.", STR(in->role_name));
	out->deletion_task_id = task_id(w, r.linked_service, r.name);
	return iam_entity_delete(w, IAM_ROLE, &r);
}
IAM_OPERATION(iam_update, delete_service_linked_role)

static int get_service_linked_role_deletion_status(struct iam_work *w,
        const struct iam_get_service_linked_role_deletion_status_in *in,
        struct iam_get_service_linked_role_deletion_status_out *out)
{
	struct str rest = str_sub(in->deletion_task_id, sizeof TASK_PREFIX - 1, SIZE_MAX);
	struct str service = str_cut(&rest, '/');
	struct str role = rest.p ? str_cut(&rest, '/') : S("");

	if (!str_eq(in->deletion_task_id, task_id(w, service, role)))
		return iam_refuse(w, IAM_NO_SUCH_ENTITY_EXCEPTION,
		        "Deletion Task ID %.*s cannot be found.", STR(in->deletion_task_id));
	out->status = S("SUCCEEDED");
	return 0;
}
IAM_OPERATION(iam_view, get_service_linked_role_deletion_status)
