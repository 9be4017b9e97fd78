#pragma once
/*
 * store: where REST APIs are in the store, and how operations look at them and change them.
 *
 * An API under construction is one row that holds all of it; a deployment is an immutable copy,
 * cut into pieces so that a request reads only what it needs. What requests need is found by the
 * API's id alone, because a host name carries no account.
 *
 * Rows: ("apigateway", account, region, "api", id)                 ApiRecord
 *       ("apigateway", account, region, "api-key" | "usage-plan" | "account", id)
 *       ("apigateway", account, region, "api-key-value", value)    the key's id
 *       ("apigateway", "", "", "stage", api, name)                 StageRecord
 *       ("apigateway", "", "", "deployment", api, id)              Deployment
 *       ("apigateway", "", "", "snapshot", api, deployment)        SnapshotRecord
 *       ("apigateway", "", "", "snapshot-resource", api, deployment, resource)  Resource
 *       ("apigateway", "", "", "snapshot-models", api, deployment) SnapshotModelsRecord
 *       ("apigateway", "", "", "authorized", api, stage, authorizer, identity)
 *
 * An operation is a function of a transaction:
 *
 *	static int create(struct apigw_change *c, const void *in_, void *out_)
 *	{
 *		if (taken)
 *			return apigw_refuse(c, APIGATEWAY_CONFLICT_EXCEPTION, "...");
 *		...change c->api...
 *		return 0;
 *	}
 *	return apigw_change(t, in->rest_api_id, create, in, out);
 */
#include "api/record.h"
#include "apigateway_gen.h"
#include "services/apigateway/grow.h"

struct apigw_change {
	struct kv_txn *txn;
	struct arena *arena;
	struct str account, region;
	struct str api_id; /* absent: the operation is not about one API */
	int64_t now_ms;
	struct apigateway_api_record api;
	struct str message; /* of a refusal */
};

typedef int apigw_change_fn(struct apigw_change *c, const void *in, void *out);

/* Loads the API, runs fn, stores what it made of it. 0 or fail(). */
int apigw_change(
        struct task *t, struct str api_id, apigw_change_fn *fn, const void *in, void *out) MUST_USE;
/* The same on a snapshot, without storing. */
int apigw_look(
        struct task *t, struct str api_id, apigw_change_fn *fn, const void *in, void *out) MUST_USE;
/* For what belongs to no API. */
int apigw_change_account(struct task *t, apigw_change_fn *fn, const void *in, void *out) MUST_USE;
int apigw_look_account(struct task *t, apigw_change_fn *fn, const void *in, void *out) MUST_USE;

/* Notes the error for the client and returns code. */
int apigw_refuse(struct apigw_change *c, int code, const char *format, ...) PRINTF(3, 4);
int apigw_not_found(struct apigw_change *c, const char *message);
int apigw_bad_request(struct apigw_change *c, const char *message);

/* Each is NULL and the refusal noted (NotFoundException) when there is none. */
struct apigateway_resource *apigw_resource(struct apigw_change *c, struct str id);
struct apigateway_method *apigw_method(
        struct apigw_change *c, struct str resource, struct str verb);
struct apigateway_integration *apigw_integration(
        struct apigw_change *c, struct str resource, struct str verb);

struct str apigw_id(struct arena *a, size_t n); /* lower case letters and digits */

struct str apigw_row_key(
        struct arena *a, const struct apigw_change *c, struct str kind, struct str id);
/* ("apigateway", "", "", kind, api, id): found without the account. */
struct str apigw_live_key(struct arena *a, struct str kind, struct str api_id, struct str id);
struct str apigw_live_prefix(struct arena *a, struct str kind, struct str api_id);

/* A page of rows: calls add(c, value) for each from position on until limit. */
struct apigw_listing {
	struct str prefix, position; /* position: the last key element of the page before */
	size_t limit;
	int (*add)(struct apigw_change *c, struct str value, void *out, bool *taken);
	void *out;
	struct str next; /* absent at the end */
};
int apigw_list(struct apigw_change *c, struct apigw_listing *l) MUST_USE;
size_t apigw_limit(struct opt_int limit, size_t otherwise);
