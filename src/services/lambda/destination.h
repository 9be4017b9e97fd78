#pragma once
/*
 * destination: where the outcome of an asynchronous event is sent: another function, an object in
 * S3, a queue, a topic, an event bus; with the rights of the function's execution role. Lambda
 * Developer Guide, "Capturing records of Lambda asynchronous invocations".
 */
#include "services/lambda/function.h"

/* "lambda", "s3", "sqs", "sns", "events" */
bool lambda_destination_is_known(struct str service);
/* Where IAM is enforced: may the role send there? */
int lambda_destination_allowed(struct task *t, struct str role, struct str target) MUST_USE;

/* In the update that ends the event. */
void lambda_destination_add(struct kv_txn *txn, const struct lambda_delivery_record *d);
int lambda_destination_deliver(struct task *t, struct kv_job *job);
