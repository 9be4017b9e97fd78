#pragma once
/* put: what happens beside the writing of events. */
#include "services/logs/stream.h"

/* In the update that writes the chunk (first_ms, s->sequence): its deliveries to subscribers. */
void logs_deliver_add(struct kv_txn *txn, const struct logs_group *g, const struct logs_stream *s,
        int64_t first_ms);
