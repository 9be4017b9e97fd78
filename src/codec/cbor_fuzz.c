/* The reader ends on any input, and skipping takes what reading takes. */
#include "codec/cbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create();
	struct cbor_reader r = { .rest = { (const char *)data, size }, .arena = a };
	struct cbor_item item;

	while (r.rest.n && cbor_next(&r, &item) == 0)
		if (item.type == CBOR_TEXT || item.type == CBOR_BYTES)
			ensure(item.s.n <= size);
	r.rest = (struct str){ (const char *)data, size };
	while (r.rest.n && cbor_skip(&r) == 0)
		;
	arena_destroy(a);
	return 0;
}
