/*
 * gateway_answer: what the gateway itself answers. Each kind of refusal has a default status and
 * message, and may be customized by the API, by its type or by DEFAULT_4XX / DEFAULT_5XX.
 */
#include "services/apigateway/exchange.h"

#include "services/apigateway/mapping.h"

struct kind {
	struct str type;
	int status;
	struct str message, error_type;
};

static const struct kind kinds[] = {
	[REFUSE_ACCESS_DENIED] = { S_INIT("ACCESS_DENIED"), 403,
	        S_INIT("User is not authorized to access this resource"),
	        S_INIT("AccessDeniedException") },
	[REFUSE_API_CONFIGURATION] = { S_INIT("API_CONFIGURATION_ERROR"), 500,
	        S_INIT("Internal server error"), S_INIT("InternalServerErrorException") },
	[REFUSE_AUTHORIZER_CONFIGURATION] = { S_INIT("AUTHORIZER_CONFIGURATION_ERROR"), 500, { 0 },
	        S_INIT("AuthorizerConfigurationException") },
	[REFUSE_AUTHORIZER_FAILURE] = { S_INIT("AUTHORIZER_FAILURE"), 500, { 0 },
	        S_INIT("AuthorizerConfigurationException") },
	[REFUSE_BAD_BODY] = { S_INIT("BAD_REQUEST_BODY"), 400, S_INIT("Invalid request body"),
	        S_INIT("BadRequestException") },
	[REFUSE_BAD_PARAMETERS] = { S_INIT("BAD_REQUEST_PARAMETERS"), 400,
	        S_INIT("Missing required request parameters"), S_INIT("BadRequestException") },
	[REFUSE_EXPIRED_TOKEN] = { S_INIT("EXPIRED_TOKEN"), 403,
	        S_INIT("The security token included in the request is expired"),
	        S_INIT("ExpiredTokenException") },
	[REFUSE_INTEGRATION_FAILURE] = { S_INIT("INTEGRATION_FAILURE"), 504,
	        S_INIT("Network error communicating with endpoint"),
	        S_INIT("InternalServerErrorException") },
	[REFUSE_INTEGRATION_TIMEOUT] = { S_INIT("INTEGRATION_TIMEOUT"), 504,
	        S_INIT("Endpoint request timed out"), S_INIT("InternalServerErrorException") },
	[REFUSE_INVALID_API_KEY] = { S_INIT("INVALID_API_KEY"), 403, S_INIT("Forbidden"),
	        S_INIT("ForbiddenException") },
	[REFUSE_INVALID_SIGNATURE] = { S_INIT("INVALID_SIGNATURE"), 403,
	        S_INIT("The request signature we calculated does not match the signature you "
	               "provided. Check your AWS Secret Access Key and signing method. Consult the "
	               "service documentation for details."),
	        S_INIT("InvalidSignatureException") },
	[REFUSE_MALFORMED] = { S_INIT("API_CONFIGURATION_ERROR"), 502,
	        S_INIT("Internal server error"), S_INIT("InternalServerErrorException") },
	[REFUSE_MISSING_AUTHENTICATION_TOKEN] = { S_INIT("MISSING_AUTHENTICATION_TOKEN"), 403,
	        S_INIT("Missing Authentication Token"),
	        S_INIT("MissingAuthenticationTokenException") },
	[REFUSE_QUOTA_EXCEEDED] = { S_INIT("QUOTA_EXCEEDED"), 429, S_INIT("Limit Exceeded"),
	        S_INIT("LimitExceededException") },
	[REFUSE_TOO_LARGE] = { S_INIT("REQUEST_TOO_LARGE"), 413,
	        S_INIT("HTTP content length exceeded 10485760 bytes."),
	        S_INIT("RequestTooLargeException") },
	[REFUSE_THROTTLED] = { S_INIT("THROTTLED"), 429, S_INIT("Too Many Requests"),
	        S_INIT("TooManyRequestsException") },
	[REFUSE_UNAUTHORIZED] = { S_INIT("UNAUTHORIZED"), 401, S_INIT("Unauthorized"),
	        S_INIT("UnauthorizedException") },
	[REFUSE_UNSUPPORTED_MEDIA_TYPE] = { S_INIT("UNSUPPORTED_MEDIA_TYPE"), 415,
	        S_INIT("Unsupported Media Type"), S_INIT("UnsupportedMediaTypeException") },
	[REFUSE_FORBIDDEN] = { S_INIT("DEFAULT_4XX"), 403, S_INIT("Forbidden"),
	        S_INIT("ForbiddenException") },
};

static const struct apigateway_gateway_response *customized(
        const struct exchange *e, const struct kind *kind)
{
	if (!e->snapshot)
		return NULL;
	const struct apigateway_list_of_gateway_response *all = &e->snapshot->gateway_responses;
	const struct apigateway_gateway_response *r = GROW_FIND(all, response_type, kind->type);
	struct str common = kind->status < 500 ? S("DEFAULT_4XX") : S("DEFAULT_5XX");

	return r ? r : GROW_FIND(all, response_type, common);
}

static void plain_body(struct exchange *e)
{
	struct buf b = buf_init(e->arena);
	struct json_writer w = json_writer(&b);

	json_object(&w);
	/* A denial is spelled with a capital letter, and only it. */
	json_key(&w, str_eq(e->error_response, S("ACCESS_DENIED")) ? S("Message") : S("message"));
	if (e->error_message.p)
		json_str(&w, e->error_message);
	else
		json_null(&w);
	json_end(&w);
	http_header_set(e->arena, &e->answer, S("Content-Type"), S("application/json"));
	e->answer_body = buf_str(&b);
}

int exchange_refuse(struct exchange *e, enum refusal type, struct str message)
{
	const struct kind *kind = &kinds[type];
	const struct apigateway_gateway_response *custom = customized(e, kind);
	uint64_t status;

	e->answer = (struct http_headers){ 0 };
	e->error_message = message.p ? message : kind->message;
	e->error_response = kind->type;
	e->error_type = kind->error_type;
	e->status = kind->status;
	if (custom && str_to_u64(custom->status_code, &status))
		e->status = (int)status;
	http_header_add(e->arena, &e->answer, S("x-amzn-ErrorType"), kind->error_type);
	if (!custom || !mapping_gateway_response(e, custom))
		plain_body(e);
	return EXCHANGE_ANSWERED;
}
