#pragma once
/* apigateway: the service, for the table in main/. */
#include "api/api.h"

extern const struct api_service apigateway_service;
