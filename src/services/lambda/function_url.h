#pragma once
/*
 * function_url: functions at addresses of their own. AWS's form of an address is
 * {id}.lambda-url.{region}.on.aws; here it is {id}.lambda-url.{region}.localhost with the server's
 * port, and where names below localhost do not resolve the same is at /_lambda/url/{id}/...
 *
 * Rows: ("lambda", account, region, "url", name, qualifier)   the configuration
 *       ("lambda", "", "", "url-id", id)                      whose address it is
 */
#include "services/lambda/function.h"

#define LAMBDA_URL_PATH "/_lambda/url/"

struct str lambda_url_id_key(struct arena *a, struct str id);
/* With the function, or its alias. */
int lambda_url_drop(struct kv_txn *txn, const struct lambda_ref *ref) MUST_USE;
int lambda_url_drop_all(struct kv_txn *txn, const struct lambda_ref *ref) MUST_USE;

bool lambda_url_match(const struct http_request *r);
int lambda_url_serve(struct task *t, struct http_exchange *x);
