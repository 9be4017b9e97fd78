/* CreateResource, GetResource, GetResources, UpdateResource, DeleteResource */
#include "services/apigateway/resource.h"

#include "services/apigateway/patch.h"

static bool is_part_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("._-:~,'()!$&+;=@%*", c));
}

static bool all_part_chars(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_part_char(s.p[i]))
			return false;
	return s.n > 0;
}

bool resource_is_variable(struct str part)
{
	return str_starts(part, S("{")) && str_ends(part, S("}"));
}

bool resource_is_greedy(struct str part)
{
	return resource_is_variable(part) && str_ends(part, S("+}"));
}

static bool is_valid_part(struct str part)
{
	if (!resource_is_variable(part))
		return all_part_chars(part);
	struct str name = str_sub(part, 1, part.n - 2);
	if (str_ends(name, S("+")))
		name = str_sub(name, 0, name.n - 1);
	return all_part_chars(name);
}

static int check_siblings(
        struct apigw_change *c, struct str parent_id, struct str part, struct str own_id)
{
	for (size_t i = 0; i < c->api.resources.n; i++) {
		const struct apigateway_resource *r = &c->api.resources.v[i];
		if (!str_eq(r->parent_id, parent_id) || str_eq(r->id, own_id))
			continue;
		if (str_eq(r->path_part, part))
			return apigw_refuse(c, APIGATEWAY_CONFLICT_EXCEPTION,
			        "Another resource with the same parent already has this name: %.*s",
			        STR(part));
		if (resource_is_variable(part) && resource_is_variable(r->path_part) &&
		        resource_is_greedy(part) == resource_is_greedy(r->path_part))
			return apigw_refuse(c, APIGATEWAY_BAD_REQUEST_EXCEPTION,
			        "A sibling (%.*s) of this resource already has a variable path "
			        "part -- "
			        "only one is allowed",
			        STR(r->path_part));
	}
	return 0;
}

static struct str join(struct arena *a, struct str parent_path, struct str part)
{
	return str_eq(parent_path, S("/")) ? str_concat(a, 2, S("/"), part)
	                                   : str_concat(a, 3, parent_path, S("/"), part);
}

int resource_add(struct apigw_change *c, struct str parent_id, struct str part, struct str *id)
{
	const struct apigateway_resource *parent = apigw_resource(c, parent_id);

	if (!parent)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	struct str path = join(c->arena, parent->path, part);
	if (!is_valid_part(part))
		return apigw_bad_request(c, "Resource's path part only allow a-zA-Z0-9._-: or a "
		                            "valid greedy path variable and "
		                            "curly braces at the beginning and the end.");
	if (resource_is_greedy(parent->path_part))
		return apigw_refuse(c, APIGATEWAY_BAD_REQUEST_EXCEPTION,
		        "Cannot create a child of a resource with a greedy path variable: %.*s",
		        STR(parent->path_part));
	TRY(check_siblings(c, parent_id, part, S("")));
	if (c->api.resources.n >= RESOURCES_MAX)
		return apigw_refuse(c, APIGATEWAY_LIMIT_EXCEEDED_EXCEPTION,
		        "Maximum number of resources for this API has been reached. Please contact "
		        "AWS "
		        "if you need additional resources.");
	*id = apigw_id(c->arena, 6);
	*GROW_ADD(c->arena, &c->api.resources) = (struct apigateway_resource){
		.id = *id, .parent_id = parent_id, .path_part = part, .path = path
	};
	return 0;
}

static int create(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_create_resource_in *in = in_;
	struct str id;

	TRY(resource_add(c, in->parent_id, in->path_part, &id));
	*(struct apigateway_resource *)out = *apigw_resource(c, id);
	return 0;
}

int apigateway_create_resource(struct task *t, const struct apigateway_create_resource_in *in,
        struct apigateway_create_resource_out *out)
{
	return apigw_change(t, in->rest_api_id, create, in, out);
}

/* Without embed=methods the methods are named only. */
static void show(struct arena *a, const struct apigateway_resource *r, bool embed,
        struct apigateway_resource *out)
{
	*out = *r;
	if (embed)
		return;
	out->resource_methods = (struct apigateway_map_of_method){ 0 };
	for (size_t i = 0; i < r->resource_methods.n; i++)
		GROW_ADD(a, &out->resource_methods)->key = r->resource_methods.v[i].key;
}

static bool embeds(const struct apigateway_list_of_string *embed)
{
	for (size_t i = 0; i < embed->n; i++)
		if (str_eq(embed->v[i], S("methods")))
			return true;
	return false;
}

static int get(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_get_resource_in *in = in_;
	const struct apigateway_resource *r = apigw_resource(c, in->resource_id);

	if (!r)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	show(c->arena, r, embeds(&in->embed), out);
	return 0;
}

int apigateway_get_resource(struct task *t, const struct apigateway_get_resource_in *in,
        struct apigateway_get_resource_out *out)
{
	return apigw_look(t, in->rest_api_id, get, in, out);
}

static int list(struct apigw_change *c, const void *in_, void *out_)
{
	const struct apigateway_get_resources_in *in = in_;
	struct apigateway_resources *out = out_;
	size_t limit = apigw_limit(in->limit, 25), i = 0;

	if (in->position.n) {
		const struct apigateway_resource *last =
		        GROW_FIND(&c->api.resources, id, in->position);
		if (!last)
			return apigw_bad_request(c, "Invalid position specified");
		i = (size_t)(last - c->api.resources.v) + 1;
	}
	out->items = (struct apigateway_list_of_resource){ arena_alloc(c->arena, 1), 0 };
	for (; i < c->api.resources.n && out->items.n < limit; i++)
		show(c->arena, &c->api.resources.v[i], embeds(&in->embed),
		        GROW_ADD(c->arena, &out->items));
	if (i < c->api.resources.n)
		out->position = c->api.resources.v[i - 1].id;
	return 0;
}

int apigateway_get_resources(struct task *t, const struct apigateway_get_resources_in *in,
        struct apigateway_get_resources_out *out)
{
	return apigw_look(t, in->rest_api_id, list, in, out);
}

/* ---- update ---- */

static void renew_paths(struct apigw_change *c, const struct apigateway_resource *parent)
{
	for (size_t i = 0; i < c->api.resources.n; i++) {
		struct apigateway_resource *r = &c->api.resources.v[i];
		if (!r->parent_id.n || !str_eq(r->parent_id, parent->id))
			continue;
		r->path = join(c->arena, parent->path, r->path_part);
		renew_paths(c, r);
	}
}

static bool is_below(struct apigw_change *c, struct str id, struct str ancestor)
{
	while (id.n) {
		if (str_eq(id, ancestor))
			return true;
		const struct apigateway_resource *r = GROW_FIND(&c->api.resources, id, id);
		id = r ? r->parent_id : S("");
	}
	return false;
}

static int update(struct apigw_change *c, const void *in_, void *out)
{
	static const struct patch_rule rules[] = { { "/pathPart", PATCH_REPLACE },
		{ "/parentId", PATCH_REPLACE } };
	const struct apigateway_update_resource_in *in = in_;
	struct apigateway_resource *r = apigw_resource(c, in->resource_id);

	if (!r)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	if (!r->parent_id.n)
		return apigw_bad_request(c, "Root resource cannot be updated.");
	TRY(patch_apply(
	        c, &in->patch_operations, PATCH_TARGET(&apigateway_shape_resource, r, rules)));
	if (!is_valid_part(r->path_part))
		return apigw_bad_request(c, "Resource's path part only allow a-zA-Z0-9._-: or a "
		                            "valid greedy path variable and "
		                            "curly braces at the beginning and the end.");
	const struct apigateway_resource *parent = apigw_resource(c, r->parent_id);
	if (!parent)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	if (is_below(c, parent->id, r->id))
		return apigw_bad_request(c, "Resources cannot be cyclical.");
	TRY(check_siblings(c, r->parent_id, r->path_part, r->id));
	r->path = join(c->arena, parent->path, r->path_part);
	renew_paths(c, r);
	*(struct apigateway_resource *)out = *r;
	return 0;
}

int apigateway_update_resource(struct task *t, const struct apigateway_update_resource_in *in,
        struct apigateway_update_resource_out *out)
{
	return apigw_change(t, in->rest_api_id, update, in, out);
}

/* ---- delete ---- */

static int drop(struct apigw_change *c, const void *in_, void *out)
{
	const struct apigateway_delete_resource_in *in = in_;
	struct apigateway_list_of_resource *all = &c->api.resources;
	const struct apigateway_resource *r = apigw_resource(c, in->resource_id);
	size_t kept = 0;

	if (!r)
		return APIGATEWAY_NOT_FOUND_EXCEPTION;
	if (!r->parent_id.n)
		return apigw_bad_request(c, "Root resource cannot be removed from API");
	bool *gone = arena_new_n(c->arena, bool, all->n);
	for (size_t i = 0; i < all->n; i++)
		gone[i] = is_below(c, all->v[i].id, in->resource_id);
	for (size_t i = 0; i < all->n; i++)
		if (!gone[i])
			all->v[kept++] = all->v[i];
	all->n = kept;
	return 0;
}

int apigateway_delete_resource(struct task *t, const struct apigateway_delete_resource_in *in,
        struct apigateway_delete_resource_out *out)
{
	return apigw_change(t, in->rest_api_id, drop, in, out);
}
