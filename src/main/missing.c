/* missing: layers that are still being built. Each line goes when its layer lands. */
#include "apigateway_gen.h"

#define WEAK __attribute__((weak))
#define MISSING(svc)                                   \
	extern const struct api_service svc##_service; \
	WEAK const struct api_service svc##_service = { .model = &svc##_model, .iam_prefix = #svc };
MISSING(apigateway)
