#pragma once
/*
 * record: generated structs as durable rows: one version byte, then CBOR keyed by member names, so
 * that members can come and go. Records of a service's own are declared in its records.json in the
 * models' language (they may use the model's shapes) and generated with it.
 *
 *	struct lambda_function_record f = { 0 };
 *	if (record_get(txn, key, &lambda_shape_function_record, &f) == KV_NOT_FOUND) ...
 *	record_put(txn, key, &lambda_shape_function_record, &f);
 */
#include "api/shape.h"
#include "kv/kv.h"

/* 0, KV_NOT_FOUND, or -EPROTO: a row of an unknown version or damaged (logged with its key). */
int record_get(struct kv_txn *txn, struct str key, const struct shape *shape, void *value) MUST_USE;
void record_put(struct kv_txn *txn, struct str key, const struct shape *shape, const void *value);
struct str record_pack(struct arena *a, const struct shape *shape, const void *value);
int record_unpack(struct arena *a, const struct shape *shape, struct str bytes, void *value) MUST_USE;
