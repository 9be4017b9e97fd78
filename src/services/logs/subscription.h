#pragma once
/*
 * subscription: filters that hand a group's events on to a Lambda function.
 *
 * PutLogEvents writes a job for each filter with the chunk (in the same update); the job reads the
 * chunk, keeps what matches, and invokes the function, over and over for up to a day.
 */
#include "kv/jobs.h"
#include "services/logs/merge.h"
#include "services/logs/put.h"

#define LOGS_QUEUE "logs-subscription"

struct str logs_subscription_key(
        struct arena *a, const struct logs_group *g, struct str filter_name);

/* Invokes the destination as CloudWatch Logs does for the group: type "Event" or "DryRun". 0, or
 * the callee's error. */
int logs_invoke(struct task *t, const struct logs_group *g, struct str function_arn,
        struct str type, struct str payload) MUST_USE;
/* {"awslogs": {"data": base64 of gzip of a message with the type, filters and events}} */
struct logs_message {
	struct str owner, group, stream, filter;
	struct str type; /* DATA_MESSAGE, CONTROL_MESSAGE */
	const struct logs_event *v;
	size_t n;
};
int logs_message_pack(struct task *t, const struct logs_message *m, struct str *payload) MUST_USE;

int logs_deliver(struct task *t, struct kv_job *job) MUST_USE;
