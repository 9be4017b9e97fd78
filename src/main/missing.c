/* missing: layers that are still being built. Each line goes when its layer lands. */
#include "apigateway_gen.h"
#include "logs_gen.h"
#include "runtime/runtime.h"
#include "s3_gen.h"
#include "sandbox/sandbox.h"
#include "api/api.h"

#define WEAK __attribute__((weak))
#define MISSING(svc)                                   \
	extern const struct api_service svc##_service; \
	WEAK const struct api_service svc##_service = { .model = &svc##_model, .iam_prefix = #svc };
MISSING(apigateway)
MISSING(logs)
MISSING(s3)

WEAK int policy_parse(struct arena *a, struct str json, enum policy_kind kind,
        const struct policy **policy, struct str *why)
{
	return -ENOSYS;
}
WEAK void policy_evaluate(struct arena *a, const struct policy_request *request,
        const struct policy_set *set, struct policy_result *result)
{
}
WEAK int sandbox_helper_start(const struct sandbox_options *o, int *socket_fd)
{
	return 0;
}
WEAK int runtime_invoke(struct task *t, const struct runtime_function *f,
        const struct runtime_invocation *in, struct runtime_result *result)
{
	return -ENOSYS;
}
WEAK void runtime_retire(struct loop *loop, struct str arn, struct str keep_key)
{
}
WEAK int runtime_check(struct arena *a, struct str runtime, struct str *nearest, struct str *why)
{
	return 0;
}
WEAK int runtime_start(struct loop *loop, const struct runtime_options *o)
{
	return 0;
}
WEAK int runtime_stop(struct task *t)
{
	return 0;
}
WEAK void runtime_list(struct arena *a, struct loop *loop, struct runtime_env_info **v, size_t *n)
{
	*n = 0;
}
WEAK struct str runtime_table(struct arena *a)
{
	return S("");
}
