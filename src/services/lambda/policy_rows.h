#pragma once
/*
 * policy_rows: resource policies of functions, aliases and layer versions: statements in a row,
 * each added and removed by its id.
 */
#include "codec/json.h"
#include "services/lambda/function.h"

/* The document; absent when there is no statement. */
int lambda_policy_json(struct kv_txn *txn, struct str key, struct str *json) MUST_USE;
/* Adds {sid, json}; refuses an id that is there, and more than 20 KB. */
int lambda_policy_add(struct kv_txn *txn, struct str key,
        const struct lambda_policy_statement_record *statement,
        struct lambda_refusal *refusal) MUST_USE;
int lambda_policy_remove(struct kv_txn *txn, struct str key, struct str sid,
        struct lambda_refusal *refusal) MUST_USE;
/* "Principal": as Lambda writes accounts, ARNs and services. */
void lambda_policy_principal(struct arena *a, struct json_writer *w, struct str principal);
bool lambda_policy_is_principal(struct str principal);
