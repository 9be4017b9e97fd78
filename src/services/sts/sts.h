#pragma once
/* sts: the service, for the table in main/. */
#include "api/api.h"

extern const struct api_service sts_service;
