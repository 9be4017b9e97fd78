#pragma once
/* iam: the service, and the identity side of principals for the engine. */
#include "api/api.h"

extern const struct api_service iam_service;
extern const struct api_identity iam_identity;
