/* ListAliases */
#include "services/lambda/page.h"

struct listing {
	struct str version; /* only those that lead to it; absent: all */
	struct lambda_alias_configuration v[LAMBDA_PAGE + 1];
};

static int take(struct arena *a, void *arg, size_t n, struct str value)
{
	struct listing *l = arg;

	l->v[n] = (struct lambda_alias_configuration){ 0 };
	TRY(record_unpack(a, &lambda_shape_alias_configuration, value, &l->v[n]));
	return !l->version.n || str_eq(l->v[n].function_version, l->version);
}

int lambda_list_aliases(struct task *t, const struct lambda_list_aliases_in *in,
        struct lambda_list_aliases_out *out)
{
	struct listing *l = arena_new(task_arena(t), struct listing);
	struct lambda_page p = { .take = take, .arg = l };
	struct lambda_function_record r;
	struct lambda_ref ref;

	l->version = in->function_version;
	TRY(lambda_find(t, in->function_name, (struct str){ 0 }, &ref, &r));
	p.prefix = lambda_row_prefix(task_arena(t), &ref, "alias");
	TRY(lambda_page_read(t, &p, in->marker, in->max_items));
	out->aliases = (struct lambda_alias_list){ l->v, p.n };
	out->next_marker = p.next;
	return 0;
}
