/* SAML providers: Create, Get, List, Update, Delete */
#include "services/iam/provider.h"

#include "codec/codec.h"
#include "codec/xml.h"

#define HUNDRED_YEARS_MS INT64_C(3155760000000)

/* The metadata must be an EntityDescriptor; when it does not say until when it is valid, it is so
 * for a hundred years. */
static int read_metadata(struct iam_work *w, struct str metadata, struct opt_time *valid_until)
{
	struct xml_node *root;
	int64_t ms;

	if (xml_parse(w->arena, metadata, &root) != 0 || !str_eq(root->name, S("EntityDescriptor")))
		return iam_refuse(w, IAM_INVALID_INPUT_EXCEPTION, "Could not parse metadata");
	struct str until = xml_attribute_get(root, S("validUntil"));
	if (!until.p)
		ms = w->now_ms + HUNDRED_YEARS_MS;
	else if (time_parse_iso8601(until, &ms) != 0)
		return iam_refuse(w, IAM_INVALID_INPUT_EXCEPTION, "Could not parse metadata");
	*valid_until = opt_time(ms / 1000 * 1000);
	return 0;
}

static int no_encryption(struct iam_work *w, bool asked)
{
	if (!asked)
		return 0;
	return iam_refuse(w, API_ERROR_NOT_IMPLEMENTED,
	        "Encrypted assertions and trusted identity propagation are not implemented here");
}

static int create_saml_provider(struct iam_work *w, const struct iam_create_saml_provider_in *in,
        struct iam_create_saml_provider_out *out)
{
	struct iam_provider_record r = {
		.name = in->name,
		.metadata = in->saml_metadata_document,
		.tags = in->tags,
		.uuid = iam_fresh_id(w, S("ASPI")),
	};

	TRY(no_encryption(w, in->assertion_encryption_mode.p || in->add_private_key.p ||
	                             in->context_provider || in->identity_center_instance_arn.p));
	TRY(read_metadata(w, r.metadata, &r.valid_until));
	TRY(iam_provider_create(w, &iam_saml, &r,
	        str_printf(w->arena, "SAMLProvider with name %.*s already exists.", STR(r.name))));
	out->saml_provider_arn = iam_provider_arn(w, &iam_saml, r.name);
	out->tags = iam_tags_shown(&r.tags);
	return 0;
}
IAM_OPERATION(iam_update, create_saml_provider)

static int get_saml_provider(struct iam_work *w, const struct iam_get_saml_provider_in *in,
        struct iam_get_saml_provider_out *out)
{
	struct iam_provider_record r;

	TRY(iam_provider_get(w, &iam_saml, in->saml_provider_arn, &r));
	out->saml_metadata_document = r.metadata;
	out->saml_provider_uuid = r.uuid;
	out->create_date = r.created;
	out->valid_until = r.valid_until;
	out->tags = iam_tags_shown(&r.tags);
	return 0;
}
IAM_OPERATION(iam_view, get_saml_provider)

static int list_work(struct iam_work *w, const void *in, void *out)
{
	struct iam_list_saml_providers_out *answer = out;
	struct iam_providers all;

	TRY(iam_provider_all(w, &iam_saml, &all));
	struct iam_saml_provider_list_entry *v =
	        arena_new_n(w->arena, struct iam_saml_provider_list_entry, all.n + 1);
	for (size_t i = 0; i < all.n; i++) {
		v[i].arn = iam_provider_arn(w, &iam_saml, all.v[i].name);
		v[i].create_date = all.v[i].created;
		v[i].valid_until = all.v[i].valid_until;
	}
	answer->saml_provider_list = (struct iam_saml_provider_list_type){ v, all.n };
	return 0;
}

int iam_list_saml_providers(struct task *t, const struct iam_list_saml_providers_in *in,
        struct iam_list_saml_providers_out *out)
{
	return iam_view(t, list_work, in, out);
}

static int update_saml_provider(struct iam_work *w, const struct iam_update_saml_provider_in *in,
        struct iam_update_saml_provider_out *out)
{
	struct iam_provider_record r;

	TRY(no_encryption(w, in->assertion_encryption_mode.p || in->add_private_key.p ||
	                             in->remove_private_key.p || in->context_provider ||
	                             in->identity_center_instance_arn.p));
	TRY(iam_provider_get(w, &iam_saml, in->saml_provider_arn, &r));
	if (in->saml_metadata_document.p) {
		TRY(read_metadata(w, in->saml_metadata_document, &r.valid_until));
		r.metadata = in->saml_metadata_document;
	}
	iam_provider_put(w, &iam_saml, &r);
	out->saml_provider_arn = in->saml_provider_arn;
	return 0;
}
IAM_OPERATION(iam_update, update_saml_provider)

static int delete_saml_provider(struct iam_work *w, const struct iam_delete_saml_provider_in *in,
        struct iam_delete_saml_provider_out *out)
{
	return iam_provider_delete(w, &iam_saml, in->saml_provider_arn);
}
IAM_OPERATION(iam_update, delete_saml_provider)
