#pragma once
/*
 * operate: what wolke's own command line asks of this service, below /_wolke/lambda/. JSON both
 * ways; only the account's root may.
 *
 *	PUT, DELETE /_wolke/lambda/functions/NAME/directory	serve it from a directory
 *	GET         /_wolke/lambda/functions/NAME/tail		its log, live, a JSON object per
 *line GET         /_wolke/lambda/bill				what AWS would charge
 */
#include "codec/codec.h"
#include "codec/json.h"
#include "services/lambda/function.h"

#define LAMBDA_OPERATE_PATH "/_wolke/lambda/"

struct operating {
	struct http_exchange *http;
	struct str name; /* what stands for * in the path, decoded */
	struct uri_params query;
	yyjson_val *body;     /* NULL: none */
	struct buf answer;    /* JSON */
	struct json_writer w; /* writes into answer */
	bool answered;        /* the handler has sent the answer itself */
};

typedef int lambda_operate_fn(struct task *t, struct operating *o);

bool lambda_operate_match(const struct http_request *r);
int lambda_operate_serve(struct task *t, struct http_exchange *x);

/* $LATEST of the function named; fails as operations do. */
int lambda_operate_find(struct task *t, const struct operating *o, struct lambda_ref *ref,
        struct lambda_function_record *r) MUST_USE;

lambda_operate_fn lambda_put_directory, lambda_delete_directory, lambda_tail, lambda_bill,
        lambda_put_debugger, lambda_put_recording, lambda_recordings, lambda_replay;
