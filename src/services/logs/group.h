#pragma once
/*
 * group: log groups and where everything of a group is in the store.
 *
 * Rows: ("logs", account, region, "group", name)                          GroupRecord
 *       ("logs", account, region, "bytes", group id)                      stored bytes, int64_t
 *       ("logs", account, region, "stream", group id, name)               stream.h
 *       ("logs", account, region, "chunk", group id, stream id, time, sequence)  chunk.h
 *       ("logs", account, region, "subscription", group id, name)         SubscriptionFilter
 *
 * Groups and streams have numbers that are never used again: a deleted group's rows are out of
 * sight as soon as its own row is gone, and are purged behind the scenes by prefix.
 */
#include "api/record.h"
#include "logs_gen.h"

struct logs_group {
	struct str account, region, name;
	struct logs_group_record r;
};

/* Which group a call means: by name, or by an identifier (name or ARN); one of them is present.
 * Fills in account, region, name. fail()s when there is none or both. */
int logs_group_ref(
        struct task *t, struct str name, struct str identifier, struct logs_group *g) MUST_USE;
/* Inside a transaction: reads the row; LOGS_RESOURCE_NOT_FOUND_EXCEPTION when there is none. */
int logs_group_load(struct kv_txn *txn, struct logs_group *g) MUST_USE;
void logs_group_store(struct kv_txn *txn, const struct logs_group *g);
int logs_group_missing(struct task *t);
/* logs_group_ref() and a view: 0 or fail(). */
int logs_group_find(
        struct task *t, struct str name, struct str identifier, struct logs_group *g) MUST_USE;

struct str logs_group_arn(struct arena *a, const struct logs_group *g); /* without ":*" */
/* Before this time (ms) its events are no more; 0: they stay. */
int64_t logs_group_cutoff(const struct logs_group *g, int64_t now_ms);

struct str logs_groups_prefix(struct arena *a, struct str account, struct str region);
struct str logs_group_key(struct arena *a, const struct logs_group *g);
/* kind: "stream", "chunk", "subscription" */
struct str logs_prefix(struct arena *a, const struct logs_group *g, struct str kind);

int64_t logs_bytes(struct kv_txn *txn, const struct logs_group *g);
void logs_bytes_add(struct kv_txn *txn, const struct logs_group *g, int64_t n);

/* purge.c: removes all rows with the prefix, after the commit and in bounded steps. */
void logs_purge(struct kv_txn *txn, struct str prefix);
int logs_purge_step(struct task *t, struct str prefix, int64_t due_ms) MUST_USE;
/* retention.c: (re)sets or clears the group's timer by its policy. */
void logs_retention_set(struct kv_txn *txn, const struct logs_group *g, int64_t due_ms);
int logs_retention_step(struct task *t, struct str id, int64_t due_ms) MUST_USE;

/* For rows of the table. */
int logs_on_group(struct task *t, const void *in, struct api_access *access);
int logs_on_stream(struct task *t, const void *in, struct api_access *access);
int logs_on_tags(struct task *t, const void *in, struct api_access *access);
int logs_on_all(struct task *t, const void *in, struct api_access *access);
int logs_on_tail(struct task *t, const void *in, struct api_access *access);

/* Tokens of lists are names. Opens one when present; fail()s. */
int logs_page_after(struct task *t, struct str token, struct str *after) MUST_USE;
