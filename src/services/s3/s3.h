#pragma once
/* s3: the service, for the table in main/. */
#include "api/api.h"

extern const struct api_service s3_service;
