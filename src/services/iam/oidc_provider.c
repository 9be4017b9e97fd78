/* OpenID Connect providers: Create, Get, List, Delete, client ids, thumbprints, tags */
#include "services/iam/provider.h"

#define CLIENTS_MAX     100
#define THUMBPRINTS_MAX 5

static struct iam_name_record_list names_of(const struct str *v, size_t n)
{
	return (struct iam_name_record_list){ (struct str *)(uintptr_t)v, n };
}

static int check_thumbprints(struct iam_work *w, const struct iam_thumbprint_list_type *list)
{
	if (list->n <= THUMBPRINTS_MAX)
		return 0;
	return iam_refuse(w, IAM_INVALID_INPUT_EXCEPTION,
	        "Thumbprint list must contain fewer than %d entries.", THUMBPRINTS_MAX);
}

static int create_open_id_connect_provider(struct iam_work *w,
        const struct iam_create_open_id_connect_provider_in *in,
        struct iam_create_open_id_connect_provider_out *out)
{
	struct iam_provider_record r = {
		.client_ids = names_of(in->client_id_list.v, in->client_id_list.n),
		.thumbprints = names_of(in->thumbprint_list.v, in->thumbprint_list.n),
		.tags = in->tags,
	};

	if (in->context_provider || in->identity_center_instance_arn.p)
		return iam_refuse(w, API_ERROR_NOT_IMPLEMENTED,
		        "Trusted identity propagation is not implemented here");
	if (!str_starts(in->url, S("https://")) || in->url.n == 8)
		return iam_refuse(w, API_ERROR_VALIDATION, "Invalid Open ID Connect Provider URL");
	if (r.client_ids.n > CLIENTS_MAX)
		return iam_refuse(w, IAM_LIMIT_EXCEEDED_EXCEPTION,
		        "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: %d",
		        CLIENTS_MAX);
	TRY(check_thumbprints(w, &in->thumbprint_list));
	r.name = str_sub(in->url, 8, in->url.n);
	if (str_ends(r.name, S("/")))
		r.name.n--;
	TRY(iam_provider_create(w, &iam_oidc, &r,
	        str_printf(w->arena, "Provider with url %.*s already exists.", STR(in->url))));
	out->open_id_connect_provider_arn = iam_provider_arn(w, &iam_oidc, r.name);
	out->tags = iam_tags_shown(&r.tags);
	return 0;
}
IAM_OPERATION(iam_update, create_open_id_connect_provider)

static int get_open_id_connect_provider(struct iam_work *w,
        const struct iam_get_open_id_connect_provider_in *in,
        struct iam_get_open_id_connect_provider_out *out)
{
	struct iam_provider_record r;

	TRY(iam_provider_get(w, &iam_oidc, in->open_id_connect_provider_arn, &r));
	out->url = r.name;
	out->client_id_list = (struct iam_client_id_list_type){ r.client_ids.v, r.client_ids.n };
	out->thumbprint_list =
	        (struct iam_thumbprint_list_type){ r.thumbprints.v, r.thumbprints.n };
	out->create_date = r.created;
	out->tags = iam_tags_shown(&r.tags);
	return 0;
}
IAM_OPERATION(iam_view, get_open_id_connect_provider)

static int list_work(struct iam_work *w, const void *in, void *out)
{
	struct iam_list_open_id_connect_providers_out *answer = out;
	struct iam_providers all;

	TRY(iam_provider_all(w, &iam_oidc, &all));
	struct iam_open_id_connect_provider_list_entry *v =
	        arena_new_n(w->arena, struct iam_open_id_connect_provider_list_entry, all.n + 1);
	for (size_t i = 0; i < all.n; i++)
		v[i].arn = iam_provider_arn(w, &iam_oidc, all.v[i].name);
	answer->open_id_connect_provider_list =
	        (struct iam_open_id_connect_provider_list_type){ v, all.n };
	return 0;
}

int iam_list_open_id_connect_providers(struct task *t,
        const struct iam_list_open_id_connect_providers_in *in,
        struct iam_list_open_id_connect_providers_out *out)
{
	return iam_view(t, list_work, in, out);
}

static int delete_open_id_connect_provider(struct iam_work *w,
        const struct iam_delete_open_id_connect_provider_in *in,
        struct iam_delete_open_id_connect_provider_out *out)
{
	return iam_provider_delete(w, &iam_oidc, in->open_id_connect_provider_arn);
}
IAM_OPERATION(iam_update, delete_open_id_connect_provider)

static int add_client_id_to_open_id_connect_provider(struct iam_work *w,
        const struct iam_add_client_id_to_open_id_connect_provider_in *in,
        struct iam_add_client_id_to_open_id_connect_provider_out *out)
{
	struct iam_provider_record r;

	TRY(iam_provider_get(w, &iam_oidc, in->open_id_connect_provider_arn, &r));
	iam_list_add(w->arena, &r.client_ids, in->client_id);
	if (r.client_ids.n > CLIENTS_MAX)
		return iam_refuse(w, IAM_LIMIT_EXCEEDED_EXCEPTION,
		        "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: %d",
		        CLIENTS_MAX);
	iam_provider_put(w, &iam_oidc, &r);
	return 0;
}
IAM_OPERATION(iam_update, add_client_id_to_open_id_connect_provider)

static int remove_client_id_from_open_id_connect_provider(struct iam_work *w,
        const struct iam_remove_client_id_from_open_id_connect_provider_in *in,
        struct iam_remove_client_id_from_open_id_connect_provider_out *out)
{
	struct iam_provider_record r;

	TRY(iam_provider_get(w, &iam_oidc, in->open_id_connect_provider_arn, &r));
	iam_list_remove(&r.client_ids, in->client_id);
	iam_provider_put(w, &iam_oidc, &r);
	return 0;
}
IAM_OPERATION(iam_update, remove_client_id_from_open_id_connect_provider)

static int update_open_id_connect_provider_thumbprint(struct iam_work *w,
        const struct iam_update_open_id_connect_provider_thumbprint_in *in,
        struct iam_update_open_id_connect_provider_thumbprint_out *out)
{
	struct iam_provider_record r;

	TRY(check_thumbprints(w, &in->thumbprint_list));
	TRY(iam_provider_get(w, &iam_oidc, in->open_id_connect_provider_arn, &r));
	r.thumbprints = names_of(in->thumbprint_list.v, in->thumbprint_list.n);
	iam_provider_put(w, &iam_oidc, &r);
	return 0;
}
IAM_OPERATION(iam_update, update_open_id_connect_provider_thumbprint)
