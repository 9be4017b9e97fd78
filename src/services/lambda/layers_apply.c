/* layers_apply: a function's layers. */
#include "services/lambda/layer.h"
#include "services/lambda/settings.h"

#include "services/lambda/package.h"

#define LAYERS_MAX 5

static int no_layer(struct task *t, struct str arn)
{
	return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
	        "Layer version %.*s does not exist.", STR(arn));
}

static int check_other_versions(struct task *t, struct lambda_layer_list layers, size_t at,
        const struct lambda_layer_ref *ref)
{
	struct lambda_layer_ref other;

	for (size_t i = 0; i < at; i++)
		if (lambda_layer_arn_parse(layers.v[i], &other) && str_eq(other.name, ref->name) &&
		        str_eq(other.account, ref->account))
			return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
			        "Two different versions of the same layer are not allowed to be "
			        "referenced in the same function. %.*s and %.*s are versions of "
			        "the same layer.",
			        STR(layers.v[i]), STR(layers.v[at]));
	return 0;
}

static int find(struct task *t, struct lambda_layer_list layers, size_t at,
        struct lambda_layer_version_record *r)
{
	struct str arn = layers.v[at];
	struct lambda_layer_ref ref;

	if (!lambda_layer_arn_parse(arn, &ref) || !ref.version)
		return no_layer(t, arn);
	if (!str_eq(ref.region, call_of(t)->region))
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "Layers are not in the same region as the function. Layers are expected to "
		        "be in region %.*s.",
		        STR(call_of(t)->region));
	TRY(check_other_versions(t, layers, at, &ref));
	TRY(lambda_layer_access(t, &ref));
	int got = lambda_layer_load(t, &ref, r);
	return got == KV_NOT_FOUND ? no_layer(t, arn) : got;
}

static int check_size(struct task *t, const struct lambda_function_record *r)
{
	int64_t total = r->unpacked_size.v + r->layers_unpacked_size.v;

	if (r->layer_blobs.n == 0 || total <= LAMBDA_UNZIPPED_MAX)
		return 0;
	return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
	        "Function code combined with layers exceeds the maximum allowed size of %d bytes. "
	        "The actual size is %lld bytes.",
	        LAMBDA_UNZIPPED_MAX, (long long)total);
}

int lambda_layers_apply(
        struct task *t, struct lambda_layer_list layers, struct lambda_function_record *r)
{
	struct arena *a = task_arena(t);
	struct lambda_function_configuration *c =
	        arena_new(a, struct lambda_function_configuration);

	if (!layers.v)
		return check_size(t, r);
	if (layers.n > LAYERS_MAX)
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION,
		        "Cannot reference more than %d layers.", LAYERS_MAX);
	r->layer_blobs =
	        (struct lambda_blob_id_list){ arena_new_n(a, struct str, layers.n + 1), layers.n };
	r->layers_unpacked_size = opt_int(0);
	struct lambda_layer *shown = arena_new_n(a, struct lambda_layer, layers.n + 1);
	for (size_t i = 0; i < layers.n; i++) {
		struct lambda_layer_version_record v;
		TRY(find(t, layers, i, &v));
		r->layer_blobs.v[i] = v.code_blob;
		r->layers_unpacked_size.v += v.unpacked_size.v;
		shown[i] = (struct lambda_layer){ .arn = layers.v[i], .code_size = v.code_size };
	}
	*c = *r->configuration;
	c->layers = (struct lambda_layers_reference_list){ layers.n ? shown : NULL, layers.n };
	r->configuration = c;
	return check_size(t, r);
}
