/* conditions: see conditions.h; RFC 9110, with S3's precedence ("Conditional reads"). */
#include "services/s3/conditions.h"

static struct str bare(struct str tag)
{
	tag = str_trim(tag);
	if (str_starts(tag, S("W/")))
		tag = str_sub(tag, 2, tag.n);
	if (tag.n >= 2 && tag.p[0] == '"' && tag.p[tag.n - 1] == '"')
		return str_sub(tag, 1, tag.n - 2);
	return tag;
}

bool s3_etag_matches(struct str list, struct str e_tag)
{
	while (list.p) {
		struct str one = str_trim(str_cut(&list, ','));
		if (str_eq(one, S("*")) || str_eq(bare(one), bare(e_tag)))
			return true;
	}
	return false;
}

enum s3_verdict s3_read_verdict(const struct s3_read_conditions *c, struct str e_tag,
        int64_t last_modified_ms, const char **failed)
{
	*failed = NULL;
	if (c->if_match.p && !s3_etag_matches(c->if_match, e_tag)) {
		*failed = "If-Match";
		return S3_READ_FAILED;
	}
	if (!c->if_match.p && c->has_unmodified_since &&
	        last_modified_ms > c->unmodified_since_ms) {
		*failed = "If-Unmodified-Since";
		return S3_READ_FAILED;
	}
	if (c->if_none_match.p)
		return s3_etag_matches(c->if_none_match, e_tag) ? S3_READ_NOT_MODIFIED : S3_READ;
	/* A time that is still to come is ignored. */
	if (c->has_modified_since && c->modified_since_ms <= c->now_ms &&
	        last_modified_ms <= c->modified_since_ms)
		return S3_READ_NOT_MODIFIED;
	return S3_READ;
}

static bool is_digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

/* The last so many bytes. */
static enum s3_range parse_suffix(struct str last, int64_t size, int64_t *offset, int64_t *n)
{
	if (!is_digits(last) || !str_to_i64(last, n))
		return S3_RANGE_NONE;
	if (*n == 0 || size == 0)
		return S3_RANGE_UNSATISFIABLE;
	*n = MIN(*n, size);
	*offset = size - *n;
	return S3_RANGE_PART;
}

enum s3_range s3_range_parse(struct str text, int64_t size, int64_t *offset, int64_t *n)
{
	struct str last = str_trim(text);
	int64_t end = size - 1;

	if (!str_starts(last, S("bytes=")))
		return S3_RANGE_NONE;
	last = str_sub(last, 6, last.n);
	struct str first = str_cut(&last, '-');
	if (!last.p)
		return S3_RANGE_NONE;
	if (first.n == 0)
		return parse_suffix(last, size, offset, n);
	if (!is_digits(first) || !str_to_i64(first, offset))
		return S3_RANGE_NONE;
	if (last.n > 0 && (!is_digits(last) || !str_to_i64(last, &end) || end < *offset))
		return S3_RANGE_NONE;
	if (*offset >= size)
		return S3_RANGE_UNSATISFIABLE;
	*n = MIN(end, size - 1) - *offset + 1;
	return S3_RANGE_PART;
}
