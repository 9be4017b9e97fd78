/* ListLayers, ListLayerVersions */
#include "services/lambda/layer.h"

#include "kv/key.h"

#define PAGE 50

struct listing {
	struct lambda_layer_ref ref;
	struct str runtime, architecture;
	struct str after_name; /* of layers */
	uint64_t before;       /* of versions: the newest come first */
	size_t n, max;
	bool more;
	struct lambda_layers_list_item layers[PAGE];
	struct lambda_layer_versions_list_item versions[PAGE];
};

static bool has(const struct str *v, size_t n, struct str wanted)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i], wanted))
			return true;
	return !wanted.n;
}

static bool matches(const struct listing *l, const struct lambda_layer_versions_list_item *item)
{
	return has(item->compatible_runtimes.v, item->compatible_runtimes.n, l->runtime) &&
	       has(item->compatible_architectures.v, item->compatible_architectures.n,
	               l->architecture);
}

static int list_versions(struct kv_txn *txn, void *arg)
{
	struct listing *l = arg;
	struct arena *a = kv_arena(txn);
	struct lambda_layer_ref end = l->ref;
	struct str prefix = lambda_layer_version_prefix(a, &l->ref);

	end.version = l->before;
	CLEANUP(kv_scan_close)
	struct kv_scan *s = kv_scan(txn, prefix,
	        l->before ? lambda_layer_version_key(a, &end) : kv_prefix_end(a, prefix), true);
	struct str key, value;

	while (kv_next(s, &key, &value)) {
		struct lambda_layer_version_record r = { 0 };
		TRY(record_unpack(a, &lambda_shape_layer_version_record, value, &r));
		if (!matches(l, r.item))
			continue;
		if (l->n == l->max) {
			l->more = true;
			return 0;
		}
		l->versions[l->n++] = *r.item;
	}
	return 0;
}

/* The newest version that fits. */
static int newest(struct kv_txn *txn, const struct listing *l, const struct lambda_layer_ref *ref,
        struct lambda_layer_versions_list_item **item)
{
	struct arena *a = kv_arena(txn);
	CLEANUP(kv_scan_close)
	struct kv_scan *s = kv_scan_prefix(txn, lambda_layer_version_prefix(a, ref), true);
	struct str key, value;

	*item = NULL;
	while (!*item && kv_next(s, &key, &value)) {
		struct lambda_layer_version_record r = { 0 };
		TRY(record_unpack(a, &lambda_shape_layer_version_record, value, &r));
		if (matches(l, r.item))
			*item = r.item;
	}
	return 0;
}

static int list_layers(struct kv_txn *txn, void *arg)
{
	struct listing *l = arg;
	struct arena *a = kv_arena(txn);
	struct str prefix =
	        kv_key(a, "ssss", S("lambda"), l->ref.account, l->ref.region, S("layer"));
	struct lambda_layer_ref ref = l->ref;

	ref.name = l->after_name;
	CLEANUP(kv_scan_close)
	struct kv_scan *s = kv_scan(txn,
	        ref.name.n ? str_concat(a, 2, lambda_layer_key(a, &ref), (struct str){ "\0", 1 })
	                   : prefix,
	        kv_prefix_end(a, prefix), false);
	struct str key, value, names[4];

	while (kv_next(s, &key, &value)) {
		struct lambda_layer_versions_list_item *item;
		if (!kv_key_read(
		            a, key, "sssss", &names[0], &names[1], &names[2], &names[3], &ref.name))
			return -EPROTO;
		TRY(newest(txn, l, &ref, &item));
		if (!item)
			continue;
		if (l->n == l->max) {
			l->more = true;
			return 0;
		}
		l->layers[l->n++] = (struct lambda_layers_list_item){ ref.name,
			lambda_layer_arn(a, &ref), item };
	}
	return 0;
}

static int begin(
        struct task *t, struct str marker, struct opt_int max_items, struct listing **listing)
{
	struct listing *l = arena_new(task_arena(t), struct listing);
	const struct call *c = call_of(t);
	struct str position = { 0 };

	*listing = l;
	l->ref = (struct lambda_layer_ref){ c->account, c->region, { 0 }, 0 };
	l->max = max_items.set ? (size_t)MIN(max_items.v, (int64_t)PAGE) : PAGE;
	if (!marker.n)
		return 0;
	if (!api_token_open(t, marker, &position))
		return fail(t, LAMBDA_INVALID_PARAMETER_VALUE_EXCEPTION, "Invalid marker");
	l->after_name = position;
	if (!str_to_u64(position, &l->before))
		l->before = 0;
	return 0;
}

int lambda_list_layers(
        struct task *t, const struct lambda_list_layers_in *in, struct lambda_list_layers_out *out)
{
	struct listing *l;

	TRY(begin(t, in->marker, in->max_items, &l));
	l->runtime = in->compatible_runtime;
	l->architecture = in->compatible_architecture;
	TRY(kv_view(t, list_layers, l));
	out->layers = (struct lambda_layers_list){ l->layers, l->n };
	if (l->more)
		out->next_marker = api_token_seal(t, l->layers[l->n - 1].layer_name);
	return 0;
}

int lambda_list_layer_versions(struct task *t, const struct lambda_list_layer_versions_in *in,
        struct lambda_list_layer_versions_out *out)
{
	struct listing *l;

	TRY(begin(t, in->marker, in->max_items, &l));
	TRY(lambda_layer_ref_parse(t, in->layer_name, (struct opt_int){ 0 }, &l->ref));
	l->runtime = in->compatible_runtime;
	l->architecture = in->compatible_architecture;
	TRY(kv_view(t, list_versions, l));
	out->layer_versions = (struct lambda_layer_versions_list){ l->versions, l->n };
	if (l->more)
		out->next_marker =
		        api_token_seal(t, str_printf(task_arena(t), "%lld",
		                                  (long long)l->versions[l->n - 1].version.v));
	return 0;
}
