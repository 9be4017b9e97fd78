/* Fuzzes what reads texts that clients send: hosts, copy sources, ranges, entity tags, policies. */
#include "services/s3/conditions.h"
#include "services/s3/names.h"
#include "services/s3/public.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_range(struct str text, int64_t size)
{
	int64_t offset = 0, n = 0;

	if (s3_range_parse(text, size, &offset, &n) == S3_RANGE_PART)
		ensure(offset >= 0 && n > 0 && offset + n <= size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_destroyp) struct arena *a = arena_create();
	struct str text = { (const char *)data, size };
	struct s3_copy_source source;
	struct str bucket = s3_bucket_of_host(text);

	ensure(!bucket.p || str_starts(text, bucket));
	if (s3_copy_source_parse(a, text, &source))
		ensure(source.bucket.n > 0 && source.key.n > 0);
	if (s3_bucket_name_is_valid(text))
		ensure(s3_utf8_is_valid(text));
	check_range(text, 0);
	check_range(text, 10);
	check_range(text, INT64_MAX);
	(void)s3_etag_matches(text, S("\"a\""));
	(void)s3_policy_is_public(a, text);
	return 0;
}
