/* Fuzzes the parser of messages: what comes out packs again to the same bytes. */
#include "sandbox/message.h"

#include <stdlib.h>
#include <sys/types.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a CLEANUP(arena_destroyp) = arena_create();
	struct sandbox_message m;
	char *again = arena_bytes(a, size + 1);

	if (message_unpack((struct str){ (const char *)data, size }, a, &m))
		return 0;
	ensure(message_pack(&m, again, size) == (ssize_t)size);
	ensure(size == 0 || memcmp(again, data, size) == 0);
	return 0;
}
