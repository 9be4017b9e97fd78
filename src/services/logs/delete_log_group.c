/* DeleteLogGroup: the group is gone at once, its rows are purged behind the scenes. */
#include "services/logs/group.h"

static int del(struct kv_txn *txn, void *arg)
{
	static const struct str kinds[] = { S_INIT("stream"), S_INIT("chunk"),
		S_INIT("subscription"), S_INIT("bytes") };
	struct logs_group *g = arg;
	struct arena *a = kv_arena(txn);

	TRY(logs_group_load(txn, g));
	kv_del(txn, logs_group_key(a, g));
	g->r.retention_in_days = (struct opt_int){ 0 };
	logs_retention_set(txn, g, 0);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		logs_purge(txn, logs_prefix(a, g, kinds[i]));
	return 0;
}

int logs_delete_log_group(struct task *t, const struct logs_delete_log_group_in *in,
        struct logs_delete_log_group_out *out)
{
	struct logs_group g;

	TRY(logs_group_ref(t, in->log_group_name, (struct str){ 0 }, &g));
	int bad = kv_update(t, del, &g);
	return bad == LOGS_RESOURCE_NOT_FOUND_EXCEPTION ? logs_group_missing(t) : bad;
}
