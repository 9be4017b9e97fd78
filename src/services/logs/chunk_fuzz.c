/* A chunk's row out of the store, damaged in any way. */
#include "services/logs/chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct logs_chunk c;

	if (logs_chunk_unpack(a, (struct str){ (const char *)data, size }, &c) != 0 || c.n == 0)
		return 0;
	for (size_t i = 0; i < c.n; i++)
		ensure(c.v[i].timestamp >= c.first_ms && c.v[i].timestamp <= c.last_ms);
	struct logs_chunk again = c, back;
	struct str row = logs_chunk_pack(a, &again);
	ensure(logs_chunk_unpack(a, row, &back) == 0 && back.n == c.n);
	return 0;
}
