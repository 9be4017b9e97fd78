#pragma once
/*
 * layer: layers and their versions.
 *
 * Rows: ("lambda", account, region, "layer", name)                  the last number given out
 *       ("lambda", account, region, "layer-version", name, number)  immutable
 *       ("lambda", account, region, "layer-policy", name, number)   who else may read it
 *
 * A function keeps the blobs of its layers itself: a layer version that is deleted goes on working
 * where it is used.
 */
#include "services/lambda/function.h"

struct lambda_layer_ref {
	struct str account, region, name;
	uint64_t version; /* 0: the layer as a whole */
};

/* From a layer's name or ARN; version < 1 is refused where one is wanted. */
int lambda_layer_ref_parse(struct task *t, struct str name, struct opt_int version,
        struct lambda_layer_ref *ref) MUST_USE;
/* arn:aws:lambda:region:account:layer:name:version */
bool lambda_layer_arn_parse(struct str arn, struct lambda_layer_ref *ref) MUST_USE;
struct str lambda_layer_arn(struct arena *a, const struct lambda_layer_ref *ref);

struct str lambda_layer_key(struct arena *a, const struct lambda_layer_ref *ref);
struct str lambda_layer_version_prefix(struct arena *a, const struct lambda_layer_ref *ref);
struct str lambda_layer_version_key(struct arena *a, const struct lambda_layer_ref *ref);
struct str lambda_layer_policy_key(struct arena *a, const struct lambda_layer_ref *ref);

/* 0; 1 when there is no such version. */
int lambda_layer_load(struct task *t, const struct lambda_layer_ref *ref,
        struct lambda_layer_version_record *r) MUST_USE;
/* May the caller read it? Its policy decides for other accounts. */
int lambda_layer_access(struct task *t, const struct lambda_layer_ref *ref) MUST_USE;

/* For rows: LayerName with VersionNumber; Arn. */
int lambda_on_layer(struct task *t, const void *in, struct api_access *access);
int lambda_on_layer_arn(struct task *t, const void *in, struct api_access *access);
