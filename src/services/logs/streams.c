/* CreateLogStream, DeleteLogStream */
#include "services/logs/stream.h"

struct change {
	struct logs_group g;
	struct logs_stream s;
};

static int create(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;
	struct logs_stream before = { .name = c->s.name };

	TRY(logs_group_load(txn, &c->g));
	int got = logs_stream_load(txn, &c->g, &before);
	if (got == 0)
		return LOGS_RESOURCE_ALREADY_EXISTS_EXCEPTION;
	if (got != LOGS_RESOURCE_NOT_FOUND_EXCEPTION)
		return got;
	c->s.id = kv_sequence_next(txn, S("logs"));
	logs_stream_store(txn, &c->g, &c->s);
	return 0;
}

int logs_create_log_stream(struct task *t, const struct logs_create_log_stream_in *in,
        struct logs_create_log_stream_out *out)
{
	struct change c = { .s = { .name = in->log_stream_name,
		                    .created_ms = call_of(t)->now_ms } };

	TRY(logs_group_ref(t, in->log_group_name, (struct str){ 0 }, &c.g));
	int bad = kv_update(t, create, &c);
	if (bad == LOGS_RESOURCE_NOT_FOUND_EXCEPTION)
		return logs_group_missing(t);
	if (bad == LOGS_RESOURCE_ALREADY_EXISTS_EXCEPTION)
		return fail(t, bad, "The specified log stream already exists");
	return bad;
}

static int del(struct kv_txn *txn, void *arg)
{
	struct change *c = arg;

	TRY(logs_group_load(txn, &c->g));
	int got = logs_stream_load(txn, &c->g, &c->s);
	if (got == LOGS_RESOURCE_NOT_FOUND_EXCEPTION)
		return KV_NOT_FOUND;
	TRY(got);
	kv_del(txn, logs_stream_key(kv_arena(txn), &c->g, c->s.name));
	logs_bytes_add(txn, &c->g, -c->s.bytes);
	logs_purge(txn, logs_chunks_prefix(kv_arena(txn), &c->g, c->s.id));
	return 0;
}

int logs_delete_log_stream(struct task *t, const struct logs_delete_log_stream_in *in,
        struct logs_delete_log_stream_out *out)
{
	struct change c = { .s = { .name = in->log_stream_name } };

	TRY(logs_group_ref(t, in->log_group_name, (struct str){ 0 }, &c.g));
	int bad = kv_update(t, del, &c);
	if (bad == LOGS_RESOURCE_NOT_FOUND_EXCEPTION)
		return logs_group_missing(t);
	return bad == KV_NOT_FOUND ? logs_stream_missing(t) : bad;
}
