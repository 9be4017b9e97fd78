/* call_as: principals of role sessions. */
#include "services/apigateway/call_as.h"

#include "api/arn.h"

struct principal call_as_role(struct arena *a, struct str role_arn, struct str session)
{
	struct arn arn = { 0 };

	if (!arn_parse(role_arn, &arn))
		return (struct principal){ .type = PRINCIPAL_ANONYMOUS };
	ptrdiff_t slash = str_rfind_char(arn.resource, '/');
	struct str name = str_sub(arn.resource, (size_t)(slash + 1), arn.resource.n);
	return (struct principal){
		.type = PRINCIPAL_ROLE,
		.account = arn.account,
		.role_arn = role_arn,
		.arn = str_printf(a, "arn:aws:sts::%.*s:assumed-role/%.*s/%.*s", STR(arn.account),
		        STR(name), STR(session)),
		.id = session,
	};
}
