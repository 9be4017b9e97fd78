#pragma once
/*
 * patch: the Update operations' patchOperations, applied to a generated struct by its shape. A
 * path is a JSON pointer over wire names: "/description", "/variables/name",
 * "/requestParameters/method.request.path.id", "/binaryMediaTypes/image~1png".
 *
 *	static const struct patch_rule rules[] = { { "/description", PATCH_REPLACE },
 *		{ "/variables/", PATCH_ALL } };		// what ends in '/' takes one more segment
 *	TRY(patch_apply(c, &operations, &(struct patch_target){ &shape, value, rules, n }));
 */
#include "services/apigateway/store.h"

#define PATCH_ADD     1u
#define PATCH_REMOVE  2u
#define PATCH_REPLACE 4u
#define PATCH_COPY    8u
#define PATCH_ALL     (PATCH_ADD | PATCH_REMOVE | PATCH_REPLACE)

struct patch_rule {
	const char *path;
	unsigned ops;
};

struct patch_target {
	const struct shape *shape;
	void *value;
	const struct patch_rule *rules;
	size_t n_rules;
};

#define PATCH_TARGET(shape_, value_, rules_)        \
	(&(struct patch_target){ .shape = (shape_), \
	        .value = (value_),                  \
	        .rules = (rules_),                  \
	        .n_rules = ARRAY_LEN(rules_) })

/* 0, or BadRequestException noted in c. */
int patch_apply(struct apigw_change *c, const struct apigateway_list_of_patch_operation *operations,
        const struct patch_target *target) MUST_USE;
int patch_apply_one(struct apigw_change *c, const struct apigateway_patch_operation *operation,
        const struct patch_target *target) MUST_USE;
/* Sets the value at a pointer without asking rules; value absent: removes. */
int patch_set(struct arena *a, const struct shape *shape, void *value, struct str pointer,
        struct str text) MUST_USE;
/* "~1" is '/', "~0" is '~'. */
struct str patch_unescape(struct arena *a, struct str segment);
