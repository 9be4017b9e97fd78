/* deliver: chunks on their way to subscribers. */
#include "services/logs/put.h"

void logs_deliver_add(struct kv_txn *txn, const struct logs_group *g, const struct logs_stream *s,
        int64_t first_ms)
{
}
