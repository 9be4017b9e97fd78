#pragma once
/* logs: the service, for the table in main/. */
#include "api/api.h"

extern const struct api_service logs_service;
