/* tags: limits, the header. */
#include "services/s3/tags.h"

#include "codec/codec.h"

#define KEY_MAX   128
#define VALUE_MAX 256

/* Characters, not bytes. */
static size_t length(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static bool has_bad_char(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool good = c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		            (c >= 'A' && c <= 'Z') || (c && strchr(" +-=._:/@", c));
		if (!good)
			return true;
	}
	return false;
}

static int check_one(struct task *t, const struct s3_tag *tag)
{
	struct s3_error_detail d = { .tag_key = tag->key };

	if (tag->key.n == 0 || length(tag->key) > KEY_MAX || has_bad_char(tag->key))
		return s3_fail(t, &d, "InvalidTag", 400, "The TagKey you have provided is invalid");
	if (length(tag->value) > VALUE_MAX || has_bad_char(tag->value))
		return s3_fail(
		        t, &d, "InvalidTag", 400, "The TagValue you have provided is invalid");
	if (str_eq_nocase(str_sub(tag->key, 0, 4), S("aws:")))
		return s3_fail(t, &d, "InvalidTag", 400,
		        "System tags cannot be added/updated by requester");
	return 0;
}

int s3_tags_check(struct task *t, const struct s3_tag_set *tags, size_t max)
{
	if (tags->n > max)
		return fail_named(t, "BadRequest", 400,
		        max == 10 ? "Object tags cannot be greater than 10"
		                  : "Bucket tag count cannot be greater than 50");
	for (size_t i = 0; i < tags->n; i++) {
		TRY(check_one(t, &tags->v[i]));
		for (size_t j = 0; j < i; j++)
			if (str_eq(tags->v[i].key, tags->v[j].key)) {
				struct s3_error_detail d = { .tag_key = tags->v[i].key };
				return s3_fail(t, &d, "InvalidTag", 400,
				        "Cannot provide multiple Tags with the same key");
			}
	}
	return 0;
}

int s3_tags_from_header(struct task *t, struct str text, struct s3_tag_set *tags)
{
	struct arena *a = task_arena(t);
	struct uri_params params;

	*tags = (struct s3_tag_set){ 0 };
	if (!text.n)
		return 0;
	if (uri_query_parse(a, text, &params) != 0)
		return s3_invalid_argument(t, "x-amz-tagging", text,
		        "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL "
		        "query parameters without tag name duplicates.");
	tags->v = arena_new_n(a, struct s3_tag, params.n);
	for (size_t i = 0; i < params.n; i++) {
		struct str value = params.v[i].value;
		tags->v[tags->n++] = (struct s3_tag){ params.v[i].name, value.p ? value : S("") };
	}
	return s3_tags_check(t, tags, 10);
}
