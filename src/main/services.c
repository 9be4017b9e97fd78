/* services: every service that is served, one line each. */
#include "main/server.h"

#include "services/apigateway/apigateway.h"
#include "services/iam/iam.h"
#include "services/lambda/lambda.h"
#include "services/logs/logs.h"
#include "services/s3/s3.h"
#include "services/sts/sts.h"

const struct api_service *const server_services[] = {
	&lambda_service,
	&apigateway_service,
	&iam_service,
	&sts_service,
	&logs_service,
	&s3_service,
	NULL,
};
