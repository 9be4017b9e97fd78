#pragma once
/* service_linked_role: how the roles that services make for themselves are called. */
#include "base/str.h"

/* "AWSServiceRoleForAPIGateway"; empty for a service without one. */
struct str iam_linked_role_name(struct str service);
