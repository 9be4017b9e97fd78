/* listing: see listing.h. */
#include "services/s3/listing.h"

#include "codec/codec.h"

#define PAGE 1000

bool s3_listing_begin(struct s3_listing *l, struct arena *a, struct str *name)
{
	struct str start = l->prefix.p ? l->prefix : S("");

	if (l->after.p && str_cmp(l->after, start) >= 0) {
		if (l->prefix.p && !str_starts(l->after, l->prefix))
			return false;
		start = l->after_group ? kv_prefix_end(a, l->after)
		                       : str_concat(a, 2, l->after, (struct str){ "\0", 1 });
	}
	*name = start;
	return true;
}

struct str s3_listing_group(const struct s3_listing *l, struct str name)
{
	size_t from = l->prefix.n;
	ptrdiff_t at;

	if (!l->delimiter.n)
		return (struct str){ 0 };
	at = str_find(str_sub(name, from, name.n), l->delimiter);
	return at < 0 ? (struct str){ 0 } : str_sub(name, 0, from + (size_t)at + l->delimiter.n);
}

static bool is_full(struct s3_listing *l)
{
	l->more = l->n >= l->max;
	return l->more;
}

bool s3_listing_add_group(struct s3_listing *l, struct arena *a, struct str group)
{
	if (is_full(l))
		return false;
	if (l->n_groups == l->capacity) {
		size_t capacity = MAX((size_t)16, 2 * l->capacity);
		struct s3_common_prefix *v = arena_new_n(a, struct s3_common_prefix, capacity);
		if (l->n_groups)
			memcpy(v, l->groups, l->n_groups * sizeof *v);
		l->groups = v;
		l->capacity = capacity;
	}
	l->groups[l->n_groups++].prefix = l->last = group;
	l->last_is_group = true;
	l->n++;
	return true;
}

bool s3_listing_add(struct s3_listing *l, struct str name)
{
	if (is_full(l))
		return false;
	l->last = name;
	l->last_is_group = false;
	l->n++;
	return true;
}

int s3_listing_max(struct task *t, struct opt_int asked, const char *name, size_t *max)
{
	*max = PAGE;
	if (!asked.set)
		return 0;
	if (asked.v < 0 || asked.v > INT32_MAX)
		return s3_invalid_argument(t, name,
		        str_printf(task_arena(t), "%lld", (long long)asked.v),
		        str_cstr(task_arena(t),
		                str_printf(task_arena(t),
		                        "Argument %s must be an integer between 0 and 2147483647",
		                        name)));
	*max = (size_t)MIN(asked.v, (int64_t)PAGE);
	return 0;
}

int s3_listing_encoding(struct task *t, struct str encoding)
{
	if (!encoding.p || str_eq(encoding, S("url")))
		return 0;
	return s3_invalid_argument(
	        t, "encoding-type", encoding, "Invalid Encoding Method specified in Request");
}

struct str s3_listing_text(struct arena *a, struct str encoding, struct str text)
{
	return encoding.p && text.p ? uri_encode(a, text, true) : text;
}
